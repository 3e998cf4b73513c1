"""Metrics of classification, all resamples at once; equal to scikit-learn's on the rows themselves.

A resample is a row of weights: how often each row was drawn.
"""

import numpy as np
import scipy.sparse
import scipy.special

from autogenome_tf.tasks._calibration import best_divisor

LEAST_PROBABILITY = 1e-15
# Divisors of logits of which the best calibrates a network that is one of many.
TEMPERATURES = np.geomspace(0.25, 8.0, 11)


def classification(
    targets: np.ndarray, logits: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Compute the metrics of class probabilities.

    Args:
        targets: (rows,) class positions.
        logits: (rows, classes).
        weights: (resamples, rows), or None for the rows themselves.

    Returns:
        Dict of name to (resamples,): accuracy, balanced_accuracy, f1_macro, mcc, roc_auc (one
        class against the rest, averaged over classes that occur), log_loss.
    """
    weights = np.ones((1, len(targets))) if weights is None else weights
    probabilities = scipy.special.softmax(np.asarray(logits, "float64"), axis=1)
    counts = _confusions(targets, probabilities.argmax(1), probabilities.shape[1], weights)
    return {
        **_from_confusions(counts),
        "roc_auc": _roc_auc(targets, probabilities, weights),
        "log_loss": _log_loss(targets, probabilities, weights),
    }


def log_likelihoods(targets: np.ndarray, logits: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean log-likelihood of rows under several calibrated networks, (networks,).

    Args:
        targets: (rows,) class positions.
        logits: (networks, rows, classes); each network is divided by the best of `TEMPERATURES`.
        weights: (rows,) weight of each row.
    """
    positions = np.broadcast_to(targets[None, :, None], (*logits.shape[:2], 1))
    means = []
    for divisor in TEMPERATURES:
        log_p = scipy.special.log_softmax(logits / divisor, axis=-1)
        own = np.take_along_axis(log_p, positions, axis=-1)[..., 0]
        means.append(np.average(own, axis=1, weights=weights))
    return np.max(means, axis=0)


def log_loss(
    targets: np.ndarray, logits: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Compute the log loss of `classification` alone, (resamples,).

    Args:
        targets: (rows,) class positions.
        logits: (rows, classes).
        weights: (resamples, rows), or None for the rows themselves.
    """
    weights = np.ones((1, len(targets))) if weights is None else weights
    probabilities = scipy.special.softmax(np.asarray(logits, "float64"), axis=1)
    return _log_loss(targets, probabilities, weights)


def temperature(
    targets: np.ndarray, logits: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Return the divisor of logits that calibrates them best (Guo et al. 2017).

    Where few rows are all predicted correctly, the best divisor would claim certainty. As in Platt
    (1999), the targets are therefore smoothed by one row in all rows and two more.

    Args:
        targets: (rows,) class positions.
        logits: (rows, classes) of rows the network has not seen.
        weights: (rows,) or None.

    Returns:
        A float in [0.05, 20] that minimises the log loss of the smoothed targets.
    """
    logits = np.asarray(logits, "float64")
    smoothing = 1 / (len(targets) + 2)

    def loss(divisor):
        log_p = scipy.special.log_softmax(logits / divisor, axis=1)
        own = np.take_along_axis(log_p, targets[:, None], axis=1)[:, 0]
        smoothed = (1 - smoothing) * own + smoothing * log_p.mean(axis=1)
        return -np.average(smoothed, weights=weights)

    return best_divisor(loss)


def _log_loss(targets, probabilities, weights):
    own = np.take_along_axis(probabilities, targets[:, None], axis=1)[:, 0]
    surprise = -np.log(np.maximum(own, LEAST_PROBABILITY))
    return (weights @ surprise) / weights.sum(1)


def _confusions(targets, predicted, classes, weights):
    """Count rows by class and prediction, (resamples, classes, classes) weighted."""
    cells = scipy.sparse.csr_matrix(
        (np.ones(len(targets)), (np.arange(len(targets)), targets * classes + predicted)),
        shape=(len(targets), classes * classes),
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


def _roc_auc(targets, probabilities, weights):
    classes = [1] if probabilities.shape[1] == 2 else np.unique(targets)
    each = [_auc(targets == c, probabilities[:, c], weights) for c in classes]
    known = np.isfinite(each)
    with np.errstate(invalid="ignore"):
        return np.where(known, each, 0).sum(0) / known.sum(0)


def _auc(positive, scores, weights):
    """Return the area under the curve by the rank sum, ties counted half; NaN for an empty side."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    pos = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    neg = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(neg, axis=1) - neg
    with np.errstate(invalid="ignore"):
        return (pos * (below + neg / 2)).sum(1) / (pos.sum(1) * neg.sum(1))
