"""The variation of genes that a transform takes away."""

import logging
from typing import Any

import numpy as np

from autogenome_tf.core.errors import InputError

log = logging.getLogger(__name__)

# Fraction of the varying genes, or of their variance, whose loss is refused; and that is warned of:
# a floor below the noise of a microarray takes a fifth.
NEARLY_ALL, NOTABLE = 0.95, 0.3


def check_variation(transform: Any, rows: np.ndarray) -> None:
    """Refuse a transform that makes nearly all genes constant; warn where it does so to some.

    Args:
        transform: A `Transform`.
        rows: (rows, genes) raw, NaN where missing.

    Raises:
        InputError: Where nearly all genes that vary become constant, or their variance is gone.
    """
    genes, constant, gone = lost_variation(rows, np.asarray(transform(rows)))
    if not genes or max(constant / genes, gone) < NOTABLE:
        return
    text = (
        f"data.transform: {transform} makes {constant} of {genes} genes constant that vary in "
        f"data.features; {100 * gone:.0f} % of the variance of the genes is lost."
    )
    if max(constant / genes, gone) >= NEARLY_ALL:
        raise InputError(f"{text} Use none or rank, or a lower data.log2_floor.")
    log.warning("%s", text, extra={"about": "transform"})


def lost_variation(raw: np.ndarray, transformed: np.ndarray) -> tuple[int, int, float]:
    """Measure the variation of genes that a transform takes away.

    The variance that is gone is that among values which all become the lowest one (below a floor):
    the part of the variance within that group, of the law of total variance.

    Args:
        raw: (rows, genes), NaN where missing.
        transformed: (rows, genes).

    Returns:
        Number of genes that vary before, number of these that do not afterwards, and the fraction
        of variance that is gone, averaged over genes that vary.
    """
    varying = _spread(raw) > 0
    raw, transformed = raw[:, varying].astype("float64"), transformed[:, varying]
    if not raw.size:
        return 0, 0, 0.0
    constant = int(np.count_nonzero(~(_spread(transformed) > 0)))
    known = ~np.isnan(raw)
    lowest = known & (transformed == np.nanmin(transformed, axis=0))
    gone = _squares(raw, lowest) / _squares(raw, known)
    return raw.shape[1], constant, float(gone.mean())


def _spread(rows):
    """Return the range of each gene's values; 0 where all are missing."""
    return np.fmax.reduce(rows, axis=0) - np.fmin.reduce(rows, axis=0)


def _squares(rows, kept):
    """Return the sum of squares of each gene about the mean of the kept values."""
    mean = np.where(kept, rows, 0).sum(axis=0) / np.maximum(kept.sum(axis=0), 1)
    return (np.where(kept, rows - mean, 0) ** 2).sum(axis=0)
