"""Networks of one structure, stacked: their variables and the step that trains all of them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autogenome_tf.nn import stacked
from autogenome_tf.nn.epistatic_penalty import complexity
from autogenome_tf.nn.vectorized import VectorizedNetwork, strengths
from autogenome_tf.tasks import Task
from autogenome_tf.training._engines._engine import PLAIN, Engine, TrainingRows
from autogenome_tf.training._engines._packing import Packing

# Bytes of which the address of a tensor's memory is a multiple.
ALIGNMENT = 64


class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam, each update one operation: written out it is some twelve passes over weights."""

    def apply(self, grads, trainable_variables=None):
        """Update the variables; see `keras.Optimizer.apply`."""
        step = tf.cast(self.iterations + 1, tf.float32)
        self._powers = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; see `keras.Optimizer.update_step`."""
        place = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=self._powers[0],
            beta2_power=self._powers[1],
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class StackedLamb(keras.optimizers.Lamb):
    """Keras' LAMB for stacked networks: a step is scaled by the norms of each one's tensor."""

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; see `keras.Optimizer.update_step`."""
        place = self._get_variable_index(variable)
        momentum, velocity = self._momentums[place], self._velocities[place]
        self.assign_add(momentum, (gradient - momentum) * (1 - self.beta_1))
        self.assign_add(velocity, (ops.square(gradient) - velocity) * (1 - self.beta_2))
        step = ops.cast(self.iterations + 1, variable.dtype)
        update = momentum / (1 - ops.power(self.beta_1, step))
        update /= ops.sqrt(velocity / (1 - ops.power(self.beta_2, step))) + self.epsilon
        weights, changes = _norms(variable), _norms(update)
        is_scaled = ops.logical_and(weights > 0, changes > 0)
        scale = ops.where(is_scaled, weights / ops.where(is_scaled, changes, 1), 1)
        self.assign_sub(variable, scale * learning_rate * update)


def _norms(stack):
    """Return the norm of each part of a stack, of as many axes."""
    axes = tuple(range(1, len(stack.shape)))
    return ops.sqrt(ops.sum(ops.square(stack), axis=axes, keepdims=True))


