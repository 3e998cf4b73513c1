"""A functional Keras model run on several sets of weights at once.

Tensors gain a first axis of replicas: (rows, features) becomes (replicas, rows, features). Layers
that networks are made of are computed on the stacks directly, which traces as fast as one network,
as are layers with a method `stacked`; any other layer with weights is vectorised by TensorFlow.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.nn import stacked
from autogenome_tf.nn.graphs import follow

# Networks of one structure may differ in names, seeds and strengths of regularisation.
LOOSE = ("name", "seed", "rate", "stddev", "l1", "l2")
NOISE = (keras.layers.Dropout, keras.layers.GaussianNoise)
# Regularizers of kernels, and the attribute of their strength.
PENALTIES = {keras.regularizers.L1: "l1", keras.regularizers.L2: "l2"}


def structure(network: keras.Model) -> tuple:
    """Return the cache key of a network: its graph and layer configs without `LOOSE`.

    Args:
        network: Functional Keras model.

    Returns:
        The types of its operations, and the configs as text in which numbers stand for names.
    """
    numbers = {operation.name: number for number, operation in enumerate(network.operations)}
    config = _bare(network.get_config(), numbers)
    return tuple(map(type, network.operations)), json.dumps(config, sort_keys=True, default=str)


def strengths(network: keras.Model) -> np.ndarray:
    """Return the dropout rate, noise deviation, L1 or L2 of each layer, (layers,) float32.

    Args:
        network: Keras model.
    """
    return np.array([_strength(layer) for layer in network.layers], "float32")


def _bare(config, numbers):
    if isinstance(config, dict):
        return {key: _bare(value, numbers) for key, value in config.items() if key not in LOOSE}
    if isinstance(config, (list, tuple)):
        return [_bare(part, numbers) for part in config]
    return numbers.get(config, config) if isinstance(config, str) else config


def _strength(layer):
    regularizer = getattr(layer, "kernel_regularizer", None)
    if isinstance(regularizer, tuple(PENALTIES)):
        return float(getattr(regularizer, PENALTIES[type(regularizer)]))
    return float(getattr(layer, "rate", None) or getattr(layer, "stddev", None) or 0.0)


@dataclasses.dataclass(frozen=True)
class ForwardPass:
    """Hold what layers need to know of a pass through a network.

    Attributes:
        weights: Path of each variable of the model to its stack, (replicas, ...).
        training: Whether noise and batch statistics are used.
        updates: Takes the new value of each moving statistic by path.
        seed: (2,) int32 tensor of this layer's noise; None where it draws none.
    """

    weights: dict[str, Any]
    training: bool
    updates: dict[str, tf.Tensor]
    seed: Any = None


# Computes a layer for stacked rows, (replicas, rows, inputs).
Compute = Callable[[Any, tf.Tensor, ForwardPass], tf.Tensor]


class VectorizedNetwork:
    """A functional Keras model that runs on stacked weights.

    A subclass may compute some types of layers in another way: it replaces their function in
    `computed`.

    Args:
        network: The model; its own weights are not used.
        given: (layers,) tensor in place of the model's own `strengths`; None for these.
        label_smoothing: Part of the loss that is for equal probabilities of all classes: a scalar
            tensor, or one of (sets,) where each set of rows has its own.

    Attributes:
        network: As given.
        label_smoothing: As given.
        computed: Function of each type of layer that has one of its own.
    """

    def __init__(
        self, network: keras.Model, given: tf.Tensor | None = None, label_smoothing: Any = 0.0
    ):
        self.network, self.label_smoothing = network, label_smoothing
        self._strengths = strengths(network) if given is None else given
        self._position = {layer.name: i for i, layer in enumerate(network.layers)}
        self.computed: dict[type, Compute] = {
            keras.layers.Dense: self._dense,
            keras.layers.BatchNormalization: self._normalised,
            keras.layers.Dropout: self._dropped,
            keras.layers.GaussianNoise: self._noisy,
        }

    def __call__(
        self, x: tf.Tensor, weights: dict[str, Any], training: bool = False, seed: Any = None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Compute the outputs.

        Args:
            x: (replicas, rows, inputs).
            weights: Path of each variable of the model to its stack, (replicas, ...).
            training: Whether noise and batch statistics are used; False by default.
            seed: (2,) int32 tensor, a new one each step; a replica's noise does not depend on the
                number of replicas. None only where no layer draws.

        Returns:
            (replicas, rows, outputs), and the new value of each moving statistic by path.

        Raises:
            TypeError: A layer holds random state or statistics that replicas cannot keep apart.
        """
        now = ForwardPass(weights, training, {})

        def operation(layer):
            if type(layer) in self.computed:
                place, compute = self._position[layer.name], self.computed[type(layer)]
                is_noise = training and type(layer) in NOISE
                own = seed + tf.constant([0, place]) if is_noise else None
                return lambda x, **_: compute(layer, x, dataclasses.replace(now, seed=own))
            if hasattr(layer, "stacked"):
                stacks = [weights[variable.path] for variable in layer.weights]
                return lambda x, **_: layer.stacked(x, stacks)
            if getattr(layer, "non_trainable_variables", None):
                # Its moving statistics or random state would be lost without a word.
                raise TypeError(f"replicas cannot train the layer {type(layer).__name__}")
            if getattr(layer, "weights", None):
                return lambda x, **_: self._vectorised(layer, x, weights, training)
            # What `+` between two Keras tensors is; it has no public name.
            is_sum = type(layer).__name__ == "Add" and not isinstance(layer, keras.layers.Layer)
            return _added if is_sum else layer.call

        outputs = follow(self.network, x, operation)
        return keras.tree.flatten(outputs)[0], now.updates

    def penalty(self, weights: dict[str, Any]) -> tf.Tensor:
        """Return the sum of the L1 or L2 penalties of all kernels and replicas, a scalar.

        Args:
            weights: As for a call.

        Raises:
            TypeError: A kernel has another regularizer.
        """
        terms = []
        for layer in self.network.layers:
            regularizer = getattr(layer, "kernel_regularizer", None)
            if isinstance(regularizer, tuple(PENALTIES)):
                kernel = weights[layer.kernel.path]
                strength = self._strength(layer)
                if type(regularizer) is keras.regularizers.L1:
                    terms.append(strength * tf.reduce_sum(tf.abs(kernel)))
                else:
                    terms.append(stacked.squares(kernel, strength))
            elif regularizer is not None:
                raise TypeError(f"replicas regularise by L1 or L2; received {regularizer!r}")
        return tf.add_n(terms) if terms else tf.constant(0.0)

    def _strength(self, layer):
        return tf.gather(self._strengths, self._position[layer.name])

    @staticmethod
    def _dense(layer, x, now):
        x = tf.matmul(x, now.weights[layer.kernel.path])
        if layer.use_bias:
            x = stacked.with_bias(x, now.weights[layer.bias.path])
        return layer.activation(x)

    @staticmethod
    def _normalised(layer, x, now):
        weights = now.weights
        gamma, beta = weights[layer.gamma.path], weights[layer.beta.path]
        paths = layer.moving_mean.path, layer.moving_variance.path
        if now.training:
            x, *moments = stacked.normalised(x, gamma, beta, layer.epsilon)
            for path, value in zip(paths, moments, strict=True):
                now.updates[path] = weights[path] + (1 - layer.momentum) * (value - weights[path])
            return x
        mean, variance = (weights[path] for path in paths)
        factor = gamma * tf.math.rsqrt(variance + layer.epsilon)
        return x * factor[:, None] + (beta - mean * factor)[:, None]

    def _dropped(self, layer, x, now):
        return dropped(x, self._strength(layer), now.seed) if now.training else x

    def _noisy(self, layer, x, now):
        return noisy(x, self._strength(layer), now.seed) if now.training else x

    @staticmethod
    def _vectorised(layer, x, weights, training):
        def one(arguments):
            trainable, x = arguments
            return layer.stateless_call(trainable, [], x)[0]

        trainable = [weights[v.path] for v in layer.trainable_variables]
        return tf.vectorized_map(one, (trainable, x))


