"""Networks as their dense layers on the genes and the tail behind, with its derivatives.

Nothing else touches the genes. The outputs of those layers, the units, are few, so everything that
differs between pairs of an explained and a background row is computed on them; the genes enter
once, in one matrix product for all rows, background rows and outputs.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.nn import stacked
from autogenome_tf.nn.graphs import compiled, follow
from autogenome_tf.nn.vectorized import NOISE

# Layers whose outputs are linear in their inputs at inference.
LINEAR = (
    "Add", "BatchNormalization", "Concatenate", "Dense", "Dropout", "EinsumDense", "GaussianNoise",
    "GlobalAveragePooling1D", "InputLayer", "Reshape", "Rescaling",
)  # fmt: skip
# Operations that networks are made of without a layer.
LINEAR_OPERATIONS = ("Add", "Tile", "Concatenate", "Reshape", "GetItem")
# Activations that work on each value alone.
ELEMENTWISE = ("elu", "linear", "relu", "selu", "sigmoid", "softplus", "tanh")
# Below this difference the slope of a secant is that of the tangent.
NEAR = 1e-6
# Floats of one block of multipliers or of the matrix product.
BLOCK = 32 << 20


class Unexplained(Exception):
    """A method is not defined on a network; the text names the layer."""


class SplitNetwork:
    """A network as its dense layers on the genes, side by side, and the tail behind them.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs).
        is_exact: Whether every layer must be linear or an activation that the rescale rule knows.

    Raises:
        Unexplained: For another layer.
    """

    def __init__(self, network: keras.Model, is_exact: bool = True):
        for reason in without_rule(network) if is_exact else ():
            raise Unexplained(reason)
        stems = [layer for layer in network.layers if _sees_genes(layer, network)]
        kernels, biases = zip(*(layer.get_weights() for layer in stems), strict=True)
        self.kernel, self.bias = np.concatenate(kernels, axis=1), np.concatenate(biases)
        self.sizes = [len(bias) for bias in biases]
        ends = np.cumsum([0, *self.sizes])
        # Each with its place among the units.
        self.stems = list(zip(stems, map(slice, ends, ends[1:]), strict=True))
        self._network = network
        self.outputs = network.output_shape[-1]

    def units(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs of the layers on the genes, (rows, genes) -> (rows, units).

        Args:
            rows: (rows, genes) preprocessed values.
        """
        return rows @ self.kernel + self.bias

    def by_stem(self, units: Any) -> list[tf.Tensor]:
        """Split (rows, units) into those of each stem; its gradient is a single concatenation.

        Args:
            units: (rows, units).
        """
        return tf.split(units, self.sizes, axis=1)

    def run(
        self,
        units: Any,
        activated: Callable[[str, Any, Any], Any] = lambda name, function, x: function(x),
    ) -> Any:
        """Run the tail on (rows, units); an activation is ``activated(name, function, x)``.

        Args:
            units: (rows, units) values before the activations, or a list of those of each stem.
            activated: (rows, units) values behind the activations.
        """
        parts = units if isinstance(units, list) else self.by_stem(units)
        by_stem = {layer.name: part for (layer, _), part in zip(self.stems, parts, strict=True)}

        def operation(layer):
            if layer.name in by_stem:
                return lambda x, **_: by_stem[layer.name]
            if isinstance(layer, keras.layers.Activation):
                return lambda x, **_: activated(layer.name, layer.activation, x)
            if isinstance(layer, NOISE):
                return lambda x, **_: x
            if isinstance(layer, keras.layers.BatchNormalization):
                return lambda x, **_: layer.call(x, training=False)
            if isinstance(layer, keras.layers.EinsumDense):
                return lambda x, **_: _einsum_dense(layer, x)
            return layer.call if isinstance(layer, keras.layers.Layer) else layer

        # The units stand in the place of the genes, which no layer reads any more.
        return self.follow(units, operation)

    def follow(self, value: Any, operation: Callable[[Any], Callable[..., Any]]) -> Any:
        """Send a value through the network; see `nn.graphs.follow`.

        Args:
            value: What stands in the place of the genes.
            operation: Makes the function of a layer.
        """
        return keras.tree.flatten(follow(self._network, value, operation))[0]

    def attribute(
        self, rows: np.ndarray, background: np.ndarray,
        multipliers: Callable[[np.ndarray], tf.Tensor], places: Any = slice(None),
    ) -> np.ndarray:  # fmt: skip
        """Add up multipliers times differences, averaged over the background, as contributions.

        Args:
            rows: (rows, genes).
            background: (background, genes).
            multipliers: A function from some (rows, units) to (outputs, rows, background, places):
                what a difference of a unit contributes for a pair of rows.
            places: Which of the units have multipliers; all by default.

        Returns:
            (rows, genes, outputs).
        """
        found = np.zeros((len(rows), rows.shape[1], self.outputs), "float32")
        units, kernel = self.units(rows), self.kernel[:, places]
        # All rows whose multipliers fit into a block share each block of the product.
        together = max(1, BLOCK // (self.outputs * len(background) * kernel.shape[1]))
        for start in range(0, len(rows), together):
            some = slice(start, start + together)
            flow = np.asarray(multipliers(units[some]))
            block = max(1, BLOCK // (self.outputs * len(rows[some]) * len(background)))
            for gene in range(0, rows.shape[1], block):
                genes = slice(gene, gene + block)
                found[some, genes] = _product(
                    flow, rows[some, genes], background[:, genes], kernel[genes]
                )
        return found


def _product(flow, rows, background, kernel):
    """Carry multipliers from units to some genes: (rows, genes, outputs).

    Args:
        flow: (outputs, rows, background, units).
        rows: (rows, genes).
        background: (background, genes).
        kernel: (genes, units).
    """
    outputs, count, size, units = flow.shape
    parts = (flow.reshape(-1, units) @ kernel.T).reshape(outputs, count, size, -1)
    return np.einsum("oijg,ijg->igo", parts, (rows[:, None] - background) / size)


def _sees_genes(layer, network):
    """Return whether a dense layer works on the network's input, be it noisy in training."""
    if not isinstance(layer, keras.layers.Dense):
        return False
    seen: Any = layer.input
    while isinstance(seen._keras_history.operation, NOISE):
        seen = seen._keras_history.operation.input
    return seen is network.inputs[0]


def without_rule(network: keras.Model) -> Iterator[str]:
    """Return the name of each layer or operation without an exact rule, in order."""
    for layer in network.operations:
        kind = type(layer).__name__
        if isinstance(layer, keras.layers.Activation):
            name = getattr(layer.activation, "__name__", str(layer.activation))
            if name not in ELEMENTWISE:
                yield f"the activation {name} (layer {layer.name}) has no exact rule"
        elif isinstance(layer, keras.layers.Layer):
            name = getattr(getattr(layer, "activation", None), "__name__", "linear")
            if kind not in LINEAR or name != "linear":
                yield f"the layer {layer.name} ({kind}) has no exact rule"
        elif kind not in LINEAR_OPERATIONS:
            yield f"the operation {kind} has no exact rule"


def _einsum_dense(layer, x):
    """Compute a layer, whose kernel has no gradient where that can be left out."""
    if not stacked.reversed_equation(layer.equation):
        return layer.call(x)
    x = stacked.contracted(x, tf.convert_to_tensor(layer.kernel), layer.equation)
    return layer.activation(x if layer.bias is None else x + layer.bias)


def noted(split, background):
    """Record the input and output of each activation of a tail for background rows, by its name.

    Args:
        split: `SplitNetwork` of the network.
        background: (background, genes).
    """
    known = {}

    def note(name, function, x):
        known[name] = x, function(x)
        return known[name][1]

    split.run(tf.constant(split.units(background)), note)
    return known


def by_secants(known, times):
    """Make the rescale rule: an activation as a line through the background's value and the row's.

    Args:
        known: What `noted` returned.
        times: How many rows are paired with the background, one after the other.

    Returns:
        The `activated` of `SplitNetwork.run`.
    """

    def rescaled(name, function, x):
        pairs = (repeated(part, times) for part in known[name])
        return stacked.replaced(x, *secants(function, x, *pairs))

    return rescaled


def secants(function, x, at, value):
    """Return an activation's values at x, and the slopes of the lines to its values elsewhere.

    Args:
        function: The activation.
        x: Where lines begin.
        at: Where they end, of a shape that x can be broadcast with.
        value: The activation there.
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    is_near = tf.abs(x - at) < NEAR
    secant = (y - value) / tf.where(is_near, 1.0, x - at)
    return y, tf.stop_gradient(tf.where(is_near, tape.gradient(y, x), secant))


def repeated(part, times):
    """Repeat (background, ...) so many times, one below the other."""
    return tf.tile(part, [times] + [1] * (len(part.shape) - 1))


def traced(function, width):
    """Compile a function of (rows, width) at once, without TensorFlow's warning of many traces.

    Every network that is explained needs a trace of its own.
    """
    return compiled(function, ((None, width), tf.float32)).get_concrete_function()


def jacobian(function: Callable[[Any], tf.Tensor], units: Any) -> Any:
    """Differentiate each output with respect to (rows, units): (outputs, rows, units).

    Args:
        function: Function from (rows, units) to (rows, outputs).
        units: (rows, units) tensor, or a list of several.
    """
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(units)
        # Rows do not depend on each other, so those of the sum are those of each row.
        total = tf.reduce_sum(function(units), axis=0)
    # Outside of a graph an output after another takes less than a trace for all.
    return tape.jacobian(total, units, experimental_use_pfor=not tf.executing_eagerly())
