"""Training settings: the few keys of a config that cross-validation and the final fit need."""

import dataclasses
from typing import Any, Literal

from autogenome_tf.config import Config, Data, Training

# With fewer, one network a fold says little of a configuration, and several cost little.
FEWER_ROWS, AUTO_REPEATS = 200, 3


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """The keys of a config that cross-validation and the final fit need.

    Attributes:
        data: The section `data`: transforms, scaling, missing values, memory.
        training: The section `training`: epochs, optimizer, learning rate, coordinates, devices.
        families: Hyperparameters that the config gives each family, by its name.
        objective: Name of the metric that ranks trials.
        repeats: Networks a fold, at least 1, or "auto".
        is_averaged: Whether the final model averages several networks.
    """

    data: Data
    training: Training
    families: dict[str, dict[str, Any]]
    objective: str
    repeats: int | Literal["auto"] = "auto"
    is_averaged: bool = False

    @classmethod
    def of(cls, config: Config) -> "TrainingSettings":
        """Return the settings that a whole config holds.

        Args:
            config: Whole config.
        """
        return cls(
            data=config.data,
            training=config.training,
            families=config.families,
            objective=config.objective,
            repeats=config.search.repeats,
            is_averaged=config.ensemble.size != 1,
        )

    def number_of_repeats(self, rows: int, folds: int) -> int:
        """Return the number of networks a fold for so many rows to learn from in so many folds.

        Where a single network will be the final one, a single network is judged.

        Args:
            rows: Number of training rows.
            folds: Number of folds.
        """
        if self.repeats != "auto":
            return self.repeats
        return AUTO_REPEATS if self.is_averaged and rows < FEWER_ROWS and folds > 1 else 1
