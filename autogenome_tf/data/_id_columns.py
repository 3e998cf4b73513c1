"""Columns that may hold sample ids, of a matrix and of a target file, and the two that agree."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError
from autogenome_tf.data._cells import (
    are_numbers_of_rows,
    is_corner,
    is_id_name,
    is_number,
    is_text,
)
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._names import (
    NUMBERS,
    REPEATED,
    Likeness,
    likeness,
    likenesses,
    nearest_rule,
)
from autogenome_tf.tasks import as_text

# Columns of numbers that both files have, which are looked at where there are no ids.
COMPARED = 5
# Rows from which on text that differs in every row is taken for ids.
FEWEST_IDS = 3
# Part of the ids that numbers which come again must have: ages are those of some rows by chance.
MOST_NUMBERS = 0.8


@dataclasses.dataclass(frozen=True)
class IdColumn:
    """A column that may hold sample ids.

    Attributes:
        name: Its name; None for the index of its file.
        ids: A text for each row, None where it is missing.
        is_named: Whether its heading says that it holds ids; not the empty one that R and pandas
            write above numbers.
    """

    name: str | None
    ids: list[str | None]
    is_named: bool = False

    @property
    def title(self) -> str:
        """Return its name in messages."""
        return "the sample ids" if self.name is None else f"the column {self.name!r}"


@dataclasses.dataclass(frozen=True)
class Pair:
    """A column of the matrix beside one of the target file.

    Attributes:
        ours: The matrix's.
        theirs: The file's.
        like: How many ids they share, and by which rule.
    """

    ours: IdColumn
    theirs: IdColumn
    like: Likeness

    @property
    def merit(self) -> tuple:
        """Return the sort key of a pair of columns: matching rows, then columns known as ids."""
        is_shared = self.ours.name is not None and self.ours.name == self.theirs.name
        return (
            self.like.hits,
            is_shared,
            self.ours.name is None,
            self.theirs.is_named,
            self.theirs.name is None,
        )

    @property
    def is_by_count(self) -> bool:
        """Return whether the ids are nothing but numbers of rows, as R and pandas write them."""
        theirs = self.theirs
        is_counted = theirs.name is None and not theirs.is_named and are_numbers_of_rows(theirs.ids)
        return is_counted and self.ours.name is None and counted_from(self.ours.ids) is not None

    @property
    def is_credible(self) -> bool:
        """Return whether the match is not by chance: numbers must agree as a whole."""
        if not self.like.is_distinct or not self.like.hits:
            return False
        is_known = self.theirs.name is None or self.theirs.is_named
        return is_known or self.like.is_complete or any(is_text(x) for x in self.ours.ids if x)


def ids_of(frame: pd.DataFrame, asked: Sequence[str] = ()) -> set[str]:
    """Return all texts of a target file that may be sample ids.

    Args:
        frame: The target file, as `read_targets` returns it.
        asked: Names of the targets, which cannot be ids.
    """
    return {name for key in columns_of_file(frame, asked, None) for name in key.ids if name}


def columns_of_matrix(table: Table, frame: pd.DataFrame, key: str | None) -> list[IdColumn]:
    """Return the columns of a matrix that may hold sample ids.

    Args:
        table: The matrix.
        frame: The target file, as `read_targets` returns it.
        key: `data.id`: the one column of the file to match by.
    """
    keys = [] if table.samples is None else [IdColumn(None, list(table.samples), True)]
    if table.samples is not None and key is not None:
        return keys
    extra = pd.DataFrame() if table.extra is None else table.extra
    keys += [_key(name, extra[name]) for name in extra.columns]
    if lacks_ids(table):
        keys += [IdColumn(name, _texts(ours)) for name, ours, theirs in shared_columns(table, frame)
                 if _is_counted(ours) and not np.array_equal(ours, theirs)]  # fmt: skip
    return [one for one in keys if _may_be_ids(one)]


def columns_of_file(frame: pd.DataFrame, asked: Sequence[str], key: str | None) -> list[IdColumn]:
    """Return the columns of a target file that may hold sample ids.

    Args:
        frame: The target file, as `read_targets` returns it.
        asked: Names of the targets, which cannot be ids.
        key: `data.id`: the one column of the file to match by, where it has it.
    """
    return [one for one in _every_column(frame, asked, key) if _may_be_ids(one)]


def columns_of_repeats(
    frame: pd.DataFrame, asked: Sequence[str], key: str | None
) -> list[IdColumn]:
    """Return the columns of text that come again in too many rows to be ids.

    Args:
        frame: The target file, as `read_targets` returns it.
        asked: Names of the targets, which cannot be ids.
        key: `data.id`: the one column of the file to match by, where it has it.
    """
    return [
        one
        for one in _every_column(frame, asked, key)
        if not _may_be_ids(one) and not any(is_number(name) for name in one.ids if name)
    ]


def _every_column(frame, asked, key):
    if key is not None and key in frame.columns:
        return [_key(key, frame[key])]
    keys = []
    if frame.attrs["has_ids"]:
        ids = list(frame.index)
        is_named = not is_corner(frame.index.name or "") or not all(map(is_number, ids))
        keys = [IdColumn(None, ids, is_named)]
    if key is not None and keys and frame.index.name == key:
        return keys
    return keys + [_key(name, frame[name]) for name in frame.columns if name not in asked]


def best_pair(ours: list[IdColumn], theirs: list[IdColumn], both: str) -> Pair | None:
    """Return the columns that hold the same ids as they stand, else by one rule for all of them.

    A column that counts the rows of the file has the numbers of any ids that count too: it is taken
    where no other column has the ids.

    Args:
        ours: Columns of the matrix.
        theirs: Columns of the target file.
        both: The two files, for messages.

    Raises:
        InputError: Two columns of the file match as many rows, but different ones, or one that
            counts rows contradicts another that has most of the ids.
    """
    headings = {one.name for one in ours if one.name is not None}
    others = [one for one in theirs if one.name in headings or not _counts_rows(one)]
    found = _agreeing(ours, others, both)
    if len(others) == len(theirs) or (found is not None and found.like.is_complete):
        return found
    counted = _agreeing(ours, theirs, both)
    if counted is None or any(counted.theirs is one for one in others):
        return counted
    rival = _rival(counted, ours, others)
    if rival is None:
        return counted
    if counted.theirs.name is None and found is not None and found.theirs is rival.theirs:
        # Row numbers that R and pandas write are no ids beside ids.
        return found
    raise InputError(
        f"{both}: rows would be matched by {counted.theirs.title} of the second, whose numbers "
        f"only count its rows, but {rival.theirs.title} of it would match {rival.like.hits} of "
        f"{len(rival.ours.ids)} ids of the first with other rows{_but(rival.like)}; set data.id "
        "to the column to match by."
    )


def _agreeing(ours, theirs, both):
    """Return the columns that share most ids, or all by one rule, or None."""
    sides = list(itertools.product(ours, theirs))
    pairs = [Pair(one, other, likeness(one.ids, other.ids)) for one, other in sides]
    exact = sorted((p for p in pairs if p.is_credible), key=lambda p: p.merit, reverse=True)
    _check_ambiguous(exact, both)
    if exact and exact[0].like.is_complete:
        return exact[0]
    least = exact[0].like.hits if exact else 0
    for one, other in sides:
        like = nearest_rule(one.ids, other.ids, None if is_of_ids(other) else (NUMBERS,))
        if like is not None and like.is_complete and like.hits > least:
            return Pair(one, other, like)
    if exact:
        _check_others(ours, theirs, exact[0], both)
    return exact[0] if exact else None


def _check_others(ours, theirs, best, both):
    """Refuse columns that share some ids where another has more, but some of them repeatedly.

    Where they share less than half, one with more by a rule that does not explain all counts too.
    """
    is_few = 2 * best.like.hits < min(len(best.ours.ids), best.like.count)
    for one, other in itertools.product(ours, theirs):
        if one.name is not None or other is best.theirs:
            continue
        found = likenesses(one.ids, other.ids, None if is_few else ())
        if not has_names(other) and found[0].hits < MOST_NUMBERS * len(one.ids):
            continue
        for like in found:
            is_partial = like.rule or (like.take == REPEATED).any()
            if is_partial and like.hits > best.like.hits:
                raise InputError(
                    f"{both}: {best.theirs.title} of the second has {best.like.hits} of "
                    f"{len(best.ours.ids)} ids of the first, but {other.title} of it would match "
                    f"{like.hits}{_but(like)}; leave one row of each, or set data.id to the column "
                    "to match by."
                )


def _counts_rows(key):
    """Return whether a column has consecutive whole numbers below a heading that is none of ids."""
    return not key.is_named and counted_from(key.ids) is not None


def _rival(counted, ours, others):
    """Return a pair of columns that matches most ids, but other rows than one that counts rows."""
    for one, other in itertools.product(ours, others):
        found = likenesses(one.ids, other.ids, None if has_names(other) else ())
        share = 0.5 if has_names(other) or found[0].is_distinct else MOST_NUMBERS
        for like in found:
            is_most = 0 < share * min(len(one.ids), like.count) <= like.hits
            has_both = (like.take >= 0) & (counted.like.take >= 0)
            if is_most and (like.take != counted.like.take)[has_both].any():
                return Pair(one, other, like)
    return None


def _but(like):
    """Return what is to be said of ids that are not the same, or that come several times."""
    repeated = int((like.take == REPEATED).sum())
    rule = f", ignoring {like.rule}" if like.rule else ""
    return f"{rule} ({repeated} more are in several rows)" if repeated else rule


def pair_of_owners(table: Table, theirs: list[IdColumn]) -> Pair | None:
    """Return the columns by which several samples share a row of a file, as those of a patient do.

    They are text or have one name: numbers that come several times are seldom ids.

    Args:
        table: The matrix.
        theirs: Columns of the target file.
    """
    extra = pd.DataFrame() if table.extra is None else table.extra
    owners = [_key(name, extra[name]) for name in extra.columns]
    pairs = [
        Pair(one, other, likeness(one.ids, other.ids))
        for one, other in itertools.product(owners, theirs)
        if one.name == other.name or all(is_text(name) for name in one.ids if name)
    ]
    found = [pair for pair in pairs if pair.like.hits and not (pair.like.take == REPEATED).any()]
    return max(found, key=lambda pair: pair.merit, default=None)


def _check_ambiguous(pairs, both):
    """Refuse two columns that hold the same ids for other rows.

    Names in the index go before other columns; numbers of rows there do not.
    """
    if len(pairs) < 2 or (pairs[0].theirs.name is None and pairs[0].theirs.is_named):
        return
    first, second = pairs[:2]
    is_even = first.merit[:-1] == second.merit[:-1]
    if is_even and not np.array_equal(first.like.take, second.like.take):
        raise InputError(
            f"{both}: {first.theirs.title} and {second.theirs.title} of the second both have ids "
            "of the other file, but match different rows; set data.id to the column to match by."
        )


def lacks_ids(table: Table) -> bool:
    """Return whether a matrix has no ids of samples, or numbers of rows in their place.

    Args:
        table: The matrix.
    """
    return table.samples is None or counted_from(table.samples) is not None


def has_names(key: IdColumn) -> bool:
    """Return whether a column has names of rows, which may come again: by its heading, or text."""
    return key.is_named or not any(is_number(name) for name in key.ids if name)


def is_of_ids(key: IdColumn) -> bool:
    """Return whether a column holds ids: by its heading, or as text that differs in every row."""
    known = set(key.ids)
    if key.name is None or key.is_named:
        return True
    is_whole = None not in known and len(known) == len(key.ids) >= FEWEST_IDS
    return is_whole and not any(is_number(name) for name in known if name)


def shared_columns(
    table: Table, frame: pd.DataFrame
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the names of columns that both have, with the numbers of the matrix and of the file.

    Args:
        table: The matrix.
        frame: The target file.
    """
    known = set(frame.columns)
    places = [place for place, name in enumerate(table.features) if name in known][:COMPARED]
    if not places:
        return
    values = np.concatenate([batch[:, places] for batch in chunked.batches(table.values)])
    for place, ours in zip(places, values.T, strict=True):
        theirs = pd.to_numeric(frame[table.features[place]], errors="coerce")
        yield table.features[place], ours, theirs.to_numpy("float32")


def _is_counted(values):
    """Return whether numbers are whole and differ in every row."""
    return bool((values % 1 == 0).all()) and len(np.unique(values)) == len(values)


def counted_from(ids: Sequence[str | None]) -> int | None:
    """Return the first of ids that are consecutive whole numbers, in any order, else None."""
    numbers = [int(name) for name in ids if name and name.isdigit()]
    if not ids or len(numbers) < len(ids):
        return None
    first, count = min(numbers), len(numbers)
    return first if set(numbers) == set(range(first, first + count)) else None


def _key(name, column):
    return IdColumn(name, _texts(column), is_id_name(str(name)))


def _texts(column):
    """Return cells as text, whole numbers without a trailing .0; None where missing."""
    return [None if pd.isna(cell) else as_text(cell).strip() for cell in column]


def _may_be_ids(key):
    """Return whether most values of a column differ, as ids do."""
    known = [one for one in key.ids if one is not None]
    return bool(known) and 2 * len(set(known)) > len(known)
