"""Rows to learn from after one transform, each fold with its own constants and coordinates.

Nothing that a fold's validation rows are judged by may have seen them: scaling, imputation, genes
and basis come from its training rows.
"""

import contextlib
import copy
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from autogenome_tf.config import Data
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.core.errors import InputError
from autogenome_tf.nn.epistatic_penalty import Genotypes
from autogenome_tf.nn.trees import Trees
from autogenome_tf.preprocessing import (
    FittedScaling,
    Genes,
    Moments,
    RowSpace,
    Transform,
    gene_weights,
)
from autogenome_tf.training._engines import aligned, lent
from autogenome_tf.training._fold_rows import FoldRows, TransformedRows


class FoldInputs:
    """Prepare the same rows as the network of each fold sees them.

    Args:
        values: (rows, genes) raw, an array or CSR.
        transform: A `preprocessing.Transform`.
        settings: The config's section `data`.
        splits: (train rows, validation rows) of each fold.
        space: "rows" or "genes", the coordinates of the first layer.
        row_weights: (rows,) how much each row counts in means and variances; None: all alike.
        is_truncated: Whether "rows" are only the widest directions.
        is_streamed: Whether rows are transformed batch by batch; there is one fold then.

    Attributes:
        genes: Numbers of the genes that some fold keeps, sorted.
        coordinates: `RowSpace` or `Genes` of each fold.
        width: Number of inputs.
    """

    genes: np.ndarray
    coordinates: list[RowSpace | Genes]
    width: int

    def __init__(
        self,
        values: Matrix,
        transform: Transform,
        settings: Data,
        splits: list[tuple[np.ndarray, np.ndarray]],
        space: str,
        *,
        row_weights: np.ndarray | None = None,
        is_truncated: bool = False,
        is_streamed: bool = False,
    ):
        self.transform, self._settings = transform, settings
        self._splits, self._row_weights = splits, row_weights
        self._is_streamed, self._is_truncated = is_streamed, is_truncated
        # Batches that are read on demand are of genes.
        self._space, self.width = "genes" if is_streamed else space, 0
        # Shared with those that weigh the same genes; empty where rows are made when asked for.
        self._held: list[Any] = []
        self._source = TransformedRows(values, transform)
        with self._transformed_once():
            self._rows = FoldRows(self._source, [self._constants(train) for train, _ in splits])
            self.genes = np.unique(np.concatenate([own.genes for own in self.constants]))
            # A gene has the same place in every fold, so that one network can stand for all.
            self.coordinates = [Genes.of(own.genes, self.genes) for own in self.constants]
            if self._space == "rows":
                self._span()
            else:
                self.width = len(self.genes)

    def _transformed_once(self):
        """Return a block in which several folds share what is transformed; one reads in chunks."""
        return self._source.in_memory() if len(self._splits) > 1 else contextlib.nullcontext()

    @property
    def constants(self) -> list[FittedScaling]:
        """Return the fitted scaling of each fold."""
        return self._rows.constants

    @property
    def gene_weights(self) -> list[np.ndarray] | None:
        """Return (genes,) factors of each fold's preprocessed genes; None where all are 1."""
        return self._rows.weights

    @property
    def are_genes(self) -> bool:
        """Return whether inputs are the genes themselves, not coordinates in row space."""
        return self.coordinates[0].name == "genes"

    @property
    def rows(self) -> Any:
        """Return (folds, rows, inputs) in memory, or a list with one stream."""
        if self._is_streamed:
            return [self]
        if not self._held:
            self._held.append(self._prepared())
        return self._held[0]

    def forget_genes(self) -> None:
        """Free rows in memory that are all genes; they are made anew when asked for."""
        if self._space == "genes":
            self._held.clear()

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, inputs) of one fold."""
        return self._source.values.shape[0], self.width

    def batch(self, index: np.ndarray) -> np.ndarray:
        """Make (n, inputs) of (n,) numbers of rows, where there is one fold."""
        return self._rows.batch(0, index)

    def training_batches(self, fold: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield row numbers and preprocessed genes, all of weight 1, of a fold's training rows."""
        train = self._splits[fold][0]
        for index in self._source.chunks(train):
            yield index, self._rows.unweighed(fold, index)

    def preprocessed(self, fold: int, rows: np.ndarray | None = None) -> np.ndarray:
        """Return preprocessed, weighed genes, (rows, genes of the fold) float32.

        Args:
            fold: Its number.
            rows: (n,) numbers of rows; None for all.
        """
        return self._rows.all_of(fold, rows)

    def weighed(self, statistics: list[np.ndarray], power: float) -> "FoldInputs":
        """Return the same rows with each gene weighed by a power of its statistic.

        Args:
            statistics: (genes,) of each fold, from its `training_batches`.
            power: The hyperparameter `gene_power`, above 0.
        """
        other, weights = copy.copy(self), [gene_weights(own, power) for own in statistics]
        other._rows = dataclasses.replace(self._rows, weights=weights)
        if self._space == "rows":
            other._held = []
            with self._transformed_once():
                other._span()
        return other

    def factors(self, power: float) -> np.ndarray | None:
        """Return (folds, inputs) that rows in memory are multiplied by, or None.

        In row space they bring coordinates to a spectral power; genes they weigh.

        Args:
            power: Spectral power.
        """
        spaces = [own for own in self.coordinates if isinstance(own, RowSpace)]
        if not spaces:
            return None if self._is_streamed else self._placed_weights()
        each = [space.powered(power).factors / space.factors for space in spaces]
        return np.stack([np.pad(f, (0, self.width - len(f))) for f in each]).astype("float32")

    def genotypes(self, settings) -> Genotypes:
        """Return the genotypes as the network of each fold sees them.

        Args:
            settings: The config's `training.epistasis`; rows are 0 and 1 then, untransformed.
        """
        sites = self._source.values.shape[1]
        ends = np.stack([np.zeros(sites), np.ones(sites)])
        low, high = zip(
            *(
                own.coordinates(self._rows.weighed(fold, self.constants[fold].apply(ends)))
                for fold, own in enumerate(self.coordinates)
            ),
            strict=True,
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
        kernel, bias = self.coordinates[fold].powered(power).fold(kernel, bias)
        kernel = self._rows.weighed(fold, kernel.T).T
        return constants.take_over(self.constants[fold], kernel, bias)

    def trees_on_genes(self, fold: int, trees: Trees, constants: FittedScaling) -> Trees:
        """Turn trees on a fold's genes into those on genes scaled by other constants.

        Args:
            fold: Its number.
            trees: Fitted to `preprocessed` rows.
            constants: Of the genes, the fold's own or `common_scaling`.
        """
        own = self.constants[fold]
        if own is constants:
            return trees
        places = np.searchsorted(constants.genes, own.genes[trees.genes])
        thresholds = constants.rescaled(own, trees.genes, trees.thresholds)
        return dataclasses.replace(trees, genes=places, thresholds=thresholds)

    def _placed_weights(self):
        """Return (folds, inputs) weights of genes at their places, or None."""
        if self.gene_weights is None:
            return None
        pairs = zip(self.coordinates, self.gene_weights, strict=True)
        return np.concatenate([own.coordinates(weights[None]) for own, weights in pairs])

    def _span(self):
        """Find the coordinates of each fold by its training rows, and bring all rows into them."""
        if self._is_truncated:
            found = [
                RowSpace.of(self.preprocessed(fold, train), is_truncated=True)
                for fold, (train, _) in enumerate(self._splits)
            ]
            self._place(found)
            self._held.append(self._prepared())
            return
        # Spaces read rows again; if they knew these inputs, they would keep what is held.
        pairs = [
            RowSpace.spanned(functools.partial(self._rows.all_of, fold), train)
            for fold, (train, _) in enumerate(self._splits)
        ]
        self._place([space for space, _ in pairs])
        rows = aligned((len(pairs), *self.shape))
        for own, (space, found) in zip(rows, pairs, strict=True):
            own[:, : space.rank] = found
        self._held.append(lent(rows))

    def _place(self, spaces):
        # Weighed rows take the width of the others where that fits, so that they share a step.
        self.width = max(self.width, *(own.rank for own in spaces))
        self.coordinates = [*spaces]

    def _prepared(self):
        """Return (folds, rows, inputs), behind a fold's coordinates 0: folding drops their weights.

        Each chunk goes straight to its place: copies of the rows would be most of the memory.
        """
        # Genes are weighed by `factors`, so that those of all powers share the rows.
        batch = self._rows.batch if self._space == "rows" else self._rows.unweighed
        rows = aligned((len(self._splits), *self.shape))
        for fold, own in enumerate(self.coordinates):
            for part in self._source.chunks(np.arange(self.shape[0])):
                found = own.coordinates(batch(fold, part))
                rows[fold, part, : found.shape[1]] = found
        return lent(rows)

    def _constants(self, train, genes=None):
        """Fit scaling to some rows, for given genes or those that the settings choose."""
        settings = self._settings
        weights, parts = self._row_weights, list(self._source.chunks(train))
        moments = Moments.of(
            (self._source.rows(index) for index in parts),
            None if weights is None else (weights[index] for index in parts),
        )
        if not (moments.high > moments.low).any():
            raise InputError(
                f"data.split: all genes are constant in the {len(train)} training rows of a fold "
                f"(transform {self.transform.name}), though not in all rows; there is nothing to "
                "learn from. Look at the matrix, or split it by another seed."
            )
        if settings.missing == "median":
            moments = moments.with_median(self._source.rows(train))
        if genes is None:
            genes = moments.most_variable(settings.top_variable)
        constants = FittedScaling.of(moments, settings.scale, settings.missing, genes)
        if self.transform.name != "rank":
            return constants
        rows = self._source.rows(train)
        return constants.ranked(rows, settings.scale, settings.missing)
