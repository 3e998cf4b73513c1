"""Greedy ensemble selection by out-of-fold outputs."""

from typing import Literal

import numpy as np

from autogenome_tf import metrics
from autogenome_tf.training import CrossValidation

# With fewer rows to learn from, one trial says little, and ten cost little.
FEW_ROWS, MANY_TRIALS, FEW_TRIALS = 1000, 10, 3
# Rounds of greedy selection.
ROUNDS = 30


def size_for(asked: int | Literal["auto"], rows: int) -> int:
    """Return the config's `ensemble.size` for so many rows to learn from.

    Args:
        asked: `ensemble.size`: a number, or "auto".
        rows: Number of training rows.
    """
    if asked != "auto":
        return asked
    return MANY_TRIALS if rows < FEW_ROWS else FEW_TRIALS


def select(outputs: list[np.ndarray], cross_validation: CrossValidation) -> np.ndarray:
    """Select greedily with replacement (Caruana et al. 2004, "Ensemble selection from libraries").

    Args:
        outputs: For each candidate, best first, its (rows, outputs) for rows it had not seen.
        cross_validation: Its objective decides.

    Returns:
        (candidates,) shares that sum to 1; the first alone where the objective is undefined.
    """
    rows = cross_validation.validation_rows
    sign = 1 if metrics.HIGHER_IS_BETTER[cross_validation.objective] else -1
    counts, total = np.zeros(len(outputs), int), np.zeros(outputs[0].shape)
    best, best_counts = -np.inf, np.eye(len(outputs), dtype=int)[0]
    for chosen in range(1, ROUNDS + 1):
        means = [(total + part) / chosen for part in outputs]
        scores = [sign * cross_validation.score(rows, mean) for mean in means]
        first = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
        counts = counts + (np.arange(len(outputs)) == first)
        total = total + outputs[first]
        if scores[first] > best:
            best, best_counts = scores[first], counts
    return best_counts / best_counts.sum()
