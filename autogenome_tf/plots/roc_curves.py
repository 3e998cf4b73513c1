"""Receiver operating characteristic of each class."""

from typing import Any

import numpy as np
import pandas as pd
import sklearn.metrics

from autogenome_tf.plots import _curves, _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._source import classes
from autogenome_tf.run import Run


class RocCurves(Figure):
    """Draw the ROC curves of a run's unseen rows."""

    stage = "predict"
    files = ("predictions.tsv",)
    of_tasks = "has_classes"
    place = "predictions"
    order = 1
    caption = (
        "Each class against all others; the dashed line is guessing, an area of 1 is without "
        "error. Look for curves near the top left corner."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return targets and probabilities of rows that no network has learned from."""
        return classes(run)

    def draw(self, targets: np.ndarray, probabilities: pd.DataFrame) -> Drawing:
        """Draw the receiver operating characteristic of each class against the rest.

        Args:
            targets: (rows,) class names; or a run, whose rows are those that no network has learned
                from.
            probabilities: DataFrame (rows, classes), class names as columns. Of two classes the
                second is drawn, as the first is its mirror image.

        Returns:
            A `matplotlib.figure.Figure`; a class that no row or every row has is left out.
        """
        curves = {}
        for name in probabilities.columns[1 if len(probabilities.columns) == 2 else 0 :]:
            is_it = targets == name
            if 0 < is_it.sum() < len(is_it):
                false, true, _ = sklearn.metrics.roc_curve(is_it, probabilities[name])
                curves[name] = (false, true, sklearn.metrics.auc(false, true))
        figure, panel = _curves.draw(curves, "false positive rate", "true positive rate")
        panel.plot([0, 1], [0, 1], color=_paper.GREY, linestyle="--", linewidth=1)
        return figure
