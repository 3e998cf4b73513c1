"""Replicas: one Keras network with several sets of weights that train at once in one graph.

Their variables are stacked along a first axis, and an elementwise optimizer acts on all of them as
one flat variable, so that five folds of a cross-validation cost little more than one.
"""

import dataclasses

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf

from autogenome_tf.stacked import Stacked

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    # With Keras' own first accumulator the first step would forget the initial weights.
    "ftrl": lambda rate: keras.optimizers.Ftrl(rate, initial_accumulator_value=1e-12),
    "lamb": keras.optimizers.Lamb,
    "lion": keras.optimizers.Lion,
}


# What TensorFlow raises when a step fails, for want of memory for example.
EngineError = tf.errors.OpError

# Rows judged at once where they are streamed.
JUDGED = 1024


@dataclasses.dataclass(frozen=True)
class Rows:
    """What replicas learn from, each through its own view of the same rows.

    Attributes:
        views: One array (rows, inputs) a replica, or a single object with ``batch(index)`` that
            makes (len(index), inputs) where rows do not fit into memory.
        truth: (rows,) class positions or (rows, targets) standardised values.
        weights: (rows,) weight in the loss.
        train: For each replica the rows it learns from.
        held: For each replica the rows it is judged on; may be empty.
    """

    views: list
    truth: np.ndarray
    weights: np.ndarray
    train: list
    held: list

    @property
    def is_streamed(self):
        """Whether batches are made on demand."""
        return hasattr(self.views[0], "batch")


def _compiled(function, *shapes):
    """Compile a method for tensors of these shapes (and types), in a single trace.

    Nothing here needs AutoGraph, whose rewriting of every function takes longer than the trace.
    """
    signature = [tf.TensorSpec(shape, kind) for shape, kind in shapes]
    return tf.function(function, input_signature=signature, autograph=False)


class Replicas:
    """Stacked variables of one network, and the compiled step that trains all of them.

    Args:
        networks: One Keras model a replica: the same layers, each with its own initial weights (the
            same model several times lets replicas start alike).
        rows: `Rows`.
        task: The loss of each row, in outputs of the network.
        optimizer: A name of `OPTIMIZERS`.
        seed: Of dropout and noise.
    """

    def __init__(self, networks, rows, task, optimizer="adam", seed=0):
        self._weights = networks[0].weights
        self._trained = [v.path for v in networks[0].trainable_weights]
        self._network = Stacked(networks[0])
        self._task, self._rows, self._count = task, rows, len(networks)
        stacks = {
            variable.path: np.stack([network.weights[i].numpy() for network in networks])
            for i, variable in enumerate(self._weights)
        }
        self._shapes = [stacks[path].shape for path in self._trained]
        self._optimizer = OPTIMIZERS[optimizer](1e-3)
        parts = [stacks[path] for path in self._trained]
        if optimizer == "lamb":
            # LAMB scales each tensor by its own norm, which must not span tensors or replicas.
            self._variables = [keras.Variable(part) for stack in parts for part in stack]
        else:
            flat = np.concatenate([stack.reshape(self._count, -1) for stack in parts], axis=1)
            self._variables = [keras.Variable(flat)]
        self._optimizer.build(self._variables)
        self._moving = {
            path: tf.Variable(stack) for path, stack in stacks.items() if path not in self._trained
        }
        self._truth = tf.constant(rows.truth)
        self._row_weights = tf.constant(rows.weights)
        self._noise = tf.Variable([seed % 2**31, 0], dtype=tf.int32)

    def _each(self):
        return range(self._count)

    def _stacks(self):
        """Every weight, (replicas, ...), by the path of its variable."""
        if len(self._variables) > 1:
            k = self._count
            values = [variable.value for variable in self._variables]
            stacks = [tf.stack(values[i : i + k]) for i in range(0, len(values), k)]
        else:
            sizes = [int(np.prod(shape[1:])) for shape in self._shapes]
            parts = tf.split(self._variables[0].value, sizes, axis=1)
            pairs = zip(parts, self._shapes, strict=True)
            stacks = [tf.reshape(part, shape) for part, shape in pairs]
        moving = {path: variable.read_value() for path, variable in self._moving.items()}
        return dict(zip(self._trained, stacks, strict=True)) | moving

    def _apply(self, gradients):
        if len(self._variables) > 1:
            gradients = [part for stack in gradients for part in tf.unstack(stack, self._count)]
        else:
            gradients = [tf.concat([tf.reshape(g, (self._count, -1)) for g in gradients], axis=1)]
        self._optimizer.apply(gradients, self._variables)

    def _losses(self, index, outputs):
        """Loss of each row: (replicas, rows) numbers, (replicas, rows, outputs)."""
        flat = tf.reshape(outputs, (-1, self._task.outputs))
        losses = self._task.row_losses(tf.gather(self._truth, tf.reshape(index, (-1,))), flat)
        return tf.reshape(losses, tf.shape(index))

    def _step(self, x, index, rate):
        """One update on (replicas, batch, inputs); returns the mean loss."""
        stacks = self._stacks()
        trained = [stacks[path] for path in self._trained]
        weights = tf.gather(self._row_weights, index)
        self._noise.assign_add([0, 256])
        with tf.GradientTape() as tape:
            tape.watch(trained)
            outputs, moved = self._network(x, stacks, True, self._noise.read_value())
            each = tf.reduce_sum(self._losses(index, outputs) * weights, axis=1)
            losses = each / tf.reduce_sum(weights, axis=1)
            # Replicas share no weight, so the gradient of the sum is that of each.
            total = tf.reduce_sum(losses) + self._network.penalty(stacks)
        gradients = tape.gradient(total, trained)
        self._optimizer.learning_rate.assign(rate)
        self._apply(gradients)
        for path, value in moved.items():
            self._moving[path].assign(value)
        return tf.reduce_mean(losses)

    def _outputs(self, x):
        """(replicas, rows, inputs) -> (replicas, rows, outputs), as at inference."""
        return self._network(x, self._stacks())[0]

    def weights(self):
        """For each replica its network's weights, in the network's order."""
        stacks = {path: np.asarray(stack) for path, stack in self._stacks().items()}
        return [[stacks[variable.path][k] for variable in self._weights] for k in self._each()]

    def _changing(self):
        return [*self._variables, *self._moving.values(), *self._optimizer.variables, self._noise]

    def minimise(self, l2, iterations):
        """Full-batch L-BFGS on the mean loss plus `l2` times the squared kernels.

        Replicas are separate problems: their sum is minimised, which minimises each.

        Returns:
            The mean over replicas of what is minimised, and the outputs of their held rows.
        """
        flat = self._variables[0]

        def function(point):
            flat.assign(point.reshape(flat.shape))
            value, gradient = self._slope(tf.constant(l2, tf.float32))
            return float(value), gradient.numpy().astype("float64").ravel()

        start = flat.numpy().astype("float64").ravel()
        found = scipy.optimize.minimize(
            function,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": iterations, "ftol": 1e-7},
        )
        flat.assign(found.x.reshape(flat.shape))
        return found.fun / self._count, self.held()

    def state(self):
        """Everything that training changes, as arrays."""
        return [variable.numpy().copy() for variable in self._changing()]

    def restore(self, state):
        """Go back to a `state`."""
        for variable, value in zip(self._changing(), state, strict=True):
            variable.assign(value)


