"""The scale that raw values are on, recognised from the values alone."""

import numpy as np
import scipy.sparse

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix

# A log-scale matrix hardly ever passes this; linear-scale intensities and counts do.
LARGEST_LOG_VALUE = 50.0


def extent(values: Matrix) -> tuple[float, float, bool]:
    """Return the lowest and the highest value, and if all are whole numbers; one pass."""
    low = high = 0.0 if scipy.sparse.issparse(values) else None
    is_whole = True
    for part in filter(len, chunked.known(values)):
        least, most = part.min(), part.max()
        low, high = (least, most) if low is None else (min(low, least), max(high, most))
        is_whole = is_whole and bool(np.all(part == np.round(part)))
    return low or 0.0, max(high or 0.0, 0.0), is_whole


def recognised(sums: np.ndarray, low: float, high: float, is_whole: bool) -> tuple[str, str]:
    """Name the transform that fits the scale of the values, and the reason."""
    if low >= 0 and is_whole and high > 2:
        return "library_log1p", f"counts (whole numbers up to {high:g})"
    if low >= 0 and np.ptp(sums) <= 2e-3 * abs(sums.mean()) and high <= sums.mean():
        return "relative_log", f"shares (every row sums to {sums.mean():.4g})"
    if high <= LARGEST_LOG_VALUE:
        return "none", f"log scale, ratios or markers (from {low:g} to {high:g})"
    if low < 0:
        return "log2", f"linear scale with values below 0 (from {low:g} to {high:g})"
    return "log1p", f"linear scale (from {low:g} to {high:g})"


def row_sums(values: Matrix) -> np.ndarray:
    """Return the sums of the rows without a missing value; a single 0 where every row has one."""
    sums = np.asarray(values.sum(axis=1)).ravel()
    complete = ~np.isnan(sums)
    return sums[complete] if complete.any() else np.zeros(1)
