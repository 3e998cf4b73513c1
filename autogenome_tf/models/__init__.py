"""Fitted models, from raw values to predictions or latent coordinates, and their tables."""

from autogenome_tf.models._latent_model import LatentModel
from autogenome_tf.models._latent_space import Representation
from autogenome_tf.models._predictor import Predictor, batches

__all__ = ["LatentModel", "Predictor", "Representation", "batches"]
