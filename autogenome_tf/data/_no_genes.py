"""Columns that may be no genes: by their headings, their numbers, or what they give away."""

import re
import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.data._dataset import Dataset

# Rows that are looked at, evenly spaced; and those from which on a column can give labels away.
ROWS, FEWEST_ROWS = 1000, 20
# Columns from which on one may be the sum of the others.
_FEWEST_PARTS = 4
# Columns that a warning names.
MOST_NAMED = 5
# Words of headings that stand over something else than a gene. None is the symbol of a gene.
_WORDS = frozenset(
    "age sex gender ethnicity survival os pfs dfs dss rfs days months years day month year "
    "time date stage grade status vital bmi height weight dose batch plate visit patient subject "
    "participant donor individual sample barcode id nr outcome response recurrence relapse death "
    "smoking followup purity phenotype total".split()
)
# Times the largest mean of other columns, from which on a scale is one of its own: in fractions,
# and in counts, whose means differ by themselves.
_APART, _APART_COUNTS = 10.0, 100.0
# Columns of whole numbers stand out where at least so many of the others have fractions; larger
# numbers lose their fractions where a file has six digits.
_FRACTIONS, _LARGEST_WHOLE = 0.9, 1e4
# Columns whose ranks are in memory at once.
_BLOCK = 1024
# An area under the curve of 0.9 and more is one that gives labels away, if that of no other column
# is above chance by more than so much of it.
_TELLING, _ALONE = 0.8, 0.6


def no_genes(values: np.ndarray, features: Sequence[str]) -> Iterator[str]:
    """Yield a text on columns that look as if they were no genes.

    Args:
        values: (rows, genes), as `some_values` returns them.
        features: Names of the genes.
    """
    reasons: dict[int, str] = {}
    for place, name in enumerate(features[: values.shape[1]]):
        if _words(name) & _WORDS:
            reasons[place] = "by its heading"
    for place in _whole_among_fractions(values):
        reasons.setdefault(place, "whole numbers, where others have fractions")
    for place in _apart(values):
        reasons.setdefault(place, "on a scale of its own")
    for place, what in _summary(values):
        reasons[place] = f"the {what} of all others"
    if reasons and len(reasons) < values.shape[1] / 2:
        named = [f"{features[place]!r} ({why})" for place, why in reasons.items()]
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        names = ", ".join(f'"{features[place]}"' for place in list(reasons)[:MOST_NAMED])
        yield (
            f"{len(reasons)} columns may not be genes: {', '.join(named[:MOST_NAMED])}{more}. "
            f"They are used like genes; to leave them out, set data.exclude [{names}]."
        )


def total_row(values: np.ndarray, samples: Sequence[str] | np.ndarray) -> Iterator[str]:
    """Yield a text on a row that is the sum, or the mean, of all others.

    Args:
        values: (rows, genes), as `some_values` returns them.
        samples: Ids of all rows.
    """
    for row, what in _summary(values.T) if len(values) == len(samples) else ():
        yield (
            f"The sample {str(samples[row])!r} is the {what} of all others: remove this row, which "
            "is no sample."
        )


def gives_away(dataset: Dataset, rows: np.ndarray, target: str = "the target") -> Iterator[str]:
    """Yield a text on a column that alone predicts classes, or the values of a target.

    Args:
        dataset: Rows with targets.
        rows: (n,) numbers of those that are learned from.
        target: What to call the targets; several of numbers go by their own names.
    """
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(int)]
    genes = len(dataset.features) - dataset.covariates
    if len(rows) < FEWEST_ROWS or genes < 2 or dataset.targets is None:
        return
    values = chunked.dense(chunked.taken(dataset.values, rows))[:, :genes]
    starts = range(0, genes, _BLOCK)
    blocks = (values[:, start : start + _BLOCK] for start in starts)
    strengths = np.hstack([_strengths(block, dataset.targets[rows]) for block in blocks])
    is_text, names = dataset.targets.dtype == object, dataset.target_names
    measure = "area under the curve" if is_text else "rank correlation"
    found = {}
    for place, strength in enumerate(strengths):
        second, first = np.argsort(strength)[-2:]
        if strength[first] >= _TELLING and strength[second] <= _ALONE * strength[first]:
            best, next_best = ((1 + s) / 2 if is_text else s for s in strength[[first, second]])
            called = target if len(strengths) == 1 else repr(names[place])
            found[f"{dataset.features[first]!r} alone predicts {called} ({measure} {best:.2f}; the "
                  f"next column {next_best:.2f})"] = dataset.features[first]  # fmt: skip
    if found:
        more = f", and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        excluded = ", ".join(f'"{name}"' for name in dict.fromkeys(found.values()))
        yield (
            f"The column {', '.join(list(found)[:MOST_NAMED])}{more}. If it is not a gene, or is "
            f"derived from the target, leave it out: data.exclude [{excluded}]."
        )


