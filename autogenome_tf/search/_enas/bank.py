"""Shared weights: those of the widest network, of which masks cut out every child.

Every fold has a bank of its own, which learns from the fold's training rows; children are judged on
its validation rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.core.seeds import derive
from autogenome_tf.families import wired
from autogenome_tf.nn.graphs import compiled
from autogenome_tf.nn.vectorized import VectorizedNetwork
from autogenome_tf.training import InMemory

# Rows to train on whose statistics normalise a child where it is judged.
CONTEXT = 64


class Bank(InMemory):
    """Train shared weights by a compiled step, and judge children with them.

    A step trains several children at once, each on a batch of its own; which they are is a tensor,
    so that one trace serves all.

    Args:
        network: The Keras model of `wiring.widest`.
        wiring: A `Wiring`.
        rows: `TrainingRows` in memory.
        task: The loss of each row.
        optimizer: A name of `sections.OPTIMIZERS`.
        children: How many a step trains.
        seed: Of the rows whose statistics normalise.

    Attributes:
        draw: Returns the arcs that a step trains, for a number of them.
    """

    draw: Callable[[int], np.ndarray]

    def __init__(
        self, network: keras.Model, wiring: Wiring, rows: Any, task: Any, optimizer: str,
        children: int, seed: int = 1,
    ):  # fmt: skip
        super().__init__(network, 1, rows, task, optimizer)
        self._keras, self._wiring, self._children = network, wiring, children
        self._context = tf.constant(self._context_rows(rows.train, seed))
        arcs = len(wiring.names)
        self._train_epoch = compiled(
            self._run,
            self._any_inputs,
            ((None, self.count, None), tf.int32),
            ((None,), tf.float32),
            ((None, children, arcs), tf.int32),
        )
        self._child_outputs = compiled(
            self._outputs_of_children,
            self._any_inputs,
            ((None, arcs), tf.int32),
            ((self.count, None), tf.int32),
        )

    @staticmethod
    def _context_rows(train, seed):
        random = np.random.default_rng(derive(seed, "context"))
        count = min(CONTEXT, *map(len, train))
        drawn = [random.choice(rows, count, replace=False) for rows in train]
        return np.stack(drawn).astype("int32")

    def epoch(self, index, rates, is_validated=False):
        """Train on (steps, folds, children * batch) row numbers with a rate a step.

        Each step trains arcs that `draw` returns for a number of them.

        Returns:
            Loss of each step, and nothing on validation rows.
        """
        arcs = self.draw(len(index) * self._children).reshape(len(index), self._children, -1)
        drawn = [tf.constant(part) for part in (index, rates, arcs)]
        return self._train_epoch(self._inputs, *drawn).numpy(), []

    def outputs(self, arcs: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return the outputs of children for some rows.

        Args:
            arcs: (children, decisions) positions.
            index: (folds, rows) numbers of rows.

        Returns:
            (folds, children, rows, outputs), normalised by the statistics of some training rows.
        """
        asked = [tf.constant(part, tf.int32) for part in (arcs, index)]
        return self._child_outputs(self._inputs, *asked).numpy()

    def child(self, arc: Sequence[int]) -> list[np.ndarray]:
        """Return the weights of one child, cut out of the bank.

        Returns:
            A list of (folds, ...) in the order of the child's Keras model. Statistics of batch
            normalisation are those of initialisation: a bank keeps none.
        """
        return self._wiring.cut(self._keras, self.weights(), arc)

    def _step(self, x, index, rate, arcs):
        children = Children(self._keras, self._strengths, self._wiring.gates(self._keras, arcs))
        return self._descend(children, x, index, rate)

    def _outputs_of_children(self, inputs, arcs, index):
        rows = tf.concat([self._context, index], axis=1)
        known, count = self._context.shape[1], tf.shape(arcs)[0]
        gates = self._wiring.gates(self._keras, arcs)
        children = Children(self._keras, self._strengths, gates, known)
        x = tf.tile(self._seen(inputs, rows), (1, count, 1))
        outputs = children(x, self._stacks())[0]
        shape = (self.count, count, tf.shape(rows)[1], self.task.outputs)
        return tf.reshape(outputs, shape)[:, :, known:]


