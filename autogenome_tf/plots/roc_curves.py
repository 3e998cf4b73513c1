"""How well each class is told from all others, whatever the threshold."""

import sklearn.metrics

from autogenome_tf.plots import _curves, _paper
from autogenome_tf.plots._source import classes, of_run


@of_run(classes)
def roc_curves(truth, chances):
    """Draw the receiver operating characteristic of each class against the rest.

    Args:
        truth: (rows,) class names; or a run, whose rows are those that no network has learned from.
        chances: DataFrame (rows, classes) of probabilities, class names as columns. Of two classes
            the second is drawn, as the first is its mirror image.

    Returns:
        A `matplotlib.figure.Figure`; a class that no row or every row has is left out.
    """
    curves = {}
    for name in chances.columns[1 if len(chances.columns) == 2 else 0 :]:
        is_it = truth == name
        if 0 < is_it.sum() < len(is_it):
            found = sklearn.metrics.roc_curve(is_it, chances[name], drop_intermediate=True)
            curves[name] = (*found[:2], sklearn.metrics.auc(*found[:2]))
    figure, panel = _curves.draw(curves, "false positive rate", "true positive rate")
    panel.plot([0, 1], [0, 1], color=_paper.GREY, linestyle="--", linewidth=1)
    return figure
