"""The contract of what trains replicas: compiled steps for networks of one structure."""

import abc
import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.nn.epistatic_penalty import Genotypes
from autogenome_tf.tasks import Task

# What TensorFlow raises when a step fails, for want of memory for example.
EngineError = tf.errors.OpError


@dataclasses.dataclass(frozen=True)
class TrainingRows:
    """The rows that replicas learn from, as each fold sees them.

    Attributes:
        inputs: (folds, rows, inputs), an array or what `resident` makes of it; or a single object
            in a list, with ``batch(index)`` that makes (len(index), inputs), where rows do not fit
            into memory.
        targets: (rows,) class positions or (rows, targets) standardised values.
        weights: (rows,) weight in the loss.
        train: For each fold the numbers of its training rows.
        validation: For each fold the numbers of its validation rows; may be empty.
        genotypes: Genotypes for which networks shall be simple, or None.
    """

    inputs: Any
    targets: np.ndarray
    weights: np.ndarray
    train: list[np.ndarray]
    validation: list[np.ndarray]
    genotypes: Genotypes | None = None

    @property
    def is_streamed(self) -> bool:
        """Return whether batches are made on demand."""
        return hasattr(self.inputs[0], "batch")

    @property
    def key(self) -> tuple:
        """Return the cache key of rows: those that agree in it can share a compiled step."""
        targets = self.targets.dtype.name, self.targets.shape[1:]
        return len(self.train), *targets, self.genotypes and self.genotypes.key


@dataclasses.dataclass(frozen=True)
class Objective:
    """Terms that training minimises beside the loss of the targets and the networks' penalties.

    Attributes:
        epistasis: Strength of the penalty on `TrainingRows.genotypes`, at least 0.
        label_smoothing: Part of the loss that is for equal probabilities of all classes, from 0
            to below 1 (Szegedy et al. 2016, section 7); tasks without classes ignore it.
    """

    epistasis: float = 0.0
    label_smoothing: float = 0.0

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Objective":
        """Return the objective that a trial's hyperparameters name.

        Args:
            values: Its hyperparameters.
        """
        return cls(values.get("epistasis", 0.0), values.get("label_smoothing", 0.0))


PLAIN = Objective()


class Engine(abc.ABC):
    """Train replicas of one network: several sets of weights, one for each seed and fold.

    Replica ``seed * folds + fold`` is the network of a seed and a fold. A step is compiled once and
    serves all networks of one structure and all rows of one `TrainingRows.key`: call `begin` before
    each network.

    Attributes:
        rows: What the replicas learn from.
        task: Loss of each row, and number of outputs.
        optimizer: Its name, one of `OPTIMIZERS`.
        folds: Number of folds.
        count: Number of replicas, folds times seeds.
    """

    rows: TrainingRows
    task: Task
    optimizer: str
    folds: int
    count: int

    @property
    @abc.abstractmethod
    def parameters(self) -> int:
        """Return the number of trained parameters of one network."""

    @property
    def nbytes(self) -> int:
        """Return the memory in bytes of everything that training changes."""
        return 4 * sum(int(np.prod(variable.shape)) for variable in self._changing())

    @property
    def is_settled(self) -> bool:
        """Return whether losses of epochs can be compared; not while a loss term warms up."""
        return True

    @property
    def is_fitted(self) -> bool:
        """Return whether the network begins as a fitted model, which epochs may only worsen."""
        return False

    def validation_outputs(self) -> list[np.ndarray]:
        """Return what `epoch` does of validation rows, without training; where `is_fitted`."""
        raise NotImplementedError

    @abc.abstractmethod
    def set_rows(self, rows: TrainingRows) -> None:
        """Turn to other rows, to be followed by `begin`.

        Args:
            rows: Of the same key and number of inputs as those before.
        """

    def forget_rows(self) -> None:
        """Free the rows; others are to be set before the next network."""
        del self.rows

    @abc.abstractmethod
    def begin(
        self,
        networks: list[keras.Model],
        seed: int,
        factors: np.ndarray | None = None,
        objective: Objective = PLAIN,
    ) -> None:
        """Start anew from initial weights.

        Args:
            networks: One Keras model a seed, of this structure, with initial weights.
            seed: Of dropout and noise.
            factors: (folds, inputs) that inputs are multiplied by, or None.
            objective: What is minimised beside the loss of the targets.
        """

    @abc.abstractmethod
    def epoch(
        self, index: np.ndarray, rates: np.ndarray, is_validated: bool = True
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Train for an epoch.

        Args:
            index: (steps, replicas, batch) row numbers, int32.
            rates: (steps,) learning rates, float32.
            is_validated: Whether to compute outputs of validation rows.

        Returns:
            (steps,) losses, and for each replica its outputs (validation rows, outputs).
        """

    @abc.abstractmethod
    def weights(self) -> list[np.ndarray]:
        """Return a copy of every weight, (replicas, ...), in the network's order."""

    def state(self) -> list[np.ndarray]:
        """Return a copy of everything that training changes."""
        return [variable.numpy() for variable in self._changing()]

    def restore(self, state: list[np.ndarray]) -> None:
        """Restore a `state`."""
        for variable, value in zip(self._changing(), state, strict=True):
            variable.assign(value)

    @abc.abstractmethod
    def _changing(self) -> list[Any]:
        """Return all variables that training changes, of 4 bytes a number."""

    def measured(self) -> dict[str, float]:
        """Return further columns of the last epoch's line in the history."""
        return {}