def _added(*terms):
    """Compute a sum; that of a residual block has a short gradient, since nothing is repeated."""
    is_alike = all(map(tf.is_tensor, terms)) and len({tuple(term.shape) for term in terms}) == 1
    return stacked.added(*terms) if is_alike else keras.ops.add(*terms)


def dropped(x: tf.Tensor, rate: Any, seed: tf.Tensor) -> tf.Tensor:
    """Drop values at random and scale the others, so that the mean stays (Srivastava et al. 2014).

    Args:
        x: Tensor of any shape.
        rate: Part that becomes 0, from 0 to below 1; of a shape that `x` has room for.
        seed: (2,) int32 tensor.
    """
    kept = _drawn(tf.raw_ops.StatelessRandomUniformV2, x, seed) >= rate
    return stacked.times(x, tf.cast(kept, x.dtype) / (1 - rate))


def noisy(x: tf.Tensor, deviation: Any, seed: tf.Tensor) -> tf.Tensor:
    """Add Gaussian noise.

    Args:
        x: Tensor of any shape.
        deviation: Standard deviation of the noise; of a shape that `x` has room for.
        seed: (2,) int32 tensor.
    """
    return stacked.plus(x, deviation * _drawn(tf.raw_ops.StatelessRandomNormalV2, x, seed))


