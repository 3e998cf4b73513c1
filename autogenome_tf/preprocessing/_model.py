"""Preprocessing as a Keras model."""

from typing import Any

import keras

from autogenome_tf.preprocessing._fitted_scaling import FittedScaling
from autogenome_tf.preprocessing._transforms import Transform

# The layer that ends the transform.
MARKER = "transformed"


def model(transform: Transform, constants: FittedScaling, genes: int) -> keras.Model:
    """Build the preprocessing as a Keras model: raw (rows, genes) -> (rows, kept).

    It is made of Keras' own layers and operations only, so that a saved model loads anywhere.

    Args:
        transform: Transform of raw values.
        constants: Constants of the training rows.
        genes: Number of genes.
    """
    raw = keras.Input((genes,), name="genes")
    seen = constants.layers(marked(transform(raw)), genes)
    return keras.Model(raw, seen, name="preprocessing")


def marked(transformed: Any) -> Any:
    """Mark the end of the transform, so that `perturbed_inputs` finds the place again.

    Args:
        transformed: (rows, genes) transformed values.
    """
    return keras.layers.Identity(name=MARKER)(transformed)
