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
        targets: (rows, targets) in original units; a missing one, NaN, is left out.
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
    mean = _mean_of_known if np.isnan(targets).any() else np.mean
    return {name: mean([column[name] for column in columns], axis=0) for name in columns[0]}


def _mean_of_known(values, axis):
    """Average over the targets for which a metric is defined; NaN where it is for none."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=axis) / known.sum(axis=axis)


def _regression_of_one(targets, values):
    known = ~np.isnan(targets)
    error = np.where(known, values - targets, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.where(known, (targets - _mean(targets, known)) ** 2, 0).sum(1)
        r2 = np.where(_varies(targets, known), 1 - (error**2).sum(1) / spread, np.nan)
        # Missing ones are ranked behind all others, which so keep their ranks.
        target_ranks, value_ranks = (
            scipy.stats.rankdata(np.where(known, part, np.inf), axis=1)
            for part in (targets, values)
        )
        return {
            "r2": r2,
            "pearson": _correlation(targets, values, known),
            "spearman": _correlation(target_ranks, value_ranks, known),
            "rmse": np.sqrt((error**2).sum(1) / known.sum(1)),
            "mae": np.abs(error).sum(1) / known.sum(1),
        }


def _mean(values, known):
    return np.where(known, values, 0).sum(1, keepdims=True) / known.sum(1, keepdims=True)


def _varies(values, known):
    high, low = np.where(known, values, -np.inf).max(1), np.where(known, values, np.inf).min(1)
    return high > low


def _correlation(a, b, known):
    varies = _varies(a, known) & _varies(b, known)
    a, b = (np.where(known, part - _mean(part, known), 0) for part in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.where(varies, r, np.nan)
