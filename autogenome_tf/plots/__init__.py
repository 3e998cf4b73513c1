"""Figures: frames and arrays in, or a run in their place; a matplotlib `Figure` out.

>>> import autogenome_tf as ag
>>> ag.plots.confusion_matrix("runs/quickstart")  # doctest: +SKIP
"""

from autogenome_tf.plots._run import draw, figures
from autogenome_tf.plots._save import save
from autogenome_tf.plots._source import attributions, unseen
from autogenome_tf.plots._svg import svg
from autogenome_tf.plots.calibration import calibration
from autogenome_tf.plots.confusion_matrix import confusion_matrix
from autogenome_tf.plots.importance_bar import importance_bar
from autogenome_tf.plots.importance_dot import importance_dot
from autogenome_tf.plots.importance_sets import importance_sets
from autogenome_tf.plots.importance_total import importance_total
from autogenome_tf.plots.importance_violin import importance_violin
from autogenome_tf.plots.latent_space import latent_space
from autogenome_tf.plots.learning_curves import learning_curves
from autogenome_tf.plots.precision_recall_curves import precision_recall_curves
from autogenome_tf.plots.predicted_vs_true import predicted_vs_true
from autogenome_tf.plots.roc_curves import roc_curves
from autogenome_tf.plots.search_progress import search_progress
from autogenome_tf.plots.shared_search import shared_search
from autogenome_tf.plots.variance_by_order import variance_by_order

__all__ = [
    "attributions",
    "calibration",
    "confusion_matrix",
    "draw",
    "figures",
    "importance_bar",
    "importance_dot",
    "importance_sets",
    "importance_total",
    "importance_violin",
    "latent_space",
    "learning_curves",
    "precision_recall_curves",
    "predicted_vs_true",
    "roc_curves",
    "save",
    "search_progress",
    "shared_search",
    "svg",
    "unseen",
    "variance_by_order",
]
