"""F statistics of single genes, gathered over batches of rows in one pass."""

from collections.abc import Iterable

import numpy as np

Batches = Iterable[tuple[np.ndarray, np.ndarray]]

# Added to the variance within classes, of genes standardised to variance 1: of few rows, some genes
# hardly vary within classes by chance.
LEAST_WITHIN = 0.05
# A gene with less of its second moment, or of the largest variance, is constant but for rounding.
ROUNDING = 1e-12
# Of 1 - r^2: a gene that is the target itself has a finite statistic.
LEAST_UNEXPLAINED = 1e-6


def between_classes(
    batches: Batches, targets: np.ndarray, weights: np.ndarray, classes: int
) -> np.ndarray:
    """Compute the mean square between classes over that within them plus 0.05, for each gene.

    Args:
        batches: Pairs of row numbers (n,) and these rows (n, genes).
        targets: (all rows,) class positions.
        weights: (all rows,) weight of each row in the loss.
        classes: Number of classes.

    Returns:
        (genes,) float64; 0 for constant genes and where a single class is left.
    """

    def sums(index, values):
        values, squares = values.astype("float64"), np.square(values, dtype="float64")
        shares = np.eye(classes)[targets[index]] * weights[index, None]
        of_classes = shares.sum(0)[:, None], shares.T @ values, weights[index] @ squares
        return *of_classes, len(index), values.sum(0), squares.sum(0)

    return _between(*_added(sums(*batch) for batch in batches))


def of_correlation(
    batches: Batches, targets: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Compute r^2 (n - 2) / (1 - r^2) of each gene with each target, averaged over targets.

    Args:
        batches: Pairs of row numbers (n,) and these rows (n, genes).
        targets: (all rows, targets), NaN where a value is missing: it is left out.
        weights: (all rows,) weight of each row; None: all rows count alike.

    Returns:
        (genes,) float64; 0 for constant genes.
    """

    def sums(index, values):
        values, squares = values.astype("float64"), np.square(values, dtype="float64")
        y = targets[index].T.astype("float64")
        own = np.ones(len(index)) if weights is None else weights[index].astype("float64")
        known, y = ~np.isnan(y) * own, np.nan_to_num(y)
        of_rows = len(index), own.sum()
        of_targets = ((known * part).sum(1, keepdims=True) for part in (np.ones(1), y, y**2))
        return *of_rows, *of_targets, known @ values, known @ squares, (known * y) @ values

    rows, total, *found = _added(sums(*batch) for batch in batches)
    # Of these rows alone: weights have a mean of 1 over all, and others are not to be seen here.
    return _explained(*(part * (rows / total) for part in found)).mean(axis=0)


def _added(batches):
    """Add up the sums of all batches, each kind by itself."""
    return [sum(parts) for parts in zip(*batches, strict=True)]


def _between(counts, sums, weighted_squares, rows, total, squares):
    """Return F statistics from sums over the rows of each class, (classes, genes), and of all."""
    variance, is_varying = _variance(rows, total, squares)
    scale = rows / counts.sum()
    present = counts[:, 0] > 0
    counts, sums = counts[present] * scale, sums[present] * scale
    of_classes = (sums**2 / counts).sum(0)
    between = (of_classes - sums.sum(0) ** 2 / rows) / max(len(counts) - 1, 1)
    within = (weighted_squares * scale - of_classes) / max(rows - len(counts), 1)
    between, within = (np.maximum(part, 0) / variance for part in (between, within))
    return np.where(is_varying, between / (within + LEAST_WITHIN), 0.0)


def _explained(rows, y, y_squares, x, x_squares, products):
    """Return F statistics (targets, genes) from sums over the measured rows of each target."""
    count = np.maximum(rows, 1)
    x_variance, is_varying = _variance(count, x, x_squares)
    y_variance, is_known = _variance(count, y, y_squares)
    explained = (products / count - x * y / count**2) ** 2 / (x_variance * y_variance)
    found = explained * (rows - 2) / np.maximum(1 - explained, LEAST_UNEXPLAINED)
    return np.where(is_varying & is_known & (rows > 2), found, 0.0)


def _variance(count, total, squares):
    """Return variances, 1 in place of none, and whether there is one."""
    second = squares / count
    variance = second - (total / count) ** 2
    largest = variance.max(axis=-1, keepdims=True)
    is_varying = (variance > ROUNDING * np.maximum(second, largest)) & (variance > 0)
    return np.where(is_varying, variance, 1.0), is_varying
