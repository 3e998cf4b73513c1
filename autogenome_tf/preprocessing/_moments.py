"""Per-gene statistics of transformed rows, gathered batch by batch."""

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Moments:
    """Per-gene statistics of transformed rows, missing values left out; (genes,) float64 each.

    A gene without any value has mean and variance 0. `median` is empty before `with_median`.
    """

    mean: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(
        cls, batches: Iterable[np.ndarray], weights: Iterable[np.ndarray] | None = None
    ) -> "Moments":
        """Gather batches of (rows, genes) in one pass (Chan, Golub and LeVeque 1983).

        Args:
            batches: Arrays of (rows, genes).
            weights: For each of them (rows,) how much its rows count in means and variances; None:
                all alike.
        """
        count = mean = squares = np.zeros(1)
        low, high = np.full(1, np.inf), np.full(1, -np.inf)
        each = itertools.repeat(None) if weights is None else weights
        for batch, own in zip(batches, each, strict=weights is not None):
            known = ~np.isnan(batch)
            filled = np.where(known, batch, 0).astype("float64")
            # Of rows that count alike, no product is made.
            parts = known if own is None else known * np.reshape(own, (-1, 1))
            rows = parts.sum(0)
            batch_mean = (parts * filled).sum(0) / np.where(rows > 0, rows, 1)
            total = np.where(count + rows > 0, count + rows, 1)
            change = batch_mean - mean
            squares = squares + (parts * np.where(known, filled - batch_mean, 0) ** 2).sum(0)
            squares = squares + change**2 * count * rows / total
            mean = mean + change * rows / total
            count = count + rows
            low = np.minimum(low, np.where(known, batch, np.inf).min(0))
            high = np.maximum(high, np.where(known, batch, -np.inf).max(0))
        return cls(mean, squares / np.where(count > 0, count, 1), low, high)

    def most_variable(self, count: int | None = None) -> np.ndarray:
        """Return the positions of so many genes of largest variance, or of all.

        Args:
            count: Number of genes.
        """
        if count is None:
            return np.arange(len(self.mean))
        return np.sort(np.argsort(-self.variance, kind="stable")[:count])

    def with_median(self, transformed: np.ndarray) -> "Moments":
        """Add the medians, which need all rows (rows, genes) at once.

        Args:
            transformed: (rows, genes) transformed values.
        """
        median = np.zeros(transformed.shape[1])
        some = ~np.isnan(transformed).all(0)
        median[some] = np.nanmedian(transformed[:, some], axis=0)
        return dataclasses.replace(self, median=median)
