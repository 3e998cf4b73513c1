"""Replicas: one Keras network with several sets of weights that train at once in one graph.

Their variables are stacked along a first axis, and an elementwise optimizer acts on all of them as
one flat variable, so that five folds of a cross-validation cost little more than one.
"""

import dataclasses
import functools
import gc
import time

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf
import threadpoolctl
from tensorflow.python.eager import context

from autogenome_tf.genotypes import complexity
from autogenome_tf.matrix import BLOCK, ahead
from autogenome_tf.stacked import Stacked, strengths

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


# Apart from each other, what devices draw for their parts of a batch.
PART_SEED = 1_000_003

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
    """Views (folds, rows, inputs) as the one copy that all networks learn from."""
    return tf.constant(views, tf.float32)


def compiled(function, *shapes):
    """Compile a method for tensors of these shapes (and types), in a single trace.

    Nothing here needs AutoGraph, whose rewriting of every function takes longer than the trace.
    """
    signature = [tf.TensorSpec(shape, kind) for shape, kind in shapes]
    return tf.function(function, input_signature=signature, autograph=False)


def forget_shapes():
    """Give back what steps that are no longer kept have left behind.

    Graphs are cycles that only a collection finds. TensorFlow keeps a kernel for every shape that a
    variable ever had, some 100 KiB each, and frees them only all together: `keras.clear_session`
    does so too, and resets the settings of whoever called us with it.
    """
    gc.collect()
    context.context().clear_kernel_cache()


