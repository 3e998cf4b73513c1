"""Numbers of training rows that a model file keeps, for new rows to be compared with."""

import dataclasses
from typing import Any, Self, cast

import numpy as np

# Numbers that it keeps; of more, as many quantiles.
MOST_KEPT = 1000
DIGITS = 6


def thinned(values: np.ndarray) -> np.ndarray:
    """Return numbers in order, or quantiles of them where they are many.

    Args:
        values: (rows,) numbers.
    """
    values = np.sort(np.asarray(values, "float64"))
    if len(values) <= MOST_KEPT:
        return values
    return np.quantile(values, (np.arange(MOST_KEPT) + 0.5) / MOST_KEPT)


def rounded(values: np.ndarray) -> np.ndarray:
    """Return numbers as a model file keeps them, to six significant digits.

    Args:
        values: Array of any shape.
    """
    return np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"), otypes=[float])(values)


class KeptArrays:
    """Turn a frozen dataclass of arrays into what a model file keeps, and back."""

    @classmethod
    def from_json(cls, given: dict[str, list[float]]) -> Self:
        """Return the arrays that `as_json` wrote.

        Args:
            given: Their values.
        """
        names = (field.name for field in dataclasses.fields(cast(Any, cls)))
        return cls(**{name: np.array(given[name]) for name in names})

    def as_json(self) -> dict[str, Any]:
        """Return the values as lists."""
        known = dataclasses.asdict(cast(Any, self))
        return {name: value.tolist() for name, value in known.items()}
