"""The columns of one target among targets of several kinds."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd


@dataclasses.dataclass(frozen=True)
class TargetColumns:
    """Cells of one target: those of a single column, or of a time and its event.

    Attributes:
        type: Name of its kind of task.
        names: Names of the columns.
        cells: (rows, columns) objects: float of numbers and times, text of classes, bool of events;
            None for gaps.
    """

    type: str
    names: Sequence[str]
    cells: np.ndarray

    @property
    def name(self) -> str:
        """Return the name of the target: that of its column, or of its time."""
        return self.names[0]

    @property
    def is_known(self) -> np.ndarray:
        """Return whether a row has the target, (rows,)."""
        return is_known(self.cells)

    @property
    def values(self) -> np.ndarray:
        """Return class names (rows,) with None for gaps, or (rows, columns) float64 with NaN."""
        if has(self.cells, str):
            return self.cells[:, 0]
        return np.where(pd.isna(self.cells), np.nan, self.cells).astype("float64")

    @property
    def known(self) -> np.ndarray:
        """Return the values of the rows that have the target."""
        return self.values[self.is_known]


def is_known(targets: np.ndarray) -> np.ndarray:
    """Return whether rows have a target, (rows,).

    Args:
        targets: (rows, columns) of one target; a row that lacks a time or its event lacks both.
    """
    return np.logical_not(pd.isna(targets).any(axis=1))


def has(cells: np.ndarray, kind: type | tuple[type, ...]) -> bool:
    """Return whether any of some objects is of a type.

    Args:
        cells: Objects of any shape.
        kind: The type, or several.
    """
    return any(isinstance(cell, kind) for cell in cells.flat)
