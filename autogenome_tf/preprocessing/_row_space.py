"""Coordinates of the first layer: the genes themselves, or the span of the training rows.

With n rows and p > n genes training learns nothing about directions outside the span of the rows:
there the first kernel would keep its random start, which is noise on new rows. A network trained
on the rows' coordinates in an orthonormal basis of their span has none, costs nothing per gene,
and folds back into an equal gene-level network.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from autogenome_tf.core import blas, chunked

# Directions below this share of the largest variance are rounding, not data.
SMALLEST_EIGENVALUE = 1e-6
# The eigenproblem is rows x rows; beyond this it costs more than it saves.
MOST_ROWS = 1500
# With more rows, the span of "rows" is that of so many directions.
RANK = 512
# Rows x genes beyond which networks of all genes are slow, and those directions are preferred.
LARGE = 2e7
# The subspace iteration for the widest directions: its steps, and directions beyond `RANK`.
STEPS, BEYOND = 3, 10


@dataclasses.dataclass(frozen=True)
class Genes:
    """Keep the preprocessed genes as inputs, each at a place of its own.

    Attributes:
        places: (genes,) place of each gene among the inputs.
        inputs: Number of inputs; one that is no gene's place is 0.
    """

    places: np.ndarray
    inputs: int

    name = "genes"

    @classmethod
    def of(cls, genes: np.ndarray, among: np.ndarray) -> "Genes":
        """Place sorted numbers of some genes among sorted numbers of others.

        Args:
            genes: (n,) numbers of genes that the network sees.
            among: (m,) numbers of the genes of the rows.
        """
        return cls(np.searchsorted(among, genes), len(among))

    def coordinates(self, rows: np.ndarray) -> np.ndarray:
        """Put (rows, genes) at their places, (rows, inputs).

        Args:
            rows: (rows, genes) values.
        """
        if len(self.places) == self.inputs:
            return rows
        found = np.zeros((len(rows), self.inputs), "float32")
        found[:, self.places] = rows
        return found

    def powered(self, power: float) -> "Genes":
        """Change nothing: spectral power has no meaning here.

        Args:
            power: Spectral power, at least 0.
        """
        return self

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of a kernel, (inputs, units), that belong to the genes, and the bias.

        Args:
            kernel: (inputs, units) weights of the first layer.
            bias: (units,) bias of the first layer.
        """
        return kernel[self.places], bias


