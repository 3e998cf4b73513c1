"""What part of a class is found, and what part of what is found is right."""

import sklearn.metrics

from autogenome_tf.plots import _curves
from autogenome_tf.plots._source import classes, of_run


@of_run(classes)
def precision_recall_curves(truth, chances):
    """Draw precision against recall of each class, which unlike a ROC curve shows how rare it is.

    Args:
        truth: (rows,) class names; or a run, whose rows are those that no network has learned from.
        chances: DataFrame (rows, classes) of probabilities, class names as columns.

    Returns:
        A `matplotlib.figure.Figure`; areas are average precisions (the sum of precisions by steps
        of recall). A class that no row has is left out.
    """
    curves = {}
    for name in chances.columns:
        is_it = truth == name
        if is_it.any():
            score = chances[name]
            precision, recall, _ = sklearn.metrics.precision_recall_curve(is_it, score)
            area = sklearn.metrics.average_precision_score(is_it, score)
            curves[name] = (recall, precision, area)
    return _curves.draw(curves, "recall", "precision", drawstyle="steps-post")[0]
