"""Metrics with bootstrap intervals, all resamples at once.

A resample is a row of weights (how often each sample was drawn) for classification, and a row of
sample numbers for regression, whose ranks must be taken anew. Point estimates equal scikit-learn's.
"""

import numpy as np
import scipy.optimize
import scipy.sparse
import scipy.special
import scipy.stats

HIGHER_IS_BETTER = {
    "accuracy": True,
    "balanced_accuracy": True,
    "f1_macro": True,
    "mcc": True,
    "roc_auc": True,
    "log_loss": False,
    "r2": True,
    "pearson": True,
    "spearman": True,
    "rmse": False,
    "mae": False,
    "elbo": True,
}
RESAMPLES = 1000
CHUNK = 100
LEAST_CHANCE = 1e-15

# Parts of rows that a model is scored on, the most telling first.
SCORED = ("test", "evaluate", "validation")


def in_order(parts):
    """Those of some parts that can be scored, the most telling first.

    >>> in_order({"validation", "train", "test"})
    ['test', 'validation']
    """
    return [part for part in SCORED if part in parts]


def classification(truth, logits, weights=None):
    """Score class chances.

    Args:
        truth: (rows,) class positions.
        logits: (rows, classes).
        weights: (resamples, rows), or None for the sample itself.

    Returns:
        Dict of name to (resamples,): accuracy, balanced_accuracy, f1_macro, mcc, roc_auc (one
        class against the rest, averaged over classes that occur), log_loss.
    """
    weights = np.ones((1, len(truth))) if weights is None else weights
    chances = scipy.special.softmax(np.asarray(logits, "float64"), axis=1)
    counts = _confusions(truth, chances.argmax(1), chances.shape[1], weights)
    own = np.take_along_axis(chances, truth[:, None], axis=1)[:, 0]
    surprise = -np.log(np.maximum(own, LEAST_CHANCE))
    return {
        **_from_confusions(counts),
        "roc_auc": _roc_auc(truth, chances, weights),
        "log_loss": (weights @ surprise) / weights.sum(1),
    }


def regression(truth, values, index=None):
    """Score predicted values, averaged over targets.

    Args:
        truth: (rows, targets) in original units.
        values: (rows, targets).
        index: (resamples, rows) sample numbers, or None for the sample itself.

    Returns:
        Dict of name to (resamples,): r2, pearson, spearman, rmse, mae.
    """
    index = np.arange(len(truth))[None] if index is None else index
    columns = [
        _regression_of_one(truth[:, target][index], values[:, target][index])
        for target in range(truth.shape[1])
    ]
    return {name: np.mean([column[name] for column in columns], axis=0) for name in columns[0]}


def with_intervals(task, truth, outputs, seed, resamples=RESAMPLES):
    """Every metric of a task with its 95 % percentile bootstrap interval.

    Args:
        task: A `tasks.Classification` or `tasks.Regression`.
        truth: (rows,) class positions, or (rows, targets) in original units.
        outputs: (rows, outputs): logits, or values in original units.
        seed: Of the resampling.
        resamples: How many.

    Returns:
        Dict of name to {"value", "low", "high"}; None where a metric is undefined.
    """
    values, drawn = _resampled(task, truth, outputs, seed, resamples)
    return {name: _interval(values[name], drawn[name]) for name in values}


def differences(task, truth, outputs, others, seed, resamples=RESAMPLES):
    """How much every metric differs from that of other outputs for the same rows.

    Both are scored on the same resamples, so that what a resample does to both falls out.

    Args:
        task: As for `with_intervals`.
        truth: As for `with_intervals`.
        outputs: (rows, outputs) of one model.
        others: (rows, outputs) of the other.
        seed: Of the resampling.
        resamples: How many.

    Returns:
        As `with_intervals`, of the differences outputs - others.
    """
    values, drawn = _resampled(task, truth, outputs, seed, resamples)
    other_values, other_drawn = _resampled(task, truth, others, seed, resamples)
    return {
        name: _interval(values[name] - other_values[name], drawn[name] - other_drawn[name])
        for name in values
    }


