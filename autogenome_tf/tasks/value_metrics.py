"""Metrics of regression, all resamples at once; equal to scikit-learn's on the rows themselves.

A resample is a row of row numbers, since ranks must be taken anew.
"""

import numpy as np
import scipy.stats


def regression(
    targets: np.ndarray, values: np.ndarray, index: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Compute the metrics of predicted values, averaged over targets.

    Args:
        targets: (rows, targets) in original units.
        values: (rows, targets).
        index: (resamples, rows) row numbers, or None for the rows themselves.

    Returns:
        Dict of name to (resamples,): r2, pearson, spearman, rmse, mae.
    """
    index = np.arange(len(targets))[None] if index is None else index
    columns = [
        _regression_of_one(targets[:, target][index], values[:, target][index])
        for target in range(targets.shape[1])
    ]
    return {name: np.mean([column[name] for column in columns], axis=0) for name in columns[0]}


def _regression_of_one(targets, values):
    error = values - targets
    spread = ((targets - targets.mean(1, keepdims=True)) ** 2).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.where(np.ptp(targets, axis=1) > 0, 1 - (error**2).sum(1) / spread, np.nan)
    ranks = [scipy.stats.rankdata(part, axis=1) for part in (targets, values)]
    return {
        "r2": r2,
        "pearson": _correlation(targets, values),
        "spearman": _correlation(*ranks),
        "rmse": np.sqrt((error**2).mean(1)),
        "mae": np.abs(error).mean(1),
    }


def _correlation(a, b):
    varies = (np.ptp(a, axis=1) > 0) & (np.ptp(b, axis=1) > 0)
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.where(varies, r, np.nan)
