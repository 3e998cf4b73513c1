"""Train a whole epoch of all replicas in one call: all rows are at hand."""

import time
from collections.abc import Mapping

import numpy as np
import scipy.optimize
import tensorflow as tf

from autogenome_tf.core import blas, chunked
from autogenome_tf.nn.graphs import as_written, compiled
from autogenome_tf.training._engines._engine import PLAIN
from autogenome_tf.training._engines._vectorized import VectorizedEngine, looped, resident

# By how much an iteration has to lower a value, in parts of it where it is above 1: below that,
# values differ by the rounding of float32, and the line search goes astray.
TOLERANCE = 1e-7
# Of L-BFGS for each penalty, at most.
ITERATIONS = 500
# Part of the largest curvature of a row's loss below which a row's is not taken.
FLATTEST = 1e-3
# Of all targets, or of each by its name.
Penalty = float | Mapping[str, float]


class InMemory(VectorizedEngine):
    """Train on rows in memory; one call runs a whole epoch."""

    def __init__(self, network, seeds, rows, task, optimizer="adam"):
        super().__init__(network, seeds, rows, task, optimizer)
        self._factors = tf.Variable(tf.ones((self.folds, self._inputs.shape[-1])))
        # Rows are an argument, so that a step serves any number of them.
        self._any_inputs = (self.folds, None, self._inputs.shape[-1]), tf.float32
        batches, of_replicas = (None, self.count, None), (self.count, None)
        self._train_epoch = compiled(
            self._run, self._any_inputs, (batches, tf.int32), ((None,), tf.float32)
        )
        self._validate = compiled(self._outputs_of, self._any_inputs, (of_replicas, tf.int32))
        self._curved = compiled(
            self._curvature_of, self._any_inputs, (of_replicas, tf.int32), (of_replicas, tf.float32)
        )
        self._gradient = compiled(
            self._value_and_gradient,
            self._any_inputs,
            (of_replicas, tf.float32),
            ((self.task.outputs,), tf.float32),
            ((None,), tf.float32),
            ((None,), tf.float32),
        )

    def set_rows(self, rows):
        """Turn to other rows; see `Engine.set_rows`."""
        super().set_rows(rows)
        self._inputs = resident(rows.inputs)
        most = max(map(len, rows.validation))
        padded = [
            np.resize(index, most) if len(index) else np.zeros(0) for index in rows.validation
        ]
        self._validation = np.tile(np.stack(padded).astype("int32"), (self._seeds, 1))

    def forget_rows(self):
        """Free the rows; see `Engine.forget_rows`."""
        super().forget_rows()
        del self._inputs, self._validation

    def begin(self, networks, seed, factors=None, objective=PLAIN):
        """Start anew; see `Engine.begin`."""
        super().begin(networks, seed, objective=objective)
        self._factors.assign(tf.ones_like(self._factors) if factors is None else factors)

    def epoch(self, index, rates, is_validated=True):
        """Train for an epoch; see `Engine.epoch`."""
        with as_written():
            losses = self._train_epoch(self._inputs, tf.constant(index), tf.constant(rates))
        return losses.numpy(), self.validation_outputs() if is_validated else []

    def validation_outputs(self) -> list[np.ndarray]:
        """Return for each replica its outputs (validation rows, outputs)."""
        if not self._validation.shape[1]:
            return [np.zeros((0, self.task.outputs), "float32") for _ in range(self.count)]
        parts = [self._validation[:, part] for part in self._blocks(self._validation.shape[1])]
        with as_written():
            outputs = np.concatenate([self._validate(self._inputs, part) for part in parts], axis=1)
        return [outputs[k, : len(self.rows.validation[k % self.folds])] for k in range(self.count)]

    def minimise(
        self, l2: Penalty, deadline: float = float("inf")
    ) -> tuple[float, list[np.ndarray]]:
        """Minimise the mean loss plus `l2` times the squared kernel by full-batch L-BFGS.

        Replicas are separate problems: their sum is minimised, which minimises each. Steps are
        taken in units of 1 / sqrt(curvature), so that wide and narrow directions of the rows need
        few of them alike.

        Args:
            l2: The penalty, or that of each of several targets by its name.
            deadline: `time.monotonic()` after which no further iteration starts.

        Returns:
            The mean over replicas of what is minimised, and the outputs of their validation rows.
        """
        shares = tf.constant(self._shares())
        penalties = np.broadcast_to(self.task.by_output(l2), self.task.outputs)
        penalties = tf.constant(penalties, tf.float32)
        unit = 1 / np.sqrt(self._curvature(shares, penalties))

        known = self._inputs, shares, penalties, tf.constant(unit)

        def function(point):
            value, gradient = self._gradient(*known, tf.constant(point, tf.float32))
            return float(value), gradient.numpy().astype("float64")

        def in_time(point):
            if time.monotonic() > deadline:
                raise StopIteration

        start = _flat(self.stacks()[path] for path in self._trained).numpy() / unit
        with blas.one_thread():
            found = scipy.optimize.minimize(
                function,
                start,
                jac=True,
                method="L-BFGS-B",
                callback=in_time,
                options={"maxiter": ITERATIONS, "ftol": TOLERANCE},
            )
        self._assign_trained(self._apart(found.x * unit))
        return found.fun / self.count, self.validation_outputs()

    def _curvature(self, shares, penalties):
        """Return the second derivative of what is minimised by each weight, (all weights,).

        Only its size matters. Where rows are predicted with certainty it is kept off zero.
        """
        kernel, bias = 0.0, 0.0
        for part in self._blocks(shares.shape[1]):
            own = shares[:, part]
            index = tf.tile(tf.range(part.start, part.start + own.shape[1])[None], (self.count, 1))
            of_kernel, of_bias = self._curved(self._inputs, index, own)
            kernel, bias = kernel + of_kernel, bias + of_bias
        parts = {3: kernel + 2 * penalties, 2: bias}
        return _flat(parts[len(shape)] for shape in self._shapes.values()).numpy()

    def _curvature_of(self, inputs, index, shares):
        """Return what (replicas, batch) rows of given shares add to the second derivatives."""
        x = self._seen(inputs, index)
        outputs, _ = self._network(x, self.stacks())

        def bend_of(place):
            with tf.GradientTape() as outer:
                outer.watch(outputs)
                with tf.GradientTape() as inner:
                    inner.watch(outputs)
                    total = tf.reduce_sum(self.losses(index, outputs))
                slope = inner.gradient(total, outputs)[:, :, place]
            return outer.gradient(slope, outputs)[:, :, place]

        # A loop of the graph: written out, a hundred classes take ten seconds to trace.
        places = tf.range(self.task.outputs)
        bend = tf.transpose(tf.map_fn(bend_of, places, fn_output_signature=tf.float32), (1, 2, 0))
        bend = tf.maximum(bend, FLATTEST * tf.reduce_max(bend)) * shares[:, :, None]
        return tf.matmul(x**2, bend, transpose_a=True), tf.reduce_sum(bend, axis=1)

    def _blocks(self, rows):
        """Yield slices of so many rows."""
        return chunked.parts(rows, self.count * self._inputs.shape[-1], most=rows)

    def _shares(self):
        """Return the part of each row in the training loss of each replica, (replicas, rows)."""
        shares = np.zeros((self.folds, len(self.rows.weights)), "float32")
        for fold, train in enumerate(self.rows.train):
            shares[fold, train] = self.rows.weights[train]
        return np.tile(shares / shares.sum(axis=1, keepdims=True), (self._seeds, 1))

    def _seen(self, inputs, index):
        """Gather (replicas, batch, inputs) for (replicas, batch) row numbers."""
        flat = tf.reshape(inputs, (-1, inputs.shape[-1]))
        # Row 0 of each fold in the inputs of all folds, one below the other.
        offsets = tf.range(self.folds) * tf.shape(inputs)[1]
        each = self._of_seeds(tf.expand_dims(offsets, 1)), self._of_seeds(self._factors)
        return tf.gather(flat, index + each[0]) * tf.expand_dims(each[1], 1)

    def _of_seeds(self, of_folds):
        """Repeat what is there once a fold for every seed."""
        return of_folds if self._seeds == 1 else tf.tile(of_folds, (self._seeds, 1))

    def _apart(self, flat):
        """Return the stack of each trained weight by its path, of all one behind the other."""
        parts = tf.split(flat, [int(np.prod(shape)) for shape in self._shapes.values()])
        pairs = zip(self._shapes.items(), parts, strict=True)
        return {path: tf.reshape(part, shape) for (path, shape), part in pairs}

    def _value_and_gradient(self, inputs, shares, penalties, unit, point):
        """Return the sum over folds of training loss and penalty, and its gradient, of one seed.

        Args:
            inputs: (folds, rows, inputs).
            shares: (replicas, rows).
            penalties: (outputs,).
            unit: (all weights,) units of `point`.
            point: (all weights,).
        """
        every = tf.tile(tf.range(tf.shape(shares)[1])[None], (self.count, 1))
        with tf.GradientTape() as tape:
            tape.watch(point)
            stacks = self._apart(point * unit)
            kernels = {path: stack for path, stack in stacks.items() if len(stack.shape) > 2}
            # Factors of the rows are those of the kernel, so that no row is copied.
            weighed = {path: kernel * self._factors[:, :, None] for path, kernel in kernels.items()}
            outputs, _ = self._network(inputs, stacks | weighed)
            (kernel,) = kernels.values()
            # Near the minimum values differ by less than a sum of float32 is off.
            value = _exact_sum(self.losses(every, outputs) * shares)
            value += _exact_sum(kernel**2 * penalties)
        return value, tape.gradient(value, point)

    def _run(self, inputs, index, rates):
        """Run all steps of an epoch; return their losses."""

        def step(i):
            own = tf.gather(index, i)
            return self._step(self._seen(inputs, own), own, tf.gather(rates, i))

        return looped(step, tf.shape(rates)[0])

    def _outputs_of(self, inputs, index):
        """Compute (replicas, batch, outputs) for (replicas, batch) row numbers."""
        return self._outputs(self._seen(inputs, index))


def _flat(parts):
    return tf.concat([tf.reshape(part, (-1,)) for part in parts], axis=0)


def _exact_sum(values):
    """Sum in float64."""
    return tf.reduce_sum(tf.cast(values, tf.float64))
