"""The sensitivity of a network's outputs to each of its inputs."""

from typing import Any

import numpy as np
import tensorflow as tf


def squared_slopes(network: Any, rows: np.ndarray) -> np.ndarray:
    """Return the mean square over rows of the slope of each output by each input.

    Args:
        network: Keras model (rows, inputs) -> (rows, outputs).
        rows: (rows, inputs).

    Returns:
        (inputs, outputs) float64.
    """
    inputs = tf.constant(rows, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        # Each row's outputs depend on that row alone.
        totals = tf.unstack(tf.reduce_sum(network(inputs, training=False), axis=0))
    slopes = (np.asarray(tape.gradient(total, inputs), "float64") for total in totals)
    return np.stack([(slope**2).mean(axis=0) for slope in slopes], axis=1)
