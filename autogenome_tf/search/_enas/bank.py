"""Shared weights: those of the widest network, of which masks cut out every child.

Every fold has a bank of its own, which learns from the fold's training rows; children are judged on
its validation rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.core.seeds import derive
from autogenome_tf.nn import stacked
from autogenome_tf.nn.graphs import compiled
from autogenome_tf.nn.vectorized import VectorizedNetwork, dropped, noisy
from autogenome_tf.search._enas.children import ChildSpace, dense_layers
from autogenome_tf.search._enas.views import Views
from autogenome_tf.training import VectorizedEngine, looped, resident

# Rows to train on whose statistics normalise a child where it is judged.
CONTEXT = 64
# Part of a child's loss that is its distance from the largest child's outputs.
TAUGHT = 0.5


class Bank(VectorizedEngine):
    """Train shared weights by a compiled step, and judge children with them.

    A step trains several children at once on one batch, the first of them teaching the others;
    which they are is a tensor, so that one trace serves all.

    Args:
        network: The Keras model of `space.widest`.
        space: The `ChildSpace`.
        views: The rows in memory.
        task: The loss of each row.
        optimizer: The config's `training.optimizer`.
        children: How many a step trains.
        seed: Of the rows whose statistics normalise.

    Attributes:
        draw: Returns the codes of the children that steps train, for a number of children.
    """

    draw: Callable[[int], np.ndarray]

    def __init__(
        self, network: keras.Model, space: ChildSpace, views: Views, task, optimizer: str,
        children: int, seed: int = 1,
    ):  # fmt: skip
        super().__init__(network, 1, views.rows, task, optimizer)
        self._keras, self._space, self._views = network, space, views
        self._children = children
        self._context = tf.constant(self._context_rows(views.rows.train, seed))
        shape = self._inputs.shape
        inputs = (*shape[:2], None, shape[-1]), tf.float32
        decisions = len(space.names)
        self._train_epoch = compiled(
            self._run,
            inputs,
            ((None, self.count, None), tf.int32),
            ((None,), tf.float32),
            ((None, children, decisions), tf.int32),
        )
        self._child_outputs = compiled(
            self._outputs_of_children,
            inputs,
            ((None, decisions), tf.int32),
            ((self.count, None), tf.int32),
        )

    def set_rows(self, rows):
        """Turn to other rows, whose inputs are (views, folds, rows, inputs)."""
        super().set_rows(rows)
        self._inputs = resident(rows.inputs)

    @staticmethod
    def _context_rows(train, seed):
        random = np.random.default_rng(derive(seed, "context"))
        count = min(CONTEXT, *map(len, train))
        drawn = [random.choice(rows, count, replace=False) for rows in train]
        return np.stack(drawn).astype("int32")

    def epoch(self, index, rates, is_validated=False):
        """Train on (steps, folds, batch) row numbers with a rate a step.

        Each step trains children that `draw` returns for a number of them.

        Returns:
            Loss of each step, and nothing on validation rows.
        """
        codes = self.draw(len(index) * self._children).reshape(len(index), self._children, -1)
        drawn = [tf.constant(part) for part in (index, rates, codes.astype("int32"))]
        return self._train_epoch(self._inputs, *drawn).numpy(), []

    def outputs(self, codes: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return the outputs of children for some rows.

        Args:
            codes: (children, decisions) positions.
            index: (folds, rows) numbers of rows.

        Returns:
            (folds, children, rows, outputs), normalised by the statistics of some training rows.
        """
        asked = [tf.constant(part, tf.int32) for part in (codes, index)]
        return self._child_outputs(self._inputs, *asked).numpy()

    def child(self, code: Sequence[int]) -> list[np.ndarray]:
        """Return the weights of one child, cut out of the bank.

        Returns:
            A list of (folds, ...) in the order of the child's Keras model. Statistics of batch
            normalisation are those of initialisation: a bank keeps none.
        """
        kernel, *others = self._space.cut(self._keras, self.weights(), code)
        view = int(self._space.views(tf.constant(np.asarray(code)[None], tf.int32))[0])
        return [self._views.folded(view, kernel), *others]

    def _run(self, inputs, index, rates, codes):
        """Run all steps of an epoch, each with its own children; return their losses."""

        def step(i):
            rows, own = tf.gather(index, i), tf.gather(codes, i)
            x, every = self._viewed(inputs, rows, own), tf.tile(rows, (1, self._children))
            return self.descend(self._of(own), x, every, tf.gather(rates, i))

        return looped(step, tf.shape(rates)[0])

    def _of(self, codes, context=None):
        return Children(self._keras, self._space, codes, context)

    def _viewed(self, inputs, index, codes):
        """Gather (folds, children * rows, inputs) for (folds, rows), each child's own view."""
        views, folds = self._space.views(codes), tf.range(self.count)
        # Row 0 of each fold in the inputs of all views and folds, one below the other.
        starts = (views[None] * self.count + folds[:, None]) * tf.shape(inputs)[2]
        places = tf.reshape(starts[:, :, None] + index[:, None], (self.count, -1))
        return tf.gather(tf.reshape(inputs, (-1, inputs.shape[-1])), places)

    def losses(self, index, outputs, smoothing=None):
        """Return the loss of each row; the first child's outputs are targets of the others.

        Rows of one child are a set of their own for a loss that compares rows, and have its part of
        `smoothing`, (children,).
        """
        sets = self.count * self._children
        apart = tf.reshape(outputs, (sets, -1, self.task.outputs))
        parts = None if smoothing is None else tf.tile(smoothing, (self.count,))[:, None]
        own = super().losses(tf.reshape(index, (sets, -1)), apart, parts)
        first = tf.reshape(outputs, (self.count, self._children, -1, self.task.outputs))[:, :1]
        teacher = tf.reshape(tf.tile(first, (1, self._children, 1, 1)), tf.shape(apart))
        soft = self.task.taught_losses(tf.stop_gradient(teacher), apart)
        is_taught = np.arange(self._children) > 0
        part = TAUGHT * tf.constant(np.tile(is_taught, self.count)[:, None], tf.float32)
        return tf.reshape(stacked.between(own, soft, part), tf.shape(index))

    def _outputs_of_children(self, inputs, codes, index):
        rows = tf.concat([self._context, index], axis=1)
        known, count = self._context.shape[1], tf.shape(codes)[0]
        outputs = self._of(codes, known)(self._viewed(inputs, rows, codes), self.stacks())[0]
        shape = (self.count, count, tf.shape(rows)[1], self.task.outputs)
        return tf.reshape(outputs, shape)[:, :, known:]


