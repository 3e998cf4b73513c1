"""The scale that raw values are on, recognised by quantiles over rows and genes.

A few cells, rows or columns of another scale (an outlier, a row of nonsense, an age among genes)
do not change it.
"""

import dataclasses

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix

COUNTS, SHARES, MARKERS, LEVELS = "counts", "shares", "markers", "levels"
LOG, RATIOS, Z_SCORES = "log scale", "log ratios", "z-scores"
LINEAR, SIGNED = "linear scale", "linear scale with values below 0"

# A log-scale matrix hardly ever passes this; linear-scale intensities and counts do.
LARGEST_LOG_VALUE = 50.0
# From here on float32 has whole numbers alone, whatever the values were.
LARGEST_EXACT = 2.0**23
# Genotypes are copies of an allele: 0, 1 or 2, or lost, kept and gained: -1, 0 and 1.
LARGEST_MARKER = 2.0
# Whole numbers up to this, a byte, may be levels of a scale with an end: copy numbers, scores.
LARGEST_LEVEL = 255.0
# Counts vary at least by their mean (Poisson). Levels: the variance is a smaller part of it, in the
# median of the genes of at least this mean, by three standard errors.
NARROW, FEWEST_COUNTED = 0.8, 0.5
# Counts have no ceiling. Levels: this part of what is above 0 has the highest value, at least so
# many cells, more than of the value below by this factor; and few have more.
AT_END, FEWEST_AT_END, PILED_UP, BEYOND = 0.01, 10, 1.5, 0.25
# Rows that are looked at: quantiles of more are hardly more exact. Of very many genes, fewer rows.
ROWS, FEWEST_ROWS, CELLS = 1000, 50, 10_000_000
# Rows or genes of another scale: this fraction of all, at least so many, less than a quarter.
FEW, FEWEST = 0.01, 2
# Sums of rows that are shares differ by rounding alone.
EQUAL_SUMS = 2e-3
# Z-scores: means near 0 and standard deviations near 1 in this fraction of the genes.
CENTRED, SPREAD, MOST_GENES = 0.25, (0.5, 2.0), 0.75


@dataclasses.dataclass(frozen=True)
class Scale:
    """Describe the scale of raw values.

    Attributes:
        kind: "counts", "shares", "markers", "levels", "log scale", "log ratios", "z-scores",
            "linear scale" or "linear scale with values below 0".
        low: Lower end of the values, without few rows of each gene and few genes.
        high: Upper end of the values, without few rows of each gene and few genes.
        total: Sum of a row where the kind is shares, else None.
    """

    kind: str
    low: float
    high: float
    total: float | None = None

    @classmethod
    def of(cls, values: Matrix) -> "Scale":
        """Recognise the scale of raw values (rows, genes), an array or CSR.

        Args:
            values: (rows, genes) raw values.
        """
        sample = sample_of(values)
        known = (~np.isnan(sample)).sum(axis=0)
        sample, known = sample[:, known > 0], known[known > 0]
        if not sample.size:
            return cls(LOG, 0.0, 0.0)
        low, high = _ends(sample, known)
        kind, total = _kind(sample, known, low, high), None
        if low >= 0 and kind not in (COUNTS, MARKERS, LEVELS):
            total = _equal_sum(sample, high)
        return cls(SHARES if total else kind, low, high, total)

    def __str__(self):
        if self.total:
            return f"{self.kind} (rows sum to {self.total:.4g})"
        return f"{self.kind} (most from {self.low:.4g} to {self.high:.4g})"


