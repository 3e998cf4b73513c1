"""From raw values to what the network sees, with constants of the training rows, as Keras layers.

A transform works on each row alone; then genes are chosen, missing values filled, columns scaled.
"""

import dataclasses

import keras
import numpy as np
import scipy.sparse
from keras import ops

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError
from autogenome_tf.preprocessing._ranks import Ranks

LIBRARY = 1e4
PSEUDO_FREQUENCY = 1e-5
MICROARRAY_FLOOR = 20.0
# Transforms that values below 0 may enter.
OF_ALL_VALUES = ("none", "log2", "rank")
# A log-scale matrix hardly ever passes this; linear-scale intensities and counts do.
LARGEST_LOG_VALUE = 50.0
# Beyond such a spread, or its inverse, values are brought nearer 1; see `FittedScaling.unit`.
LARGE = 1e6


def _library(x):
    return ops.sum(ops.where(ops.isnan(x), 0.0, x), axis=-1, keepdims=True)


def _shares(x):
    return x / ops.maximum(_library(x), 1e-12)


def _clr(x):
    logs = ops.log1p(x)
    known = ops.logical_not(ops.isnan(logs))
    total = ops.sum(ops.where(known, logs, 0.0), axis=-1, keepdims=True)
    return logs - total / ops.maximum(ops.sum(ops.cast(known, x.dtype), -1, keepdims=True), 1.0)


def _transforms(floor):
    return {
        "none": lambda x: x,
        "log1p": ops.log1p,
        "log2": lambda x: ops.log2(ops.where(x < floor, floor, x)),
        "library_log1p": lambda x: ops.log1p(_shares(x) * LIBRARY),
        "clr": _clr,
        "relative_log": lambda x: ops.log10(_shares(x) + PSEUDO_FREQUENCY),
        # Ranks are among the training rows of each gene, so `FittedScaling` take them.
        "rank": lambda x: x,
    }


@dataclasses.dataclass(frozen=True)
class Transform:
    """What happens to each row before anything is learned.

    Attributes:
        name: "none", "log1p", "log2" (raised to `floor` first), "library_log1p"
            (ln(1 + counts per 10,000)), "clr" (ln(1 + x) minus the row's mean of it),
            "relative_log" (log10 of the share of the row's sum + 1e-5), "rank" (each value's place
            among the training rows).
        floor: Of log2, in raw units.
        is_filled: Whether missing values become 0 first, in raw units.
        why: What was seen, where the choice was automatic.
    """

    name: str
    floor: float = 1.0
    is_filled: bool = False
    why: str = ""

    def __call__(self, x):
        """Transform (rows, genes) eagerly or as part of a Keras graph."""
        x = ops.where(ops.isnan(x), 0.0, x) if self.is_filled else x
        return _transforms(self.floor)[self.name](x)

    @classmethod
    def choose(cls, values, name="auto", floor=None, missing="error"):
        """Take the transform a config names, or look at the training rows.

        Args:
            values: (rows, genes) raw training values, an array or CSR.
            name: The config's `data.transform`.
            floor: The config's `data.log2_floor`.
            missing: The config's `data.missing`; "zero" fills before the transform.

        Raises:
            InputError: Where the transform is not defined on the values (log1p below 0 ...).
        """
        low, high, is_whole = _extent(values)
        why = ""
        if name == "auto":
            name, why = _recognise(_row_sums(values), low, high, is_whole)
        if name not in OF_ALL_VALUES and low < 0:
            raise InputError(
                f"data.transform: {name} needs values of at least 0; the smallest is {low:g}. "
                "Use none, rank, or log2 with data.log2_floor."
            )
        usual = MICROARRAY_FLOOR if low < 0 else 1.0
        return cls(name, float(floor or usual), missing == "zero", why)


def _extent(values):
    """The lowest and the highest value, and whether all are whole numbers; one pass."""
    low = high = 0.0 if scipy.sparse.issparse(values) else None
    is_whole = True
    for part in filter(len, chunked.known(values)):
        least, most = part.min(), part.max()
        low, high = (least, most) if low is None else (min(low, least), max(high, most))
        is_whole = is_whole and bool(np.all(part == np.round(part)))
    return low or 0.0, max(high or 0.0, 0.0), is_whole