def _drawn(draw, x, seed):
    """Return what `tf.random.stateless_uniform` or its like does, without its scaling by 1."""
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    usual = tf.random.Algorithm.AUTO_SELECT.value
    return draw(shape=tf.shape(x), key=key, counter=counter, alg=usual)


def frozen(network: keras.Model, weights: list[np.ndarray], stem: Any) -> Any:
    """Build replicas behind their first dense layer of Keras layers, as at inference.

    Args:
        network: The functional model.
        weights: Its weights, (replicas, ...) each, in its order.
        stem: (batch, replicas, units) symbolic outputs of the first dense layers.

    Returns:
        (batch, replicas, outputs) symbolic.
    """
    stacks = {v.path: stack for v, stack in zip(network.weights, weights, strict=True)}
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Dense))

    def operation(layer):
        if isinstance(layer, NOISE) or layer is first:
            return lambda x, **_: x
        if isinstance(layer, keras.layers.Dense):
            arrays = [stacks[variable.path] for variable in layer.weights]
            return lambda x, **_: layer.activation(dense("bkd,kdu->bku", x, *arrays))
        if isinstance(layer, keras.layers.BatchNormalization):
            return lambda x, **_: dense("bkd,kd->bkd", x, *_affine(layer, stacks))
        if getattr(layer, "weights", None):
            return lambda x, **_: _each(layer, x, stacks)
        return _fresh(layer) if isinstance(layer, keras.layers.Layer) else layer

    return keras.tree.flatten(follow(network, stem, operation))[0]


def dense(equation: str, x: Any, kernel: np.ndarray, bias: np.ndarray | None = None) -> Any:
    """Apply a Keras layer of given weights to each replica.

    Args:
        equation: "bkd,kdu->bku", or "bkd,kd->bkd" for one factor a unit.
        x: (batch, replicas, inputs) symbolic.
        kernel: (replicas, inputs, units) or (replicas, units).
        bias: (replicas, units); None for none, the default.

    Returns:
        (batch, replicas, units) symbolic.
    """
    axes = None if bias is None else equation[-2:]
    shape = kernel.shape[:1] + kernel.shape[-1:]
    layer = keras.layers.EinsumDense(equation, output_shape=shape, bias_axes=axes)
    layer.build(x.shape)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return layer(x)


def _affine(layer, stacks):
    """Return batch normalisation's factor and offset at inference, (replicas, units) each."""
    gamma, beta, mean, variance = (stacks[v.path] for v in layer.weights)
    factor = gamma / np.sqrt(variance + layer.epsilon)
    return factor, beta - mean * factor


def _each(layer, x, stacks):
    """Apply any other layer with weights, replica by replica."""
    outputs = []
    for replica in range(x.shape[1]):
        part = x[:, replica]
        copy = _fresh(layer)
        copy.build(part.shape)
        copy.set_weights([stacks[variable.path][replica] for variable in layer.weights])
        outputs.append(copy(part))
    return keras.ops.stack(outputs, axis=1)


def _fresh(layer):
    """Make a new layer of the same configuration, under a name of its own."""
    config = {key: value for key, value in layer.get_config().items() if key != "name"}
    return type(layer).from_config(config)