class Children(VectorizedNetwork):
    """Compute children that share stacked weights: (folds, children * rows, ...).

    Each child has its own masks, activation and rates.

    Args:
        network: The widest network.
        space: The `ChildSpace`.
        codes: (children, decisions) tensor.
        context: Number of first rows of each child whose statistics normalise; None for all.
    """

    def __init__(self, network, space: ChildSpace, codes: tf.Tensor, context: int | None = None):
        super().__init__(network, label_smoothing=space.chosen(codes, "label_smoothing"))
        self._gates, self._rates = space.gates(network, codes), space.rates(network, codes)
        self._units = [*space.units(codes), None]
        self._context, self._count = context, tf.shape(codes)[0]
        self._activations = space.beside.get("activation", [])
        self._activation = space.column(codes, "activation")
        self._on_open = self.computed[keras.layers.Dense]
        self.computed |= {
            keras.layers.Activation: self._activated,
            keras.layers.BatchNormalization: self._normalised_apart,
            keras.layers.Dense: self._dense_on_gated,
            keras.layers.Dropout: self._dropped_apart,
            keras.layers.GaussianNoise: self._noisy_apart,
        }

    def penalty(self, weights):
        """Return the L2 penalty on the children's own kernels, their mean, added up over folds."""
        terms, layers = [tf.constant(0.0)], dense_layers(self.network)
        for layer, units in zip(layers, self._units, strict=True):
            if layer.name in self._rates:
                squares = tf.reduce_sum(weights[layer.kernel.path] ** 2, axis=0)
                gate = self._gates.get(layer.name)
                by_unit = tf.reduce_sum(squares, 0)[None] if gate is None else gate @ squares
                own = by_unit if units is None else by_unit * units
                terms.append(tf.reduce_mean(self._rates[layer.name] * tf.reduce_sum(own, axis=1)))
        return tf.add_n(terms)

    def _apart(self, x):
        """Reshape (folds, children * rows, units) -> (folds, children, rows, units)."""
        return tf.reshape(x, (x.shape[0], self._count, -1, x.shape[-1]))

    def _together(self, apart):
        """Reshape (folds, children, rows, units) -> (folds, children * rows, units)."""
        return tf.reshape(apart, (apart.shape[0], -1, apart.shape[-1]))

    def _dense_on_gated(self, layer, x, now):
        if layer.name in self._gates:
            x = self._together(self._apart(x) * self._gates[layer.name][:, None])
        return self._on_open(layer, x, now)

    def _activated(self, layer, x, now):
        if not self._activations or layer is self.network.layers[-1]:
            return layer.activation(x)
        apart, found = self._apart(x), 0.0
        for position, name in enumerate(self._activations):
            is_own = tf.cast(self._activation == position, tf.float32)[:, None, None]
            found += is_own * keras.activations.get(name)(apart)
        return self._together(found)

    def _normalised_apart(self, layer, x, now):
        apart = self._apart(x)
        mean, variance = tf.nn.moments(apart[:, :, : self._context], axes=[2], keepdims=True)
        gamma, beta = (now.weights[v.path][:, None, None] for v in (layer.gamma, layer.beta))
        factor = gamma * tf.math.rsqrt(variance + layer.epsilon)
        return self._together(apart * factor + (beta - mean * factor))

    def _dropped_apart(self, layer, x, now):
        if not now.training:
            return x
        rate = self._rates[layer.name][:, None, None]
        return self._together(dropped(self._apart(x), rate, now.seed))

    def _noisy_apart(self, layer, x, now):
        if not now.training:
            return x
        deviation = self._rates[layer.name][:, None, None]
        return self._together(noisy(self._apart(x), deviation, now.seed))
