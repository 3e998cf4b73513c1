"""From a fit on the coordinates of its rows to a network on genes with equal outputs."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from autogenome_tf.nn.dense_weights import to_dense_weights
from autogenome_tf.nn.graphs import mean_of
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._plan import Fit


def gene_network(
    make: Callable[..., keras.Model],
    inputs: FoldInputs,
    fit: Fit,
    replicas: Sequence[int],
    power: float,
) -> keras.Model:
    """Return the network on preprocessed genes of a replica of a fit, or the mean of several.

    Args:
        make: Returns a fresh network of the configuration; takes the keywords `inputs` and
            `is_plain` of `NetworkCrossValidation.network`.
        inputs: The rows of the fit.
        fit: Trained replicas.
        replicas: Numbers of the replicas, all of one fold.
        power: Spectral power that they were trained with.
    """
    fold = replicas[0] % len(inputs.constants)
    each = [_dense_weights(make, fit, replica) for replica in replicas]
    if _is_smaller_shared(inputs, fold, each):
        return _on_shared_coordinates(make, inputs, fold, each, power)
    networks = [_on_genes(make, inputs, fold, weights, power) for weights in each]
    return mean_of(networks) if len(networks) > 1 else networks[0]


def _dense_weights(make, fit, replica):
    """Return the weights of one replica for a network of Keras' own layers."""
    weights = [stack[replica : replica + 1] for stack in fit.weights]
    return [stack[0] for stack in to_dense_weights(make(), weights)]


def _is_smaller_shared(inputs, fold, each):
    """Return whether networks behind one layer of coordinates need fewer weights."""
    count, genes, units = len(each), len(inputs.constants[fold].genes), each[0][0].shape[-1]
    shared = inputs.width * (genes + count * units)
    return not inputs.are_genes and count > 1 and shared < count * genes * units


def _on_shared_coordinates(make, inputs, fold, each, power):
    """Return the mean of networks behind one layer from genes to coordinates."""
    factors, networks = inputs.factors(power), []
    scale = 1.0 if factors is None else factors[fold][:, None]
    for kernel, *others in each:
        networks.append(make(is_plain=True))
        networks[-1].set_weights([kernel * scale, *others])
    same, nothing = np.eye(inputs.width, dtype="float32"), np.zeros(inputs.width, "float32")
    return mean_of(networks, inputs.on_genes(fold, same, nothing, inputs.constants[fold], 0.0))


def _on_genes(make, inputs, fold, weights, power):
    """Return a network whose first layer is on genes."""
    constants, (kernel, bias, *others) = inputs.constants[fold], weights
    stem = inputs.on_genes(fold, kernel, bias, constants, power)
    network = make(inputs=len(constants.genes), is_plain=True)
    network.set_weights([*stem, *others])
    return network
