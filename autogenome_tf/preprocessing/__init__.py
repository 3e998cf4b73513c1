"""From raw values to what a network sees: transforms, imputation, scaling, ranks, row space."""

from autogenome_tf.preprocessing._preprocessing import (
    OF_ALL_VALUES,
    FittedScaling,
    Moments,
    Transform,
    marked,
    model,
    perturbed_inputs,
)
from autogenome_tf.preprocessing._row_space import MOST_ROWS, Genes, RowSpace, space_for

__all__ = [
    "FittedScaling",
    "Genes",
    "MOST_ROWS",
    "Moments",
    "OF_ALL_VALUES",
    "RowSpace",
    "Transform",
    "marked",
    "model",
    "perturbed_inputs",
    "space_for",
]
