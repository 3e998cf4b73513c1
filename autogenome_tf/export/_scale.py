"""The distance of rows from the range of training rows as a part of a TensorFlow graph."""

from typing import Any

import numpy as np
import tensorflow as tf

from autogenome_tf.models import QUANTILES, Predictor, TrainingScale


def outside(predictor: Predictor, known: TrainingScale, values: Any) -> tf.Tensor:
    """Return the distance of each row from the range of training rows in widths, (rows,).

    The same as `TrainingScale.compare` measures: 0 is inside, above 0.5 is cause for doubt.

    Args:
        predictor: The model.
        known: Scale of its training rows.
        values: (rows, features) raw, in the order of training.
    """
    genes = len(predictor.features) - predictor.covariates
    found = []
    for branch, ends, widths in zip(predictor.branches, known.ranges, known.widths, strict=True):
        inputs = branch.preprocessing(values, training=False)
        seen = int(np.count_nonzero(branch.kept < genes))
        found.append(_distances(inputs[:, :seen], seen, ends, widths))
    return tf.reduce_max(tf.stack(found), axis=0)


def _distances(inputs, genes, ends, widths):
    found = _statistics(inputs, genes)
    low, high, widths = (part.astype("float32") for part in (*ends, widths))
    beyond = tf.maximum(tf.maximum(low - found, found - high), 0.0) / widths
    return tf.reduce_max(beyond, axis=1)


def _statistics(inputs, genes):
    """Return mean, root mean square and quantiles of each row's genes, (rows, statistics)."""
    mean = tf.reduce_mean(inputs, axis=1, keepdims=True)
    square = tf.sqrt(tf.reduce_mean(inputs**2, axis=1, keepdims=True))
    ordered, places = tf.sort(inputs, axis=1), np.array(QUANTILES) * (genes - 1)
    below = places.astype(int)
    share = (places - below).astype("float32")
    above = np.minimum(below + 1, genes - 1)
    quantiles = tf.gather(ordered, below, axis=1) * (1 - share)
    quantiles += tf.gather(ordered, above, axis=1) * share
    return tf.concat([mean, square, quantiles], axis=1)
