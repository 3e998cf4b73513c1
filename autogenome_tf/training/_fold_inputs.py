"""Rows to learn from after one transform, each fold with its own constants and coordinates.

Nothing that a fold's validation rows are judged by may have seen them: scaling, imputation, genes
and basis come from its training rows.
"""

from typing import Any

import numpy as np
import scipy.sparse

from autogenome_tf.config import Data
from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.nn.epistatic_penalty import Genotypes
from autogenome_tf.preprocessing import FittedScaling, Genes, Moments, RowSpace, Transform
from autogenome_tf.training._engines import resident

CHUNK = 1024


class FoldInputs:
    """Prepare the same rows as the network of each fold sees them.

    Args:
        values: (rows, genes) raw, an array or CSR.
        transform: A `preprocessing.Transform`.
        settings: The config's section `data`.
        splits: (train rows, validation rows) of each fold.
        space: "rows" or "genes", the coordinates of the first layer.
        is_truncated: Whether "rows" are only the widest directions.
        is_streamed: Whether rows are transformed batch by batch; there is one fold then.

    Attributes:
        constants: `FittedScaling` of each fold.
        genes: Numbers of the genes that some fold keeps, sorted.
        coordinates: `RowSpace` or `Genes` of each fold.
        width: Number of inputs.
        shape: (rows, inputs) of one fold.
        rows: (folds, rows, inputs) in memory, or a list with one stream.
    """

    constants: list[FittedScaling]
    genes: np.ndarray
    coordinates: list[RowSpace | Genes]
    width: int
    rows: Any

    def __init__(
        self,
        values: Matrix,
        transform: Transform,
        settings: Data,
        splits: list[tuple[np.ndarray, np.ndarray]],
        space: str,
        is_truncated: bool = False,
        is_streamed: bool = False,
    ):
        self.transform, self._settings = transform, settings
        self._values = values
        self._transformed = None if is_streamed else self._transform(values)
        self.constants = [self._constants(train) for train, _ in splits]
        self.genes = np.unique(np.concatenate([constants.genes for constants in self.constants]))
        # A gene has the same place in every fold, so that one network can stand for all.
        self.coordinates = [Genes.of(constants.genes, self.genes) for constants in self.constants]
        if is_streamed:
            self.width = len(self.genes)
            self.rows = [self]
            return
        prepared = []
        for fold, (train, _) in enumerate(splits):
            rows = self.constants[fold].apply(self._transformed_rows(slice(None)))
            if space == "rows":
                self.coordinates[fold] = RowSpace.of(rows[train], is_truncated)
            prepared.append(self.coordinates[fold].coordinates(rows))
        self.width = max(own.shape[1] for own in prepared)
        self.rows = resident(np.stack([_padded(own, self.width) for own in prepared]))
        # What is needed of them from now on is made anew.
        self._transformed = None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, inputs) of one fold."""
        return self._values.shape[0], self.width

    def batch(self, index: np.ndarray) -> np.ndarray:
        """Make (n, inputs) of (n,) numbers of rows, where there is one fold."""
        return self.constants[0].apply(self._transformed_rows(index))

    def factors(self, power: float) -> np.ndarray | None:
        """Return (folds, inputs) that bring coordinates to a spectral power; of genes None."""
        spaces = [own for own in self.coordinates if isinstance(own, RowSpace)]
        if not spaces:
            return None
        each = [space.powered(power).factors / space.factors for space in spaces]
        return np.stack([np.pad(f, (0, self.width - len(f))) for f in each]).astype("float32")

    def genotypes(self, settings) -> Genotypes:
        """Return the genotypes as the network of each fold sees them.

        Args:
            settings: The config's `training.epistasis`; rows are 0 and 1 then, untransformed.
        """
        sites = self._values.shape[1]
        ends = np.stack([np.zeros(sites), np.ones(sites)])
        folds = zip(self.coordinates, self.constants, strict=True)
        low, high = zip(
            *(own.coordinates(constants.apply(ends)) for own, constants in folds), strict=True
        )
        return Genotypes(np.stack(low), np.stack(high), settings.method, settings.bits)

    def common_scaling(self) -> FittedScaling:
        """Return constants that stand for those of every fold, of all genes that one keeps."""
        if len(self.constants) == 1:
            return self.constants[0]
        return self._constants(np.arange(self.shape[0]), self.genes)

    def on_genes(
        self,
        fold: int,
        kernel: np.ndarray,
        bias: np.ndarray,
        constants: FittedScaling,
        power: float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turn a first layer on a fold's coordinates into one on genes scaled by other constants.

        Args:
            fold: Its number.
            kernel: (inputs, units).
            bias: (units,).
            constants: Of the genes, the fold's own or `common_scaling`.
            power: Spectral power the kernel was trained with.

        Returns:
            (genes, units) and (units,).
        """
        coordinates = self.coordinates[fold].powered(power)
        return constants.take_over(self.constants[fold], *coordinates.fold(kernel, bias))

    def _constants(self, train, genes=None):
        """Fit scaling to some rows, for given genes or those that the settings choose."""
        settings = self._settings
        chunks = (train[i : i + CHUNK] for i in range(0, len(train), CHUNK))
        moments = Moments.of(self._transformed_rows(index) for index in chunks)
        if settings.missing == "median":
            moments = moments.with_median(self._transformed_rows(train))
        if genes is None:
            genes = moments.most_variable(settings.top_variable)
        constants = FittedScaling.of(moments, settings.scale, settings.missing, genes)
        if self.transform.name != "rank":
            return constants
        rows = self._transformed_rows(train)
        return constants.ranked(rows, settings.scale, settings.missing)

    def _transformed_rows(self, index):
        if self._transformed is None:
            return self._transform(chunked.taken(self._values, index))
        return self._transformed[index]

    def _transform(self, values):
        chunks = [values[i : i + CHUNK] for i in range(0, values.shape[0], CHUNK)]
        dense = (c.toarray() if scipy.sparse.issparse(c) else c for c in chunks)
        return np.concatenate([np.asarray(self.transform(c), "float32") for c in dense])


def _padded(rows, width):
    """Pad rows of smaller rank to a width with zeros; folding drops their weights."""
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
