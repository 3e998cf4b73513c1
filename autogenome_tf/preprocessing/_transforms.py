"""Transforms of raw values, each of a row alone: the formulas and the choice among them."""

import dataclasses
import logging
from typing import Any

import numpy as np
import scipy.sparse
from keras import ops

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.core.errors import InputError
from autogenome_tf.preprocessing._variation import check_variation
from autogenome_tf.preprocessing.scale import COUNTS, LINEAR, SHARES, SIGNED, Scale, sample_of

log = logging.getLogger(__name__)

LIBRARY = 1e4
PSEUDO_FREQUENCY = 1e-5
MICROARRAY_FLOOR = 20.0
# Transforms that values below 0 may enter.
OF_ALL_VALUES = ("none", "log2", "rank")
# Transforms that the sum of a row does not matter to.
RELATIVE = ("library_log1p", "relative_log")
# Transforms that keep all variation.
UNCHANGED = ("none", "rank")
# Transforms of which 0 stays 0.
SPARSE = ("none", "log1p", "library_log1p", "rank")
# Fewer columns, some of them 0 or 1, are clinical covariates and no counts of a library.
FEWEST_OF_A_LIBRARY = 20
# Values of counts that would be above 1: where none is of so many, columns are yes or no.
MANY_ABOVE_1 = 10
# Times the total of a row in twenty, from which on that of another in twenty is told of.
UNEQUAL = 10.0
# By the kind of a `Scale`; other kinds stay as they are.
CHOICE = {COUNTS: "library_log1p", SHARES: "relative_log", LINEAR: "log1p", SIGNED: "log2"}


@dataclasses.dataclass(frozen=True)
class Transform:
    """Transform each row by itself, before anything is learned.

    Attributes:
        name: "none", "log1p", "log2" (raised to `floor` first), "library_log1p"
            (ln(1 + counts per 10,000)), "clr" (ln(1 + x) minus the row's mean of it),
            "relative_log" (log10 of the share of the row's sum + 1e-5), "rank" (each value's place
            among the training rows).
        floor: Lowest value that log2 sees, in raw units.
        is_filled: Replace missing values by 0 first, in raw units.
        why: The reason of an automatic choice.
    """

    name: str
    floor: float = 1.0
    is_filled: bool = False
    why: str = ""

    def __str__(self):
        return f"log2 above a floor of {self.floor:g}" if self.name == "log2" else self.name

    def __call__(self, x: Any) -> Any:
        """Transform (rows, genes) eagerly or as part of a Keras graph."""
        x = ops.where(ops.isnan(x), 0.0, x) if self.is_filled else x
        return _formulas(self.floor)[self.name](x)

    def rows(self, values: Matrix) -> np.ndarray:
        """Transform the rows of a matrix, in batches, to (rows, genes) float32.

        Of a CSR matrix only the values that it stores are computed with, where 0 stays 0.

        Args:
            values: (rows, genes) raw, an array or CSR; it stays as it is.
        """
        found = np.empty(values.shape, "float32")
        is_sparse = scipy.sparse.issparse(values) and self.name in SPARSE
        for start, block in chunked.blocks(values):
            own = found[start : start + block.shape[0]]
            if is_sparse:
                self._of_stored(block).toarray(out=own)
            else:
                own[...] = self(chunked.dense(block))
        return found

    def _of_stored(self, block):
        """Transform what CSR rows store."""
        if not block.has_canonical_format:
            block = block.copy()
            block.sum_duplicates()
        data, elementwise = block.data.astype("float32"), self
        if self.name == "library_log1p":
            known = _like(block, np.where(np.isnan(data), 0, data))
            library = (known @ np.ones(block.shape[1])).astype("float32")
            data *= np.repeat(_factor(library, LIBRARY), np.diff(block.indptr))
            elementwise = dataclasses.replace(self, name="log1p")
        return _like(block, np.asarray(elementwise(data)))

    @classmethod
    def choose(
        cls,
        values: Matrix,
        name: str = "auto",
        floor: float | None = None,
        missing: str = "error",
    ) -> "Transform":
        """Take the transform that a config names, or choose one by the training rows.

        Args:
            values: (rows, genes) raw training values, an array or CSR.
            name: The config's `data.transform`.
            floor: The config's `data.log2_floor`, in raw units.
            missing: The config's `data.missing`; "zero" fills before the transform.

        Raises:
            InputError: Where the transform is not defined on the values (log1p below 0 ...).
        """
        sample, lowest = sample_of(values), _lowest(values)
        if name == "auto":
            name, why, usual = _choice(sample, lowest)
        else:
            why, usual = "", MICROARRAY_FLOOR if lowest < 0 else 1.0
        if name not in OF_ALL_VALUES and lowest < 0:
            raise InputError(
                f"data.transform: {name} needs values of at least 0; the smallest is {lowest:g}. "
                "Use none, rank, or log2 with data.log2_floor."
            )
        transform = cls(name, float(floor or usual), missing == "zero", why)
        if name not in UNCHANGED:
            check_variation(transform, sample)
        return transform


