"""Batches of row numbers for the replicas of a network."""

from typing import Literal

import numpy as np

from autogenome_tf.core.seeds import derive
from autogenome_tf.training._engines import Engine

FEWEST_STEPS = 8
SMALLEST_BATCH = 8
# Of "auto": so many rows, or more where that leaves so many steps: small ones take long to start.
USUAL_BATCH, LARGEST_BATCH, MANY_STEPS = 64, 256, 128
# Steps of an epoch where each sees all rows; more would pass the best epoch within the first.
STEPS_OF_SETS = 4


def batch_size_for(asked: int | Literal["auto"], rows: int) -> int:
    """Return the number of rows of a batch.

    Args:
        asked: `training.batch_size`: the largest, or "auto": 64, and a 128th of many rows, up to
            256.
        rows: Number of training rows; they fill at least 8 batches, of 8 rows at least.
    """
    if asked == "auto":
        asked = min(max(USUAL_BATCH, rows // MANY_STEPS), LARGEST_BATCH)
    return min(asked, max(SMALLEST_BATCH, rows // FEWEST_STEPS))


class Batches:
    """Full batches of row numbers for every replica, by wrap-around, in a seeded order.

    Args:
        engine: The `Engine` whose replicas learn from them.
        batch_size: As for `batch_size_for`.
        seed: Of the order.
        together: Batches a step, one behind the other; each has seen every row after an epoch.

    A loss that compares the rows of a fold takes all of them as one batch, 4 times an epoch.
    """

    def __init__(
        self, engine: Engine, batch_size: int | Literal["auto"], seed: int, together: int = 1
    ):
        train = [engine.rows.train[k % engine.folds] for k in range(engine.count)]
        self._train = [np.asarray(rows) for rows in train]
        most = max(map(len, self._train))
        self._is_of_sets = engine.task.is_of_sets
        self._size = most if self._is_of_sets else min(batch_size_for(batch_size, most), most)
        self._steps = STEPS_OF_SETS if self._is_of_sets else -(-most // self._size)
        self._together = together
        self._random = [
            np.random.default_rng(derive(seed, f"replica/{k}")) for k in range(len(train))
        ]

    def epoch(self) -> np.ndarray:
        """Draw (steps, replicas, together * batch) row numbers; each row comes at least once."""
        return self._draw(self._random, self._steps)

    def first(self, steps: int) -> np.ndarray:
        """Draw so many batches in an order of their own, for a rehearsal.

        Args:
            steps: Number of batches.
        """
        rehearsal = [np.random.default_rng(0) for _ in self._train]
        return self._draw(rehearsal, steps)

    def _draw(self, generators, steps):
        parts = []
        for _ in range(self._together):
            drawn = [
                self._steps_of(rows, random, steps)
                for rows, random in zip(self._train, generators, strict=True)
            ]
            parts.append(np.stack(drawn, axis=1))
        return np.concatenate(parts, axis=2).astype("int32")

    def _steps_of(self, rows, random, steps):
        """Return the batches of one replica, (steps, batch)."""
        if self._is_of_sets:
            return np.stack([self._wrapped(rows, random, self._size) for _ in range(steps)])
        return self._wrapped(rows, random, steps * self._size).reshape(steps, self._size)

    @staticmethod
    def _wrapped(rows, random, length):
        rounds = -(-length // len(rows))
        return np.concatenate([random.permutation(rows) for _ in range(rounds)])[:length]
