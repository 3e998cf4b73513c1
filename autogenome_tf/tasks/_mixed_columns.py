"""Columns of targets of several kinds: numbers, or text for classes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf.tasks._labels import as_text


def cells_of(column: pd.Series) -> np.ndarray:
    """Return a column as objects, (rows,): numbers, or text where a cell is none; None for gaps.

    Args:
        column: Cells of any type; those of a category are text.

    Raises:
        ValueError: A label is empty, or a number not finite.
    """
    is_gap = column.isna().to_numpy()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _labels(column, is_gap)
    numbers = np.asarray(pd.to_numeric(column, errors="coerce"), "float64")
    is_bool = column.map(lambda cell: isinstance(cell, (bool, np.bool_))).to_numpy()
    if (np.isnan(numbers) & ~is_gap).any() or is_bool.any():
        return _labels(column, is_gap)
    wrong = np.flatnonzero(np.isinf(numbers))
    if len(wrong):
        sample, value = column.index[wrong[0]], column.iloc[wrong[0]]
        raise ValueError(f"{column.name}: sample {sample}: expected a number; received {value}.")
    cells = numbers.astype(object)
    cells[is_gap] = None
    return cells


def _labels(column, is_gap):
    """Return a column of classes as text, None for gaps; refuse an empty one."""
    found = np.array(
        [None if gap else as_text(cell) for gap, cell in zip(is_gap, column, strict=True)], object
    )
    for sample, label in zip(column.index, found, strict=True):
        if label is not None and not label.strip():
            raise ValueError(f"{column.name}: empty for sample {str(sample)!r}.")
    return found


def is_text(column: np.ndarray) -> bool:
    """Return whether a column is of classes.

    Args:
        column: (rows,) as `cells_of` returns it.
    """
    return any(isinstance(cell, str) for cell in column)


def check_output_names(targets: np.ndarray, names: Sequence[str]) -> None:
    """Refuse targets of which two outputs have one name, which would repeat a column.

    Args:
        targets: (rows, targets), columns as `cells_of` returns them.
        names: Names of the targets.

    Raises:
        ValueError: A target has the name of another's class, behind its name and a colon.
    """
    owners: dict[str, str] = {}
    for name, column in zip(names, targets.T, strict=True):
        classes = sorted(set(column[~pd.isna(column)])) if is_text(column) else []
        for output in [f"{name}:{label}" for label in classes] or [name]:
            if output in owners:
                raise ValueError(
                    f"targets {owners[output]!r} and {name!r} both have an output {output!r}. "
                    "Rename one of the columns."
                )
            owners[output] = name
