"""Confusion matrix: counts of true and predicted classes."""

from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._target import TargetRun
from autogenome_tf.run import Run

MOST_NUMBERED = 20  # classes; with more, numbers in cells are smaller than print
CELL, SMALL_CELL, SMALLEST_SQUARE = 0.55, 0.26, 2.2  # inches
DARK = 0.6  # share from which white numbers read better than black ones


# Numbers stand on the colour of their cell, whatever the colour of the page.
ON_LIGHT = "#111111"


class ConfusionMatrix(Figure):
    """Draw the confusion matrix of a run."""

    stage = "evaluate"
    files = ("confusion_matrix.tsv",)
    of_tasks = "has_classes"
    folder = ""
    place = "scores"
    order = 1
    caption = (
        "Rows are true classes, columns predicted classes; cells on the diagonal are correct. Look "
        "for dark cells off the diagonal: there the model confuses two classes. The colour is the "
        "share of the true class."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return the counts of confusion_matrix.tsv."""
        if isinstance(run, TargetRun):
            return {"counts": run.confusion_matrix()}
        with run.intact("confusion_matrix.tsv") as path:
            # Without a header, since classes may be called as the column before them is.
            cells = pd.read_csv(
                path, sep="\t", header=None, keep_default_na=False, dtype=str
            ).to_numpy()
            return {"counts": pd.DataFrame(cells[1:, 1:].astype(int), cells[1:, 0], cells[0, 1:])}

    def draw(self, counts: pd.DataFrame) -> Drawing:
        """Draw a confusion matrix, coloured by the share of each true class.

        Args:
            counts: DataFrame of (classes, classes), rows true, columns predicted, names on both;
                or a run.

        Returns:
            A `matplotlib.figure.Figure`; cells hold counts up to 20 classes.
        """
        counts = counts.rename(index=_paper.label, columns=_paper.label)
        shares = _shares(counts.to_numpy(float))
        names = _paper.LETTER * max(len(str(name)) for name in [*counts.index, *counts.columns])
        square = _square(len(counts.columns))
        figure, ((panel,),) = _paper.blank(square + names + 1.6, square + names + 1.0)
        image = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        _label(panel, counts, upright=names > square / len(counts.columns))
        if len(counts.columns) <= MOST_NUMBERED:
            _number(panel, counts.to_numpy(), shares)
        bar = figure.colorbar(image, ax=panel, shrink=0.6, aspect=25, pad=0.02)
        bar.set_label("share of the true class")
        bar.outline.set_visible(False)
        return figure


def _shares(counts):
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)


def _square(classes):
    """Return the side of the matrix in inches."""
    return max(SMALLEST_SQUARE, classes * (CELL if classes <= MOST_NUMBERED else SMALL_CELL))


def _label(panel, counts, upright):
    size = 10 if len(counts.columns) <= MOST_NUMBERED else 8
    rotation = 90 if upright else 0
    panel.set_xticks(range(len(counts.columns)), counts.columns, rotation=rotation)
    panel.set_yticks(range(len(counts.index)), counts.index)
    panel.tick_params(length=0, labelsize=size)
    panel.set_xlabel("predicted")
    panel.set_ylabel("true")
    panel.spines[:].set_visible(False)
    # White lines between the cells: a minor tick stands on every edge.
    panel.set_xticks(np.arange(len(counts.columns) + 1) - 0.5, minor=True)
    panel.set_yticks(np.arange(len(counts.index) + 1) - 0.5, minor=True)
    panel.grid(which="minor", color="#DDDDDD", linewidth=0.5)
    panel.tick_params(which="minor", length=0)


def _number(panel, counts, shares):
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > DARK else ON_LIGHT if count else _paper.GREY
        size = 9 if count < 10_000 else 7
        panel.text(column, row, str(count), ha="center", va="center", color=color, fontsize=size)
