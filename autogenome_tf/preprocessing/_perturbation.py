"""In-silico perturbation: genes changed in raw units, one at a time, as the network sees them."""

import keras
import numpy as np

from autogenome_tf.preprocessing._model import MARKER
from autogenome_tf.preprocessing._transforms import PSEUDO_FREQUENCY


def perturbed_inputs(
    model: keras.Model, transform: str, raw: np.ndarray, remaining: float
) -> np.ndarray:
    """Preprocess an in-silico perturbation: scale each gene in turn, keep all others.

    Sums and means of the row that a transform refers to are kept too: a library is not
    renormalised. A missing value stays missing.

    Args:
        model: Preprocessing as `preprocessing.model` builds it, or the same after loading.
        transform: Name of its transform.
        raw: (rows, genes).
        remaining: Fraction of the raw value that remains; 0 is no expression.

    Returns:
        (rows, kept) float32.
    """
    marker = model.get_layer(MARKER)
    change = {"library_log1p": _of_library, "relative_log": _of_shares, "clr": _of_clr}
    if transform not in change:
        return np.asarray(model(remaining * raw, training=False))
    front = keras.Model(model.inputs[0], marker.output)
    before = np.asarray(front(raw, training=False), "float64")
    after = change[transform](before, raw.astype("float64"), remaining).astype("float32")
    return np.asarray(keras.Model(marker.output, model.outputs[0])(after, training=False))


def _of_library(transformed, raw, remaining):
    return np.log1p(remaining * np.expm1(transformed))


def _of_shares(transformed, raw, remaining):
    shares = np.maximum(10**transformed - PSEUDO_FREQUENCY, 0)
    return np.log10(remaining * shares + PSEUDO_FREQUENCY)


def _of_clr(transformed, raw, remaining):
    return transformed - np.log1p(raw) + np.log1p(remaining * raw)
