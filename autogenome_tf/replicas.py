"""Replicas: one Keras network with several sets of weights that train at once in one graph.

Their variables are stacked along a first axis, the network runs on them under
`tf.vectorized_map`, and an elementwise optimizer acts on the stacks, so that five folds of a
cross-validation cost little more than one.
"""

import dataclasses

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "ftrl": keras.optimizers.Ftrl,
    "lamb": keras.optimizers.Lamb,
    "lion": keras.optimizers.Lion,
}


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


class Replicas:
    """Stacked variables of one network, and the compiled step that trains all of them."""

    def __init__(self, networks, rows, task, optimizer="adam"):
        self._network = networks[0]
        self._task = task
        self._count = len(networks)
        self._rows = rows
        stacks = _stacks(networks, "trainable_variables")
        self._shapes = [stack.shape for stack in stacks]
        self._optimizer = OPTIMIZERS[optimizer](1e-3)
        if optimizer == "lamb":
            # LAMB scales each tensor by its own norm, which must not span tensors or replicas.
            self._variables = [keras.Variable(part) for stack in stacks for part in stack]
        else:
            flat = np.concatenate([stack.reshape(self._count, -1) for stack in stacks], axis=1)
            self._variables = [keras.Variable(flat)]
        self._optimizer.build(self._variables)
        self._fixed = [tf.Variable(_apart(v)) for v in _stacks(networks, "non_trainable_variables")]
        self._truth = tf.constant(rows.truth)
        self._weights = tf.constant(rows.weights)

    def _each(self):
        return range(self._count)

    def _stacked(self):
        """The trainable variables, each (replicas, ...)."""
        if len(self._variables) > 1:
            k = self._count
            values = [variable.value for variable in self._variables]
            return [tf.stack(values[i : i + k]) for i in range(0, len(values), k)]
        sizes = [int(np.prod(shape[1:])) for shape in self._shapes]
        parts = tf.split(self._variables[0].value, sizes, axis=1)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def _apply(self, gradients):
        if len(self._variables) > 1:
            gradients = [part for stack in gradients for part in tf.unstack(stack, self._count)]
        else:
            gradients = [tf.concat([tf.reshape(g, (self._count, -1)) for g in gradients], axis=1)]
        self._optimizer.apply(gradients, self._variables)

    def _mapped(self, function, stacks):
        """Run over the first axis of every tensor; a single replica needs no vectorising."""
        if self._count > 1:
            return tf.vectorized_map(function, stacks)
        result = function(tf.nest.map_structure(lambda stack: stack[0], stacks))
        return tf.nest.map_structure(lambda part: part[None], result)

    def _step(self, x, index, rate):
        """One update on (replicas, batch, inputs); returns the mean loss."""

        def one(arguments):
            trainable, fixed, x, truth, weights = arguments
            with tf.GradientTape() as tape:
                tape.watch(trainable)
                outputs, fixed, penalties = self._network.stateless_call(
                    trainable, fixed, x, training=True, return_losses=True
                )
                losses = self._task.row_losses(truth, outputs)
                loss = tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)
                total = tf.add_n([loss, *penalties])
            return loss, tape.gradient(total, trainable), fixed

        truth, weights = tf.gather(self._truth, index), tf.gather(self._weights, index)
        loss, gradients, fixed = self._mapped(
            one, (self._stacked(), [v.read_value() for v in self._fixed], x, truth, weights)
        )
        self._optimizer.learning_rate.assign(rate)
        self._apply(gradients)
        for variable, value in zip(self._fixed, fixed, strict=True):
            variable.assign(value)
        return tf.reduce_mean(loss)

    def _outputs(self, x):
        """(replicas, rows, inputs) -> (replicas, rows, outputs), as at inference."""

        def one(arguments):
            trainable, fixed, x = arguments
            return self._network.stateless_call(trainable, fixed, x, training=False)[0]

        return self._mapped(one, (self._stacked(), [v.read_value() for v in self._fixed], x))

    def weights(self):
        """For each replica its network's weights, in the network's order."""
        values = {
            variable.path: np.asarray(stack)
            for variables, stacks in (
                (self._network.trainable_variables, self._stacked()),
                (self._network.non_trainable_variables, self._fixed),
            )
            for variable, stack in zip(variables, stacks, strict=True)
        }
        stacks = [values[variable.path] for variable in self._network.weights]
        return [[stack[k] for stack in stacks] for k in self._each()]

    def _changing(self):
        return [*self._variables, *self._fixed, *self._optimizer.variables]

    def minimise(self, l2, iterations):
        """Full-batch L-BFGS on the mean loss plus `l2` times the squared kernels.

        Replicas are separate problems: their sum is minimised, which minimises each.

        Returns:
            The mean over replicas of what is minimised, and the outputs of their held rows.
        """
        flat = self._variables[0]

        def function(point):
            flat.assign(point.reshape(flat.shape))
            value, gradient = self._value_and_gradient(tf.constant(l2, tf.float32))
            return float(value), gradient.numpy().astype("float64").ravel()

        start = flat.numpy().astype("float64").ravel()
        found = scipy.optimize.minimize(
            function, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations}
        )
        flat.assign(found.x.reshape(flat.shape))
        return found.fun / self._count, self.held()

    def state(self):
        """Everything that training changes, as arrays."""
        return [np.array(variable) for variable in self._changing()]

    def restore(self, state):
        """Go back to a `state`."""
        for variable, value in zip(self._changing(), state, strict=True):
            variable.assign(value)


