"""Set the initial weights of each fold's network to the linear learner of its training rows."""

import keras
import numpy as np

from autogenome_tf.training._engines import VectorizedEngine
from autogenome_tf.training._plan import Fit


def begin_as_linear(engine: VectorizedEngine, network: keras.Model, linear: Fit | None) -> None:
    """Set the weights of an engine that has begun to those of the linear learner of each fold.

    Args:
        engine: Compiled steps for the network, begun.
        network: As for `as_linear`.
        linear: Fit of the learner; None: the weights stay as they are.
    """
    if linear:
        engine.set_weights(as_linear(network, engine.weights(), *linear.weights))


def as_linear(
    network: keras.Model, weights: list[np.ndarray], kernel: np.ndarray, bias: np.ndarray
) -> list[np.ndarray]:
    """Return the initial weights with which a network computes what a linear learner does.

    The first units of layer 1 become the learner's outputs, and the network's outputs see these
    alone, before their activation. All other units begin as they were.

    Args:
        network: A functional Keras model made with `linear_start`: its last hidden layer ends
            with the units of layer 1.
        weights: Its weights, (replicas, ...) each, in its order.
        kernel: (folds, inputs, outputs) of the learner; replicas of a fold share it.
        bias: (folds, outputs), likewise.

    Returns:
        Weights of the same shapes; the given ones where layer 1 has fewer units than there are
        outputs.
    """
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    place = {variable.path: number for number, variable in enumerate(network.weights)}
    first, first_bias, last, last_bias = (
        place[variable.path] for layer in (dense[0], dense[-1]) for variable in layer.weights
    )
    found = [stack.copy() for stack in weights]
    replicas, units, outputs = found[first].shape[0], dense[0].units, kernel.shape[-1]
    if units < outputs:
        return found
    seeds = replicas // len(kernel)
    found[first][:, :, :outputs] = np.tile(kernel, (seeds, 1, 1))
    found[first_bias][:, :outputs] = 0
    found[last][:] = 0
    of_learner = found[last].shape[1] - units
    found[last][:, of_learner : of_learner + outputs] = np.eye(outputs)
    found[last_bias][:] = np.tile(bias, (seeds, 1))
    return found
