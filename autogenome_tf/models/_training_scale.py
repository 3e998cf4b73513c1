"""The scale of the rows that a model was trained on, compared with that of new rows.

Raw values are compared by their kind and ends, network inputs by a few statistics of each row: a
single row can be compared, and what a transform takes away (the depth of a library) does no harm.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from autogenome_tf.core.chunked import Matrix
from autogenome_tf.models._branch import Branch
from autogenome_tf.preprocessing import RELATIVE, Scale
from autogenome_tf.preprocessing.scale import (
    COUNTS,
    LARGEST_LOG_VALUE,
    LINEAR,
    LOG,
    SHARES,
    Z_SCORES,
    sample_of,
)  # fmt: skip

# Statistics of a row over genes are its mean, its root mean square and these quantiles.
QUANTILES = (0.02, 0.1, 0.5, 0.9, 0.98)
# The range of a statistic over training rows; its width is at least this fraction of their root
# mean square, since most quantiles of sparse rows are the same.
ENDS, NARROWEST = (0.005, 0.995), 0.2
# Widths of the range that a row lies outside of it. Most rows of the training data's own source
# lie inside (17 real data sets), those that lost their accuracy to another scale beyond the first.
# One row or two of heterogeneous data pass it more often.
OUTSIDE, FAR = 0.5, 1.0
# Fewer rows say little of the kind of values that they are.
FEW_ROWS = 3
# Another order of magnitude; a fraction of their upper end that new values may reach below 0 where
# those of training, on a log or linear scale, do not: differences between batches have such.
FACTOR, BELOW = 10.0, 0.5


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Describe the difference of new rows from the training rows.

    Attributes:
        kind: What their raw values are and those of training are not, in words; "" if nothing.
        outside: (rows,) widths that each row lies outside of the range of training rows.
        is_impossible: Raw values of training cannot be like that (counts below 0), wherever the
            network inputs lie.
    """

    kind: str
    outside: np.ndarray
    is_impossible: bool = False

    def __str__(self):
        text = f"{self.kind}; " if self.kind else ""
        beyond = np.count_nonzero(self.outside > OUTSIDE)
        return (
            f"{text}{beyond} of {len(self.outside)} rows are outside the range of the training rows"
        )

    @property
    def is_notable(self) -> bool:
        """Return whether there is reason for a warning."""
        return bool(self.kind) or self._median > (OUTSIDE if self._is_sure else FAR)

    @property
    def is_plain(self) -> bool:
        """Return whether the rows are of another scale without doubt."""
        is_far = self.is_impossible or self._median > FAR
        return bool(self.kind) and self._is_sure and is_far

    @property
    def _median(self):
        # Of two rows, the one that lies nearer.
        return float(np.quantile(self.outside, 0.5, method="lower"))

    @property
    def _is_sure(self):
        return len(self.outside) >= FEW_ROWS


@dataclasses.dataclass(frozen=True)
class TrainingScale:
    """Keep the scale of the training rows.

    Attributes:
        scale: Of raw values.
        ranges: For each branch of the model (2, statistics): lower and upper end of the statistics
            of network inputs over training rows.
        widths: For each branch (statistics,): unit of the distance from that range.
    """

    scale: Scale
    ranges: list[np.ndarray]
    widths: list[np.ndarray]

    @classmethod
    def of(cls, branches: Sequence[Branch], values: Matrix, genes: int) -> "TrainingScale":
        """Gather the scale of training rows.

        Args:
            branches: Of the model.
            values: (rows, features) raw training rows, an array or CSR.
            genes: Number of the features that are no covariates.
        """
        rows, ranges, widths = sample_of(values), [], []
        for branch in branches:
            found = statistics(_gene_inputs(branch, rows, genes))
            ranges.append(np.quantile(found, ENDS, axis=0))
            least = NARROWEST * max(float(np.median(found[:, 1])), np.finfo("float32").tiny)
            widths.append(np.maximum(ranges[-1][1] - ranges[-1][0], least))
        return cls(Scale.of(rows[:, :genes]), ranges, widths)

    def compare(self, branches: Sequence[Branch], values: Matrix, genes: int) -> Comparison:
        """Compare new raw rows with the training rows; arguments as for `of`.

        Args:
            branches: Branches of the model.
            values: (rows, genes) raw values.
            genes: Number of genes.
        """
        rows = sample_of(values)
        parts = zip(branches, self.ranges, self.widths, strict=True)
        outside = [
            distances(statistics(_gene_inputs(branch, rows, genes)), ends, width)
            for branch, ends, width in parts
        ]
        is_relative = all(branch.transform in RELATIVE for branch in branches)
        new = Scale.of(rows[:, :genes])
        kind = other_kind(self.scale, new, len(rows), is_relative)
        is_impossible = self.scale.kind in (COUNTS, SHARES) and new.low < 0
        return Comparison(kind, np.max(outside, axis=0), is_impossible)

    def as_json(self) -> dict[str, Any]:
        """Return the scale as JSON values."""
        parts = zip(self.ranges, self.widths, strict=True)
        return dataclasses.asdict(self.scale) | {
            "rows": [{"ends": ends.tolist(), "widths": width.tolist()} for ends, width in parts]
        }

    @classmethod
    def from_json(cls, given: dict[str, Any] | None) -> "TrainingScale | None":
        """Rebuild the scale from the values of `as_json`; None where a model has none.

        Args:
            given: Dict as `as_json` writes it.
        """
        if given is None:
            return None
        scale = Scale(given["kind"], given["low"], given["high"], given["total"])
        ranges = [np.array(part["ends"]) for part in given["rows"]]
        return cls(scale, ranges, [np.array(part["widths"]) for part in given["rows"]])


def statistics(inputs: np.ndarray) -> np.ndarray:
    """Return statistics over genes of each row of network inputs, (rows, statistics)."""
    inputs = inputs.astype("float64")
    mean, square = inputs.mean(axis=1), np.sqrt((inputs**2).mean(axis=1))
    return np.stack([mean, square, *np.quantile(inputs, QUANTILES, axis=1)], axis=1)


def distances(found: np.ndarray, ends: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return the largest distance of any statistic from its range, (rows,), in widths."""
    beyond = np.maximum(np.maximum(ends[0] - found, found - ends[1]), 0) / widths
    return beyond.max(axis=1)


def other_kind(known: Scale, new: Scale, rows: int, is_relative: bool) -> str:
    """Describe in words a kind of values that new rows have and training rows had not; "" for none.

    Args:
        known: Scale of the training rows.
        new: Scale of new rows.
        rows: Number of new rows.
        is_relative: The model's transforms divide by the sum of a row.
    """
    least = -BELOW * max(new.high, 0.0) if known.kind in (LOG, LINEAR) else 0.0
    if known.low >= 0 and new.low < least:
        return "values below 0"
    if is_relative:
        is_log = known.kind in (COUNTS, SHARES) and new.kind == LOG
        return "values on a log scale" if is_log and rows >= FEW_ROWS else ""
    if new.high > max(LARGEST_LOG_VALUE, FACTOR * max(known.high, -known.low)):
        return f"values of another order of magnitude (up to {new.high:.4g})"
    if rows < FEW_ROWS:
        return ""
    if known.high > LARGEST_LOG_VALUE >= new.high and known.high > FACTOR * new.high:
        return f"values of another order of magnitude (only up to {new.high:.4g})"
    return "no values below 0" if known.kind == Z_SCORES and new.low >= 0 else ""


def _gene_inputs(branch, rows, genes):
    """Return network inputs of genes alone, behind which covariates are handed on."""
    return branch.seen(rows)[:, : np.count_nonzero(branch.kept < genes)]
