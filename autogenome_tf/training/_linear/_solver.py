"""The contract of a linear learner that is solved exactly, and the rows that it learns from."""

import abc
import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from autogenome_tf.core import chunked

Layer = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class LinearRows:
    """Training rows of one fold.

    Attributes:
        values: (all rows, inputs): genes, or coordinates in the span of the rows.
        targets: (rows,) class positions, or (rows, targets) standardised values, NaN for gaps.
        weights: (rows,) weight of each row, above 0, mean 1.
        outputs: Number of classes or targets.
        genes: Number of genes that the inputs stand for.
        index: (rows,) numbers of the training rows among all; None: all are.
        factors: (inputs,) factor of each input; None: all are 1.
    """

    values: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    outputs: int
    genes: int
    index: np.ndarray | None = None
    factors: np.ndarray | None = None

    @functools.cached_property
    def inputs(self) -> np.ndarray:
        """Return the (rows, inputs) times their factors, a copy: `summed` makes none of all."""
        return self._taken(slice(None))

    @functools.cached_property
    def indicators(self) -> np.ndarray:
        """Return (rows, outputs), 1 for a row's class and 0 for the others, or the values."""
        if self.targets.ndim > 1:
            return self.targets.astype("float64")
        return np.eye(self.outputs)[self.targets]

    @functools.cached_property
    def class_weights(self) -> np.ndarray:
        """Return the (classes,) sum of the weights of the rows of each class."""
        return np.bincount(self.targets, self.weights, self.outputs)

    @functools.cached_property
    def counts(self) -> np.ndarray:
        """Return the (classes,) weight of each class; one without rows has that of half a row."""
        return np.maximum(self.class_weights, 0.5 * self.weights.mean())

    @functools.cached_property
    def shares(self) -> np.ndarray:
        """Return the (classes,) share of each class in `counts`."""
        return self.counts / self.counts.sum()

    @functools.cached_property
    def class_means(self) -> np.ndarray:
        """Return the (classes, inputs) mean of each class; of one without rows the mean of all."""
        weighed = self.indicators * self.weights[:, None]
        sums = self.summed(lambda inputs, part: weighed[part].T @ inputs)
        means = sums / np.maximum(self.class_weights, 1e-30)[:, None]
        return np.where(self.class_weights[:, None] > 0, means, self.mean)

    @functools.cached_property
    def mean(self) -> np.ndarray:
        """Return the (inputs,) mean of the rows."""
        return self.summed(lambda inputs, part: self.weights[part] @ inputs) / self.weights.sum()

    def summed(self, of: Callable[[np.ndarray, slice], np.ndarray]) -> np.ndarray:
        """Sum over chunks of rows, since a float64 copy of all genes may not fit into memory.

        Args:
            of: Function from the inputs of some rows, (n, inputs) float64, and the slice of their
                numbers to the array that is added up.
        """
        # So many are in float64 at once, since sums are all that is needed.
        parts = chunked.parts(len(self.targets), self.values.shape[1])
        return functools.reduce(
            np.add, (of(self._taken(part).astype("float64"), part) for part in parts)
        )

    def outputs_of(self, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Return what a layer makes of all rows, (all rows, outputs) float32.

        Args:
            kernel: (inputs, outputs).
            bias: (outputs,).
        """
        # Factors of the rows are those of the kernel, so that no row is copied.
        kernel = kernel if self.factors is None else kernel * self.factors[:, None]
        parts = chunked.parts(*self.values.shape)
        return np.concatenate([(self.values[p] @ kernel + bias).astype("float32") for p in parts])

    def _taken(self, part):
        rows = self.values[part if self.index is None else self.index[part]]
        return rows if self.factors is None else rows * self.factors


class LinearSolver(abc.ABC):
    """Solve a linear learner for each value of a path.

    Attributes:
        is_descending: Whether the largest value of the path is the simplest model.
    """

    is_descending = True

    @abc.abstractmethod
    def path(
        self, rows: LinearRows, values: Iterable[float], deadline: float = float("inf")
    ) -> Iterator[Layer]:
        """Solve for each value in turn.

        Args:
            rows: Training rows of one fold.
            values: Of the hyperparameter that the path is of, the simplest model first.
            deadline: `time.monotonic()` after which an iteration ends where it is.

        Yields:
            For each value a kernel (inputs, outputs) and a bias (outputs,), float64.

        Raises:
            ValueError: The rows cannot be solved for; the message says why and what to do.
        """


def unit_scale(rows: LinearRows, kernel: np.ndarray) -> float:
    """Return the standard deviation that outputs would have if genes were independent.

    Logits divided by it are in the range in which the temperature that calibrates them is looked
    for; a discriminant's grow with the number of genes.

    Args:
        rows: Training rows of one fold.
        kernel: (inputs, outputs).
    """
    squares = rows.summed(lambda inputs, part: rows.weights[part] @ (inputs - rows.mean) ** 2)
    variance = squares.sum() / rows.weights.sum()
    spread = np.sqrt((kernel**2).sum() / kernel.shape[1] * variance / rows.genes)
    return float(spread) if spread > 0 else 1.0