def _choice(sample, lowest):
    """Return the transform for the scale of some rows, the reason, and its usual floor."""
    scale = Scale.of(sample)
    name, why = CHOICE.get(scale.kind, "none"), str(scale)
    if scale.kind == COUNTS and _are_covariates(sample):
        name, why = "log1p", f"{why}, some columns are 0 or 1: their sum is no library size"
    if lowest < 0 and name not in OF_ALL_VALUES:
        # Few values below 0 are raised like all below the floor; shares have no such floor.
        name = "none" if scale.kind == SHARES else "log2"
        why += f", a few below 0 (down to {lowest:.4g})"
    if name == "log1p" and sample.shape[1] >= FEWEST_OF_A_LIBRARY:
        _warn_of_depths(sample)
    return name, why, MICROARRAY_FLOOR if scale.low < 0 else 1.0


def _warn_of_depths(sample):
    """Warn of rows with unequal totals, which a logarithm keeps."""
    totals = np.nansum(sample, axis=1)
    low, high = np.quantile(totals, [0.05, 0.95])
    if 0 < UNEQUAL * low <= high:
        log.warning(
            "The totals of samples differ %.0f-fold (5 %% are below %.4g, 5 %% above %.4g), and "
            "transform log1p keeps that. Where values are reads or molecules, which are more in "
            "samples that were sequenced deeper, set data.transform to library_log1p.",
            high / low, low, high, extra={"about": "values"},
        )  # fmt: skip


def _are_covariates(sample):
    """Return whether whole numbers are covariates: few columns, and some are yes or no.

    A count of mean m would be above 1 in a share 1 - (1 + m) exp(-m) of the rows (Poisson).
    """
    if sample.shape[1] >= FEWEST_OF_A_LIBRARY:
        return False
    sample = np.nan_to_num(sample)
    mean, is_marker = sample.mean(axis=0), np.isin(sample, (0, 1)).all(axis=0)
    expected = len(sample) * (1 - (1 + mean) * np.exp(-mean))
    return bool(expected[is_marker].sum() > MANY_ABOVE_1)


def _lowest(values):
    """Return the least of all values, 0 where there is none below."""
    return min((float(part.min()) for part in filter(len, chunked.known(values))), default=0.0)


def _formulas(floor):
    return {
        "none": lambda x: x,
        "log1p": ops.log1p,
        "log2": lambda x: ops.log2(ops.where(x < floor, floor, x)),
        "library_log1p": lambda x: ops.log1p(_shares(x, LIBRARY)),
        "clr": _clr,
        "relative_log": lambda x: ops.log10(_shares(x) + PSEUDO_FREQUENCY),
        # Ranks are among the training rows of each gene, so `FittedScaling` takes them.
        "rank": lambda x: x,
    }


def _shares(x, total=1.0):
    library = ops.sum(ops.where(ops.isnan(x), 0.0, x), axis=-1, keepdims=True)
    return x * _factor(library, total)


def _factor(library, total):
    """Return the factor that scales a row to a total."""
    return total / ops.maximum(library, 1e-12)


def _like(block, data):
    """Return a CSR matrix of other values at the same places."""
    return scipy.sparse.csr_matrix((data, block.indices, block.indptr), block.shape)


def _clr(x):
    logs: Any = ops.log1p(x)
    known = ops.logical_not(ops.isnan(logs))
    total = ops.sum(ops.where(known, logs, 0.0), axis=-1, keepdims=True)
    count = ops.sum(ops.where(known, ops.ones_like(logs), 0.0), axis=-1, keepdims=True)
    return logs - ops.divide(total, ops.maximum(count, 1.0))