def some_values(dataset: Dataset) -> np.ndarray:
    """Return the genes of some rows, evenly spaced, as an array of float32."""
    genes = len(dataset.features) - dataset.covariates
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), ROWS)).astype(int))
    return chunked.dense(chunked.taken(dataset.values, rows))[:, :genes]


def _words(name):
    """Return the words of a heading, in lower case; ``OS9`` is one of its own.

    >>> sorted(_words("OS_days")), sorted(_words("HLA-A")), sorted(_words("daysToDeath"))
    (['days', 'os'], ['a', 'hla'], ['days', 'death', 'to'])
    """
    parts = re.split(r"[^0-9A-Za-z]+|(?<=[a-z])(?=[A-Z])", name)
    return {part.lower() for part in parts}


def _whole_among_fractions(values):
    """Return the columns of whole numbers that vary, where nearly all others have fractions."""
    with np.errstate(invalid="ignore"):
        is_whole = (np.isnan(values) | (values == np.rint(values))).all(axis=0)
    varies = _varies(values)
    fractions = (~is_whole & varies).sum()
    found = is_whole & varies & (np.fmax.reduce(values, axis=0) < _LARGEST_WHOLE)
    return np.flatnonzero(found).tolist() if fractions >= _FRACTIONS * varies.sum() > 0 else []


def _varies(values):
    return np.fmax.reduce(values, axis=0) > np.fmin.reduce(values, axis=0)


def _apart(values):
    """Return the columns, a few at most, whose mean is many times that of all others."""
    with np.errstate(invalid="ignore"):
        known = ~np.isnan(values)
        means = np.where(known, np.abs(values), 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    is_counts = bool((values[known] == np.rint(values[known])).all())
    order = np.argsort(-means, kind="stable")
    for count in range(1, min(3, len(order) // 5) + 1):
        if means[order[count - 1]] > (_APART_COUNTS if is_counts else _APART) * means[order[count]]:
            return order[:count].tolist()
    return []


def _summary(values):
    """Yield the column that is the sum or the mean of all others, and which of both it is."""
    count = values.shape[1]
    if count < _FEWEST_PARTS or len(values) < _FEWEST_PARTS:
        return
    known = np.where(np.isnan(values), 0, values).astype("float64")
    sums = known.sum(axis=1)
    largest = np.abs(known).sum(axis=0).argmax()
    nearest = np.abs(known - sums[:, None] / count).sum(axis=0).argmin()
    # A mean is often rounded.
    for place, what, parts, exact in (
        (int(largest), "sum", 1, 1e-4), (int(nearest), "mean", count - 1, 1e-3)
    ):  # fmt: skip
        whole = known[:, place]
        if np.ptp(whole) > 0 and np.allclose((sums - whole) / parts, whole, rtol=exact, atol=0):
            yield place, what


def _strengths(values, targets):
    """Return (targets, columns) association of columns with targets, 0 by chance to 1.

    Classes are one target, whichever of them a column tells best.
    """
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without a value
        medians = np.nanmedian(values, axis=0)
    values = np.where(np.isnan(values), medians, values)
    values = np.where(np.isnan(values), 0, values)
    ranks = stats.rankdata(values, axis=0)
    if targets.dtype != object:
        known = [~np.isnan(column) for column in targets.T]
        return np.stack(
            [
                _correlation(ranks[rows], stats.rankdata(column[rows]))
                for rows, column in zip(known, targets.T, strict=True)
            ]
        )
    areas = []
    for label in sorted(set(targets)):
        own = targets == label
        count = own.sum()
        if 5 <= count <= len(own) - 5:
            rank_sum = ranks[own].sum(axis=0) - count * (count + 1) / 2
            areas.append(np.abs(2 * rank_sum / (count * (len(own) - count)) - 1))
    return np.max(areas, axis=0, keepdims=True) if areas else np.zeros((1, values.shape[1]))


def _correlation(ranks, other):
    ranks, other = ranks - ranks.mean(axis=0), other - other.mean()
    spread = np.sqrt((ranks**2).sum(axis=0) * (other**2).sum())
    return np.abs(ranks.T @ other) / np.maximum(spread, np.finfo("float64").tiny)
