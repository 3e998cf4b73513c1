"""Metrics of regression, all resamples at once; equal to scikit-learn's on the rows themselves.

A resample is a row of row numbers, since ranks must be taken anew.
"""

import numpy as np
import scipy.stats


def regression(
    targets: np.ndarray,
    values: np.ndarray,
    index: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Compute the metrics of predicted values, averaged over targets.

    Args:
        targets: (rows, targets) in original units; a missing one, NaN, is left out.
        values: (rows, targets).
        index: (resamples, rows) row numbers, or None for the rows themselves.
        weights: (rows,) weight of each row, above 0; None: all rows count alike. Ranks of weighted
            rows are those of rows repeated so often.

    Returns:
        Dict of name to (resamples,): r2, pearson, spearman, rmse, mae.
    """
    index = np.arange(len(targets))[None] if index is None else index
    drawn = None if weights is None else np.asarray(weights, "float64")[index]
    columns = [
        _regression_of_one(targets[:, target][index], values[:, target][index], drawn)
        for target in range(targets.shape[1])
    ]
    mean = _mean_of_known if np.isnan(targets).any() else np.mean
    return {name: mean([column[name] for column in columns], axis=0) for name in columns[0]}


def _mean_of_known(values, axis):
    """Average over the targets for which a metric is defined; NaN where it is for none."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=axis) / known.sum(axis=axis)


def _regression_of_one(targets, values, drawn):
    known = ~np.isnan(targets)
    weights = known if drawn is None else np.where(known, drawn, 0)
    error = np.where(known, values - targets, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where(known, targets - _mean(targets, weights), 0)
        spread = (weights * apart**2).sum(1)
        total = weights.sum(1)
        r2 = np.where(_varies(targets, known), 1 - (weights * error**2).sum(1) / spread, np.nan)
        # Missing ones are ranked behind all others, which so keep their ranks.
        target_ranks, value_ranks = (
            _ranks(np.where(known, part, np.inf), None if drawn is None else weights)
            for part in (targets, values)
        )
        return {
            "r2": r2,
            "pearson": _correlation(targets, values, known, weights),
            "spearman": _correlation(target_ranks, value_ranks, known, weights),
            "rmse": np.sqrt((weights * error**2).sum(1) / total),
            "mae": (weights * np.abs(error)).sum(1) / total,
        }


def _ranks(values, weights):
    """Return the ranks of each resample, (resamples, rows), ties averaged."""
    if weights is None:
        return scipy.stats.rankdata(values, axis=1)
    first, last = (
        scipy.stats.rankdata(values, method=ends, axis=1).astype(int) for ends in ("min", "max")
    )
    ordered = np.take_along_axis(weights, np.argsort(values, axis=1, kind="stable"), axis=1)
    below = np.pad(np.cumsum(ordered, axis=1), ((0, 0), (1, 0)))
    ends = np.take_along_axis(below, first - 1, axis=1), np.take_along_axis(below, last, axis=1)
    return (ends[0] + ends[1]) / 2


def _mean(values, weights):
    filled = np.where(weights > 0, values, 0)
    return (weights * filled).sum(1, keepdims=True) / weights.sum(1, keepdims=True)


def _varies(values, known):
    high, low = np.where(known, values, -np.inf).max(1), np.where(known, values, np.inf).min(1)
    return high > low


def _correlation(a, b, known, weights):
    varies = _varies(a, known) & _varies(b, known)
    a, b = (np.where(known, part - _mean(part, weights), 0) for part in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        both = (weights * a * b).sum(1)
        r = both / np.sqrt((weights * a**2).sum(1) * (weights * b**2).sum(1))
    return np.where(varies, r, np.nan)
