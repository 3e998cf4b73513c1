"""Numbers that stand for missing values, such as -999."""

from collections.abc import Iterator

import numpy as np

# Below all other values, and above them.
_BELOW, _ABOVE = (-9, -99, -999, -9999, -99999), (999, 9999, 99999)
# Cells that have it, and the distance to the next value in spans of all other values.
_FEWEST, _APART = 2, 0.5


def codes(values: np.ndarray) -> Iterator[str]:
    """Yield a text on a number that stands for missing values as it seems.

    Args:
        values: (rows, genes) some of the rows.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return
    for code, is_asked in ((known.min(), _BELOW), (known.max(), _ABOVE)):
        others = known[known != code]
        count = len(known) - len(others)
        if code in is_asked and count >= _FEWEST and _is_apart(code, others):
            yield (
                f"{count} values are {code:g}, apart from all others ({others.min():.4g} to "
                f"{others.max():.4g}). They are learned from like all others; if they stand for "
                f'missing values, set data.missing_words ["{code:g}"].'
            )


def _is_apart(code, others):
    """Return whether a number is far from all others, or on the other side of 0."""
    if not len(others):
        return False
    low, high = float(others.min()), float(others.max())
    gap = low - code if code < low else code - high
    return code < 0 <= low or gap > _APART * (high - low)
