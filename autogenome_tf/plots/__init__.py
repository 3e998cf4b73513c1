"""Figures from a run's files: arrays and frames in, a matplotlib `Figure` out."""

from autogenome_tf.plots._run import draw_evaluation, draw_predictions, draw_training
from autogenome_tf.plots._save import save
from autogenome_tf.plots.confusion_matrix import confusion_matrix
from autogenome_tf.plots.learning_curves import learning_curves
from autogenome_tf.plots.predicted_vs_true import predicted_vs_true
from autogenome_tf.plots.search_progress import search_progress
from autogenome_tf.plots.shared_search import shared_search

__all__ = [
    "confusion_matrix",
    "draw_evaluation",
    "draw_predictions",
    "draw_training",
    "learning_curves",
    "predicted_vs_true",
    "save",
    "search_progress",
    "shared_search",
]
