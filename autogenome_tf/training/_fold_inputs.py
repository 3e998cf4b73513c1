"""Rows to learn from after one transform, each fold with its own constants and coordinates.

Nothing that a fold's held rows are judged by may have seen them: scaling, imputation, genes and
basis come from its training rows.
"""

import numpy as np
import scipy.sparse

from autogenome_tf.core import chunked
from autogenome_tf.nn.epistatic_penalty import Genotypes
from autogenome_tf.preprocessing import FittedScaling, Genes, Moments, RowSpace
from autogenome_tf.training._replicas import resident

CHUNK = 1024


class FoldInputs:
    """The same rows as the network of each fold sees them.

    Args:
        values: (rows, genes) raw, an array or CSR.
        transform: A `preprocessing.Transform`.
        settings: The config's section `data`.
        pairs: (train rows, held rows) of each fold.
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

    def __init__(
        self, values, transform, settings, pairs, space, is_truncated=False, is_streamed=False
    ):
        self.transform, self._settings = transform, settings
        self._values = values
        self._transformed = None if is_streamed else self._transform(values)
        self.constants = [self._constants(train) for train, _ in pairs]
        self.genes = np.unique(np.concatenate([constants.genes for constants in self.constants]))
        # A gene has the same place in every fold, so that one network can stand for all.
        self.coordinates = [Genes.of(constants.genes, self.genes) for constants in self.constants]
        if is_streamed:
            self.width = len(self.genes)
            self.rows = [self]
            return
        views = []
        for fold, (train, _) in enumerate(pairs):
            rows = self.constants[fold].apply(self._transformed)
            if space == "rows":
                self.coordinates[fold] = RowSpace.of(rows[train], is_truncated)
            views.append(self.coordinates[fold].coordinates(rows))
        self.width = max(view.shape[1] for view in views)
        self.rows = resident(np.stack([_padded(view, self.width) for view in views]))
        # What is needed of them from now on is made anew.
        self._transformed = None

    @property
    def shape(self):
        """(rows, inputs) of one fold."""
        return self._values.shape[0], self.width

    def batch(self, index):
        """(len(index), inputs) of some rows, made on demand."""
        return self.constants[0].apply(self._transformed_rows(index))

    def factors(self, power):
        """(folds, inputs) that bring coordinates to a spectral power; None where there are none."""
        if self.coordinates[0].name == "genes":
            return None
        each = [space.powered(power).factors / space.factors for space in self.coordinates]
        return np.stack([np.pad(f, (0, self.width - len(f))) for f in each]).astype("float32")

    def genotypes(self, settings):
        """`Genotypes` as the network of each fold sees them.

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

    def shared(self):
        """`FittedScaling` that can stand for those of every fold, with all genes that a fold keeps."""
        if len(self.constants) == 1:
            return self.constants[0]
        return self._constants(np.arange(self.shape[0]), self.genes)

    def on_genes(self, fold, kernel, bias, constants, power=0.0):
        """A first layer on a fold's coordinates as one on genes scaled by other constants.

        Args:
            fold: Its number.
            kernel: (inputs, units).
            bias: (units,).
            constants: `FittedScaling` of the genes, the fold's own or `shared`.
            power: Spectral power the kernel was trained with.

        Returns:
            (genes, units) and (units,).
        """
        coordinates = self.coordinates[fold].powered(power)
        return constants.take_over(self.constants[fold], *coordinates.fold(kernel, bias))

    def _constants(self, train, genes=None):
        """`FittedScaling` of some rows, for given genes or those that the settings choose."""
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


def _padded(view, width):
    """A view of smaller rank brought to a width with zeros; folding drops their weights."""
    return np.pad(view, ((0, 0), (0, width - view.shape[1])))