OPTIMIZERS = {
    "adam": FusedAdam,
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
# Optimizers that scale the step of a weight by the norm of all its values.
BY_NORM = ("lamb",)


def aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros of float32 in memory that `lent` can hand to TensorFlow.

    Args:
        shape: Of the array.
    """
    size = int(np.prod(shape)) * np.dtype("float32").itemsize
    memory = np.zeros(size + ALIGNMENT, "uint8")
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view("float32").reshape(shape)


def lent(values: np.ndarray) -> tf.Tensor:
    """Return an `aligned` array, not to be changed from now on, as a tensor on the same memory.

    `tf.constant` would copy a large array twice, into memory that TensorFlow keeps.

    Args:
        values: What `aligned` returned.
    """
    return tf.identity(tf.experimental.dlpack.from_dlpack(values.__dlpack__()))


def resident(inputs: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Return inputs (folds, rows, inputs) as the one tensor that all networks learn from.

    Args:
        inputs: (folds, rows, inputs) array or tensor.
    """
    if tf.is_tensor(inputs):
        return inputs
    rows = aligned(np.shape(inputs))
    rows[...] = inputs
    return lent(rows)


def optimizer_of(
    name: str, is_stacked: bool = True, is_mirrored: bool = False
) -> keras.optimizers.Optimizer:
    """Return a new optimizer.

    Args:
        name: One of `OPTIMIZERS`.
        is_stacked: Whether the first axis of a variable is that of networks.
        is_mirrored: Whether gradients are summed over devices; TensorFlow keeps every graph that
            could.
    """
    made = StackedLamb if is_stacked and name == "lamb" else OPTIMIZERS[name]
    optimizer = made(1e-3)
    if not is_mirrored:
        optimizer._all_reduce_sum_gradients = lambda pairs: pairs
    return optimizer


def looped(step: Callable[[tf.Tensor], tf.Tensor], steps: tf.Tensor) -> tf.Tensor:
    """Run the steps of an epoch in a loop of the graph; return their losses, (steps,).

    Args:
        step: Function of the number of a step that returns its loss.
        steps: Number of steps.
    """

    def body(i, losses):
        return i + 1, losses.write(i, step(i))

    losses = tf.TensorArray(tf.float32, size=steps)
    return tf.while_loop(lambda i, _: i < steps, body, (0, losses))[1].stack()


def _of_any_length(values):
    """Return a variable of some values that takes others of the same shape but for the first axis.

    Args:
        values: (rows, ...) array.
    """
    return tf.Variable(values, trainable=False, shape=(None, *values.shape[1:]))


class VectorizedEngine(Engine):
    """Stacked variables of one network, and the compiled step that trains all of them.

    Everything that may differ between networks of one structure, or between rows, is a variable or
    an argument, so that the step is traced once and then serves all of them.

    A subclass says where rows come from: its `epoch` calls `descend` for each batch. It may train
    other networks on the same weights, from `stacks`, and change `losses`, the loss of each row.

    Args:
        network: A Keras model; its weights and strengths are not used.
        seeds: Networks a fold.
        rows: What they learn from at first.
        task: Loss of each row.
        optimizer: A name of `OPTIMIZERS`.
    """

    # Whether several devices have a part of each batch.
    is_mirrored = False
    # Of what is counted once for each batch, the part that a device counts.
    _penalty_share = 1.0

    def __init__(
        self,
        network: keras.Model,
        seeds: int,
        rows: TrainingRows,
        task: Task,
        optimizer: str = "adam",
    ):
        self.task, self.optimizer = task, optimizer
        self.folds, self._seeds = len(rows.train), seeds
        self.count = seeds * self.folds
        self._strengths = tf.Variable(strengths(network))
        self._epistasis = tf.Variable(0.0)
        self._label_smoothing = tf.Variable(0.0)
        self._network = VectorizedNetwork(network, self._strengths, self._label_smoothing)
        self._paths = [variable.path for variable in network.weights]
        self._trained = [variable.path for variable in network.trainable_weights]
        shapes = {variable.path: (self.count, *variable.shape) for variable in network.weights}
        self._shapes = {path: shapes.pop(path) for path in self._trained}
        self._packing = Packing(self._shapes, is_apart=optimizer in BY_NORM)
        self._packing_of_moving = Packing(shapes)
        self._optimizer = optimizer_of(optimizer, is_mirrored=self.is_mirrored)
        self._variables = [keras.Variable(np.zeros(s, "float32")) for s in self._packing.shapes]
        self._optimizer.build(self._variables)
        # Each of an optimizer's variables starts as one number.
        self._starts = [np.ravel(v.numpy())[0] for v in self._optimizer.variables]
        mean = {"aggregation": tf.VariableAggregation.MEAN}
        self._moving = [tf.Variable(tf.zeros(s), **mean) for s in self._packing_of_moving.shapes]
        self._targets = _of_any_length(rows.targets)
        self._row_weights = _of_any_length(rows.weights)
        self._genotypes = rows.genotypes
        self._ends: Any = None if rows.genotypes is None else tf.Variable(rows.genotypes.ends)
        first = {"aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self._noise = tf.Variable([0, 0], dtype=tf.int32, **first)
        self.set_rows(rows)

    @property
    def parameters(self) -> int:
        """Return the number of trained parameters of one network."""
        return sum(int(np.prod(shape[1:])) for shape in self._shapes.values())

    def set_rows(self, rows: TrainingRows) -> None:
        """Turn to other rows; see `Engine.set_rows`."""
        self.rows = rows
        self._targets.assign(rows.targets)
        self._row_weights.assign(rows.weights)
        if rows.genotypes is not None:
            self._ends.assign(rows.genotypes.ends)

    def begin(self, networks, seed, factors=None, objective=PLAIN):
        """Start anew; see `Engine.begin`."""
        every = zip(*(network.weights for network in networks), strict=True)
        self.set_weights([np.repeat(np.stack(own), self.folds, axis=0) for own in every])
        for variable, start in zip(self._optimizer.variables, self._starts, strict=True):
            variable.assign(np.full(variable.shape, start))
        self._strengths.assign(strengths(networks[0]))
        self._epistasis.assign(objective.epistasis)
        self._label_smoothing.assign(objective.label_smoothing)
        self._noise.assign([seed % 2**31, 0])

    def stacks(self) -> dict[str, tf.Tensor]:
        """Return every weight, (replicas, ...), by the path of its variable, within a step."""
        values = [variable.value.read_value() for variable in self._variables]
        moving = [variable.read_value() for variable in self._moving]
        return self._packing.apart(values) | self._packing_of_moving.apart(moving)

    def losses(
        self, index: tf.Tensor, outputs: tf.Tensor, smoothing: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return the loss of each row, (sets, rows).

        What a step minimises; a subclass may add what else its rows are to learn.

        Args:
            index: (sets, rows) row numbers.
            outputs: (sets, rows, outputs).
            smoothing: A network's `label_smoothing`; None for none.
        """
        targets, weights = (tf.gather(part, index) for part in (self._targets, self._row_weights))
        each = self.task.stacked_losses(targets, outputs, weights)
        if smoothing is None or not self.task.has_classes:
            return each
        # A network that teaches nothing but zeros gives equal probabilities.
        equal = self.task.taught_losses(tf.zeros((1, 1, self.task.outputs)), outputs)
        return stacked.between(each, equal, smoothing)

    def _step(self, x, index, rate):
        """Update weights on (replicas, batch, inputs); return the mean loss."""
        return self.descend(self._network, x, index, rate)

    def descend(
        self, network: VectorizedNetwork, x: tf.Tensor, index: tf.Tensor, rate: tf.Tensor
    ) -> tf.Tensor:
        """Update the weights by the loss of a network that uses them; return the mean loss.

        Args:
            network: The engine's own, or another one on the same weights.
            x: (replicas, batch, inputs).
            index: (replicas, batch) row numbers.
            rate: Learning rate.
        """
        stacks = self.stacks()
        trained = [stacks[path] for path in self._trained]
        weights = tf.gather(self._row_weights, index)
        shares = weights / self._over_devices(tf.reduce_sum(weights, axis=1, keepdims=True))
        self._noise.assign_add(tf.constant([0, self._strengths.shape[0]]))
        seed = self._noise_seed()
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(trained)
            outputs, moved = network(x, stacks, True, seed)
            each = self.losses(index, outputs, network.label_smoothing)
            sums = stacked.sum_over_rows(each, shares)
            # Replicas share no weight, so the gradient of the sum is that of each.
            penalty = self._penalty(network, stacks, seed)
            total = tf.reduce_sum(sums) + penalty * self._penalty_share
        unconnected = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(total, trained, unconnected_gradients=unconnected)
        self._optimizer.learning_rate.assign(rate)
        self._apply(dict(zip(self._trained, gradients, strict=True)))
        self._assign_moving(stacks | moved)
        return tf.reduce_mean(sums)

    def _apply(self, gradients):
        """Update the trained weights by the gradient of each, by its path."""
        self._optimizer.apply(self._packing.together(gradients), self._variables)

    def _assign_moving(self, stacks):
        for variable, value in zip(
            self._moving, self._packing_of_moving.together(stacks), strict=True
        ):
            variable.assign(value)

    def _penalty(self, network, stacks, seed):
        """Return the penalties on weights and on epistasis, added up over replicas."""
        penalty = network.penalty(stacks)
        if self._genotypes is not None:
            x = tf.tile(self._genotypes.seen(seed, self._ends), (self._seeds, 1, 1))
            outputs, _ = self._network(x, stacks)
            penalty += self._epistasis * tf.reduce_sum(complexity(outputs))
        return penalty

    def _over_devices(self, value):
        """Sum a value over the devices that have a part of a batch."""
        return value

    def _noise_seed(self):
        """Return the seed of this step's noise."""
        return self._noise.read_value()

    def _outputs(self, x):
        """Run as at inference: (replicas, rows, inputs) -> (replicas, rows, outputs)."""
        return self._network(x, self.stacks())[0]

    def weights(self) -> list[np.ndarray]:
        """Return a copy of every weight, (replicas, ...), in the network's order."""
        stacks = self._packing.apart([v.numpy() for v in self._variables])
        stacks |= self._packing_of_moving.apart([v.numpy() for v in self._moving])
        return [stacks[path] for path in self._paths]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Replace every weight; what the optimizer remembers stays.

        Args:
            weights: (replicas, ...) each, as `weights` returns them.
        """
        stacks = dict(zip(self._paths, weights, strict=True))
        self._assign_trained(stacks)
        self._assign_moving(stacks)

    def _assign_trained(self, stacks):
        for variable, value in zip(self._variables, self._packing.together(stacks), strict=True):
            variable.assign(value)

    def _changing(self):
        return [*self._variables, *self._moving, *self._optimizer.variables, self._noise]
