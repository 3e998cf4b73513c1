"""Each gene's rank among the training rows: its empirical distribution, as Keras layers."""

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

# With more training rows, their quantiles stand for them.
MOST_KNOTS = 255


@dataclasses.dataclass(frozen=True)
class Ranks:
    """Keep the distribution of each gene over the training rows.

    Attributes:
        knots: (genes, knots) sorted training values or their quantiles, ended by infinity where a
            gene has missing values.
        counts: (genes,) how many knots are values.
    """

    knots: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> "Ranks":
        """Gather training rows (rows, genes), NaN where missing."""
        knots = np.sort(np.asarray(rows, "float32").T, axis=1)  # NaN comes last
        if len(rows) > MOST_KNOTS:
            shares = (np.arange(MOST_KNOTS) + 0.5) / MOST_KNOTS
            known = np.isfinite(knots).sum(1, keepdims=True)
            places = np.minimum(shares * known, np.maximum(known - 1, 0)).astype(int)
            knots = np.take_along_axis(knots, places, axis=1)
        missing = np.isnan(knots)
        return cls(np.where(missing, np.inf, knots), np.maximum((~missing).sum(1), 1))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return the share of training values below each of (rows, genes); ties count half.

        NaN stays NaN.
        """
        found = np.empty(rows.shape, "float32")
        for gene, (knots, count) in enumerate(zip(self.knots, self.counts, strict=True)):
            below = np.searchsorted(knots, rows[:, gene], "left")
            found[:, gene] = (below + np.searchsorted(knots, rows[:, gene], "right")) / (2 * count)
        return np.where(np.isnan(rows), np.nan, np.minimum(found, 1.0))

    def layers(self, x: Any) -> Any:
        """Rank a symbolic (rows, genes) tensor by a binary search in every gene at once.

        The knots are the weights of an embedding layer, which any Keras can load.
        """
        genes, knots = self.knots.shape
        size = 1 << int(np.ceil(np.log2(knots + 1)))
        table = np.full((genes, size), np.inf, "float32")
        table[:, :knots] = self.knots
        lookup = keras.layers.Embedding(genes * size, 1, name="ranks")
        lookup.build()
        lookup.set_weights([table.reshape(-1, 1)])
        first = (np.arange(genes) * size).astype("int32")

        def before(is_before) -> Any:
            place: Any = ops.zeros_like(x, dtype="int32")
            step = size // 2
            while step:
                knot = lookup(place + (first + step - 1))[..., 0]
                place = place + ops.multiply(step, ops.cast(is_before(knot, x), "int32"))
                step //= 2
            return ops.cast(place, "float32")

        places = before(ops.less) + before(ops.less_equal)
        shares = ops.minimum(places / (2.0 * self.counts).astype("float32"), 1.0)
        return ops.where(ops.isnan(x), x, shares)
