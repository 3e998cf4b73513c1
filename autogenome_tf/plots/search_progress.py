"""Scores of all trials of a search, by their number."""

from typing import Any

import pandas as pd

from autogenome_tf.metrics import HIGHER_IS_BETTER
from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

LINE = 0.22  # inches of a line of the legend


class SearchProgress(Figure):
    """Draw the scores of a run's trials."""

    stage = "train"
    files = ("leaderboard.tsv",)
    place = "search"
    order = 1
    caption = (
        "The score of every trial with its standard error over folds, by its number; linear "
        "learners run first but have the last numbers. Look at the line of the best score, which "
        "leaves out the baseline: once it is level, more trials gain little."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return the leaderboard, trials in order."""
        trials, objective = run.read_table("leaderboard.tsv"), run.config().objective
        # The linear baseline stands outside the search.
        trials["trial"] = trials["trial"].where(trials["trial"] > 0)
        better = {"objective": objective, "higher_is_better": HIGHER_IS_BETTER[objective]}
        return {"leaderboard": trials} | better

    def draw(
        self, leaderboard: pd.DataFrame, *, objective: str = "score", higher_is_better: bool = True
    ) -> Drawing:
        """Draw the score of every trial by its number, and the best so far.

        Args:
            leaderboard: DataFrame, a row a trial: `family`, `trial` (number; missing, or not a
                number, for a baseline outside the search), `score` (missing where the trial failed)
                and perhaps `error` (standard error over folds). Or a run.
            objective: Name of the score, for the axis.
            higher_is_better: Whether the best score is the highest.

        Returns:
            A `matplotlib.figure.Figure`; a baseline is a dotted line, a failed trial a cross at the
            foot.
        """
        trials = _in_order(leaderboard)
        looks = _paper.marks(sorted(trials["family"].unique()))
        inside, outside = trials.dropna(subset="trial"), trials[trials["trial"].isna()]
        figure, ((panel,),) = _paper.blank(*_size(looks))
        _draw_best(panel, inside, higher_is_better)
        _draw_trials(panel, inside.dropna(subset="score"), looks)
        _draw_baselines(panel, outside.dropna(subset="score"), looks)
        _draw_failed(panel, inside[inside["score"].isna()])
        panel.set_xlabel("trial")
        panel.set_ylabel(objective.replace("_", " "))
        panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        figure.legend(loc="outside right upper", frameon=False)
        return figure


def _size(families):
    """Return inches that leave room for the legend at the right."""
    lines = len(families) + 4  # best so far, baseline, failed, and air
    letters = max(len("linear (baseline)"), *(len(family) for family in families), 0)
    return 5.5 + _paper.LETTER * letters, max(3.8, LINE * lines)


def _in_order(leaderboard):
    numeric = {
        name: pd.to_numeric(leaderboard[name], errors="coerce")
        for name in ("trial", "score", "error")
        if name in leaderboard
    }
    trials = leaderboard.assign(**numeric).sort_values("trial", kind="stable")
    return trials if "error" in trials else trials.assign(error=float("nan"))


def _draw_best(panel, trials, higher_is_better):
    """Draw a line that changes only where a trial beats all before it."""
    scores = trials["score"]
    best = scores.cummax() if higher_is_better else scores.cummin()
    line = {"color": _paper.GREY, "linewidth": 1.2, "drawstyle": "steps-post", "zorder": 1}
    panel.plot(trials["trial"], best.ffill(), label="best so far", **line)


def _draw_trials(panel, trials, looks):
    for family, rows in trials.groupby("family"):
        look = looks[family]
        panel.scatter(rows["trial"], rows["score"], label=family, s=26, zorder=3, **look)
        bars = {"fmt": "none", "ecolor": look["color"], "elinewidth": 0.8, "alpha": 0.5}
        panel.errorbar(rows["trial"], rows["score"], rows["error"], zorder=2, **bars)


def _draw_baselines(panel, trials, looks):
    for family, score in zip(trials["family"], trials["score"], strict=True):
        line = {"color": looks[family]["color"], "linestyle": ":", "linewidth": 1.2}
        panel.axhline(score, label=f"{family} (baseline)", **line)


def _draw_failed(panel, trials):
    if trials.empty:
        return
    foot = [0.02] * len(trials)  # a share of the axes' height: a failure has no score
    look = {"color": "black", "marker": "x", "s": 22, "clip_on": False}
    place = panel.get_xaxis_transform()
    panel.scatter(trials["trial"], foot, transform=place, label="failed", **look)
