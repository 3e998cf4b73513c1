"""Contributions through units behind which a value passes at most one activation, their own.

Behind that activation everything is linear, so a multiplier is a weight of the output times a slope
of the unit: what differs between pairs of rows and what differs between outputs meet only behind
the genes.
"""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.explainers._rule import BLOCK, SplitNetwork, noted, secants
from autogenome_tf.nn.vectorized import NOISE

# Layers that scale and shift each value for itself.
ELEMENT_BY_ELEMENT = (*NOISE, keras.layers.BatchNormalization, keras.layers.Reshape)


@dataclasses.dataclass(frozen=True)
class _Source:
    """Trace a value inside a network to the layers and activations that it depends on.

    Attributes:
        stems: Names of the layers on the genes.
        activations: Names of the activations on the way.
        own: The stem whose units these are, each for itself scaled and shifted; "" for others.
    """

    stems: frozenset[str] = frozenset()
    activations: frozenset[str] = frozenset()
    own: str = ""


def single_activations(split: SplitNetwork) -> dict[str, list[str]]:
    """Find the layers on the genes whose units pass at most one activation, each for itself.

    Args:
        split: Network as its layers on the genes and the tail behind them.

    Returns:
        For the name of each such layer the names of the activations on its units; none where the
        outputs are linear in its units.
    """
    stems = {layer.name for layer, _ in split.stems}
    found: dict[str, list[str]] = {name: [] for name in stems}

    def operation(layer):
        def followed(*values, **named):
            if layer.name in stems:
                return _Source(frozenset([layer.name]), own=layer.name)
            given = [v for v in keras.tree.flatten((values, named)) if isinstance(v, _Source)]
            if _is_element_by_element(layer):
                return given[0]
            seen = frozenset().union(*(source.stems for source in given))
            passed = frozenset().union(*(source.activations for source in given))
            if not isinstance(layer, keras.layers.Activation):
                return _Source(seen, passed)
            is_single = given[0].own and not passed
            for name in seen & set(found):
                if is_single:
                    found[name].append(layer.name)
                else:
                    del found[name]
            return _Source(seen, passed | {layer.name})

        return followed

    split.follow(_Source(), operation)
    return found


def _is_element_by_element(layer):
    """Return whether a layer scales and shifts each value for itself."""
    if isinstance(layer, keras.layers.EinsumDense):
        before, after = layer.equation.split("->")
        return before.split(",")[0] == after
    return isinstance(layer, ELEMENT_BY_ELEMENT)


def attribute_single(
    split: SplitNetwork, singles: dict[str, list[str]], rows: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Attribute outputs to genes by the rescale rule, as far as those units carry them.

    Args:
        split: Network as its layers on the genes and the tail behind them.
        singles: What `single_activations` returns.
        rows: (rows, genes).
        background: (background, genes).

    Returns:
        (rows, genes, outputs).
    """
    straight, passages = _linear_parts(split, singles, background[:1])
    found = (rows - background.mean(axis=0))[..., None] * (split.kernel @ straight.T)
    if not passages:
        return found
    weights = tf.concat([passage.weights for passage in passages], axis=1)
    kernel = np.concatenate([split.kernel[:, one.place] * one.scale for one in passages], axis=1)
    here, there = (noted(split, some) for some in (rows, background))
    together = max(1, BLOCK // (len(background) * kernel.shape[1]))
    for start in range(0, len(rows), together):
        some = slice(start, start + together)
        slopes = tf.concat([passage.slopes(here, there, some) for passage in passages], axis=2)
        block = max(1, BLOCK // tf.size(slopes[0]).numpy())
        for gene in range(0, rows.shape[1], block):
            genes = slice(gene, gene + block)
            found[some, genes] += _product(
                slopes, weights, rows[some, genes], background[:, genes], kernel[genes]
            )
    return found


@dataclasses.dataclass(frozen=True)
class _Passage:
    """Hold the activation that the units of one layer pass, and the linear maps around it.

    Attributes:
        place: Of the units.
        name: Of the activation.
        function: The activation.
        scale: (units,) by how much its input changes with the unit.
        weights: (outputs, units) by how much outputs change with its value.
    """

    place: slice
    name: str
    function: Any
    scale: np.ndarray
    weights: tf.Tensor

    def slopes(self, here, there, some):
        """Return the slopes of lines between rows, (background, rows, units).

        Args:
            here: What `noted` returned for the explained rows.
            there: The same for the background.
            some: Which explained rows.
        """
        flat = (-1, len(self.scale))
        x = tf.reshape(here[self.name][0][some], flat)
        at, value = (tf.reshape(part, flat)[:, None] for part in there[self.name])
        return secants(self.function, x, at, value)[1]


def _linear_parts(split, singles, row):
    """Return the linear maps around the activations of some units.

    Args:
        split: See `attribute_single`.
        singles: See `attribute_single`.
        row: (1, genes), any.

    Returns:
        (outputs, units) derivatives where no activation is passed; a list of `_Passage`.
    """
    inputs, values, functions = {}, {}, {}
    with tf.GradientTape(persistent=True) as tape:
        units = tf.constant(split.units(row))
        tape.watch(units)

        def cut(name, function, x):
            inputs[name], functions[name] = tf.reduce_sum(x), function
            values[name] = tf.stop_gradient(function(x))
            tape.watch(values[name])
            return values[name]

        totals = tf.unstack(split.run(units, cut)[0])

    def gradient(total, sources):
        return tape.gradient(total, sources, unconnected_gradients="zero")

    names = [name for passed in singles.values() for name in passed]
    found = [gradient(total, [units, *(values[name] for name in names)]) for total in totals]
    straight, *weights = (
        tf.reshape(tf.stack(parts), (split.outputs, -1)) for parts in zip(*found, strict=True)
    )
    weights = dict(zip(names, weights, strict=True))
    passages = []
    for layer, place in split.stems:
        for name in singles.get(layer.name, ()):
            scale = gradient(inputs[name], units).numpy()[0, place]
            passages.append(_Passage(place, name, functions[name], scale, weights[name]))
    is_single = np.repeat([layer.name in singles for layer, _ in split.stems], split.sizes)
    return straight.numpy() * is_single, passages


def _product(slopes, weights, rows, background, kernel):
    """Carry slopes from units to some genes and outputs: (rows, genes, outputs).

    Args:
        slopes: (background, rows, units).
        weights: (outputs, units).
        rows: (rows, genes).
        background: (background, genes).
        kernel: (genes, units).
    """
    size, count, units = slopes.shape
    own = tf.reshape(weights[:, None] * tf.reduce_mean(slopes, axis=0), (-1, units)) @ kernel.T
    own = tf.reshape(own, (len(weights), count, -1)) * rows
    # (genes, rows, units), the same for all outputs.
    shifted = tf.matmul(background / size, tf.reshape(slopes, (size, -1)), transpose_a=True)
    shifted = tf.reshape(shifted, (-1, count, units))
    part = shifted @ (kernel[:, :, None] * tf.transpose(weights))
    return tf.transpose(own, (1, 2, 0)).numpy() - tf.transpose(part, (1, 0, 2)).numpy()
