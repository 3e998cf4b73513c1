"""Networks of one structure, stacked: their variables and the step that trains all of them."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.nn.epistatic_penalty import complexity
from autogenome_tf.nn.vectorized import VectorizedNetwork, strengths

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


@dataclasses.dataclass(frozen=True)
class Rows:
    """What replicas learn from: the same rows, as each fold sees them.

    Attributes:
        views: (folds, rows, inputs), an array or what `resident` makes of it; or a single object in
            a list, with ``batch(index)`` that makes (len(index), inputs), where rows do not fit
            into memory.
        truth: (rows,) class positions or (rows, targets) standardised values.
        weights: (rows,) weight in the loss.
        train: For each fold the rows it learns from.
        held: For each fold the rows it is judged on; may be empty.
        genotypes: `genotypes.Genotypes` for which networks shall be simple, or None.
    """

    views: object
    truth: np.ndarray
    weights: np.ndarray
    train: list
    held: list
    genotypes: object = None

    @property
    def is_streamed(self):
        """Whether batches are made on demand."""
        return hasattr(self.views[0], "batch")


def resident(views):
    """FoldInputs (folds, rows, inputs) as the one copy that all networks learn from."""
    return tf.constant(views, tf.float32)


def optimizer_of(name, is_shared=False):
    """A new optimizer.

    Args:
        name: One of `OPTIMIZERS`.
        is_shared: Whether gradients are summed over devices; TensorFlow keeps every graph that
            could.
    """
    optimizer = OPTIMIZERS[name](1e-3)
    if not is_shared:
        optimizer._all_reduce_sum_gradients = lambda pairs: pairs
    return optimizer


def looped(step, steps):
    """Call `step` with 0 to `steps` - 1 in a loop of the graph; returns the losses it gives."""

    def body(i, losses):
        return i + 1, losses.write(i, step(i))

    losses = tf.TensorArray(tf.float32, size=steps)
    return tf.while_loop(lambda i, _: i < steps, body, (0, losses))[1].stack()


class Replicas:
    """VectorizedNetwork variables of one network, and the compiled step that trains all of them.

    There are `seeds` networks a fold; replica ``seed * folds + fold`` is the one of a seed and a
    fold. Everything that may differ between networks of one structure is a variable, so that the
    step is traced once and then serves all of them: call `begin` before each.

    Args:
        network: A Keras model; its weights and strengths are not used.
        seeds: Networks a fold.
        rows: `Rows`.
        task: The loss of each row, in outputs of the network.
        optimizer: A name of `OPTIMIZERS`.
    """

    # The loss is the same from the first epoch on.
    is_settled = True
    # Whether several devices have a part of each batch.
    is_shared = False

    def __init__(self, network, seeds, rows, task, optimizer="adam"):
        self.rows, self.task, self.optimizer = rows, task, optimizer
        self.folds, self._seeds = len(rows.train), seeds
        self.count = seeds * self.folds
        self._strengths = tf.Variable(strengths(network))
        self._epistasis = tf.Variable(0.0)
        self._network = VectorizedNetwork(network, self._strengths)
        self._paths = [variable.path for variable in network.weights]
        self._trained = [variable.path for variable in network.trainable_weights]
        blank = {v.path: np.zeros((self.count, *v.shape), "float32") for v in network.weights}
        self._shapes = [blank[path].shape for path in self._trained]
        self.parameters = sum(int(np.prod(shape[1:])) for shape in self._shapes)
        self._optimizer = optimizer_of(optimizer, self.is_shared)
        self._variables = [keras.Variable(part) for part in self._parts(blank)]
        self._optimizer.build(self._variables)
        # Each of an optimizer's variables starts as one number.
        self._starts = [np.ravel(v.numpy())[0] for v in self._optimizer.variables]
        mean = {"aggregation": tf.VariableAggregation.MEAN}
        self._moving = {
            path: tf.Variable(stack, **mean)
            for path, stack in blank.items()
            if path not in self._trained
        }
        self._truth = tf.Variable(rows.truth, trainable=False)
        self._row_weights = tf.Variable(rows.weights, trainable=False)
        first = {"aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self._noise = tf.Variable([0, 0], dtype=tf.int32, **first)

    def teach(self, truth, weights):
        """Let the rows have other targets and weights in the loss, as in `Rows`."""
        self.rows = dataclasses.replace(self.rows, truth=truth, weights=weights)
        self._truth.assign(truth)
        self._row_weights.assign(weights)

    def begin(self, networks, seed, factors=None, epistasis=0.0):
        """Start anew.

        Args:
            networks: One Keras model a seed, of this structure, with initial weights.
            seed: Of dropout and noise.
            factors: (folds, inputs) that views are multiplied by, or None.
            epistasis: Strength of the penalty on `Rows.genotypes`.
        """
        stacks = {
            path: np.repeat(np.stack([n.weights[i].numpy() for n in networks]), self.folds, axis=0)
            for i, path in enumerate(self._paths)
        }
        for variable, part in zip(self._variables, self._parts(stacks), strict=True):
            variable.assign(part)
        for path, variable in self._moving.items():
            variable.assign(stacks[path])
        for variable, start in zip(self._optimizer.variables, self._starts, strict=True):
            variable.assign(np.full(variable.shape, start))
        self._strengths.assign(strengths(networks[0]))
        self._epistasis.assign(epistasis)
        self._noise.assign([seed % 2**31, 0])

    def _parts(self, stacks):
        """What the optimizer sees of the trained weights: one array, or one a tensor a replica."""
        parts = [stacks[path] for path in self._trained]
        if self.optimizer == "lamb":
            # LAMB scales each tensor by its own norm, which must not span tensors or replicas.
            return [part for stack in parts for part in stack]
        return [np.concatenate([stack.reshape(self.count, -1) for stack in parts], axis=1)]

    def _stacks(self):
        """Every weight, (replicas, ...), by the path of its variable."""
        if len(self._variables) > 1:
            k = self.count
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
            gradients = [part for stack in gradients for part in tf.unstack(stack, self.count)]
        else:
            gradients = [tf.concat([tf.reshape(g, (self.count, -1)) for g in gradients], axis=1)]
        self._optimizer.apply(gradients, self._variables)

    def _losses(self, index, outputs):
        """Loss of each row: (replicas, rows) numbers, (replicas, rows, outputs)."""
        flat = tf.reshape(outputs, (-1, self.task.outputs))
        losses = self.task.row_losses(tf.gather(self._truth, tf.reshape(index, (-1,))), flat)
        return tf.reshape(losses, tf.shape(index))

    def _step(self, x, index, rate):
        """One update on (replicas, batch, inputs); returns the mean loss."""
        return self._descend(self._network, x, index, rate)

    def _descend(self, network, x, index, rate):
        """One update of the weights by the loss of a `VectorizedNetwork` network that uses them."""
        stacks = self._stacks()
        trained = [stacks[path] for path in self._trained]
        weights = tf.gather(self._row_weights, index)
        self._noise.assign_add(tf.constant([0, self._strengths.shape[0]]))
        seed = self._drawn()
        with tf.GradientTape() as tape:
            tape.watch(trained)
            outputs, moved = network(x, stacks, True, seed)
            each = tf.reduce_sum(self._losses(index, outputs) * weights, axis=1)
            losses = each / self._of_all(tf.reduce_sum(weights, axis=1))
            # Replicas share no weight, so the gradient of the sum is that of each.
            total = tf.reduce_sum(losses) + self._penalty(stacks, seed) * self._share
        gradients = tape.gradient(total, trained)
        self._optimizer.learning_rate.assign(rate)
        self._apply(gradients)
        for path, value in moved.items():
            self._moving[path].assign(value)
        return tf.reduce_mean(losses)

    def _penalty(self, stacks, seed):
        """What is asked of weights beside small losses, added up over replicas."""
        penalty = self._network.penalty(stacks)
        if self.rows.genotypes is not None:
            x = tf.tile(self.rows.genotypes.seen(seed), (self._seeds, 1, 1))
            outputs, _ = self._network(x, stacks)
            penalty += self._epistasis * tf.reduce_sum(complexity(outputs))
        return penalty

    # Of what is counted once for each batch, the part that a device counts.
    _share = 1.0

    def _of_all(self, value):
        """The sum of a value over the devices that have a part of a batch."""
        return value

    def _drawn(self):
        """What this step's noise derives from."""
        return self._noise.read_value()

    def _outputs(self, x):
        """(replicas, rows, inputs) -> (replicas, rows, outputs), as at inference."""
        return self._network(x, self._stacks())[0]

    def weights(self):
        """Every weight, (replicas, ...), in the network's order."""
        stacks = self._stacks()
        return [np.array(stacks[path]) for path in self._paths]

    def _changing(self):
        return [*self._variables, *self._moving.values(), *self._optimizer.variables, self._noise]

    def measured(self):
        """Further columns of the last epoch's line: none."""
        return {}

    @property
    def nbytes(self):
        """Memory of everything that training changes."""
        return 4 * sum(int(np.prod(variable.shape)) for variable in self._changing())

    def state(self):
        """Everything that training changes, as arrays."""
        return [variable.numpy().copy() for variable in self._changing()]

    def restore(self, state):
        """Go back to a `state`."""
        for variable, value in zip(self._changing(), state, strict=True):
            variable.assign(value)
