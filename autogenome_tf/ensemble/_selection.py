"""Shares of trials in a model by their out-of-fold outputs: greedy selection, posterior shares."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.special import softmax

from autogenome_tf.tasks import Task

# With fewer rows to learn from, one trial says little, and ten cost little.
FEW_ROWS, MANY_TRIALS, FEW_TRIALS = 1000, 10, 3
# Rounds of greedy selection.
ROUNDS = 30
# Bayesian bootstrap samples of the rows.
RESAMPLES = 1000


def size_for(asked: int | Literal["auto"], rows: int) -> int:
    """Return the config's `ensemble.size` for so many rows to learn from.

    Args:
        asked: `ensemble.size`: a number, or "auto".
        rows: Number of training rows.
    """
    if asked != "auto":
        return asked
    return MANY_TRIALS if rows < FEW_ROWS else FEW_TRIALS


def select(outputs: list[np.ndarray], score: Callable[[np.ndarray], float]) -> np.ndarray:
    """Select greedily with replacement (Caruana et al. 2004, "Ensemble selection from libraries").

    Args:
        outputs: For each candidate, best first, its (rows, outputs) for rows it had not seen.
        score: Function of (rows, outputs), higher is better; NaN where it is undefined.

    Returns:
        (candidates,) shares that sum to 1; the first alone where the objective is undefined.
    """
    counts, total = np.zeros(len(outputs), int), np.zeros(outputs[0].shape)
    best, best_counts = -np.inf, np.eye(len(outputs), dtype=int)[0]
    for chosen in range(1, ROUNDS + 1):
        means = [(total + part) / chosen for part in outputs]
        scores = [score(mean) for mean in means]
        first = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
        counts = counts + (np.arange(len(outputs)) == first)
        total = total + outputs[first]
        if scores[first] > best:
            best, best_counts = scores[first], counts
    return best_counts / best_counts.sum()


def posterior_shares(
    task: Task, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray, seed: int
) -> np.ndarray:
    """Return the posterior probabilities of candidates, by rows that they have not seen.

    On each Bayesian bootstrap sample of the rows (Rubin 1981) a candidate has the share that its
    likelihood has in that of all; the mean over samples is pseudo-BMA+ (Yao et al. 2018, "Using
    stacking to average Bayesian predictive distributions"). Where one is clearly better, or rows
    are many, it has all.

    Args:
        task: A task with `log_likelihoods`.
        targets: As networks learn them.
        outputs: (candidates, rows, outputs) for rows that each had not seen.
        weights: (rows,) weight of each row.
        seed: Of the samples.

    Returns:
        (candidates,) shares that sum to 1.
    """
    count = len(targets)
    drawn = np.random.default_rng(seed).dirichlet(np.ones(count), RESAMPLES) * weights
    each = [count * task.log_likelihoods(targets, outputs, own) for own in drawn]
    return softmax(each, axis=1).mean(axis=0)
