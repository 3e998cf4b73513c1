"""Rows of a matrix and rows of a target file: matched by ids, or by their order without any."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._id_columns import (
    best_pair,
    columns_of_file,
    columns_of_matrix,
    columns_of_repeats,
    counted_from,
    has_names,
    is_of_ids,
    lacks_ids,
    pair_of_owners,
)
from autogenome_tf.data._names import (
    ALIKE,
    NUMBERS,
    PATIENT,
    REPEATED,
    likenesses,
    nearest_rule,
    tissues,
)
from autogenome_tf.data._row_order import warning_of_order


class NoCommonId(InputError):
    """Two files have no sample in common."""


@dataclasses.dataclass(frozen=True)
class Match:
    """Say which row of a target file belongs to each row of a matrix.

    Attributes:
        take: (rows,) number of the row in the file, below 0 for none.
        column: Name of the file's column that holds the ids; None: its index, or the order.
        owner: Name of the matrix's column by which several rows share one of the file, or None.
        is_by_order: Whether nothing but the order says so.
        warnings: Pairs of a subject and a text.
        said: How rows were matched, for the log; "" where nothing about it is unusual.
        table: The matrix, without a column of it that turned out to be ids.
    """

    take: np.ndarray
    table: Table
    column: str | None = None
    owner: str | None = None
    is_by_order: bool = False
    warnings: tuple[tuple[str, str], ...] = ()
    said: str = ""


def match_rows(
    table: Table,
    frame: pd.DataFrame,
    source: str,
    *,
    asked: Sequence[str] = (),
    key: str | None = None,
    otherwise: str = "",
) -> Match:
    """Find the row of a target file for each row of a matrix.

    Args:
        table: The matrix.
        frame: The target file, as `read_targets` returns it.
        source: The matrix file, for messages.
        asked: Names of the targets, which cannot be ids.
        key: `data.id`: the one column of the file to match by, where it has it.
        otherwise: What becomes of samples without a row in the file, for a warning; "": that is
            said elsewhere.

    Raises:
        InputError: No id is in both, an id comes twice, or the order is contradicted.
    """
    where = frame.attrs["source"]
    theirs = columns_of_file(frame, asked, key)
    pair = best_pair(columns_of_matrix(table, frame, key), theirs, f"{source} and {where}")
    pair = pair or pair_of_owners(table, theirs)
    if pair is not None:
        return _by_ids(table, frame, pair, source, otherwise)
    _check_ids(table, frame, theirs, columns_of_repeats(frame, asked, key), source)
    text, rows = warning_of_order(table, frame, source), np.arange(table.values.shape[0])
    return Match(rows, table, is_by_order=True, warnings=(("matching", text),))


def _by_ids(table, frame, pair, source, otherwise):
    where, like = frame.attrs["source"], pair.like
    _check_counts(pair, f"{source} and {where}")
    said, texts = _sentence(pair, source, where), []
    if like.rule:
        # A rule may match what does not belong together, so that it is more than a line of the log.
        texts, said = [f"{said[0].upper()}{said[1:]}."], ""
    lost = [name for name, place in zip(pair.ours.ids, like.take, strict=True) if place < 0]
    if lost:
        texts.append(_warning_of_lost(pair, lost, source, where, otherwise))
    elif unused := like.count - len(like.found):
        text = f"{where}: samples without a row in {source} are not used: {unused}"
        said = f"{said}; {text}" if said else text
    if pair.is_by_count:
        texts.append(
            f"{source} and {where}: their only ids are numbers of rows, as R and pandas write "
            "them; rows are matched by these numbers, which cannot be checked. Give both files a "
            "column with the same ids."
        )
    warnings = tuple(("matching", text) for text in texts)
    given = {"column": pair.theirs.name, "warnings": warnings, "said": said}
    if not like.is_distinct:
        return Match(like.take, table, owner=pair.ours.name, **given)
    return Match(like.take, _identified(table, pair.ours), **given)


def _sentence(pair, source, where):
    """Return by which columns and which rule rows are matched; "" where both are as usual."""
    like = pair.like
    if pair.ours.name is None and pair.theirs.name is None and not like.rule:
        return ""
    said = (
        f"rows of {source} and {where} are matched by {pair.ours.title} of the first and "
        f"{pair.theirs.title} of the second"
    )
    if like.rule:
        one = int(np.flatnonzero(like.take >= 0)[0])
        said += (
            f", which differ in {like.rule} (such as {pair.ours.ids[one]!r} and "
            f"{pair.theirs.ids[like.take[one]]!r})"
        )
    found = tissues(pair.ours.ids) if like.rule == PATIENT else []
    if len(found) > 1:
        said += (
            f"; samples are of several kinds ({', '.join(found)}: 01 is a tumour, 11 normal "
            "tissue), and each has the row of its patient"
        )
    return said


def _warning_of_lost(pair, lost, source, where, otherwise):
    """Return how many samples have no row, such as the first, and what would match more."""
    like, end = pair.like, f" and {otherwise}" if otherwise else ""
    return (
        f"{source}: {len(lost)} of {len(like.take)} samples have no row in {where}{end} (such as "
        f"{lost[0]!r}); {like.count - len(like.found)} of its {like.count} rows have no sample."
        f"{_hint(pair, lost)}"
    )


def _check_counts(pair, both):
    """Refuse numbers of rows that begin with another number on each side."""
    ours, theirs = (counted_from(key.ids) for key in (pair.ours, pair.theirs))
    if None in (ours, theirs) or ours == theirs or len(pair.ours.ids) != len(pair.theirs.ids):
        return
    raise InputError(
        f"{both}: their ids count the rows, from {ours} in the first and from {theirs} in the "
        "second, so the same number is not the same sample. Give both files the same ids."
    )


def _hint(pair, lost):
    """Return a hint at the rule by which more rows would match."""
    taken = set(pair.like.take)
    others = [name for place, name in enumerate(pair.theirs.ids) if place not in taken]
    near = nearest_rule(lost, others)
    if near is None or not near.hits:
        return ""
    return f" Ignoring {near.rule}, {near.hits} more would match."


def _identified(table, key):
    """Return the matrix with one of its columns as sample ids, unless it has ids that tell more."""
    if key.name is None or not lacks_ids(table):
        return table
    table = dataclasses.replace(table, samples=[name or "" for name in key.ids])
    if key.name not in table.features:
        return table
    kept = [place for place, name in enumerate(table.features) if name != key.name]
    features = [table.features[place] for place in kept]
    values = chunked.columns(table.values, kept)
    return dataclasses.replace(table, values=values, features=features)


def _check_repeated(samples, theirs, where):
    """Refuse a column that has most ids, some of them in several rows."""
    for key in filter(has_names, theirs):
        for like in likenesses(samples, key.ids, (NUMBERS, ALIKE)):
            twice = [samples[row] for row in np.flatnonzero(like.take == REPEATED)]
            if twice and 2 * (like.hits + len(twice)) >= len(samples):
                raise NoCommonId(
                    f"{where}: {key.name}: duplicate sample id: {some(twice)}; expected each only "
                    "once."
                )


def _has_most(samples, key):
    """Return whether names that may come again are most ids, written otherwise."""
    near = nearest_rule(samples, key.ids) if has_names(key) else None
    return near is not None and 2 * near.hits >= len(samples)


def _check_ids(table, frame, theirs, repeats, source):
    """Refuse to match by order what has ids, none of which is in both."""
    where = frame.attrs["source"]
    if frame.attrs.get("repeated"):
        raise InputError(frame.attrs["repeated"])
    if table.samples is None:
        return
    _check_repeated(table.samples, [*theirs, *repeats], where)
    named = [key for key in theirs if is_of_ids(key) or _has_most(table.samples, key)]
    if not named:
        return
    near = [found for key in named if (found := nearest_rule(table.samples, key.ids))]
    best = max(near, key=lambda one: one.hits, default=None)
    hint = ""
    if best is not None:
        hint = f" Ignoring {best.rule}, {best.hits} of {len(table.samples)} would match"
        if not best.is_distinct:
            hint += ", but some ids would then be the same: give each sample a row with its own id"
        hint += "."
    if set(table.samples).intersection(frame.columns):
        hint += (
            f" The ids of {source} are in the header of {where}: transpose it to one row per "
            "sample."
        )
    key = named[0]
    has = "has" if key.name is None else f"has in {key.title}"
    ids = [name for name in key.ids if name is not None]
    raise NoCommonId(
        f"no sample id is in both files: {source} has {some(table.samples, 3)}; "
        f"{where} {has} {some(ids, 3)}.{hint}"
    )