class Children(VectorizedNetwork):
    """Compute children that share stacked weights: (folds, children * rows, ...).

    Each child has rows of its own.

    Args:
        network: The widest network.
        given: As `VectorizedNetwork`'s.
        gates: Name of a dense layer to what its inputs are multiplied by, (children, inputs).
        context: Number of first rows of each child whose statistics normalise; None for all.
    """

    def __init__(self, network, given, gates, context=None):
        super().__init__(network, given)
        self._gates, self._context = gates, context
        self._count = tf.shape(next(iter(gates.values())))[0]

    def _apart(self, x):
        """Reshape (folds, children * rows, units) -> (folds, children, rows, units)."""
        return tf.reshape(x, (x.shape[0], self._count, -1, x.shape[-1]))

    def _dense(self, layer, x, weights, training, seed, updates):
        if layer.name in self._gates:
            gated = self._apart(x) * self._gates[layer.name][:, None]
            x = tf.reshape(gated, (x.shape[0], -1, x.shape[-1]))
        return super()._dense(layer, x, weights, training, seed, updates)

    def _normalised(self, layer, x, weights, training, seed, updates):
        apart = self._apart(x)
        mean, variance = tf.nn.moments(apart[:, :, : self._context], axes=[2], keepdims=True)
        gamma, beta = (weights[v.path][:, None, None] for v in (layer.gamma, layer.beta))
        factor = gamma * tf.math.rsqrt(variance + layer.epsilon)
        return tf.reshape(apart * factor + (beta - mean * factor), tf.shape(x))


class Wiring:
    """Translate the arcs of a search space into widths, sources and masks.

    Args:
        space: The search space of the family wired; dimensions beside the arc take their first
            option.

    Attributes:
        names: Of the decisions of an arc, in its order.
        allowed: As `controller.Controller` takes it.
        widest: Values of the network whose layers are widest and see all before them.
    """

    def __init__(self, space: dict[str, Any]):
        self._options = wired.options(space)
        self.names = list(self._options)
        self._fixed = {name: hyper.options[0] for name, hyper in space.items()}
        self.widest = self._fixed | {
            name: 1 if name.startswith("skip") else options[-1]
            for name, options in self._options.items()
        }
        self.layers = self.widest["layers"]
        self.allowed = [self._allowed(layer) for layer in range(2, self.layers + 1)]

    def _allowed(self, layer):
        width, *skips = (name for name in self.names if name.endswith(f"_{layer}"))
        bits = [[bit in self._options[name] for bit in (0, 1)] for name in skips]
        return [[True] * len(self._options[width]), *bits]

    def values(self, arc: Sequence[int]) -> dict[str, Any]:
        """Return a trial's values for an arc: widths and skips, and the arc itself."""
        said = {
            name: int(position) if name.startswith("skip") else self._options[name][position]
            for name, position in zip(self.names, arc, strict=True)
        }
        return self._fixed | said | {"arc": [int(position) for position in arc]}

    def gates(self, network: keras.Model, arcs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return masks of the inputs of each dense layer whose inputs may be cut off.

        Args:
            network: The Keras model of `widest`.
            arcs: (children, decisions) tensor.

        Returns:
            Dict of layer name to (children, inputs) of 0 and 1.
        """
        columns = dict(zip(self.names, tf.unstack(arcs, axis=1), strict=True))
        masks = {1: tf.ones((tf.shape(arcs)[0], self.widest["max_width"]))}
        for layer in range(2, self.layers + 1):
            name = f"width_{layer}"
            widths = tf.gather(tf.constant(self._options[name]), columns[name])
            masks[layer] = tf.sequence_mask(widths, self.widest[name], tf.float32)
        gates = {}
        for layer, kernel in enumerate(_dense_layers(network)[1:], 2):
            parts = []
            # The last dense layer makes the outputs of the layer before.
            for source in (
                wired.sources(self.widest, layer) if layer <= self.layers else [layer - 1]
            ):
                bit = columns.get(f"skip_{source}_{layer}", tf.constant([1]))
                parts.append(masks[source] * tf.cast(bit, tf.float32)[:, None])
            gates[kernel.name] = tf.concat(parts, axis=1)
        return gates

    def cut(
        self, network: keras.Model, weights: list[np.ndarray], arc: Sequence[int]
    ) -> list[np.ndarray]:
        """Return a child's part of the widest network's weights, (folds, ...) each, in its order.

        Args:
            network: The Keras model of `widest`.
            weights: (folds, ...) each, in the order of the network's.
            arc: (decisions,) positions.
        """
        gates = self.gates(network, tf.constant(np.asarray(arc)[None], tf.int32))
        stacks = {v.path: stack for v, stack in zip(network.weights, weights, strict=True)}
        values, found, number = self.values(arc), [], 0
        for layer in network.layers:
            # Weights that follow a dense layer belong to its units.
            number += layer in _dense_layers(network)
            for variable in layer.weights:
                stack = stacks[variable.path][..., : values.get(f"width_{number}")]
                if len(stack.shape) > 2 and layer.name in gates:
                    stack = stack[:, gates[layer.name].numpy()[0] > 0]
                found.append(stack)
        return found


def _dense_layers(network):
    return [layer for layer in network.layers if hasattr(layer, "kernel")]