def sample_of(values: Matrix) -> np.ndarray:
    """Return at most `ROWS` rows, evenly spaced, of a matrix as a dense array.

    Args:
        values: (rows, genes) raw values.
    """
    count, genes = values.shape
    most = min(ROWS, max(FEWEST_ROWS, CELLS // max(genes, 1)))
    if count > most:
        values = chunked.taken(values, np.linspace(0, count - 1, most).astype(int))
    return chunked.dense(values)


def whole_share(values: Matrix) -> float:
    """Return the share of whole numbers among values above 0; 0 where none is above 0.

    Args:
        values: (rows, genes) raw values.
    """
    sample = sample_of(values)
    above = sample[(sample > 0) & (sample < LARGEST_EXACT)]
    return float((above == np.round(above)).mean()) if len(above) else 0.0


def few(count: int | np.ndarray) -> np.ndarray:
    """Return the number of rows or genes, of `count`, that may be of another scale.

    >>> few(np.array([1, 9, 100, 1000]))
    array([ 0,  2,  2, 10])
    """
    share = np.round(FEW * np.asarray(count)).astype(int)
    return np.minimum(np.maximum(share, FEWEST), np.maximum((np.asarray(count) - 1) // 4, 0))


def _ends(sample, known):
    """Return the ends of the values, without few rows of each gene and few genes."""
    ordered = np.sort(sample, axis=0)  # NaN comes last
    genes, left_out = len(known), few(known)
    low = np.sort(np.take_along_axis(ordered, left_out[None], axis=0)[0])
    high = np.sort(np.take_along_axis(ordered, (known - 1 - left_out)[None], axis=0)[0])
    # Without the sign of a zero.
    return float(low[few(genes)]) + 0.0, float(high[genes - 1 - few(genes)]) + 0.0


def _kind(sample, known, low, high):
    """Return the kind of values that are no shares."""
    is_whole = _is_whole(sample, known)
    if is_whole and max(high, -low) <= LARGEST_MARKER:
        return MARKERS
    if is_whole and low >= 0:
        has_end = high <= LARGEST_LEVEL and (
            _is_narrow(sample, low, high) or _ends_at(sample, high)
        )
        return LEVELS if has_end else COUNTS
    if high > LARGEST_LOG_VALUE:
        return LINEAR if low >= 0 else SIGNED
    if low >= 0:
        return LOG
    return Z_SCORES if _is_standardised(np.clip(sample, low, high)) else RATIOS


def _is_whole(sample, known):
    """Return whether values are whole numbers, but for few rows of each gene and few genes."""
    is_exact = np.abs(sample) < LARGEST_EXACT
    broken = ~np.isnan(sample) & ~(is_exact & (sample == np.round(sample)))
    genes = np.count_nonzero(broken.sum(axis=0) > few(known))
    # Of sparse values on a log scale most genes have few that are not 0, none of them whole.
    is_rare = 4 * np.count_nonzero(broken) <= np.count_nonzero(np.nan_to_num(sample))
    return genes <= few(len(known)) and is_rare


def _is_narrow(sample, low, high):
    """Return whether values vary less than counts of their mean can."""
    inner = np.clip(sample, low, high)
    mean = np.nanmean(inner, axis=0)
    # Columns of yes or no are no genes, and constant ones tell nothing.
    top = np.nanmax(inner, axis=0)
    counted = (mean >= FEWEST_COUNTED) & (top > np.maximum(1, np.nanmin(inner, axis=0)))
    if len(sample) < 2 or not counted.any():
        return False
    spread = np.nanvar(inner[:, counted], axis=0, ddof=1) / mean[counted]
    # Of a median of as many variances of counts.
    error = np.sqrt(np.pi / counted.sum() / len(sample))
    return bool(np.median(spread) + 3 * error < NARROW)


def _ends_at(sample, high):
    """Return whether values pile up at the highest."""
    at_end, below = (np.count_nonzero(sample == value) for value in (high, high - 1))
    fewest = max(FEWEST_AT_END, AT_END * np.count_nonzero(sample > 0), PILED_UP * below)
    return bool(at_end >= fewest and np.count_nonzero(sample > high) <= BEYOND * at_end)


def _is_standardised(sample):
    mean, spread = np.nanmean(sample, axis=0), np.nanstd(sample, axis=0)
    is_so = (np.abs(mean) <= CENTRED) & (spread >= SPREAD[0]) & (spread <= SPREAD[1])
    return is_so.mean() >= MOST_GENES


def _equal_sum(sample, high):
    """Return the sum of a row where it is the same for all but few rows, else None."""
    sums = np.sort(sample.sum(axis=1, dtype="float64"))
    sums = sums[~np.isnan(sums)]
    if len(sums) < 2 or sums[0] <= 0:
        return None
    inner = sums[few(len(sums)) : len(sums) - few(len(sums))]
    is_equal = np.ptp(inner) <= EQUAL_SUMS * inner.mean() and high <= inner.mean()
    return float(inner.mean()) if is_equal else None
