"""Course of a search with shared weights."""

from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

PANELS = {
    "loss": ("loss of shared weights", ("loss",)),
    "reward": ("reward", ("reward", "baseline")),
    "entropy": ("entropy of an arc, nats", ("entropy",)),
    "skip_rate": ("probability of a skip", ("skip_rate",)),
}


class SharedSearch(Figure):
    """Draw the course of a run's search with shared weights."""

    stage = "train"
    files = ("search/enas/curves.tsv", "search/enas/candidates.tsv")
    place = "search"
    order = 3
    caption = (
        "The search with shared weights: loss, the controller's reward and entropy, and the scores "
        "of the architectures it proposes beside architectures drawn uniformly. Look for proposals "
        "that score better than the uniform ones: then the controller has learned."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return the tables of the search."""
        tables = {}
        for name in ("curves", "candidates"):
            run.require(f"search/enas/{name}.tsv")
            tables[name] = run.read_table(f"search/enas/{name}.tsv")
        return tables | {"objective": run.config().objective}

    def draw(
        self, curves: pd.DataFrame, candidates: pd.DataFrame, *, objective: str = "score"
    ) -> Drawing:
        """Draw what an epoch measured, panel by panel, and the shared scores of the candidates.

        Args:
            curves: DataFrame, a row an epoch: `epoch`, `loss`, `reward` and, where a controller
                learns, `baseline`, `entropy`, `skip_rate`. Or a run of `search.method` enas, and
                nothing else.
            candidates: DataFrame, a row an arc: `by` (who sampled it) and `shared_score`.
            objective: Name of the score, for the axis.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        shown = [name for name in PANELS if name in curves]
        figure, axes = _paper.blank(0.6 + 3.4 * (len(shown) + 1), 3.0, 1, len(shown) + 1)
        for panel, name in zip(axes.flat, shown, strict=False):
            label, names = PANELS[name]
            for color, one in zip(_paper.PALETTE, (n for n in names if n in curves), strict=False):
                panel.plot(curves["epoch"], curves[one], color=color, label=one)
            panel.set_xlabel("epoch")
            panel.set_ylabel(label)
            panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            if len(names) > 1:
                panel.legend(frameon=False)
        _draw_candidates(axes.flat[len(shown)], candidates, objective)
        return figure


def _draw_candidates(panel, candidates, objective):
    """Draw for each sampler the share of its arcs up to each score."""
    for color, (by, rows) in zip(_paper.PALETTE, candidates.groupby("by"), strict=False):
        scores = np.sort(rows["shared_score"].dropna())
        shares = np.arange(1, len(scores) + 1) / max(1, len(scores))
        panel.step(scores, shares, where="post", color=color, label=by)
    panel.set_xlabel(f"{objective.replace('_', ' ')} with shared weights")
    panel.set_ylabel("share of candidates")
    panel.legend(frameon=False)
