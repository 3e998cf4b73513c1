"""Regression: one or several numbers a row."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._conformal import PredictionIntervals
from autogenome_tf.tasks._gene_statistics import Batches, of_correlation
from autogenome_tf.tasks._labels import as_text, plain_number
from autogenome_tf.tasks._number_doubts import doubts_of_numbers
from autogenome_tf.tasks._task import Task

# Rows with a value of a target.
FEWEST_MEASURED = 2
# Of the residuals of standardised targets; a likelihood has no upper bound.
SMALLEST_VARIANCE = 1e-6


@dataclasses.dataclass(frozen=True)
class Regression(Task):
    """One or several numbers; the network works on standardised targets.

    Of several targets some may be missing in a row, as NaN: losses and metrics are those of the
    measured ones.

    Attributes:
        targets: Names of the targets.
        loss: "mse", "mae" or "huber", on standardised targets, averaged over them.
        mean: (targets,) of the training rows, in original units.
        scale: (targets,) standard deviation of the training rows.
        has_gaps: Whether targets are missing in some of the rows to learn from.
    """

    targets: Sequence[str]
    loss: str = "mse"
    mean: np.ndarray | float = 0.0
    scale: np.ndarray | float = 1.0
    has_gaps: bool = False

    type = "regression"
    losses = ("mse", "mae", "huber")
    objectives = {"r2": True, "pearson": True, "spearman": True, "rmse": False, "mae": False}
    families = ("linear", "forest", "mlp", "resnet", "densenet")
    linear_losses = ("ridge", "pls")
    has_units = True
    may_have_gaps = True
    skill, no_skill = "r2", "predicting the mean"
    headlines = ("r2", "rmse")
    tested = ("r2",)
    explained = "the predicted value, in the target's units"

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return values, (rows, targets) float64, NaN where they are missing."""
        try:
            return np.stack([_numbers(column) for _, column in columns.items()], axis=1)
        except ValueError as error:
            if len(columns.columns) == 1:
                raise
            raise ValueError(
                f"{error} Several targets are all numbers: for classes among them set task.type "
                "mixed; a time to an event is a pair of columns there."
            ) from None

    @classmethod
    def check_learnable(cls, targets: np.ndarray, names: Sequence[str]) -> None:
        """Refuse targets that are hardly measured, or constant."""
        for name, column in zip(names, targets.T, strict=True):
            known = column[~np.isnan(column)]
            if len(known) < FEWEST_MEASURED:
                raise ValueError(
                    f"{name}: measured for {len(known)} samples; expected at least "
                    f"{FEWEST_MEASURED}. Remove it from data.target."
                )
            if np.ptp(known) == 0:
                raise ValueError(f"{name}: constant ({known[0]:g}); there is nothing to predict.")

    @classmethod
    def doubts(
        cls, targets: np.ndarray, is_test: np.ndarray, names: Sequence[str] = ()
    ) -> list[str]:
        """Return warnings of codes of classes, and of a value that outweighs all others."""
        return doubts_of_numbers(targets, names)

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "Regression":
        """Return the task with mean and standard deviation of the training rows."""
        train, names = rows.targets[is_train], list(rows.target_names)
        if not np.isnan(rows.targets).any():
            spread = train.std(0)
            scale = np.where(spread > 0, spread, 1.0)
            return cls(names, settings.loss, train.mean(0), scale)
        spread = np.nanstd(train, axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        return cls(names, settings.loss, np.nanmean(train, axis=0), scale, has_gaps=True)

    @property
    def outputs(self) -> int:
        """Return the number of values."""
        return len(self.targets)

    @property
    def output_names(self) -> list[str]:
        """Return the names of the targets."""
        return list(self.targets)

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Standardise targets in original units, (rows, targets) float32."""
        return ((np.asarray(targets, "float64") - self.mean) / self.scale).astype("float32")

    def in_units(self, targets: np.ndarray) -> np.ndarray:
        """Return standardised targets in original units."""
        return targets * self.scale + self.mean

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the loss of each row: (rows, targets) twice -> (rows,)."""
        from keras import ops

        targets = ops.reshape(ops.cast(targets, outputs.dtype), ops.shape(outputs))
        if not self.has_gaps:
            return ops.mean(self._losses(ops.abs(outputs - targets)), axis=-1)
        # A difference from NaN must not come about: its gradient would be NaN too.
        is_measured = ops.logical_not(ops.isnan(targets))
        error = ops.abs(outputs - ops.where(is_measured, targets, outputs))
        counts = ops.sum(ops.cast(is_measured, outputs.dtype), axis=-1)
        return ops.sum(self._losses(error), axis=-1) / ops.maximum(counts, 1)

    def _losses(self, error: Any) -> Any:
        """Return the loss of each absolute error."""
        from keras import ops

        if self.loss == "mse":
            return error**2
        if self.loss == "mae":
            return error
        return ops.where(error < 1, 0.5 * error**2, error - 0.5)

    @property
    def loss_key(self) -> tuple:
        """Return the cache key of `row_losses`; see `Task.loss_key`."""
        return *super().loss_key, self.loss, self.has_gaps

    def _target_weights(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray | float:
        """Return the number of measured values of each row, so that each of them counts alike."""
        return (~np.isnan(targets)).sum(axis=1) if self.has_gaps else 1.0

    def keras_loss(self, label_smoothing: float = 0.0) -> str:
        """Return the loss of a compiled Keras model, which has the same name there.

        Args:
            label_smoothing: Of classes; not used here.
        """
        return self.loss

    def keras_metrics(self) -> list[str]:
        """Return the metrics that Keras shows while a compiled model trains."""
        return ["mae"]

    def log_likelihoods(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Return normal log-likelihoods at the residual variance, averaged over targets.

        Targets that are not measured do not count.
        """
        squares = (outputs - targets) ** 2
        own = weights[:, None] * ~np.isnan(targets)
        variance = np.nansum(squares * own, axis=1) / own.sum(axis=0)
        return np.mean(
            -0.5 * (np.log(2 * np.pi * np.maximum(variance, SMALLEST_VARIANCE)) + 1), axis=-1
        )

    def gene_statistics(
        self, batches: Batches, targets: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Compute the F statistic of each gene's correlation, averaged over targets."""
        # What a row weighs for its number of values is none of a single target's.
        weights = weights / np.maximum(self._target_weights(targets, weights), 1)
        return of_correlation(batches, targets, weights)

    def output_scale(self, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return factor and offset that lead back to original units."""
        ones = np.ones(self.outputs)
        return ones * self.scale, ones * self.mean

    def _metrics(self, targets, outputs, index, weights, name=None):
        from autogenome_tf.tasks import value_metrics

        return value_metrics.regression(targets, outputs, index, weights)

    def conformal(
        self, targets: np.ndarray, outputs: np.ndarray, coverage: Sequence[float]
    ) -> PredictionIntervals:
        """Fit prediction intervals with a stated coverage."""
        scale, offset = self.output_scale()
        return PredictionIntervals.of(self.targets, targets * scale + offset, outputs, coverage)

    def known_conformal(self, found: dict[str, Any]) -> PredictionIntervals:
        """Rebuild the prediction intervals of a model file."""
        return PredictionIntervals.from_json(self.targets, found)

    def drawn(
        self, outputs: np.ndarray, targets: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Add the residuals of other rows to values; standardised, (rows, targets).

        Args:
            outputs: (rows, targets) in original units.
            targets: (rows, targets) standardised.
            random: Draws the order of the residuals.
        """
        fitted = self.encode(outputs)
        return fitted + random.permutation(targets - fitted)

    def target_columns(self, targets: np.ndarray | None, count: int) -> list[tuple[str, Any]]:
        """Return the column target, or target_<name> of several targets."""
        if self.outputs == 1:
            return super().target_columns(targets, count)
        known = np.full((count, self.outputs), np.nan) if targets is None else targets
        return [(f"target_{name}", known[:, i]) for i, name in enumerate(self.targets)]

    def names(self) -> dict[str, Any]:
        """Return the names of the targets, their means and standard deviations."""
        mean, scale = (np.ravel(part).tolist() for part in (self.mean, self.scale))
        return {"targets": list(self.targets), "mean": mean, "scale": scale}

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> "Regression":
        """Return the task of some targets."""
        mean, scale = np.array(names["mean"]), np.array(names["scale"])
        return cls(names["targets"], mean=mean, scale=scale)

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return values (rows, targets) in original units as the columns of predictions.tsv.

        Args:
            outputs: (rows, targets) values in original units.
        """
        if self.outputs == 1:
            return pd.DataFrame({"prediction": np.asarray(outputs)[:, 0]})
        names = [f"prediction_{name}" for name in self.targets]
        return pd.DataFrame(outputs, columns=pd.Index(names))


def _numbers(column: pd.Series) -> np.ndarray:
    """Return a column as float64, NaN where a cell is missing; refuse what is no finite number."""
    numbers = np.asarray(pd.to_numeric(column, errors="coerce"), "float64")
    wrong = np.flatnonzero(~np.isfinite(numbers) & column.notna().to_numpy())
    if len(wrong):
        sample, value = column.index[wrong[0]], column.astype(object).iloc[wrong[0]]
        raise ValueError(
            f"{column.name}: sample {sample}: expected a number; received {as_text(value)!r} "
            f"({len(wrong)} such samples). {_way_out(column.iloc[wrong], len(numbers))}"
        )
    return numbers


def _way_out(wrong, count):
    """Return what to do about cells that are no numbers, of so many."""
    first = as_text(wrong.astype(object).iloc[0])
    if plain := plain_number(first):
        return f"Write the number alone, such as {plain}."
    if re.fullmatch(r"[+-]?\d[\d.,]*", first):
        return "Write a point before decimals and nothing between thousands."
    if 2 * len(wrong) > count:
        return "For classes set task.type classification."
    return f'Where no value is known, leave the cell empty, or set data.missing_words ["{first}"].'
