"""Kaplan-Meier curves of samples grouped by their predicted risk."""

from typing import Any

import numpy as np

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._survival import THIRDS, kaplan_meier, log_rank, thirds, validation_rows
from autogenome_tf.run import Run

COLORS = (_paper.PALETTE[2], _paper.PALETTE[4], _paper.PALETTE[1])
TICKS = 6  # times at which samples at risk are counted


class KaplanMeierCurves(Figure):
    """Draw the survival of the thirds of samples by their out-of-fold risk."""

    stage = "predict"
    files = ("predictions.tsv", "validation.npz")
    of_tasks = "has_times"
    place = "predictions"
    order = 1
    caption = (
        "Samples by thirds of the risk that networks predicted which had not seen them. Look for "
        "curves that lie apart in the order of the risk; crosses are samples whose observation "
        "ended without an event. The numbers below count the samples still observed."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return targets and log-risks of the rows that validated."""
        targets, risks, task = validation_rows(run)
        return {"targets": targets, "risks": risks, "time": task.targets[0]}

    def draw(self, targets: np.ndarray, risks: np.ndarray, *, time: str = "time") -> Drawing:
        """Draw a curve for each third of the rows by risk, and the numbers at risk.

        Args:
            targets: (rows, 2) time and event; or a run.
            risks: (rows,) log-risks.
            time: Name of the time.

        Returns:
            A `matplotlib.figure.Figure` with the p-value of the log-rank test.
        """
        figure, ((panel,), (below,)) = _paper.blank(6.2, 5.0, 2, 1, height_ratios=[4, 1])
        groups, last = thirds(risks), targets[:, 0].max()
        for number, name in enumerate(THIRDS):
            rows = targets[groups == number]
            events = int(rows[:, 1].sum())
            label = f"{name} (n = {len(rows)}, {events} events)"
            _draw_curve(panel, rows, COLORS[number], label)
        p = log_rank(targets, groups)
        title = f"log-rank p {'< 0.0001' if p < 1e-4 else f'= {p:.2g}'}"
        panel.set(xlim=(0, last), ylim=(0, 1.03), xlabel=_paper.label(time))
        panel.set_ylabel("share without an event")
        figure.legend(loc="outside upper center", frameon=False, ncols=1, title=title)
        _draw_numbers(below, panel, targets, groups)
        return figure


def _draw_curve(panel, rows, color, label):
    times = np.concatenate([[0.0], np.sort(rows[:, 0])])
    shares = np.append(1.0, kaplan_meier(rows, times[1:]))
    panel.step(times, shares, where="post", color=color, linewidth=1.6, label=label)
    ends = np.sort(rows[rows[:, 1] == 0, 0])
    panel.plot(ends, kaplan_meier(rows, ends), "+", color=color, markersize=5, alpha=0.7)


def _draw_numbers(below, panel, targets, groups):
    """Write the number of rows of each group still observed at some times."""
    ticks = [tick for tick in panel.get_xticks() if 0 <= tick <= panel.get_xlim()[1]][: TICKS + 2]
    for number in range(len(THIRDS)):
        for tick in ticks:
            count = int((targets[groups == number, 0] >= tick).sum())
            below.text(tick, -number, str(count), color=COLORS[number], ha="center", va="center")
    below.set(xlim=panel.get_xlim(), ylim=(0.6 - len(THIRDS), 0.6), xticks=[])
    below.set_yticks([-number for number in range(len(THIRDS))], THIRDS)
    below.tick_params(length=0, pad=18)
    below.set_title("samples at risk", loc="left", fontsize="medium")
    for spine in below.spines.values():
        spine.set_visible(False)
