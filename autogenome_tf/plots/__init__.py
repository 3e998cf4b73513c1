"""Figures from a run's files: arrays and frames in, a matplotlib `Figure` out."""

from autogenome_tf.plots._run import (
    IMPORTANCE,
    draw_evaluation,
    draw_explanation,
    draw_latent,
    draw_predictions,
    draw_training,
)
from autogenome_tf.plots._save import save
from autogenome_tf.plots.confusion_matrix import confusion_matrix
from autogenome_tf.plots.importance_bar import importance_bar
from autogenome_tf.plots.importance_dot import importance_dot
from autogenome_tf.plots.importance_total import importance_total
from autogenome_tf.plots.importance_violin import importance_violin
from autogenome_tf.plots.latent_space import latent_space
from autogenome_tf.plots.learning_curves import learning_curves
from autogenome_tf.plots.predicted_vs_true import predicted_vs_true
from autogenome_tf.plots.search_progress import search_progress
from autogenome_tf.plots.shared_search import shared_search

__all__ = [
    "IMPORTANCE",
    "confusion_matrix",
    "draw_evaluation",
    "draw_explanation",
    "draw_latent",
    "draw_predictions",
    "draw_training",
    "importance_bar",
    "importance_dot",
    "importance_total",
    "importance_violin",
    "latent_space",
    "learning_curves",
    "predicted_vs_true",
    "save",
    "search_progress",
    "shared_search",
]