@dataclasses.dataclass(frozen=True)
class RowSpace:
    """Map rows to an orthonormal basis of the span of centred training rows.

    Coordinates are scaled to unit mean square.

    Attributes:
        centre: (genes,) mean of the training rows.
        made_basis: Function that returns the `basis`; a search asks for that of few spaces.
        deviation: (rank,) standard deviation of the training rows along each column.
        factors: (rank,) factor of each coordinate.
    """

    centre: np.ndarray
    made_basis: Callable[[], np.ndarray]
    deviation: np.ndarray
    factors: np.ndarray

    name = "rows"

    @property
    def basis(self) -> np.ndarray:
        """Return the orthonormal columns, (genes, rank)."""
        return self.made_basis()

    @property
    def rank(self) -> int:
        """Return the number of coordinates."""
        return len(self.deviation)

    @classmethod
    def of(cls, rows: np.ndarray, is_truncated: bool = False) -> "RowSpace":
        """Span preprocessed training rows.

        Args:
            rows: (rows, genes), which stay as they are; but those of float32 are centred in place
                where the span is truncated, since a large matrix has no room for a copy.
            is_truncated: Take the `RANK` widest directions by a randomised subspace iteration
                (Halko et al. 2011, algorithm 4.4) in place of all of them by a float64 eigenproblem
                of rows x rows.
        """
        if not is_truncated:
            return cls.spanned(lambda: rows, np.arange(len(rows)))[0]
        centred = rows.astype("float32", copy=False)
        centre = centred.mean(0, dtype="float64")
        centred -= centre
        widest = _widest(centred, min(RANK, *centred.shape))
        deviation, turn = _turn(*widest)
        basis = _product(centred, turn)
        return cls._scaled(centre, lambda: basis, deviation)

    @classmethod
    def spanned(
        cls, read: Callable[[], np.ndarray], train: np.ndarray
    ) -> tuple["RowSpace", np.ndarray]:
        """Span the training rows among all rows; return the coordinates of all rows as well.

        The products of rows with rows are all that either needs of the genes. They cost a fraction
        of the basis, which is made when it is asked for.

        Args:
            read: Function that returns preprocessed rows, (rows, genes), the same each time.
            train: Numbers of the training rows.

        Returns:
            The space, and (rows, rank) float32.
        """
        with blas.one_thread():
            centre, products = _products(read(), train)
            deviation, turn = _turn(*_descending(products[np.ix_(train, train)]))

            @functools.cache
            def basis():
                with blas.one_thread():
                    return _product(read()[train], turn, centre)

            space = cls._scaled(centre, basis, deviation)
            return space, (products[:, train] @ turn * space.factors).astype("float32")

    @classmethod
    def _scaled(cls, centre, made_basis, deviation):
        """Return the space whose coordinates have unit mean square."""
        found = cls(centre.astype("float32"), made_basis, deviation, np.ones(len(deviation)))
        return found.powered(0.0)

    def powered(self, power: float) -> "RowSpace":
        """Divide each coordinate by its deviation to a power (0: as is, 1: whitened).

        Args:
            power: Spectral power, at least 0.
        """
        factors = self.deviation**-power
        mean_square = np.mean((self.deviation * factors) ** 2)
        return dataclasses.replace(self, factors=factors / np.sqrt(mean_square))

    def coordinates(self, rows: np.ndarray) -> np.ndarray:
        """Map (rows, genes) to (rows, rank) float32.

        Args:
            rows: (rows, genes) values.
        """
        return (((rows - self.centre) @ self.basis) * self.factors).astype("float32")

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fold a first dense layer on coordinates into an equal one on genes.

        Args:
            kernel: (inputs, units); behind the rank are inputs that are always 0.
            bias: (units,).

        Returns:
            (genes, units) and (units,).
        """
        kernel = kernel[: self.rank]
        folded = self.basis.astype("float64") @ (self.factors[:, None] * kernel)
        return folded.astype("float32"), (bias - self.centre @ folded).astype("float32")


def _products(rows, train):
    """Return the mean of the training rows and the products of all rows, centred, in float64."""
    count, genes = rows.shape
    centre, products = np.empty(genes), np.zeros((count, count))
    for part in chunked.parts(genes, 1):
        block = rows[:, part].astype("float64")
        centre[part] = block[train].mean(0)
        block -= centre[part]
        products += block @ block.T
    return centre, products


def _product(rows, turn, centre=None):
    """Return centred rows transposed times `turn`, (genes, rank) float32.

    All genes in float64 at once would take twice the memory of the rows.
    """
    found = np.empty((rows.shape[1], turn.shape[1]), "float32")
    for part in chunked.parts(len(found), 1):
        block = rows[:, part].astype("float64")
        found[part] = (block if centre is None else block - centre[part]).T @ turn
    return found


def _turn(values, vectors):
    """Return the deviation along each direction that is data, and (rows, directions) to a basis.

    Args:
        values: Variances times rows, widest first.
        vectors: (rows, directions) that they belong to.
    """
    kept = values > SMALLEST_EIGENVALUE * max(values[0], 1e-30)
    values, vectors = values[kept], vectors[:, kept]
    return np.sqrt(values / len(vectors)), vectors / np.sqrt(values)


def _descending(products):
    """Return eigenvalues, widest first, and the vectors that they belong to."""
    values, vectors = np.linalg.eigh(products)
    return values[::-1], vectors[:, ::-1]


def _widest(centred, rank):
    """Return eigenvalues and vectors of products of rows, as `_descending`, the widest alone.

    scikit-learn's `randomized_svd` finds the same, but decomposes matrices with a row a gene in
    each step; here those of a row a sample do, which takes a third of the time.
    """
    count = min(rank + BEYOND, len(centred))
    vectors = np.random.default_rng(0).standard_normal((len(centred), count), dtype="float32")
    for _ in range(STEPS):
        vectors = np.linalg.qr(centred @ (centred.T @ vectors))[0]
    projected = vectors.T @ centred
    values, turned = np.linalg.eigh((projected @ projected.T).astype("float64"))
    return values[::-1][:rank], vectors.astype("float64") @ turned[:, ::-1][:, :rank]


def space_for(rows: int, genes: int, asked: str = "auto") -> str:
    """Choose the coordinates that the first layer is trained on, "rows" or "genes".

    Args:
        rows: Number of rows to learn from.
        genes: Number of genes that the network sees.
        asked: The config's `training.space`: "rows", "genes", or "auto": rows where genes outnumber
            a moderate number of them, or where the matrix is large.
    """
    if asked != "auto":
        return asked
    if rows > MOST_ROWS:
        return "rows" if rows * genes > LARGE and genes > 4 * RANK else "genes"
    return "rows" if rows < genes else "genes"
