"""Winner's bias: the score of the best of many trials, corrected for having been the best."""

import functools
from collections.abc import Iterator

import numpy as np

from autogenome_tf import metrics
from autogenome_tf.ensemble._selection import select
from autogenome_tf.tasks import Task

# Resamples of the rows: choosing one trial is fast, selecting an ensemble greedily is not.
RESAMPLES, ENSEMBLE_RESAMPLES = 300, 60


def corrected(
    task: Task,
    targets: np.ndarray,
    outputs: list[np.ndarray],
    *,
    objective: str,
    size: int,
    seed: int,
    weights: np.ndarray | None = None,
) -> dict[str, dict]:
    """Compute the validation metrics of a chosen model without the gain of having been chosen.

    The rows are resampled. On each sample the best trial is chosen, or an ensemble is selected, and
    it is scored on the rows that the sample leaves out. The mean is the corrected score
    (Tsamardinos et al. 2018, "Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation"). Nothing is trained.

    Args:
        task: A task that has targets.
        targets: (rows,) class positions, or (rows, targets) in original units.
        outputs: For each trial its (rows, outputs) for rows that its networks had not seen.
        objective: Metric that ranks trials.
        size: Trials that the final model is selected from, at least 1; 1 is the best alone.
        seed: Of the resampling.
        weights: (rows,) weight of each row; None: all rows count alike.

    Returns:
        Dict of metric to {"value", "low", "high"}: mean and 95 % interval over resamples; None
        where a metric is undefined.
    """
    count = RESAMPLES if size == 1 else ENSEMBLE_RESAMPLES
    index = np.random.default_rng(seed).integers(0, len(targets), (count, len(targets)))
    scores = _scores(task, targets, outputs, objective, index, weights)
    drawn: dict[str, list[float]] = {}
    for rows, order in zip(index, np.argsort(-scores.T, axis=1, kind="stable"), strict=True):
        chosen = [outputs[trial] for trial in order[:size]]
        left_out = np.setdiff1d(np.arange(len(targets)), rows)
        own, rest = (None if weights is None else weights[part] for part in (rows, left_out))
        shares = _shares(task, targets[rows], [one[rows] for one in chosen], objective, own)
        mean = sum(share * one[left_out] for share, one in zip(shares, chosen, strict=True))
        scored = task.metrics(targets[left_out], np.asarray(mean), weights=rest)
        for name, value in scored.items():
            drawn.setdefault(name, []).append(value[0])
    return {name: _summary(np.array(values)) for name, values in drawn.items()}


def _scores(task, targets, outputs, objective, index, weights):
    """Return the objective of each trial on each resample, (trials, resamples), higher better."""
    scores = [[*_chunks(task, targets, one, objective, index, weights)] for one in outputs]
    return np.nan_to_num(metrics.sign(objective) * np.array(scores), nan=-np.inf)


def _chunks(task, targets, outputs, objective, index, weights) -> Iterator[float]:
    """Yield the objective of one trial on each resample, a bounded number of them at a time."""
    for start in range(0, len(index), metrics.CHUNK):
        own = index[start : start + metrics.CHUNK]
        yield from task.metric(objective, targets, outputs, own, weights)


def _shares(task, targets, outputs, objective, weights):
    """Return the share of each trial in the model that would be chosen on these rows."""
    if len(outputs) == 1:
        return np.ones(1)
    return select(outputs, functools.partial(_objective, task, objective, targets, weights))


def _objective(task, objective, targets, weights, outputs):
    return metrics.sign(objective) * task.metric(objective, targets, outputs, weights=weights)[0]


def _summary(values):
    """Return mean and 95 % percentile interval over resamples; None where none is defined."""
    values = values[np.isfinite(values)]
    if not len(values):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(values, [2.5, 97.5])
    return {"value": float(values.mean()), "low": float(low), "high": float(high)}