def _recognise(sums, low, high, is_whole):
    """Name the transform that fits the scale of the values, and what speaks for it."""
    if low >= 0 and is_whole and high > 2:
        return "library_log1p", f"counts (whole numbers up to {high:g})"
    if low >= 0 and np.ptp(sums) <= 2e-3 * abs(sums.mean()) and high <= sums.mean():
        return "relative_log", f"shares (every row sums to {sums.mean():.4g})"
    if high <= LARGEST_LOG_VALUE:
        return "none", f"log scale, ratios or markers (from {low:g} to {high:g})"
    if low < 0:
        return "log2", f"linear scale with values below 0 (from {low:g} to {high:g})"
    return "log1p", f"linear scale (from {low:g} to {high:g})"


def _row_sums(values):
    """Sums of the rows without a missing value, or of all where every row has one."""
    sums = np.asarray(values.sum(axis=1)).ravel()
    complete = ~np.isnan(sums)
    return sums[complete] if complete.any() else np.zeros(1)


@dataclasses.dataclass(frozen=True)
class FittedScaling:
    """What training rows fix for all rows: genes kept, fill values, centre and spread.

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
    def of(cls, moments, scale="standard", missing="error", genes=None):
        """Fix the constants of all or some genes from `Moments` of transformed training rows."""
        genes = np.arange(len(moments.mean)) if genes is None else genes
        zero = np.zeros(len(moments.mean))
        fill = {"mean": moments.mean, "median": moments.median}.get(missing, zero)
        centre, spread = zero, zero + 1
        if scale == "standard":
            centre, spread = moments.mean, np.sqrt(moments.variance)
        elif scale == "minmax":
            centre, spread = moments.low, moments.high - moments.low
        spread = np.where(np.isfinite(spread), spread, 0)
        centre = np.where(np.isfinite(centre), centre, 0)
        # What rounding leaves of a constant gene is small beside its values or other genes' spread.
        usual = min(1, np.median(spread[spread > 0])) if np.any(spread > 0) else 1
        least = np.maximum(1e-6 * np.maximum(usual, np.abs(centre)), np.finfo("float32").tiny)
        spread = np.where(spread > least, spread, 1.0)
        return cls(genes, *(part[genes].astype("float32") for part in (fill, centre, spread)))

    def ranked(self, transformed, scale, missing):
        """The same genes with `Ranks` among training rows (rows, genes), and constants of those."""
        kept = transformed[:, self.genes]
        ranks = Ranks.of(kept)
        places = ranks.apply(kept)
        moments = Moments.of([places])
        if missing == "median":
            moments = moments.with_median(places)
        constants = FittedScaling.of(moments, scale, missing)
        return dataclasses.replace(constants, genes=self.genes, ranks=ranks)

    def take_over(self, own, kernel, bias):
        """A dense layer behind these constants that equals one behind others.

        Args:
            own: `FittedScaling` the layer was trained behind; their genes are among these.
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

    def apply(self, transformed):
        """Transformed (rows, genes) -> what the network sees, (rows, kept) float32."""
        kept = np.asarray(transformed, "float32")[:, self.genes]
        if self.ranks:
            kept = self.ranks.apply(kept)
        return (np.where(np.isnan(kept), self.fill, kept) - self.centre) / self.spread

    def layers(self, x, genes):
        """The same as Keras layers, on a symbolic (rows, genes) tensor."""
        if len(self.genes) < genes:
            x = ops.take(x, self.genes.astype("int32"), axis=-1)
        if self.ranks:
            x = self.ranks.layers(x)
        x = ops.where(ops.isnan(x), self.fill, x)
        if self.unit != 1:
            x = keras.layers.Rescaling(self.unit)(x)
        return self.scaling("scaling")(x)

    @property
    def unit(self):
        """What values are multiplied by before `scaling`: 1, or a power of two, which keeps digits.

        Keras' layer squares spreads, and takes none below 1e-7.
        """
        ends = float(self.spread.min()), float(self.spread.max())
        if 1 / LARGE < ends[0] and ends[1] < LARGE:
            return 1.0
        return float(2.0 ** -np.round(np.log2(ends).mean()))

    def scaling(self, name, invert=False):
        """Keras' layer that centres and scales values in `unit`, or undoes that."""
        layer = keras.layers.Normalization(axis=-1, invert=invert, name=name)
        layer.build((None, len(self.genes)))
        variance = (self.spread.astype("float64") * self.unit) ** 2
        layer.set_weights([self.centre * self.unit, variance, np.array(0)])
        layer.finalize_state()
        return layer


