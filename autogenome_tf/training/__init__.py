"""Cross-validation of one configuration: fold inputs, epoch loop, replicas, several workers."""

from autogenome_tf.training._autoencoders import AutoencoderCrossValidation
from autogenome_tf.training._cross_validation import (
    NetworkCrossValidation,
    Outcome,
    number_of_folds,
)
from autogenome_tf.training._loop import Batches, Fit, Plan, first_rate
from autogenome_tf.training._multi_worker import cluster
from autogenome_tf.training._replicas import EngineError, InMemory

__all__ = [
    "Batches",
    "EngineError",
    "Fit",
    "NetworkCrossValidation",
    "AutoencoderCrossValidation",
    "InMemory",
    "Outcome",
    "Plan",
    "cluster",
    "first_rate",
    "number_of_folds",
]
