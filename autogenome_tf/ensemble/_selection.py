"""Greedy ensemble selection by out-of-fold outputs."""

from collections.abc import Callable
from typing import Literal

import numpy as np

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
