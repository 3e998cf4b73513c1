"""Part of a mixed task: the task of one target, its outputs and the factor of its loss."""

import abc
import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._target_columns import is_known

# A target that does not vary in the training rows has no more.
LEAST_LOSS = 1e-6


@dataclasses.dataclass(frozen=True)
class MixedPart(abc.ABC):
    """One target of several.

    Attributes:
        name: Name of its column, or of that of its time.
        task: Its task, of this target alone.
        outputs: Places of its outputs.
        columns: Places of its columns among encoded targets, which are those of scored targets.
        factor: Factor of its loss: one over its share of the rows and over its loss without genes.
    """

    name: str
    task: Any
    outputs: slice
    columns: slice
    factor: float = 1.0

    # Of encoded targets.
    _dtype = "float32"

    @classmethod
    def width_of(cls, task: Any) -> int:
        """Return the number of columns that targets have as networks learn them.

        Args:
            task: Task of the target.
        """
        return 1

    @property
    def column_names(self) -> Sequence[str]:
        """Return the names of the columns of the target as files have them."""
        return [self.name]

    @property
    @abc.abstractmethod
    def output_names(self) -> list[str]:
        """Return the name of each output: the target's, behind a colon what it is of."""

    @property
    def explained(self) -> list[tuple[str, int]]:
        """Return the name of each output that is explained, and of how many it is the mean."""
        return [(name, 1) for name in self.output_names]

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """Return a target, (rows, columns) as files have it, as networks learn it; NaN for gaps.

        Raises:
            ValueError: For a class that training did not have, or text in place of a number.
        """
        has_cells = is_known(cells)
        values = self._encoded(cells[has_cells])
        found = np.full((len(cells), self.width_of(self.task)), np.nan, self._dtype)
        found[has_cells] = values.reshape(-1, found.shape[1])
        return found

    @abc.abstractmethod
    def _encoded(self, cells: np.ndarray) -> np.ndarray:
        """Return cells without gaps as the part's own task encodes them."""

    def as_scored(self, cells: np.ndarray) -> np.ndarray:
        """Return a target, (rows, columns) as files have it, as metrics take it.

        Args:
            cells: As for `encode`.
        """
        return self.encode(cells)

    def in_units(self, targets: np.ndarray) -> np.ndarray:
        """Return an encoded target as metrics take it.

        Args:
            targets: (rows, columns) encoded.
        """
        return targets

    def taken(self, targets: Any) -> Any:
        """Return known targets as methods of the part's own task take them.

        Args:
            targets: (rows, columns) encoded or scored, without gaps; an array or a tensor.
        """
        return targets

    def losses(self, targets: Any, outputs: Any) -> Any:
        """Return the weighed loss of each row, 0 where the target is missing.

        Args:
            targets: (rows, columns) encoded, NaN for gaps.
            outputs: (rows, all outputs).
        """
        from keras import ops

        has_cells = ops.logical_not(ops.any(ops.isnan(targets), axis=-1))
        # A loss of NaN must not come about: its gradient would be NaN too.
        filled = ops.where(has_cells[:, None], targets, ops.zeros_like(targets))
        each = self.task.row_losses(self.taken(filled), outputs[:, self.outputs])
        return self.factor * ops.where(has_cells, each, ops.zeros_like(each))

    def metrics(self, *known: Any) -> dict[str, np.ndarray]:
        """Compute every metric of the target; see `_scored` for the arguments."""
        return self._scored(self.task.metrics, *known)

    @abc.abstractmethod
    def skill(self, *known: Any) -> np.ndarray:
        """Compute one less the loss over that of a model without genes, (resamples,).

        The model without genes is the best one for the resample. See `_scored` for the arguments.
        """

    @abc.abstractmethod
    def loss_without_genes(self, targets: np.ndarray, weights: np.ndarray) -> float:
        """Return the loss of the best model that looks at no gene, above 0.

        Args:
            targets: (rows, columns) encoded, without gaps.
            weights: (rows,) weight of each row.
        """

    def _scored(self, function, targets, outputs, index, weights):
        """Call a function of metrics; of resamples without a known row they are NaN, silently.

        Args:
            function: Function of targets, outputs, index and weights, as those of `Task.metrics`.
            targets: (rows, columns) as metrics take them, NaN for gaps.
            outputs: (rows, all outputs).
            index: As for `Task.metrics`.
            weights: As for `Task.metrics`.
        """
        with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # an empty mean
            return function(targets, outputs[:, self.outputs], index, weights)

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return outputs as columns of predictions.tsv, with the name of the target.

        Args:
            outputs: (rows, all outputs): logits, and values in original units.
        """
        own = self.task.frame(np.asarray(outputs)[:, self.outputs])
        return own.rename(columns=self._column)

    @property
    def columns_of_frame(self) -> dict[str, str]:
        """Return the columns of `frame` by the names that a run of this target alone has."""
        own = self.task.frame(np.zeros((0, self.task.outputs)))
        return {name: self._column(name) for name in own}

    def _column(self, own):
        """Return the name of a column that a run of this target alone calls `own`.

        What it is of, a class or a time, stands behind the name of the target and a colon.
        """
        head, _, of = own.partition("_")
        return f"{head}_{self.name}:{of}" if of else f"{head}_{self.name}"
