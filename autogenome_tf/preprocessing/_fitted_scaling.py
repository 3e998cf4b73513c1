"""Constants of the training rows: genes kept, fill values, centre, spread and ranks."""

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from autogenome_tf.core import chunked
from autogenome_tf.preprocessing._moments import Moments
from autogenome_tf.preprocessing._ranks import Ranks

# Beyond such a spread, or its inverse, values are brought nearer 1; see `FittedScaling.unit`.
LARGE = 1e6
# Values that are computed with at a time.
CACHED = 1 << 16


@dataclasses.dataclass(frozen=True)
class FittedScaling:
    """Keep constants of the training rows, by which all rows are filled and scaled.

    Attributes:
        genes: (kept,) positions of the genes that are kept.
        fill: (kept,) takes the place of missing values, in transformed units.
        centre: (kept,) subtracted.
        spread: (kept,) divided by; 1 where a gene is constant.
        ranks: `Ranks` that values of genes kept are turned into first, or None.
    """

    genes: np.ndarray
    fill: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    ranks: Ranks | None = None

    @classmethod
    def of(
        cls,
        moments: Moments,
        scale: str = "standard",
        missing: str = "error",
        genes: np.ndarray | None = None,
    ) -> "FittedScaling":
        """Fit the constants of all or some genes to `Moments` of transformed training rows.

        Args:
            moments: Of all genes.
            scale: The config's `data.scale`.
            missing: The config's `data.missing`.
            genes: (kept,) positions of the genes to keep; None for all.
        """
        genes = np.arange(len(moments.mean)) if genes is None else genes
        zero = np.zeros(len(moments.mean))
        # Where no value may be missing, whole genes of new rows may.
        means = dict.fromkeys(("error", "mean"), moments.mean)
        fill = (means | {"median": moments.median}).get(missing, zero)
        centre, spread = zero, zero + 1
        if scale == "standard":
            centre, spread = moments.mean, np.sqrt(moments.variance)
        elif scale == "centre":
            # One divisor for all genes, so that they keep their differences in spread.
            centre, spread = moments.mean, zero + np.sqrt(moments.variance[genes].mean())
        elif scale == "minmax":
            centre, spread = moments.low, moments.high - moments.low
        spread = np.where(np.isfinite(spread), spread, 0)
        centre = np.where(np.isfinite(centre), centre, 0)
        # What rounding leaves of a constant gene is small beside its values or other genes' spread.
        usual = min(1, np.median(spread[spread > 0])) if np.any(spread > 0) else 1
        least = np.maximum(1e-6 * np.maximum(usual, np.abs(centre)), np.finfo("float32").tiny)
        spread = np.where(spread > least, spread, 1.0)
        fill, centre, spread = (part[genes].astype("float32") for part in (fill, centre, spread))
        return cls(genes, fill, centre, spread)

    def ranked(self, transformed: np.ndarray, scale: str, missing: str) -> "FittedScaling":
        """Keep the genes, add `Ranks` among training rows (rows, genes), and constants of those.

        Args:
            transformed: (rows, genes) transformed values of training rows.
            scale: `data.scale`.
            missing: `data.missing`.
        """
        kept = transformed[:, self.genes]
        ranks = Ranks.of(kept)
        places = ranks.apply(kept)
        moments = Moments.of([places])
        if missing == "median":
            moments = moments.with_median(places)
        constants = FittedScaling.of(moments, scale, missing)
        return dataclasses.replace(constants, genes=self.genes, ranks=ranks)

    def take_over(
        self, own: "FittedScaling", kernel: np.ndarray, bias: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rescale a dense layer that was trained behind other constants to these.

        Args:
            own: `FittedScaling` that the layer was trained behind; its genes are among these.
            kernel: (own genes, units).
            bias: (units,).

        Returns:
            (genes, units) and (units,).
        """
        if own is self:
            return kernel, bias
        places = np.searchsorted(self.genes, own.genes)
        scaled = kernel.astype("float64") / own.spread[:, None]
        taken = np.zeros((len(self.genes), kernel.shape[1]))
        taken[places] = scaled * self.spread[places, None]
        offset = (self.centre[places].astype("float64") - own.centre) @ scaled
        return taken.astype("float32"), (bias + offset).astype("float32")

    def rescaled(self, own: "FittedScaling", genes: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Rescale values that are scaled by other constants to these, such as thresholds.

        Args:
            own: `FittedScaling` by which they are scaled; its genes are among these.
            genes: (n,) position of the gene of each value, among the genes of `own`.
            values: (n,).

        Returns:
            (n,) float32.
        """
        places = np.searchsorted(self.genes, own.genes)[genes]
        raw = values.astype("float64") * own.spread[genes] + own.centre[genes]
        return ((raw - self.centre[places]) / self.spread[places]).astype("float32")

    def apply(self, transformed: np.ndarray) -> np.ndarray:
        """Fill and scale transformed (rows, genes) to network inputs, (rows, kept) float32.

        Args:
            transformed: (rows, genes) transformed values.
        """
        kept = np.asarray(transformed, "float32")
        if len(self.genes) < kept.shape[1]:
            kept = kept[:, self.genes]
        if self.ranks:
            kept = self.ranks.apply(kept)
        scaled, filled = np.empty_like(kept), (self.fill - self.centre) / self.spread
        # Few rows at a time stay in the processor's cache between the steps.
        for part in chunked.parts(*kept.shape, values=CACHED):
            own = np.subtract(kept[part], self.centre, out=scaled[part])
            own /= self.spread
            np.copyto(own, filled, where=np.isnan(own))
        return scaled

    def layers(self, x: Any, genes: int) -> Any:
        """Apply the same as Keras layers to a symbolic (rows, genes) tensor.

        Args:
            x: (rows, genes) Keras tensor of transformed values.
            genes: Number of genes.
        """
        if len(self.genes) < genes:
            x = ops.take(x, self.genes.astype("int32"), axis=-1)
        if self.ranks:
            x = self.ranks.layers(x)
        x = ops.where(ops.isnan(x), self.fill, x)
        if self.unit != 1:
            x = keras.layers.Rescaling(self.unit)(x)
        return self.scaling("scaling")(x)

    @property
    def unit(self) -> float:
        """Return the factor of values before `scaling`: 1, or a power of two, which keeps digits.

        Keras' layer squares spreads, and takes none below 1e-7.
        """
        ends = float(self.spread.min()), float(self.spread.max())
        if 1 / LARGE < ends[0] and ends[1] < LARGE:
            return 1.0
        return float(2.0 ** -np.round(np.log2(ends).mean()))

    def scaling(self, name: str, invert: bool = False) -> keras.layers.Layer:
        """Build Keras' layer that centres and scales values in `unit`, or undoes that.

        Args:
            name: Name of the layer.
            invert: Whether to scale back.
        """
        layer = keras.layers.Normalization(axis=-1, invert=invert, name=name)
        layer.build((None, len(self.genes)))
        variance = (self.spread.astype("float64") * self.unit) ** 2
        layer.set_weights([self.centre * self.unit, variance, np.array(0)])
        layer.finalize_state()
        return layer