class Replicas:
    """Stacked variables of one network, and the compiled step that trains all of them.

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
        self._network = Stacked(network, self._strengths)
        self._paths = [variable.path for variable in network.weights]
        self._trained = [variable.path for variable in network.trainable_weights]
        blank = {v.path: np.zeros((self.count, *v.shape), "float32") for v in network.weights}
        self._shapes = [blank[path].shape for path in self._trained]
        self.parameters = sum(int(np.prod(shape[1:])) for shape in self._shapes)
        self._optimizer = OPTIMIZERS[optimizer](1e-3)
        if not self.is_shared:
            # Nothing is summed over devices, and TensorFlow would keep every graph that could.
            self._optimizer._all_reduce_sum_gradients = lambda pairs: pairs
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
        """One update of the weights by the loss of a `Stacked` network that uses them."""
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


class InMemory(Replicas):
    """Rows live in the graph, and one call runs a whole epoch."""

    def __init__(self, network, seeds, rows, task, optimizer="adam"):
        super().__init__(network, seeds, rows, task, optimizer)
        self._views = resident(rows.views)
        folds, self._row_count, inputs = self._views.shape
        self._factors = tf.Variable(tf.ones((folds, inputs)))
        # Row 0 of a fold in views of all folds, one below the other.
        self._offsets = np.tile(np.arange(folds) * self._row_count, seeds)[:, None].astype("int32")
        most = max(map(len, rows.held))
        padded = [np.resize(index, most) if len(index) else np.zeros(0) for index in rows.held]
        self._held = np.tile(np.stack(padded).astype("int32"), (seeds, 1))
        batches = (None, self.count, None)
        self._trained_on = compiled(self._run, (batches, tf.int32), ((None,), tf.float32))
        self._judged = compiled(self._judge)
        self._slope = compiled(self._value_and_gradient, ((), tf.float32))

    def begin(self, networks, seed, factors=None, epistasis=0.0):
        """As `Replicas.begin`."""
        super().begin(networks, seed, epistasis=epistasis)
        self._factors.assign(tf.ones_like(self._factors) if factors is None else factors)

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
            return [np.zeros((0, self.task.outputs), "float32") for _ in range(self.count)]
        outputs = self._judged().numpy()
        return [outputs[k, : len(self.rows.held[k % self.folds])] for k in range(self.count)]

    def minimise(self, l2, iterations, deadline=float("inf")):
        """Full-batch L-BFGS on the mean loss plus `l2` times the squared kernels.

        Replicas are separate problems: their sum is minimised, which minimises each.

        Args:
            l2: The penalty.
            iterations: At most.
            deadline: `time.monotonic()` after which no further iteration starts.

        Returns:
            The mean over replicas of what is minimised, and the outputs of their held rows.
        """
        flat = self._variables[0]

        def function(point):
            flat.assign(point.reshape(flat.shape))
            value, gradient = self._slope(tf.constant(l2, tf.float32))
            return float(value), gradient.numpy().astype("float64").ravel()

        def in_time(point):
            if time.monotonic() > deadline:
                raise StopIteration

        start = flat.numpy().astype("float64").ravel()
        # Its own products are small; with other work beside, threads wait longer than they work.
        with threadpoolctl.threadpool_limits(1):
            found = scipy.optimize.minimize(
                function,
                start,
                jac=True,
                method="L-BFGS-B",
                callback=in_time,
                options={"maxiter": iterations, "ftol": 1e-7},
            )
        flat.assign(found.x.reshape(flat.shape))
        return found.fun / self.count, self.held()

    def _seen(self, index):
        """(replicas, batch) row numbers to what the replicas see: (replicas, batch, inputs)."""
        flat = tf.reshape(self._views, (-1, self._views.shape[-1]))
        factors = tf.tile(self._factors, (self._seeds, 1))
        return tf.gather(flat, index + self._offsets) * factors[:, None]

    def _value_and_gradient(self, l2):
        """Sum over replicas of the mean loss of their training rows and the penalty."""
        is_trained = np.zeros((self.count, self._row_count), "float32")
        for replica in range(self.count):
            is_trained[replica, self.rows.train[replica % self.folds]] = 1
        shares = is_trained * self._row_weights
        shares /= tf.reduce_sum(shares, axis=1, keepdims=True)
        every = tf.tile(tf.range(self._row_count)[None], (self.count, 1))
        with tf.GradientTape() as tape:
            stacks = self._stacks()
            outputs, _ = self._network(self._seen(every), stacks)
            kernels = [stacks[path] for path in self._trained if len(stacks[path].shape) > 2]
            penalty = tf.add_n([tf.reduce_sum(kernel**2) for kernel in kernels])
            value = tf.reduce_sum(self._losses(every, outputs) * shares) + l2 * penalty
        return value, tape.gradient(value, self._variables[0].value)

    def _run(self, index, rates, *more):
        """All steps of an epoch in one loop, each with its part of `more`; returns their losses."""

        def step(i, losses):
            given = [part[i] for part in more]
            loss = self._step(self._seen(index[i]), index[i], rates[i], *given)
            return i + 1, losses.write(i, loss)

        steps = tf.shape(rates)[0]
        losses = tf.TensorArray(tf.float32, size=steps)
        return tf.while_loop(lambda i, _: i < steps, step, (0, losses))[1].stack()

    def _judge(self):
        return self._outputs(self._seen(tf.constant(self._held)))


class Streamed(Replicas):
    """Rows are made on demand, for one replica, a few batches at once while others are trained on.

    Memory holds some `matrix.BLOCK` rows.
    """

    def __init__(self, network, seeds, rows, task, optimizer="adam"):
        super().__init__(network, seeds, rows, task, optimizer)
        width = network.input_shape[-1]
        steps = ((None, 1, None, width), tf.float32), ((None, 1, None), tf.int32)
        self._trained_on = compiled(self._run, *steps, ((None,), tf.float32))
        self._judged = compiled(self._outputs, ((1, None, width), tf.float32))

    def epoch(self, index, rates, judge=True):
        """As `InMemory.epoch`, block by block."""
        steps = max(1, BLOCK // index.shape[2])
        index = self._own(index)
        parts = [slice(start, start + steps) for start in range(0, len(index), steps)]
        made = ahead(lambda part: self._rows(index[part]), parts)
        losses = [
            self._trained_on(x, index[part], rates[part]).numpy()
            for part, x in zip(parts, made, strict=True)
        ]
        held = self.rows.held[0] if judge else np.zeros(0, int)
        outputs = [np.zeros((0, self.task.outputs), "float32")]
        starts = range(0, len(held), BLOCK)
        for x in ahead(lambda start: self._rows(held[None, start : start + BLOCK]), starts):
            outputs.append(self._judged(x).numpy()[0])
        return np.concatenate(losses), [np.concatenate(outputs)]

    def _own(self, index):
        """Of (steps, 1, batch) row numbers those that this process trains on: all."""
        return index

    def _rows(self, index):
        """(..., rows) numbers to (..., rows, inputs)."""
        rows = self.rows.views[0].batch(index.ravel())
        return np.asarray(rows, "float32").reshape(*index.shape, -1)

    def _run(self, x, index, rates):
        """The steps of some batches in one loop; returns their losses."""

        def step(i, losses):
            return i + 1, losses.write(i, self._step(x[i], index[i], rates[i]))

        steps = tf.shape(rates)[0]
        losses = tf.TensorArray(tf.float32, size=steps)
        return tf.while_loop(lambda i, _: i < steps, step, (0, losses))[1].stack()


class Mirrored(Streamed):
    """The same, each batch shared by several devices (`tf.distribute.MirroredStrategy`).

    Every device has all weights and the gradient of its part of a batch; gradients are summed, so
    that a step is that of the whole batch (but for batch statistics, which are each part's own).

    Args:
        network, seeds, rows, task, optimizer: As for `Replicas`.
        strategy: The devices', as `mirrored` has it.
    """

    is_shared = True

    def __init__(self, network, seeds, rows, task, optimizer, strategy):
        self._strategy = strategy
        self._local = len(self._strategy.extended.worker_devices)
        self._share = 1 / self._strategy.num_replicas_in_sync
        with self._strategy.scope():
            super().__init__(network, seeds, rows, task, optimizer)

    def _step(self, x, index, rate):
        """One update on (1, batch, inputs), by the parts of all devices."""
        losses = self._strategy.run(self._part, (x, index, rate))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _part(self, x, index, rate):
        place, count = self._place() % self._local, self._local
        return super()._step(x[:, place::count], index[:, place::count], rate)

    def _place(self):
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def _of_all(self, value):
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)

    def _drawn(self):
        return super()._drawn() + tf.stack([self._place() * PART_SEED, 0])


@functools.cache
def mirrored(devices):
    """The strategy of some devices, a tuple of names.

    One for all networks: what devices exchange has names that a second one would take again.
    """
    return tf.distribute.MirroredStrategy(devices)


class Spread(Mirrored):
    """The same for the devices of several processes, each of which reads its own rows of a batch.

    Args:
        network, seeds, rows, task, optimizer: As for `Replicas`.
        cluster: The processes, a `cluster.Cluster`.
    """

    def __init__(self, network, seeds, rows, task, optimizer, cluster):
        self._cluster = cluster
        with cluster.together():
            super().__init__(network, seeds, rows, task, optimizer, cluster.strategy)

    def epoch(self, index, rates, judge=True):
        """As `InMemory.epoch`; all go by the outputs of the first process, to the last bit."""
        with self._cluster.together():
            losses, held = super().epoch(index, rates, judge)
        return losses, [self._cluster.agreed(part) for part in held]

    def _own(self, index):
        return index[:, :, self._cluster.place :: self._cluster.count]


def engine(network, seeds, rows, task, optimizer="adam", count=1, cluster=None):
    """`InMemory`, `Streamed` or, where so many devices or processes are there, a shared one."""
    if not rows.is_streamed:
        return InMemory(network, seeds, rows, task, optimizer)
    if cluster:
        return Spread(network, seeds, rows, task, optimizer, cluster)
    found = devices()[:count]
    if len(found) > 1:
        return Mirrored(network, seeds, rows, task, optimizer, mirrored(tuple(found)))
    return Streamed(network, seeds, rows, task, optimizer)


def devices():
    """Names of local devices that can share a batch: GPUs, else CPUs where there are several."""
    for kind in ("GPU", "CPU"):
        found = tf.config.list_logical_devices(kind)
        if found:
            return [device.name for device in found]
    return []
