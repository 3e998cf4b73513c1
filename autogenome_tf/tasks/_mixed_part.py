"""Part of a mixed task: the task of one target, its outputs and the factor of its loss."""

import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._labels import as_text

# A target that does not vary in the training rows has no more.
LEAST_LOSS = 1e-6


@dataclasses.dataclass(frozen=True)
class MixedPart:
    """One target of several.

    Attributes:
        name: Name of its column.
        task: Its task, a `Classification` or a `Regression` of one target.
        outputs: Places of its outputs.
        factor: Factor of its loss: one over its share of the rows and over its loss without genes.
    """

    name: str
    task: Any
    outputs: slice
    factor: float = 1.0

    @property
    def output_names(self) -> list[str]:
        """Return the name of the target, behind a colon that of each class."""
        if not self.task.has_classes:
            return [self.name]
        return [f"{self.name}:{label}" for label in self.task.classes]

    def known(self, column: np.ndarray) -> np.ndarray:
        """Return where a target (rows,) is known."""
        return ~pd.isna(column)

    def encode(self, column: np.ndarray) -> np.ndarray:
        """Return a target, (rows,) text or numbers, as networks learn it; NaN for gaps.

        Raises:
            ValueError: For a class that training did not have, or text in place of a number.
        """
        known, found = self.known(column), np.full(len(column), np.nan)
        found[known] = np.ravel(self._encoded(column[known]))
        return found

    def _encoded(self, values):
        if not self.task.has_classes:
            return self.task.encode(values.astype("float64")[:, None])
        return self.task.encode([as_text(value) for value in values])

    def losses(self, targets: Any, outputs: Any) -> Any:
        """Return the weighed loss of each row, 0 where the target is missing.

        Args:
            targets: (rows,) encoded, NaN for gaps.
            outputs: (rows, all outputs).
        """
        from keras import ops

        is_known = ops.logical_not(ops.isnan(targets))
        # A loss of NaN must not come about: its gradient would be NaN too.
        filled = ops.where(is_known, targets, ops.zeros_like(targets))
        filled = ops.cast(filled, "int32") if self.task.has_classes else filled[:, None]
        each = self.task.row_losses(filled, outputs[:, self.outputs])
        return self.factor * ops.where(is_known, each, ops.zeros_like(each))

    def scored(
        self, column: np.ndarray, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return targets as metrics of the part's own kind take them, and weights; 0 for gaps.

        Args:
            column: (rows,) class positions or values in original units, NaN for gaps.
            weights: (rows,) or None.
        """
        if not self.task.has_classes:
            return column[:, None], weights
        known = self.known(column)
        if not known.all():
            weights = known * (1.0 if weights is None else weights)
        return np.where(known, column, 0).astype("int32"), weights

    def metrics(self, *known: Any) -> dict[str, np.ndarray]:
        """Compute every metric of the target; see `_drawn` for the arguments."""
        found = self._drawn(self.task.metrics, *known)
        if not self.task.has_classes:
            return found
        # Without a known row the correlation of classes is 0, but nothing is known of it.
        is_known = np.isfinite(found["log_loss"])
        return {name: np.where(is_known, values, np.nan) for name, values in found.items()}

    def skill(self, *known: Any) -> np.ndarray:
        """Compute one less the loss over that of a model without genes, (resamples,).

        Of numbers that is R²; of classes it is McFadden's, by the shares of the classes in the
        resample. See `_drawn` for the arguments.
        """
        if self.task.has_classes:
            return self._drawn(self._skill_of_classes, *known)
        return self._drawn(self.task.metrics, *known)["r2"]

    def _drawn(self, function, column, outputs, index, weights):
        """Call a function of metrics; of resamples without a known row they are NaN, silently.

        Args:
            function: Function of targets, outputs, index and weights, as those of `Task.metrics`.
            column: (rows,) as `scored` takes it.
            outputs: (rows, all outputs).
            index: As for `Task.metrics`.
            weights: As for `Task.metrics`.
        """
        targets, weights = self.scored(column, weights)
        with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # an empty mean
            return function(targets, outputs[:, self.outputs], index, weights)

    def _skill_of_classes(self, targets, outputs, index, weights):
        loss = self.task.metric("log_loss", targets, outputs, index, weights)
        entropies = self._entropies(targets, index, weights)
        return np.where(entropies > 0, 1 - loss / entropies, np.nan)

    def _entropies(self, targets, index, weights):
        """Return the log loss of the shares of the classes in each resample, (resamples,)."""
        drawn = self.task.drawn_weights(index, weights, len(targets))
        drawn = np.ones((1, len(targets))) if drawn is None else drawn
        counts = drawn @ np.eye(self.task.outputs)[targets]
        shares = counts / counts.sum(axis=1, keepdims=True)
        return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)

    def loss_without_genes(self, column: np.ndarray, weights: np.ndarray) -> float:
        """Return the loss of the shares of classes, or of the mean; above 0.

        Args:
            column: (rows,) encoded, NaN for gaps.
            weights: (rows,) weight of each row.
        """
        known = self.known(column)
        targets, weights = column[known], weights[known]
        if self.task.has_classes:
            found = self._entropies(targets.astype(int), None, weights)[0]
        else:
            mean = np.average(targets, weights=weights)
            found = np.average((targets - mean) ** 2, weights=weights)
        return max(float(found), LEAST_LOSS)
