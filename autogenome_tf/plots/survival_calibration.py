"""Predicted against observed survival at the median time of events."""

from typing import Any

import numpy as np
import scipy.stats

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._survival import kaplan_meier, scored_rows
from autogenome_tf.run import Run
from autogenome_tf.tasks.survival_metrics import BINS

MOST_BINS, FEWEST_ROWS = 5, 10


class SurvivalCalibration(Figure):
    """Draw whether predicted probabilities of survival come true."""

    stage = "predict"
    files = ("predictions.tsv", "validation.npz")
    of_tasks = "has_times"
    place = "predictions"
    order = 3
    caption = (
        "Samples that no network has learned from, in groups of like predicted survival at the "
        "median time of events, against the share of each group that survived it (Kaplan-Meier). "
        "Look for points on the dashed line. The right panel counts samples by the tenth of "
        "predicted survival in which their event fell (censored samples are spread): calibrated "
        "predictions fill all tenths alike."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return predicted survival of unseen rows at the median time, and the filled tenths."""
        _, targets, outputs, task = scored_rows(run)
        at = task.curves.quartiles[1]
        return {
            "targets": targets, "predicted": task.survival(outputs, np.array([at]))[:, 0],
            "tenths": task.rows(targets, outputs).tenths().sum(axis=0), "at": float(at),
        }  # fmt: skip

    def draw(
        self, targets: np.ndarray, predicted: np.ndarray, tenths: np.ndarray, *, at: float = 1.0
    ) -> Drawing:
        """Draw observed against predicted survival, and a histogram of tenths.

        Args:
            targets: (rows, 2) time and event; or a run.
            predicted: (rows,) predicted survival at a time.
            tenths: (10,) rows in each tenth of survival.
            at: The time.

        Returns:
            A `matplotlib.figure.Figure` with the p-value of D-calibration (Haider et al. 2020).
        """
        figure, ((panel, right),) = _paper.blank(7.4, 3.6, 1, 2)
        panel.plot([0, 1], [0, 1], color=_paper.GREY, linestyle="--", linewidth=1)
        means, shares = binned(targets, predicted, at)
        panel.plot(means, shares, "o-", color=_paper.PALETTE[0], markersize=4, linewidth=1.2)
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        panel.set(xlabel=f"predicted survival at {at:g}", ylabel="share without an event")
        total = tenths.sum()
        statistic = ((tenths - total / BINS) ** 2).sum() / (total / BINS)
        p = scipy.stats.chi2.sf(statistic, BINS - 1)
        right.bar((np.arange(BINS) + 0.5) / BINS, tenths, 0.9 / BINS, color=_paper.PALETTE[0])
        right.axhline(total / BINS, color=_paper.GREY, linestyle="--", linewidth=1)
        right.set(xlabel="predicted survival at the event", ylabel="samples")
        right.set_title(f"D-calibration p = {p:.2g}", loc="left", fontsize="medium")
        return figure


def binned(targets: np.ndarray, predicted: np.ndarray, at: float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean predicted and observed survival of groups of equal size.

    Args:
        targets: (rows, 2) time and event.
        predicted: (rows,) predicted survival at a time.
        at: The time.

    Returns:
        (groups,) twice, ascending.
    """
    order = np.argsort(predicted, kind="stable")
    count = int(np.clip(len(order) // FEWEST_ROWS, 1, MOST_BINS))
    groups = np.array_split(order, count)
    means = np.array([predicted[rows].mean() for rows in groups])
    shares = [kaplan_meier(targets[rows], np.array([at]))[0] for rows in groups]
    return means, np.array(shares)
