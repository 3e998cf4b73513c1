"""Training settings: the few keys of a config that cross-validation and the final fit need."""

import dataclasses
from typing import Any, Literal

from autogenome_tf import families
from autogenome_tf.config import Config, Data, Training

# With fewer, one network a fold says little of a configuration, and several cost little.
FEWER_ROWS, AUTO_REPEATS = 200, 3
# With fewer, networks differ by their seed alone, and their average is better than each.
FEW_ROWS, AUTO_SEEDS = 1000, 5


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """The keys of a config that cross-validation and the final fit need.

    Attributes:
        data: The section `data`: transforms, scaling, missing values, memory.
        training: The section `training`: epochs, optimizer, learning rate, coordinates, devices.
        families: Hyperparameters that the config gives each family, by its name.
        objective: Name of the metric that ranks trials.
        repeats: Networks a fold, at least 1, or "auto".
        size: Trials that the final model averages, at least 1, or "auto".
        seeds: Networks that a single trial is retrained as, at least 1, or "auto".
    """

    data: Data
    training: Training
    families: dict[str, dict[str, Any]]
    objective: str
    repeats: int | Literal["auto"] = "auto"
    size: int | Literal["auto"] = 1
    seeds: int | Literal["auto"] = 1

    @classmethod
    def of(cls, config: Config) -> "TrainingSettings":
        """Return the settings that a whole config holds.

        Args:
            config: Whole config.
        """
        # A limit of size is one of the model that is served.
        is_limited, is_open = config.search.max_parameters, config.ensemble.seeds == "auto"
        return cls(
            data=config.data,
            training=config.training,
            families=config.families,
            objective=config.objective,
            repeats=config.search.repeats,
            size=config.ensemble.size,
            seeds=1 if is_limited and is_open else config.ensemble.seeds,
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
        is_averaged = self.size != 1 or self.seeds != 1
        return AUTO_REPEATS if is_averaged and rows < FEWER_ROWS and folds > 1 else 1

    def number_of_seeds(self, family: str, rows: int) -> int:
        """Return the number of networks that a trial is retrained as, for so many training rows.

        Args:
            family: Name of its family. Losses with a single minimum, forests and autoencoders need
                one network; units that stand for gene sets are explained in one.
            rows: Number of training rows.
        """
        own = families.member(family)
        if own.is_convex or own.is_of_trees or not own.predicts_targets:
            return 1
        if self.seeds != "auto":
            return self.seeds
        return AUTO_SEEDS if rows < FEW_ROWS and not own.level_names else 1
