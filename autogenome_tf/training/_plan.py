"""Plan of a network's training, and the fit that results."""

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from autogenome_tf.config import Training


@dataclasses.dataclass(frozen=True)
class Plan:
    """Settings of a network's training.

    Attributes:
        epochs: At most; 0 keeps a network that begins as a fitted model (`Engine.is_fitted`).
        batch_size: At most, or "auto"; see `batch_size_for`.
        optimizer: A name of `OPTIMIZERS`.
        learning_rate: A number, or "auto" for a range test, or its lowest and highest rate.
        patience: Epochs without a better validation loss before training stops.
        min_gain: By how much a validation loss must be better to count.
        drop_after: Epochs without gain that multiply the rate by `drop`; None: a third of
            the patience.
        drop: See `drop_after`.
        rates: Learning rate of each epoch, to repeat a schedule where no rows validate.
        deadline: `time.monotonic()` after which no further epoch starts.
    """

    epochs: int
    batch_size: int | Literal["auto"] = "auto"
    optimizer: str = "adam"
    learning_rate: float | str | list[float] = "auto"
    patience: int = 15
    min_gain: float = 0.0
    drop_after: int | None = None
    drop: float = 0.3
    rates: tuple[float, ...] = ()
    deadline: float = float("inf")

    @classmethod
    def of(
        cls,
        settings: Training,
        epochs: int,
        deadline: float = float("inf"),
        rates: Iterable[float] = (),
    ) -> "Plan":
        """Return the plan of a config's section `training` for so many epochs.

        Args:
            settings: Section `training` of the config.
            epochs: Most epochs.
            deadline: Time at which training stops, in seconds; default: none.
            rates: Learning rate of each epoch; default: those of the settings.
        """
        return cls(
            epochs=epochs,
            batch_size=settings.batch_size,
            optimizer=settings.optimizer,
            learning_rate=settings.learning_rate,
            patience=settings.patience,
            min_gain=settings.min_gain,
            drop_after=settings.decay.after,
            drop=settings.decay.factor,
            rates=tuple(rates),
            deadline=deadline,
        )


@dataclasses.dataclass(frozen=True)
class Fit:
    """Trained replicas of one network.

    Attributes:
        weights: The network's weights, (replicas, ...) each, every replica's at its own best epoch.
        validation: For each fold its outputs (validation rows, outputs), averaged over seeds, at
            the epoch that is best for the other folds, so that choosing the epoch does not leak.
        best_epoch: The median over replicas, 0 where they are best as they begin; the last one
            where no rows validate.
        history: A dict an epoch: epoch, loss, validation_loss, learning_rate, seconds. Of a network
            that begins as a fitted model (`Engine.is_fitted`) and has validation rows the first is
            epoch 0, without loss and learning rate (NaN).
        parameters: Number of trained parameters of one network.
        gates: (replicas, inputs) factors of the inputs, or None where the network has no gates.
    """

    weights: list[Any]
    validation: list[np.ndarray]
    best_epoch: int
    history: list[dict[str, float]]
    parameters: int = 0
    gates: np.ndarray | None = None

    def replica(self, number: int) -> list[np.ndarray]:
        """Return the weights of one network, in its order.

        Args:
            number: Number of the replica, from 0.
        """
        return [stack[number] for stack in self.weights]

    @property
    def rates(self) -> list[float]:
        """Return the learning rate of each epoch."""
        return [line["learning_rate"] for line in self.history if line["epoch"]]
