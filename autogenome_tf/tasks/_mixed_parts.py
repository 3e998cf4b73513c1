"""Parts of a mixed task by kind: classes, a number, or a time to an event."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autogenome_tf.tasks._classification import Classification
from autogenome_tf.tasks._discrete_survival import DiscreteSurvival
from autogenome_tf.tasks._labels import as_text
from autogenome_tf.tasks._mixed_part import LEAST_LOSS, MixedPart
from autogenome_tf.tasks._regression import Regression
from autogenome_tf.tasks._target_columns import is_known
from autogenome_tf.tasks._task import Task


class ClassPart(MixedPart):
    """A target of some classes."""

    @property
    def output_names(self) -> list[str]:
        """Return the name of the target, behind a colon that of each class."""
        return [f"{self.name}:{label}" for label in self.task.classes]

    def _encoded(self, cells):
        return self.task.encode([as_text(cell) for cell in cells[:, 0]])

    def taken(self, targets: Any) -> Any:
        """Return class positions, (rows,) whole numbers."""
        if isinstance(targets, np.ndarray):
            return targets[:, 0].astype("int32")
        from keras import ops

        return ops.cast(targets[:, 0], "int32")

    def _scored(self, function, targets, outputs, index, weights):
        """Count rows without the class as 0 times."""
        has_class = is_known(targets)
        if not has_class.all():
            weights = has_class * (1.0 if weights is None else weights)
        own = self.taken(np.where(has_class[:, None], targets, 0))
        return super()._scored(function, own, outputs, index, weights)

    def metrics(self, *known: Any) -> dict[str, np.ndarray]:
        """Compute every metric; of no known row the correlation is 0, but nothing is known."""
        found = super().metrics(*known)
        is_defined = np.isfinite(found["log_loss"])
        return {name: np.where(is_defined, values, np.nan) for name, values in found.items()}

    def skill(self, *known: Any) -> np.ndarray:
        """Compute McFadden's R²: one less the log loss over that of the shares of the classes."""
        return self._scored(self._skills, *known)

    def _skills(self, targets, outputs, index, weights):
        loss = self.task.metric("log_loss", targets, outputs, index, weights)
        entropies = self._entropies(targets, index, weights)
        return np.where(entropies > 0, 1 - loss / entropies, np.nan)

    def _entropies(self, targets, index, weights):
        """Return the log loss of the shares of the classes in each resample, (resamples,)."""
        from scipy.special import entr

        drawn = Task.drawn_weights(index, weights, len(targets))
        counts = drawn @ np.eye(self.task.outputs)[targets]
        shares = counts / counts.sum(axis=1, keepdims=True)
        return entr(shares).sum(axis=1)

    def loss_without_genes(self, targets: np.ndarray, weights: np.ndarray) -> float:
        """Return the log loss of the shares of the classes."""
        return max(float(self._entropies(self.taken(targets), None, weights)[0]), LEAST_LOSS)


class NumberPart(MixedPart):
    """A target of numbers."""

    @property
    def output_names(self) -> list[str]:
        """Return the name of the target."""
        return [self.name]

    def _encoded(self, cells):
        return self.task.encode(cells.astype("float64"))

    def as_scored(self, cells: np.ndarray) -> np.ndarray:
        """Return values in original units."""
        return cells.astype("float64")

    def in_units(self, targets: np.ndarray) -> np.ndarray:
        """Return values in original units."""
        return self.task.in_units(targets)

    def skill(self, *known: Any) -> np.ndarray:
        """Compute R²."""
        return self.metrics(*known)["r2"]

    def loss_without_genes(self, targets: np.ndarray, weights: np.ndarray) -> float:
        """Return the variance."""
        mean = np.average(targets[:, 0], weights=weights)
        return max(float(np.average((targets[:, 0] - mean) ** 2, weights=weights)), LEAST_LOSS)


class TimePart(MixedPart):
    """A target of times to an event, in bins of time.

    Encoded are time and event, then for each bin how much of it the row survived, and for each
    whether its event was in it.
    """

    # Single precision would move events at the edge of a bin into the next.
    _dtype = "float64"

    @classmethod
    def width_of(cls, task: Any) -> int:
        """Return the number of columns of encoded targets."""
        return 2 + 2 * task.outputs

    @property
    def column_names(self) -> Sequence[str]:
        """Return the names of time and event."""
        return self.task.targets

    @property
    def output_names(self) -> list[str]:
        """Return the name of the time, behind a colon the last time of each bin."""
        return [f"{self.name}:{time}" for time in self.task.output_names]

    @property
    def explained(self) -> list[tuple[str, int]]:
        """Return the name of the target: the mean of its outputs is its risk."""
        return [(self.name, self.task.outputs)]

    def _encoded(self, cells):
        return self.task.encode(cells.astype("float64"))

    def metrics(self, *known: Any) -> dict[str, np.ndarray]:
        """Compute every metric of the rows whose time and event are known; NaN of no such row."""
        targets, _, index, _ = known
        if not is_known(targets).any():
            unknown = np.full(1 if index is None else len(index), np.nan)
            return dict.fromkeys(self.task.objectives, unknown)
        return super().metrics(*known)

    def skill(self, *known: Any) -> np.ndarray:
        """Compute one less the loss over that of the share of events in each bin."""
        return self._scored(self._skills, *known)

    def _skills(self, targets, outputs, index, weights):
        drawn = Task.drawn_weights(index, weights, len(targets)) * is_known(targets)
        passed, found = self._counts(np.nan_to_num(targets))
        outputs = np.asarray(outputs, "float64")
        each = passed * np.logaddexp(0, outputs) + found * np.logaddexp(0, -outputs)
        least = self._least(drawn @ passed, drawn @ found)
        return np.where(least > 0, 1 - drawn @ each.sum(axis=1) / least, np.nan)

    def _counts(self, targets):
        """Return how much of each bin rows survived, and whether their event was in it."""
        return np.split(targets[:, 2:], 2, axis=1)

    def _least(self, passed, found):
        """Return the least loss of rows of equal outputs from sums of both, (..., bins)."""
        from scipy.special import xlogy

        total = np.maximum(passed + found, np.finfo("float64").tiny)
        each = xlogy(passed, passed / total) + xlogy(found, found / total)
        return -each.sum(axis=-1)

    def loss_without_genes(self, targets: np.ndarray, weights: np.ndarray) -> float:
        """Return the loss of the share of events in each bin."""
        least = self._least(*(weights @ part for part in self._counts(targets)))
        return max(float(least / weights.sum()), LEAST_LOSS)


# By the kind of the part's task.
PARTS: dict[str, type[MixedPart]] = {
    Classification.type: ClassPart, Regression.type: NumberPart, DiscreteSurvival.type: TimePart,
}  # fmt: skip
