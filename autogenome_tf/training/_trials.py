"""Trials and their results: what a search tries, and what comes of it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from autogenome_tf.training._plan import Fit


@dataclasses.dataclass(frozen=True)
class Configuration:
    """A family and its hyperparameters, from which the family builds the model.

    Attributes:
        family: Name of the family.
        values: Hyperparameters, a plain dict.
    """

    family: str
    values: dict[str, Any]

    def __str__(self):
        named = ", ".join(f"{name} {value}" for name, value in self.values.items())
        return f"{self.family} ({named})"


@dataclasses.dataclass(frozen=True)
class Trial:
    """One configuration and its score.

    Attributes:
        number: Order of proposal; 0 is the baseline, and other linear learners stand behind the
            last number of the search.
        family: Name of the family.
        values: Hyperparameters, a plain dict.
        score: The objective on validation rows; NaN for a failed trial.
        error: Standard error of the score over folds; NaN for one fold.
        epochs: Epochs until the best one.
        seconds: Wall time.
        parameters: Number of trained parameters.
        status: "done", "stopped" (by the time budget), or "failed: reason".
    """

    number: int
    family: str
    values: dict[str, Any]
    score: float = float("nan")
    error: float = float("nan")
    epochs: int = 0
    seconds: float = 0.0
    parameters: int = 0
    status: str = "done"

    @property
    def configuration(self) -> Configuration:
        """Return family and hyperparameters."""
        return Configuration(self.family, self.values)

    @property
    def is_scored(self) -> bool:
        """Return whether the trial can be ranked."""
        return bool(np.isfinite(self.score))


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """A trial with its networks and their outputs for validation rows.

    Attributes:
        trial: The trial with its score.
        outputs: (rows, outputs) out-of-fold outputs of the networks, NaN for rows that never
            validate; empty where there are no networks.
        temperature: Divisor that calibrates the outputs, above 0.
        fit: The networks; None for a trial that failed, that an interrupted run recorded, or that
            another process trained.
        retrain: Function that trains the networks again, to the same result, or for as long where
            time had stopped them; None where there is no need.
    """

    trial: Trial
    outputs: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((0, 0)))
    temperature: float | np.ndarray = 1.0
    fit: Fit | None = None
    retrain: "Callable[[], TrialResult] | None" = None

    @property
    def known_fit(self) -> Fit:
        """Return `fit` of a result that has its networks.

        Raises:
            ValueError: They are not at hand.
        """
        if self.fit is None:
            raise ValueError(f"trial {self.trial.number}: expected a result with its networks.")
        return self.fit

    @property
    def calibrated(self) -> np.ndarray:
        """Return (rows, outputs) divided by the temperature."""
        return self.outputs / self.temperature

    def trained(self) -> "TrialResult":
        """Return the result with its networks, trained again where they are not at hand."""
        return self if self.fit is not None or self.retrain is None else self.retrain()
