"""Fitted models, from raw values to predictions or latent coordinates, and their tables."""

from autogenome_tf.models._anchored import anchored
from autogenome_tf.models._answers import CLASS, ONLY, RISK, SOFTMAX, SURVIVAL, PartAnswer
from autogenome_tf.models._bins import bin_table, bins_of, near_complete
from autogenome_tf.models._branch import Branch
from autogenome_tf.models._fold_networks import FoldNetworks, averaged
from autogenome_tf.models._latent_model import UNIT_ROWS, LatentModel
from autogenome_tf.models._latent_space import LatentSpace
from autogenome_tf.models._predictor import Predictor
from autogenome_tf.models._scib import scib_scores
from autogenome_tf.models._training_scale import QUANTILES, TrainingScale

__all__ = [
    "CLASS", "ONLY", "QUANTILES", "RISK", "SOFTMAX", "SURVIVAL", "UNIT_ROWS", "Branch",
    "FoldNetworks", "LatentModel", "LatentSpace", "PartAnswer", "Predictor", "TrainingScale",
    "anchored", "averaged", "bin_table", "bins_of", "near_complete", "scib_scores",
]  # fmt: skip
