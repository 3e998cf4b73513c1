"""Labels as text, and their order."""

from typing import Any

import numpy as np
import pandas as pd


def as_text(value: Any) -> str:
    """Return a label as text; whole numbers lose a trailing .0, so that 1 and 1.0 are one class.

    Args:
        value: Label of any type.

    >>> as_text(1.0), as_text(1.5), as_text("1.0")
    ('1', '1.5', '1.0')
    """
    is_whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value)


def read_labels(columns: pd.DataFrame) -> np.ndarray:
    """Return the labels of a single column, (rows,) text.

    Raises:
        ValueError: For several columns, or an empty label.
    """
    if len(columns.columns) > 1:
        raise ValueError(
            f"classification predicts one column; received {list(columns)}. Name one in "
            "data.target, or set task.type mixed for targets of several kinds."
        )
    labels = columns.iloc[:, 0].map(as_text).to_numpy(dtype=object)
    empty = np.flatnonzero([not label.strip() for label in labels])
    if len(empty):
        sample = columns.index[empty[0]]
        raise ValueError(f"{columns.columns[0]}: empty for sample {str(sample)!r}.")
    return labels


def natural(name: str) -> tuple[int, float, str]:
    """Return a sorting key that puts numbers before words, in order of size.

    Args:
        name: Name of a class.
    """
    try:
        number = float(name)
    except ValueError:
        return (1, 0.0, name)
    return (0, number, name) if np.isfinite(number) else (1, 0.0, name)