def _resampled(task, truth, outputs, seed, resamples):
    """Every metric of the rows, and (resamples,) of each."""
    random = np.random.default_rng(seed)
    score = classification if task.type == "classification" else regression
    drawn = []
    for start in range(0, resamples, CHUNK):
        index = random.integers(0, len(truth), (min(CHUNK, resamples - start), len(truth)))
        if task.type == "classification":
            index = np.stack([np.bincount(row, minlength=len(truth)) for row in index])
        drawn.append(score(truth, outputs, index))
    values = {name: value[0] for name, value in score(truth, outputs).items()}
    return values, {name: np.concatenate([part[name] for part in drawn]) for name in values}


def temperature(truth, logits, weights=None):
    """The one number that, dividing logits, makes them best calibrated (Guo et al. 2017).

    Args:
        truth: (rows,) class positions.
        logits: (rows, classes) of rows the network has not seen.
        weights: (rows,) or None.

    Returns:
        A float in [0.05, 20] that minimises the log loss.
    """
    logits = np.asarray(logits, "float64")

    def loss(log_t):
        log_p = scipy.special.log_softmax(logits / np.exp(log_t), axis=1)
        own = np.take_along_axis(log_p, truth[:, None], axis=1)[:, 0]
        return -np.average(own, weights=weights)

    bound = np.log(20.0)
    found = scipy.optimize.minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
    return float(np.exp(found.x))


def _interval(value, drawn):
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": float(value), "low": float(low), "high": float(high)}


def _confusions(truth, predicted, classes, weights):
    """(resamples, true, predicted) weighted counts."""
    cells = scipy.sparse.csr_matrix(
        (np.ones(len(truth)), (np.arange(len(truth)), truth * classes + predicted)),
        shape=(len(truth), classes * classes),
    )
    return np.asarray(weights @ cells).reshape(len(weights), classes, classes)


def _from_confusions(counts):
    right = np.diagonal(counts, axis1=1, axis2=2)
    true, predicted = counts.sum(2), counts.sum(1)
    total = true.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(true > 0, right / true, np.nan)
        f1 = np.where(true + predicted > 0, 2 * right / (true + predicted), np.nan)
        covariance = right.sum(1) * total - (true * predicted).sum(1)
        spread = (total**2 - (true**2).sum(1)) * (total**2 - (predicted**2).sum(1))
        mcc = np.where(spread > 0, covariance / np.sqrt(spread), 0.0)
    return {
        "accuracy": right.sum(1) / total,
        "balanced_accuracy": np.nanmean(recall, axis=1),
        "f1_macro": np.nanmean(f1, axis=1),
        "mcc": mcc,
    }


def _roc_auc(truth, chances, weights):
    classes = [1] if chances.shape[1] == 2 else np.unique(truth)
    each = [_auc(truth == c, chances[:, c], weights) for c in classes]
    known = np.isfinite(each)
    with np.errstate(invalid="ignore"):
        return np.where(known, each, 0).sum(0) / known.sum(0)


def _auc(positive, scores, weights):
    """Area under the curve by the rank sum, ties counted half; NaN where one side is empty."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    pos = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    neg = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(neg, axis=1) - neg
    with np.errstate(invalid="ignore"):
        return (pos * (below + neg / 2)).sum(1) / (pos.sum(1) * neg.sum(1))


def _regression_of_one(truth, values):
    error = values - truth
    spread = ((truth - truth.mean(1, keepdims=True)) ** 2).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.where(np.ptp(truth, axis=1) > 0, 1 - (error**2).sum(1) / spread, np.nan)
    ranks = [scipy.stats.rankdata(part, axis=1) for part in (truth, values)]
    return {
        "r2": r2,
        "pearson": _correlation(truth, values),
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
