"""Train one autoencoder at a time, on rows that are made batch by batch."""

import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from autogenome_tf.core.chunked import BLOCK, ahead
from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.tasks import Task
from autogenome_tf.training._engines._engine import PLAIN, Engine, TrainingRows
from autogenome_tf.training._engines._vectorized import optimizer_of

# The divergence counts more and more over this part of the epochs. A network that starts as
# principal components starts with units that are active, and counts it in full at once.
WARM_UP = 0.1
# Validation rows whose bound is computed in one call.
VALIDATED = 512
# A step that is larger goes this far only.
CLIP_NORM = 1.0
# Inputs of a kernel up to which it has the learning rate that is asked for; see `_rate_by_inputs`.
RATED_INPUTS = 64
# Optimizers whose steps are a share of the weights already, whatever the number of inputs.
RELATIVE = ("lamb",)


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
        clipped = optimizer_of(optimizer, is_stacked=False)
        clipped.clipnorm = CLIP_NORM
        network.compile(optimizer=clipped)
        clipped.build(network.trainable_variables)
        if optimizer not in RELATIVE:
            _rate_by_inputs(clipped, network.trainable_variables)
        self._fresh = [v.numpy().copy() for v in clipped.variables]
        self._step = tf.function(network.train_step, autograph=False, reduce_retracing=True)
        self._losses = tf.function(network.row_losses, autograph=False, reduce_retracing=True)
        self._measured: dict[str, float] = {}
        self._epochs = self._warm_up = 0

    @property
    def parameters(self) -> int:
        """Return the number of trained parameters."""
        return int(sum(np.prod(v.shape) for v in self._network.trainable_variables))

    @property
    def nbytes(self) -> int:
        """Return the memory in bytes of everything that training changes."""
        return 4 * sum(int(np.prod(variable.shape)) for variable in self._changing())

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
        network, parts = self._network, []
        self._epochs += is_validated
        network.warmth.assign(min(1.0, max(self._epochs, 1) / max(self._warm_up, 1)))
        for batch, rate in zip(self._batches(index[:, 0]), rates, strict=True):
            network.optimizer.learning_rate.assign(rate)
            found = self._step(batch)
            parts.append({name: float(value) for name, value in found.items()})
        losses = np.array([part.pop("loss") for part in parts])
        if not is_validated:
            return losses, []
        (validation,) = self.validation_outputs()
        means = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
        self._measured = {**means, "warmth": float(network.warmth)}
        if len(validation):
            held_out = validation.mean(axis=0) / [1, 1, network.label_weight][: validation.shape[1]]
            names = ("validation_reconstruction", "validation_kl", "validation_cross_entropy")
            self._measured |= dict(zip(names, held_out.tolist(), strict=False))
        # As large as the loss of validation rows, whose parts are sums.
        weights = {"reconstruction": 1.0, "kl": 1.0, "cross_entropy": network.label_weight}
        return np.array([sum(weights[n] * part[n] for n in part) for part in parts]), [validation]

    def validation_outputs(self) -> list[np.ndarray]:
        """Return the parts of `ElboModel.row_losses`, every time by the same draws."""
        rows, parts = self.rows.validation[0], [np.zeros((0, self.task.outputs), "float32")]
        starts = range(0, len(rows), VALIDATED)
        blocks = [rows[start : start + VALIDATED] for start in starts]
        made = ahead(self.rows.inputs[0].batch, blocks)
        for start, block, inputs in zip(starts, blocks, made, strict=True):
            labels = self.rows.targets[block] if self._network.classes else None
            parts.append(self._losses(inputs, labels, seed=tf.constant([start + 1, 0])).numpy())
        found = np.concatenate(parts)
        if self._network.classes:
            # The mean of the rows with a label counts, as in training.
            found[:, 2] /= max((self.rows.targets[rows] >= 0).mean(), 1 / max(len(rows), 1))
        return [found]

    def measured(self) -> dict[str, float]:
        """Return the parts of the last epoch's loss."""
        return self._measured

    def weights(self) -> list[np.ndarray]:
        """Return a copy of the network's weights, (1, ...) each."""
        return [v.numpy().copy()[None] for v in self._network.weights]

    def state(self) -> list[np.ndarray]:
        """Return a copy of everything that training changes."""
        return [v.numpy().copy() for v in self._changing()]

    def restore(self, state: list[np.ndarray]) -> None:
        """Restore a `state`."""
        for variable, value in zip(self._changing(), state, strict=True):
            variable.assign(value)

    def _changing(self):
        return [*self._network.variables, *self._network.optimizer.variables]

    def _batches(self, index) -> Iterator:
        """Yield inputs, and labels if they are learned, of each batch of (batches, rows) numbers.

        Inputs of some batches are made at once and ahead.
        """
        count, size = max(1, BLOCK // index.shape[1]), index.shape[1]
        blocks = [index[start : start + count] for start in range(0, len(index), count)]
        made = ahead(self.rows.inputs[0].batch, (block.ravel() for block in blocks))
        for block, inputs in zip(blocks, made, strict=True):
            several = inputs if isinstance(inputs, tuple) else (inputs,)
            for number, rows in enumerate(block):
                own = slice(number * size, (number + 1) * size)
                batch = tuple(one[own] for one in several)
                batch = batch if isinstance(inputs, tuple) else batch[0]
                yield (batch, self.rows.targets[rows]) if self._network.classes else (batch,)


def _rate_by_inputs(optimizer, variables):
    """Divide the learning rate of each kernel by its inputs, where they are above `RATED_INPUTS`.

    An optimizer such as Adam moves each weight of a kernel by about the learning rate, so that a
    unit moves by that times its inputs. On 20,000 genes the first steps would drown the principal
    components that the network starts as, whose encoder has weights of order 1 / genes. Rates that
    fall with the inputs move the units alike (as in Yang et al. 2021, for hidden layers).
    """
    whole = optimizer.update_step
    shares = [min(1.0, RATED_INPUTS / v.shape[0]) if len(v.shape) == 2 else 1.0 for v in variables]

    def update_step(gradient, variable, learning_rate):
        share = shares[optimizer._get_variable_index(variable)]
        whole(gradient, variable, learning_rate * share)

    optimizer.update_step = update_step