@dataclasses.dataclass(frozen=True)
class Moments:
    """Per-gene statistics of transformed rows, missing values left out; (genes,) float64 each.

    A gene without any value has mean and variance 0.
    """

    mean: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: np.ndarray | None = None

    @classmethod
    def of(cls, batches):
        """From batches of (rows, genes) in one pass (Chan, Golub and LeVeque 1983)."""
        count = mean = squares = 0.0
        low, high = np.inf, -np.inf
        for batch in batches:
            known = ~np.isnan(batch)
            filled = np.where(known, batch, 0).astype("float64")
            rows = known.sum(0)
            batch_mean = filled.sum(0) / np.maximum(rows, 1)
            total = np.maximum(count + rows, 1)
            change = batch_mean - mean
            squares = squares + np.where(known, (filled - batch_mean) ** 2, 0).sum(0)
            squares = squares + change**2 * count * rows / total
            mean = mean + change * rows / total
            count = count + rows
            low = np.minimum(low, np.where(known, batch, np.inf).min(0))
            high = np.maximum(high, np.where(known, batch, -np.inf).max(0))
        return cls(mean, squares / np.maximum(count, 1), low, high)

    def most_variable(self, count=None):
        """Positions of so many genes of largest variance, or of all."""
        if count is None:
            return np.arange(len(self.mean))
        return np.sort(np.argsort(-self.variance, kind="stable")[:count])

    def with_median(self, transformed):
        """Add the medians, which need all rows (rows, genes) at once."""
        median = np.zeros(transformed.shape[1])
        some = ~np.isnan(transformed).all(0)
        median[some] = np.nanmedian(transformed[:, some], axis=0)
        return dataclasses.replace(self, median=median)


def model(transform, constants, genes):
    """The preprocessing as a Keras model: raw (rows, genes) -> (rows, kept).

    It is built from Keras' own layers and operations only, so that a saved model loads anywhere.
    """
    raw = keras.Input((genes,), name="genes")
    seen = constants.layers(marked(transform(raw)), genes)
    return keras.Model(raw, seen, name="preprocessing")


def marked(transformed):
    """Mark where the transform ends, so that `perturbed_inputs` finds the place again."""
    return keras.layers.Identity(name="transformed")(transformed)


def perturbed_inputs(model, transform, raw, part):
    """What the network sees of each gene if only that gene's raw value were multiplied.

    All other genes keep their values, and so do sums and means of the row that a transform refers
    to: a library is not renormalised.

    A missing value stays missing.

    Args:
        model: What `model` returned, or the same after loading.
        transform: Name of its transform.
        raw: (rows, genes).
        part: What raw values are multiplied by; 0 is no expression.

    Returns:
        (rows, kept) float32.
    """
    marker = model.get_layer("transformed")
    change = {"library_log1p": _of_library, "relative_log": _of_shares, "clr": _of_clr}
    if transform not in change:
        return np.asarray(model(part * raw, training=False))
    front = keras.Model(model.inputs[0], marker.output)
    before = np.asarray(front(raw, training=False), "float64")
    after = change[transform](before, raw.astype("float64"), part).astype("float32")
    return np.asarray(keras.Model(marker.output, model.outputs[0])(after, training=False))


def _of_library(transformed, raw, part):
    return np.log1p(part * np.expm1(transformed))


def _of_shares(transformed, raw, part):
    shares = np.maximum(10**transformed - PSEUDO_FREQUENCY, 0)
    return np.log10(part * shares + PSEUDO_FREQUENCY)


def _of_clr(transformed, raw, part):
    return transformed - np.log1p(raw) + np.log1p(part * raw)
