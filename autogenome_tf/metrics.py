"""Metrics of a task with 95 % bootstrap intervals, all resamples at once."""

from collections.abc import Iterable

import numpy as np

from autogenome_tf.tasks import KINDS, Task
from autogenome_tf.tasks.class_metrics import classification, temperature
from autogenome_tf.tasks.value_metrics import regression

__all__ = [
    "CORRECTED", "HIGHER_IS_BETTER", "OUTER", "PERMUTATION", "SCORED", "best_value",
    "classification", "differences", "gap", "in_order", "interval", "of_target", "regression",
    "sign", "temperature", "with_intervals",
]  # fmt: skip

HIGHER_IS_BETTER = {
    name: is_higher
    for kind in KINDS.values()
    for loss in kind.losses
    for name, is_higher in kind.for_loss(loss).objectives.items()
}
RESAMPLES = 1000
CHUNK = 100
# Permutations of a test of chance.
PERMUTATIONS = 499

# Parts of rows that a model is scored on, the most independent of training first.
SCORED = ("test", "evaluate", "validation")
# Name of the validation metrics without the gain of having been chosen.
CORRECTED = "validation_corrected"
# Name of the metrics over the outer folds of a nested cross-validation.
OUTER = "outer"
# Name of the test of the headline metric against permuted targets.
PERMUTATION = "permutation"


def sign(name: str) -> int:
    """Return 1 for a metric of which higher values are better, -1 for one of lower values.

    Args:
        name: Name of the metric.

    >>> sign("accuracy"), sign("rmse")
    (1, -1)
    """
    return 1 if HIGHER_IS_BETTER[name] else -1


def best_value(name: str) -> float:
    """Return the value of a metric that no model can pass.

    Args:
        name: Name of the metric.

    >>> best_value("accuracy"), best_value("rmse"), best_value("partial_log_likelihood")
    (1.0, 0.0, inf)
    """
    if not HIGHER_IS_BETTER[name]:
        return 0.0
    # A gain in log-likelihood has no upper bound.
    return np.inf if name.endswith("log_likelihood") else 1.0


def of_target(key: str) -> tuple[str, str]:
    """Return the target and the name of a metric; the target is "" unless there are several kinds.

    Args:
        key: Key of metrics.json.

    >>> of_target("os.days.r2"), of_target("r2")
    (('os.days', 'r2'), ('', 'r2'))
    """
    target, _, name = key.rpartition(".")
    return target, name


def in_order(parts: Iterable[str]) -> list[str]:
    """Sort parts that can be scored, the most independent of training first; drop all others.

    Args:
        parts: Names of parts of the rows.

    >>> in_order({"validation", "train", "test"})
    ['test', 'validation']
    """
    return [part for part in (*SCORED[:2], OUTER, CORRECTED, SCORED[2]) if part in parts]


def with_intervals(
    task: Task,
    targets: np.ndarray,
    outputs: np.ndarray,
    seed: int,
    resamples: int = RESAMPLES,
    *,
    weights: np.ndarray | None = None,
) -> dict[str, dict]:
    """Compute every metric of a task with its 95 % percentile bootstrap interval.

    Args:
        task: A task that has targets.
        targets: (rows,) class positions, or (rows, targets) in original units.
        outputs: (rows, outputs): logits, or values in original units.
        seed: Of the resampling.
        resamples: Number of resamples.
        weights: (rows,) weight of each row; None: all rows count alike.

    Returns:
        Dict of name to {"value", "low", "high"}; None where a metric is undefined.
    """
    values, drawn = _resampled(task, targets, outputs, seed, resamples, weights)
    return {name: interval(values[name], drawn[name]) for name in values}


def differences(
    task: Task,
    targets: np.ndarray,
    outputs: np.ndarray,
    others: np.ndarray,
    seed: int,
    resamples: int = RESAMPLES,
    *,
    weights: np.ndarray | None = None,
) -> dict[str, dict]:
    """Compute the difference of every metric between two models' outputs for the same rows.

    Both are scored on the same resamples, so that what a resample does to both cancels.

    Args:
        task: As for `with_intervals`.
        targets: As for `with_intervals`.
        outputs: (rows, outputs) of one model.
        others: (rows, outputs) of the other.
        seed: Of the resampling.
        resamples: Number of resamples.
        weights: As for `with_intervals`.

    Returns:
        As `with_intervals`, of the differences outputs - others.
    """
    values, drawn = _resampled(task, targets, outputs, seed, resamples, weights)
    other_values, other_drawn = _resampled(task, targets, others, seed, resamples, weights)
    return {
        name: interval(values[name] - other_values[name], drawn[name] - other_drawn[name])
        for name in values
    }


def gap(
    task: Task,
    targets: np.ndarray,
    outputs: np.ndarray,
    levels: np.ndarray,
    name: str,
    seed: int,
    *,
    weights: np.ndarray | None = None,
) -> tuple[str, float]:
    """Find the level with the worst metric, and how often chance makes one as bad.

    Levels are permuted among rows of one class, so that levels of easy classes do not count as
    better; of other tasks among all rows.

    Args:
        task: As for `with_intervals`.
        targets: As for `with_intervals`.
        outputs: As for `with_intervals`.
        levels: (rows,) names of at least two levels.
        name: Metric that is compared.
        seed: Of the permutations.
        weights: As for `with_intervals`.

    Returns:
        Name of the worst level, and the p-value: the share of permutations, the observed levels
        among them, in which the worst level is as bad.
    """
    names, own = np.unique(np.asarray(levels, str), return_inverse=True)
    random = np.random.default_rng(seed)
    strata = targets if task.has_classes else np.zeros(len(own), int)
    drawn = np.stack([own, *(_permuted(own, strata, random) for _ in range(PERMUTATIONS))])
    scores = []
    for level in range(len(names)):
        index = np.stack([np.flatnonzero(line == level) for line in drawn])
        scores.append(sign(name) * task.metric(name, targets, outputs, index, weights))
    known = np.nan_to_num(scores, nan=np.inf)
    least = known.min(axis=0)
    worst = str(names[known[:, 0].argmin()])
    return worst, float((least <= least[0]).sum() / len(least))


def _permuted(levels, strata, random):
    """Return levels in another order among rows of one stratum."""
    order = np.lexsort((random.random(len(levels)), strata))
    plain = np.argsort(strata, kind="stable")
    found = levels.copy()
    found[plain] = levels[order]
    return found


def _resampled(task, targets, outputs, seed, resamples, weights):
    """Return every metric of the rows, and (resamples,) of each."""
    random, count = np.random.default_rng(seed), len(targets)
    drawn = []
    for start in range(0, resamples, CHUNK):
        index = random.integers(0, count, (min(CHUNK, resamples - start), count))
        drawn.append(task.metrics(targets, outputs, index, weights))
    values = {
        name: value[0] for name, value in task.metrics(targets, outputs, weights=weights).items()
    }
    return values, {name: np.concatenate([part[name] for part in drawn]) for name in values}


def interval(value: float, drawn: np.ndarray) -> dict[str, float | None]:
    """Return a metric as metrics.json has it: with its 95 % percentile interval over resamples.

    Args:
        value: Of the rows themselves.
        drawn: (resamples,) values; those that are not finite are left out.

    Returns:
        {"value", "low", "high"}; None where the value, or that of every resample, is undefined.
    """
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": float(value), "low": float(low), "high": float(high)}