class InMemory(Replicas):
    """Rows live in the graph, and one call runs a whole epoch."""

    def __init__(self, networks, rows, task, optimizer="adam", seed=0):
        super().__init__(networks, rows, task, optimizer, seed)
        self._views = tf.constant(np.stack(rows.views))
        most = max(map(len, rows.held))
        padded = [np.resize(index, most) if len(index) else np.zeros(0) for index in rows.held]
        self._held = tf.constant(np.stack(padded).astype("int32"))
        batches = (None, self._count, None)
        self._trained_on = _compiled(self._run, (batches, tf.int32), ((None,), tf.float32))
        self._judged = _compiled(self._judge)
        self._slope = _compiled(self._value_and_gradient, ((), tf.float32))

    def epoch(self, index, rates, judge=True):
        """Train on (steps, replicas, batch) row numbers with a rate a step.

        Returns:
            Loss of each step, and for each replica the outputs of its held rows.
        """
        losses = self._trained_on(tf.constant(index), tf.constant(rates)).numpy()
        return losses, self.held() if judge else []

    def held(self):
        """For each replica the outputs of its held rows."""
        if not self._held.shape[1]:
            return [np.zeros((0, self._task.outputs), "float32") for _ in self._each()]
        outputs = self._judged().numpy()
        return [outputs[k, : len(self._rows.held[k])] for k in self._each()]

    def _value_and_gradient(self, l2):
        """Sum over replicas of the mean loss of their training rows and the penalty."""
        mask = np.zeros((self._count, self._views.shape[1]), "float32")
        for replica, index in enumerate(self._rows.train):
            mask[replica, index] = self._rows.weights[index] / self._rows.weights[index].sum()
        every = tf.tile(tf.range(mask.shape[1])[None], (self._count, 1))
        with tf.GradientTape() as tape:
            stacks = self._stacks()
            outputs, _ = self._network(self._views, stacks)
            kernels = [stacks[path] for path in self._trained if len(stacks[path].shape) > 2]
            penalty = tf.add_n([tf.reduce_sum(kernel**2) for kernel in kernels])
            value = tf.reduce_sum(self._losses(every, outputs) * mask) + l2 * penalty
        return value, tape.gradient(value, self._variables[0].value)

    def _run(self, index, rates):
        """All steps of an epoch in one loop; returns the loss of each."""

        def step(i, losses):
            x = tf.gather(self._views, index[i], batch_dims=1)
            return i + 1, losses.write(i, self._step(x, index[i], rates[i]))

        steps = tf.shape(rates)[0]
        losses = tf.TensorArray(tf.float32, size=steps)
        return tf.while_loop(lambda i, _: i < steps, step, (0, losses))[1].stack()

    def _judge(self):
        return self._outputs(tf.gather(self._views, self._held, batch_dims=1))


class Streamed(Replicas):
    """Batches are made on demand, for one replica; memory holds one batch."""

    def __init__(self, networks, rows, task, optimizer="adam", seed=0):
        super().__init__(networks, rows, task, optimizer, seed)
        x = ((1, None, networks[0].input_shape[-1]), tf.float32)
        self._trained_on = _compiled(self._step, x, ((1, None), tf.int32), ((), tf.float32))
        self._judged = _compiled(self._outputs, x)

    def epoch(self, index, rates, judge=True):
        """As `InMemory.epoch`, batch by batch."""
        losses = [
            self._trained_on(self._batch(rows[0]), rows, rate).numpy()
            for rows, rate in zip(index, rates, strict=True)
        ]
        held = self._rows.held[0] if judge else []
        outputs = [np.zeros((0, self._task.outputs), "float32")]
        for start in range(0, len(held), JUDGED):
            outputs.append(self._judged(self._batch(held[start : start + JUDGED])).numpy()[0])
        return np.array(losses), [np.concatenate(outputs)]

    def _batch(self, index):
        return self._rows.views[0].batch(index)[None].astype("float32")
