"""Labels as text, and their order."""

import re
from typing import Any

import numpy as np
import pandas as pd

# Signs that are printed in place of a minus; what is written between thousands; a number behind a
# sign of comparison, before a percent sign or a unit.
_MINUS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))
_BETWEEN = re.compile("[ \u00a0\u202f'\u2019]")
_NUMBER = re.compile(
    rf"(?:[<>\u2264\u2265~=]+\s*)?([+-]?(?:\d+|\d{{1,3}}(?:{_BETWEEN.pattern}\d{{3}})+)(?:\.\d+)?"
    r"(?:[eEdD][+-]?\d+)?)(?:\s*%|\s[^\d_]+)?"
)


def as_text(value: Any) -> str:
    """Return a label as text; whole numbers lose a trailing .0, so that 1 and 1.0 are one class.

    Args:
        value: Label of any type.

    >>> as_text(1.0), as_text(1.5), as_text("1.0")
    ('1', '1.5', '1.0')
    """
    is_whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value)


def plain_number(cell: str) -> str | None:
    """Return the number in a cell that has other signs around or in it; None where there is none.

    Args:
        cell: A cell that is no number as it stands.

    >>> plain_number("85%"), plain_number(">90"), plain_number("\u22120.5"), plain_number("3.1 mg")
    ('85', '90', '-0.5', '3.1')
    >>> plain_number("7 346"), plain_number("7.3D+00"), plain_number("1-Mar"), plain_number("p53")
    ('7346', '7.3E+00', None, None)
    """
    found = _NUMBER.fullmatch(cell.strip().translate(_MINUS))
    return found and _BETWEEN.sub("", found[1]).upper().replace("D", "E")


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
