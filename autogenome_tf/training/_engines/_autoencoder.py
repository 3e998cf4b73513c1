"""Train one autoencoder at a time, on rows that are made batch by batch."""

import math

import numpy as np
import tensorflow as tf

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import BLOCK, ahead
from autogenome_tf.nn.graphs import traced_once
from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.tasks import Task
from autogenome_tf.training._engines._engine import PLAIN, Engine, TrainingRows
from autogenome_tf.training._engines._vectorized import BY_NORM, looped, optimizer_of

# The divergence counts more and more over this part of the epochs. A network that starts as
# principal components starts with units that are active, and counts it in full at once.
WARM_UP = 0.1
# Validation rows whose bound is computed in one call.
VALIDATED = 512
# A step that is larger goes this far only.
CLIP_NORM = 1.0
# Inputs of a kernel up to which it has the learning rate that is asked for; see `_bound_steps`.
RATED_INPUTS = 64


class AutoencoderEngine(Engine):
    """Train one autoencoder by its own step: call `set_rows`, then `begin`, for each fold.

    Args:
        network: A `ResVAE` of the structure to train; it is copied.
        task: A `tasks.Representation`.
        optimizer: A name of `OPTIMIZERS`.
    """

    folds = count = 1

    def __init__(self, network: ResVAE, task: Task, optimizer: str):
        self.task, self.optimizer = task, optimizer
        # A copy, since a network that was trained belongs to whoever asked for it.
        self._network = network = type(network).from_config(network.get_config())
        bounded = optimizer_of(optimizer, is_stacked=False)
        network.compile(optimizer=bounded)
        bounded.build(network.trainable_variables)
        # A step in proportion to the weights is a share of them, whatever the number of inputs.
        _bound_steps(bounded, network.trainable_variables, optimizer in BY_NORM)
        self._fresh = [v.numpy() for v in bounded.variables]
        rates, seed = tf.TensorSpec((None,)), tf.TensorSpec((2,), tf.int32)
        self._train = traced_once(self._run, [self._signature(None, None), rates])
        self._losses = traced_once(
            lambda data, seed: network.row_losses(*data, seed=seed), [self._signature(None), seed]
        )
        self._measured: dict[str, float] = {}
        self._epochs = self._warm_up = 0

    @property
    def parameters(self) -> int:
        """Return the number of trained parameters."""
        return int(sum(np.prod(v.shape) for v in self._network.trainable_variables))

    @property
    def is_settled(self) -> bool:
        """Return whether the divergence weighs fully, so that losses of epochs can be compared."""
        return self._epochs >= self._warm_up

    @property
    def is_fitted(self) -> bool:
        """Return whether the network begins as principal components of the training rows.

        Where levels are to be aligned, which validation losses do not see, it has yet to do so.
        """
        config = self._network.get_config()
        return config["linear"] and not config["alignment"]

    def set_rows(self, rows: TrainingRows, epochs: int = 1) -> None:
        """Turn to the rows of a fold, to train for so many epochs at most.

        Args:
            rows: Of one fold; its inputs make what a `ResVAE` takes.
            epochs: At most.
        """
        self.rows, self._epochs = rows, 0
        is_warm = self._network.get_config()["linear"]
        self._warm_up = 0 if is_warm else math.ceil(WARM_UP * epochs)

    def begin(self, networks, seed, factors=None, objective=PLAIN):
        """Start anew as a network of the same structure does, with its noise.

        The other arguments of `Engine.begin` do not apply.
        """
        for variable, value in zip(self._network.variables, networks[0].variables, strict=True):
            variable.assign(value)
        for variable, value in zip(self._network.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)

    def epoch(self, index, rates, is_validated=True):
        """Train for an epoch; see `Engine.epoch`.

        Outputs of validation rows are the parts of `ElboModel.row_losses`.
        """
        network = self._network
        self._epochs += is_validated
        network.warmth.assign(min(1.0, max(self._epochs, 1) / max(self._warm_up, 1)))
        index = index[:, 0]
        blocks = list(chunked.parts(*index.shape, values=BLOCK))
        made = ahead(self._given, (index[block] for block in blocks))
        found = [self._train(data, rates[block]) for block, data in zip(blocks, made, strict=True)]
        parts = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        losses = parts.pop("loss")
        if not is_validated:
            return losses, []
        (validation,) = self.validation_outputs()
        means = {name: float(values.mean()) for name, values in parts.items()}
        self._measured |= {**means, "warmth": float(network.warmth)}
        # As large as the loss of validation rows, whose parts are sums.
        weights = {"reconstruction": 1.0, "kl": 1.0, "cross_entropy": network.label_weight}
        return np.sum([weights[name] * parts[name] for name in parts], axis=0), [validation]

    def validation_outputs(self) -> list[np.ndarray]:
        """Return the parts of `ElboModel.row_losses`, every time by the same draws."""
        rows, parts = self.rows.validation[0], [np.zeros((0, self.task.outputs), "float32")]
        starts = range(0, len(rows), VALIDATED)
        blocks = [rows[start : start + VALIDATED] for start in starts]
        for start, data in zip(starts, ahead(self._given, blocks), strict=True):
            parts.append(self._losses(data, tf.constant([start + 1, 0])).numpy())
        found = np.concatenate(parts)
        if self._network.classes:
            # The mean of the rows with a label counts, as in training.
            found[:, 2] /= max((self.rows.targets[rows] >= 0).mean(), 1 / max(len(rows), 1))
        self._measured = {}
        if len(found):
            means = found.mean(axis=0) / [1, 1, self._network.label_weight][: found.shape[1]]
            names = ("validation_reconstruction", "validation_kl", "validation_cross_entropy")
            self._measured = dict(zip(names, means.tolist(), strict=False))
        return [found]

    def measured(self) -> dict[str, float]:
        """Return the parts of the last epoch's loss."""
        return self._measured

    def weights(self) -> list[np.ndarray]:
        """Return a copy of the network's weights, (1, ...) each."""
        return [v.numpy()[None] for v in self._network.weights]

    def _changing(self):
        return [*self._network.variables, *self._network.optimizer.variables]

    def _signature(self, *axes):
        """Return the specifications of what `_given` returns, for axes of rows."""
        network = self._network
        rows = tf.TensorSpec((*axes, network.genes + network.covariates))
        raw = tf.TensorSpec((*axes, network.genes))
        labels = [tf.TensorSpec(axes, tf.int32)] if network.classes else []
        return ((rows, raw) if network.likelihood.of_raw else rows, *labels)

    def _given(self, index):
        """Return (..., rows) numbers as what `ElboModel.train_step` takes, (..., rows, ...) each.

        They are tensors, so that the thread that makes them ahead copies them too.
        """
        rows = index.ravel()
        labels = [self.rows.targets[rows].astype("int32")] if self._network.classes else []
        return tf.nest.map_structure(
            lambda part: tf.constant(part.reshape(*index.shape, *part.shape[1:])),
            (self.rows.inputs[0].batch(rows), *labels),
        )

    def _run(self, data, rates):
        """Run the steps of some batches.

        Args:
            data: What `ElboModel.train_step` takes, (batches, rows, ...) each.
            rates: (batches,).

        Returns:
            (batches,) of each part of the loss, by its name.
        """
        names: list[str] = []

        def step(i):
            self._network.optimizer.learning_rate.assign(rates[i])
            found = self._network.train_step(tf.nest.map_structure(lambda part: part[i], data))
            names[:] = found
            return tf.stack(list(found.values()))

        parts = looped(step, tf.shape(rates)[0])
        return dict(zip(names, tf.unstack(parts, len(names), axis=1), strict=True))


def _bound_steps(optimizer, variables, is_relative):
    """Clip the gradient of each variable, and rate kernels of many inputs by these.

    An optimizer such as Adam moves each weight of a kernel by about the learning rate, so that a
    unit moves by that times its inputs. On 20,000 genes the first steps would drown the principal
    components that the network starts as, whose encoder has weights of order 1 / genes. Rates that
    fall with the inputs above `RATED_INPUTS` move the units alike (as in Yang et al. 2021, for
    hidden layers).
    """
    whole = optimizer.update_step
    shares = [
        min(1.0, RATED_INPUTS / v.shape[0]) if len(v.shape) == 2 and not is_relative else 1.0
        for v in variables
    ]

    def update_step(gradient, variable, learning_rate):
        share = shares[optimizer._get_variable_index(variable)]
        whole(_clipped(gradient), variable, learning_rate * share)

    optimizer.update_step = update_step


def _clipped(gradient):
    """Return a gradient of at most `CLIP_NORM`; a pass over all weights less than Keras' clip."""
    norm = tf.sqrt(2 * tf.nn.l2_loss(gradient))
    return tf.cond(norm > CLIP_NORM, lambda: gradient * (CLIP_NORM / norm), lambda: gradient)
