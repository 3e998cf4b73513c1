"""Numbers that stand for missing values, such as -999."""

from collections.abc import Iterator

import numpy as np

# Below all other values, and above them; questionnaires have several, one a reason.
_BELOW = (-9, -77, -88, -99, -777, -888, -999, -9999, -99999)
_ABOVE = (777, 888, 999, 7777, 8888, 9999, 99999)
# Of doses of an allele and of copy numbers, which end at 2, in some formats.
_OF_DOSES, _LARGEST_DOSE = (9,), 2
# Cells that have it, and the distance to the next value in spans of all other values.
_FEWEST, _APART = 2, 0.5


def codes(values: np.ndarray, fewest: int = _FEWEST) -> Iterator[str]:
    """Yield a text on each number that stands for missing values as it seems.

    Args:
        values: (rows, genes) some of the rows.
        fewest: Cells that have such a number, at least.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return
    above = _OF_DOSES if known.max() in _OF_DOSES else _ABOVE
    for end, asked in ((np.min, _BELOW), (np.max, above)):
        if end(known) not in asked:
            continue
        is_code = np.isin(known, asked)
        others = known[~is_code]
        if asked is _OF_DOSES and len(others) and others.max() > _LARGEST_DOSE:
            continue
        for code, count in zip(*np.unique(known[is_code], return_counts=True), strict=True):
            if count >= fewest and _is_apart(code, others):
                yield (
                    f"{count} values are {code:g}, apart from all others ({others.min():.4g} to "
                    f"{others.max():.4g}). They are learned from like all others; if they stand "
                    f'for missing values, set data.missing_words ["{code:g}"].'
                )


def _is_apart(code, others):
    """Return whether a number is far from all others, or on the other side of 0."""
    if not len(others):
        return False
    low, high = float(others.min()), float(others.max())
    gap = low - code if code < low else code - high
    return code < 0 <= low or gap > _APART * (high - low)
