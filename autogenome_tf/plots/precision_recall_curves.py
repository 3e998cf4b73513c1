"""Precision against recall of each class."""

from typing import Any

import numpy as np
import pandas as pd
import sklearn.metrics

from autogenome_tf.plots import _curves
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._source import classes
from autogenome_tf.run import Run


class PrecisionRecallCurves(Figure):
    """Draw the precision-recall curves of a run's unseen rows."""

    stage = "predict"
    files = ("predictions.tsv",)
    of_tasks = "has_classes"
    place = "predictions"
    order = 2
    caption = (
        "Precision is the share of the samples predicted as a class that belong to it, recall the "
        "share of the samples of a class that are predicted as it. Look for curves near the top "
        "right corner."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return targets and probabilities of rows that no network has learned from."""
        return classes(run)

    def draw(self, targets: np.ndarray, probabilities: pd.DataFrame) -> Drawing:
        """Draw precision against recall of each class; unlike ROC curves, they show how rare it is.

        Args:
            targets: (rows,) class names; or a run, whose rows are those that no network has learned
                from.
            probabilities: DataFrame (rows, classes), class names as columns.

        Returns:
            A `matplotlib.figure.Figure`; areas are average precisions (the sum of precisions by
            steps of recall). A class that no row has is left out.
        """
        curves = {}
        for name in probabilities.columns:
            is_it = targets == name
            if is_it.any():
                score = probabilities[name]
                precision, recall, _ = sklearn.metrics.precision_recall_curve(is_it, score)
                area = sklearn.metrics.average_precision_score(is_it, score)
                curves[name] = (recall, precision, area)
        return _curves.draw(curves, "recall", "precision", drawstyle="steps-post")[0]
