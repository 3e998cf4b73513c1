"""Winner's bias: the score of the best of many trials, corrected for having been the best."""

import dataclasses
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
    it is scored on the rows that the sample leaves out; samples that leave out none, which occur
    where there are few rows, do not count. The mean is the corrected score (Tsamardinos et al.
    2018, "Bootstrapping the out-of-sample predictions for efficient and accurate
    cross-validation"). Nothing is trained.

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
        where a metric is undefined. An empty dict for a single row.
    """
    count = RESAMPLES if size == 1 else ENSEMBLE_RESAMPLES
    index = np.random.default_rng(seed).integers(0, len(targets), (count, len(targets)))
    index = index[[len(np.unique(rows)) < len(targets) for rows in index]]
    trials = _Trials(task, targets, outputs, objective, weights)
    drawn: dict[str, list[float]] = {}
    for rows, order in zip(index, np.argsort(-trials.scores(index).T, kind="stable"), strict=True):
        left_out = np.setdiff1d(np.arange(len(targets)), rows)
        chosen = order[:size]
        shares = trials.shares(chosen, rows)
        for name, value in trials.metrics_of_mean(chosen, shares, left_out).items():
            drawn.setdefault(name, []).append(value[0])
    return {name: _summary(np.array(values)) for name, values in drawn.items()}


@dataclasses.dataclass(frozen=True)
class _Trials:
    """The trials that a model is chosen from, on some of the rows.

    Attributes:
        task, targets, outputs, objective, weights: As for `corrected`.
    """

    task: Task
    targets: np.ndarray
    outputs: list[np.ndarray]
    objective: str
    weights: np.ndarray | None

    def scores(self, index):
        """Return the objective of each trial on each resample, (trials, resamples), higher better.

        Args:
            index: (resamples, rows) numbers of rows.
        """
        scores = [[*self._by_resample(outputs, index)] for outputs in self.outputs]
        return np.nan_to_num(metrics.sign(self.objective) * np.array(scores), nan=-np.inf)

    def _by_resample(self, outputs, index) -> Iterator[float]:
        """Yield the objective of one trial, a bounded number of resamples at a time."""
        for start in range(0, len(index), metrics.CHUNK):
            own = index[start : start + metrics.CHUNK]
            yield from self.task.metric(self.objective, self.targets, outputs, own, self.weights)

    def shares(self, chosen, rows):
        """Return the share of each chosen trial in the model that would be made on some rows."""
        if len(chosen) == 1:
            return np.ones(1)
        targets, weights = self.targets[rows], self._weights(rows)

        def skill(outputs):
            found = self.task.metric(self.objective, targets, outputs, weights=weights)[0]
            return metrics.sign(self.objective) * found

        return select([self.outputs[trial][rows] for trial in chosen], skill)

    def metrics_of_mean(self, chosen, shares, rows):
        """Return every metric, on some rows, of the mean of chosen trials by their shares."""
        pairs = zip(shares, chosen, strict=True)
        mean = sum(share * self.outputs[trial][rows] for share, trial in pairs)
        return self.task.metrics(self.targets[rows], np.asarray(mean), weights=self._weights(rows))

    def _weights(self, rows):
        return None if self.weights is None else self.weights[rows]


def _summary(values):
    """Return mean and 95 % percentile interval over resamples; None where none is defined."""
    known = values[np.isfinite(values)]
    return metrics.interval(known.mean() if len(known) else np.nan, known)