class InMemory(Replicas):
    """Rows live in the graph, and one call runs a whole epoch."""

    def __init__(self, networks, rows, task, optimizer="adam"):
        super().__init__(networks, rows, task, optimizer)
        self._views = tf.constant(np.stack(rows.views))
        most = max(map(len, rows.held))
        padded = [np.resize(index, most) if len(index) else np.zeros(0) for index in rows.held]
        self._held = tf.constant(np.stack(padded).astype("int32"))

    def epoch(self, index, rates, judge=True):
        """Train on (steps, replicas, batch) row numbers with a rate a step.

        Returns:
            Loss of each step, and for each replica the outputs of its held rows.
        """
        losses = self._trained(tf.constant(index), tf.constant(rates)).numpy()
        return losses, self.held() if judge else []

    def held(self):
        """For each replica the outputs of its held rows."""
        if not self._held.shape[1]:
            return [np.zeros((0, self._task.outputs), "float32") for _ in self._each()]
        outputs = self._judged().numpy()
        return [outputs[k, : len(self._rows.held[k])] for k in self._each()]

    @tf.function
    def _value_and_gradient(self, l2):
        """Sum over replicas of the mean loss of their training rows and the penalty."""
        mask = np.zeros((self._count, self._views.shape[1]), "float32")
        for replica, index in enumerate(self._rows.train):
            mask[replica, index] = self._rows.weights[index] / self._rows.weights[index].sum()
        with tf.GradientTape() as tape:
            stacked = self._stacked()
            outputs = self._outputs(self._views)
            flat = tf.reshape(outputs, (-1, outputs.shape[-1]))
            truth = tf.repeat(self._truth[None], self._count, axis=0)
            losses = self._task.row_losses(tf.reshape(truth, (-1, *truth.shape[2:])), flat)
            penalty = tf.add_n([tf.reduce_sum(v**2) for v in stacked if len(v.shape) > 2])
            value = tf.reduce_sum(tf.reshape(losses, mask.shape) * mask) + l2 * penalty
        return value, tape.gradient(value, self._variables[0].value)

    @tf.function(reduce_retracing=True)
    def _trained(self, index, rates):
        losses = tf.TensorArray(tf.float32, size=tf.shape(rates)[0])
        for i in tf.range(tf.shape(rates)[0]):
            x = tf.gather(self._views, index[i], batch_dims=1)
            losses = losses.write(i, self._step(x, index[i], rates[i]))
        return losses.stack()

    @tf.function
    def _judged(self):
        return self._outputs(tf.gather(self._views, self._held, batch_dims=1))


class Streamed(Replicas):
    """Batches are made on demand, for one replica; memory holds one batch."""

    def epoch(self, index, rates, judge=True):
        """As `InMemory.epoch`, batch by batch."""
        losses = [
            self._one_step(self._rows.views[0].batch(rows[0])[None], rows, rate).numpy()
            for rows, rate in zip(index, rates, strict=True)
        ]
        held = self._rows.held[0] if judge else []
        outputs = [np.zeros((0, self._task.outputs), "float32")]
        for start in range(0, len(held), 1024):
            x = self._rows.views[0].batch(held[start : start + 1024])
            outputs.append(self._one_judged(x[None]).numpy()[0])
        return np.array(losses), [np.concatenate(outputs)]

    @tf.function(reduce_retracing=True)
    def _one_step(self, x, index, rate):
        return self._step(x, index, rate)

    @tf.function(reduce_retracing=True)
    def _one_judged(self, x):
        return self._outputs(x)


def _stacks(networks, kind):
    lists = [[v.numpy() for v in getattr(network, kind)] for network in networks]
    return [np.stack(arrays) for arrays in zip(*lists, strict=True)]


def _apart(stack):
    """Give every replica its own random stream: the states of Keras' seed generators are uint32."""
    if stack.dtype != np.uint32:
        return stack
    return stack + np.arange(len(stack), dtype="uint32")[:, None]
