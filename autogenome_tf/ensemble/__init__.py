"""From ranked trials to the final model: refit, greedy selection, average, controls."""

from autogenome_tf.ensemble._controls import Retraining
from autogenome_tf.ensemble._final_model import FinalModel
from autogenome_tf.ensemble._fit import fit_final_model
from autogenome_tf.ensemble._selection import size_for
from autogenome_tf.ensemble._winners_bias import corrected

__all__ = ["FinalModel", "Retraining", "corrected", "fit_final_model", "size_for"]
