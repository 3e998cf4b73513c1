"""Trained weights of masked and gated layers as those of plain Dense layers."""

import keras
import numpy as np

from autogenome_tf.nn.layers import FeatureGate, MaskedDense


def to_dense_weights(network: keras.Model, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Convert a network's weights to those of the same network made with `is_plain`.

    A masked layer's connections become a kernel with zeros, which may take far more memory; gates
    become part of the kernel behind.

    Args:
        network: A functional Keras model.
        weights: Its weights, (replicas, ...) each, in its order.

    Returns:
        The weights of the plain network, (replicas, ...) each.
    """
    found = []
    for layer, own in _by_layer(network, weights):
        if isinstance(layer, FeatureGate):
            continue
        if isinstance(layer, MaskedDense):
            own[0] = layer.to_dense(own[0], layer.input.shape[-1])
        found += own
    gates = open_gates(network, weights)
    if gates is not None:
        found[0] = found[0] * gates[:, :, None]
    return found


def open_gates(network: keras.Model, weights: list[np.ndarray]) -> np.ndarray | None:
    """Return the openings of a network's gates, (replicas, inputs); None if it has no gates.

    Args:
        network: A functional Keras model.
        weights: Its weights, (replicas, ...) each, in its order.
    """
    for layer, own in _by_layer(network, weights):
        if isinstance(layer, FeatureGate):
            return np.maximum(own[0], 0)
    return None


def _by_layer(network, weights):
    left = iter(weights)
    return [(layer, [next(left) for _ in layer.weights]) for layer in network.layers]
