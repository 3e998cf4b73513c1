"""Rows of a matrix as each fold preprocesses them, read anew whenever they are asked for."""

import contextlib
import dataclasses
from collections.abc import Iterator

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.preprocessing import FittedScaling, Transform


class TransformedRows:
    """Transform the rows of a matrix that are asked for.

    Args:
        values: (rows, genes) raw, an array or CSR.
        transform: A `preprocessing.Transform`.
    """

    def __init__(self, values: Matrix, transform: Transform):
        self.values, self.transform = values, transform
        self._all: np.ndarray | None = None

    @contextlib.contextmanager
    def in_memory(self) -> Iterator[None]:
        """Hold all rows, transformed once, while the block runs: for several folds that ask."""
        self._all = self.transform.rows(self.values)
        try:
            yield
        finally:
            self._all = None

    def rows(self, index: np.ndarray) -> np.ndarray:
        """Return transformed rows, (n, genes) float32.

        Args:
            index: (n,) numbers of rows.
        """
        if self._all is None:
            return self.transform.rows(chunked.taken(self.values, index))
        return self._all[index]

    def chunks(self, index: np.ndarray) -> Iterator[np.ndarray]:
        """Yield numbers of rows, as many at a time as are worth holding.

        Args:
            index: (n,) numbers of rows.
        """
        return (index[part] for part in chunked.parts(len(index), self.values.shape[1]))


@dataclasses.dataclass(frozen=True)
class FoldRows:
    """Impute, scale and weigh rows by the constants of each fold.

    Attributes:
        source: The rows.
        constants: `FittedScaling` of each fold.
        weights: (genes,) factors of each fold's preprocessed genes; None where all are 1.
    """

    source: TransformedRows
    constants: list[FittedScaling]
    weights: list[np.ndarray] | None = None

    def all_of(self, fold: int, rows: np.ndarray | None = None) -> np.ndarray:
        """Return preprocessed, weighed genes, (rows, genes of the fold) float32.

        Args:
            fold: Its number.
            rows: (n,) numbers of rows; None for all.
        """
        index = np.arange(self.source.values.shape[0]) if rows is None else rows
        found = np.empty((len(index), len(self.constants[fold].genes)), "float32")
        for part in self.source.chunks(np.arange(len(index))):
            found[part] = self.batch(fold, index[part])
        return found

    def batch(self, fold: int, index: np.ndarray) -> np.ndarray:
        """Return preprocessed, weighed genes of a few rows.

        Args:
            fold: Its number.
            index: (n,) numbers of rows.
        """
        return self.weighed(fold, self.unweighed(fold, index))

    def unweighed(self, fold: int, index: np.ndarray) -> np.ndarray:
        """Return preprocessed genes of a few rows, all of weight 1.

        Args:
            fold: Its number.
            index: (n,) numbers of rows.
        """
        return self.constants[fold].apply(self.source.rows(index))

    def weighed(self, fold: int, rows: np.ndarray) -> np.ndarray:
        """Multiply (rows, genes) by the fold's weights.

        Args:
            fold: Its number.
            rows: (rows, genes of the fold).
        """
        return rows if self.weights is None else rows * self.weights[fold]
