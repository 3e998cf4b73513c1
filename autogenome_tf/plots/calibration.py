"""Reliability diagram: share of correct predictions against their predicted probability."""

from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._source import classes
from autogenome_tf.run import Run

MOST_BINS, FEWEST_ROWS = 10, 10  # of rows of like confidence; rows in each


class Calibration(Figure):
    """Draw the reliability diagram of a run's unseen rows."""

    stage = "predict"
    files = ("predictions.tsv",)
    of_tasks = "has_classes"
    place = "predictions"
    order = 3
    caption = (
        "Look for points on the dashed line: there, predictions with a probability of 80\u00a0% "
        "are correct in 80 of 100 cases. Below the line the model is overconfident, above it "
        "underconfident. Bars are 95\u00a0% intervals; the lower panel counts samples."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return targets and probabilities of rows that no network has learned from."""
        return classes(run)

    def draw(self, targets: np.ndarray, probabilities: pd.DataFrame) -> Drawing:
        """Draw the share of correct predictions against their probability (a reliability diagram).

        Args:
            targets: (rows,) class names; or a run, whose rows are those that no network has learned
                from.
            probabilities: DataFrame (rows, classes), class names as columns.

        Returns:
            A `matplotlib.figure.Figure`; bars are 95 % Wilson intervals, the lower panel is a
            histogram of the probabilities. The expected calibration error (Guo et al. 2017) is over
            bins of equally many rows.
        """
        values = probabilities.to_numpy()
        confidence, predicted = values.max(axis=1), values.argmax(axis=1)
        is_right = probabilities.columns.to_numpy()[predicted] == targets
        figure, ((panel,), (below,)) = _paper.blank(4.6, 5.2, 2, 1, height_ratios=[3, 1])
        bins = reliability(confidence, is_right)
        low, high = bins["accuracy"] - bins["low"], bins["high"] - bins["accuracy"]
        label = f"expected calibration error {calibration_error(bins):.3f}"
        look = {"color": _paper.PALETTE[0], "fmt": "o-", "markersize": 4, "linewidth": 1.2}
        panel.errorbar(bins["confidence"], bins["accuracy"], [low, high], label=label, **look)
        least = min(confidence.min(), 1 / probabilities.shape[1])
        panel.plot([least, 1], [least, 1], color=_paper.GREY, linestyle="--", linewidth=1)
        panel.set(
            xlim=(least - 0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share of correct predictions"
        )
        panel.legend(frameon=False, loc="lower right")
        below.hist(confidence, bins=20, range=(least, 1), color=_paper.PALETTE[0])
        below.set(xlim=panel.get_xlim(), xlabel="predicted probability", ylabel="samples")
        return figure


def reliability(confidence: np.ndarray, is_right: np.ndarray) -> dict[str, np.ndarray]:
    """Bin rows by confidence, equally many in each bin.

    Args:
        confidence: (rows,) probability of the predicted class.
        is_right: (rows,) whether it is the true one.

    Returns:
        Dict of (bins,) arrays: rows, confidence (their mean), accuracy, low and high (95 % Wilson).
    """
    order = np.argsort(confidence, kind="stable")
    count = int(np.clip(len(order) // FEWEST_ROWS, 1, MOST_BINS))
    bins = {"rows": [], "confidence": [], "accuracy": [], "low": [], "high": []}
    for rows in np.array_split(order, count):
        found = scipy.stats.binomtest(int(is_right[rows].sum()), len(rows))
        interval = found.proportion_ci(method="wilson")
        line = (len(rows), confidence[rows].mean(), found.statistic, interval.low, interval.high)
        for column, value in zip(bins.values(), line, strict=True):
            column.append(value)
    return {name: np.array(column) for name, column in bins.items()}


def calibration_error(bins: dict[str, np.ndarray]) -> float:
    """Return the mean distance of confidence and accuracy over the rows of `reliability`'s bins.

    Args:
        bins: Dict of (bins,) arrays, as `reliability` returns it.
    """
    return np.average(np.abs(bins["accuracy"] - bins["confidence"]), weights=bins["rows"])
