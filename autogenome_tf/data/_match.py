"""Rows of a matrix and rows of a target file: which column of either side holds the other's ids."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import is_id_name, is_number, is_text
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._names import NUMBERS, Likeness, likeness, nearest_rule
from autogenome_tf.tasks import as_text

# Columns of numbers that both files have, which are looked at where there are no ids.
COMPARED = 5
# Rows from which on text that differs in every row is taken for ids.
FEWEST_IDS = 3


@dataclasses.dataclass(frozen=True)
class Match:
    """Say which row of a target file belongs to each row of a matrix.

    Attributes:
        take: (rows,) number of the row in the file, below 0 for none.
        column: Name of the file's column that holds the ids; None: its index, or the order.
        is_by_order: Whether nothing but the order says so.
        warnings: Pairs of a subject and a text.
        said: How rows were matched, for the log; "" where nothing about it is unusual.
        table: The matrix, without a column of it that turned out to be ids.
    """

    take: np.ndarray
    table: Table
    column: str | None = None
    is_by_order: bool = False
    warnings: tuple[tuple[str, str], ...] = ()
    said: str = ""


@dataclasses.dataclass(frozen=True)
class _Key:
    """A column that may hold sample ids: its name, its ids, whether a heading says it does."""

    name: str | None
    ids: list[str | None]
    is_named: bool = False

    @property
    def title(self):
        return "the sample ids" if self.name is None else f"the column {self.name!r}"


@dataclasses.dataclass(frozen=True)
class _Pair:
    ours: _Key
    theirs: _Key
    like: Likeness

    @property
    def merit(self):
        """Return the sort key of a pair of columns: matching rows, then columns known as ids."""
        return (
            self.like.hits,
            self.ours.name is None,
            self.theirs.name is None,
            self.theirs.is_named,
        )

    @property
    def is_credible(self):
        """Return whether the match is not by chance: numbers must agree as a whole."""
        if not self.like.is_distinct or not self.like.hits:
            return False
        is_known = self.theirs.name is None or self.theirs.is_named
        return is_known or self.like.is_complete or any(is_text(x) for x in self.ours.ids if x)


def match_rows(
    table: Table,
    frame: pd.DataFrame,
    source: str,
    *,
    asked: Sequence[str] = (),
    key: str | None = None,
    is_only: bool = True,
) -> Match:
    """Find the row of a target file for each row of a matrix.

    Args:
        table: The matrix.
        frame: The target file, as `read_targets` returns it.
        source: The matrix file, for messages.
        asked: Names of the targets, which cannot be ids.
        key: `data.id`: the one column of the file to match by, where it has it.
        is_only: Whether rows that the file lacks have no other one.

    Raises:
        InputError: No id is in both, an id comes twice, or the order is contradicted.
    """
    where = frame.attrs["source"]
    theirs = _keys_of_file(frame, asked, key)
    pair = _best_pair(_keys_of_matrix(table, frame, key), theirs, f"{source} and {where}")
    if pair is not None:
        return _by_ids(table, frame, pair, source, is_only)
    _check_ids(table, frame, theirs, source)
    return _by_order(table, frame, theirs, source)


def ids_of(frame: pd.DataFrame, asked: Sequence[str] = ()) -> set[str]:
    """Return all texts of a target file that may be sample ids.

    Args:
        frame: The target file, as `read_targets` returns it.
        asked: Names of the targets, which cannot be ids.
    """
    return {name for key in _keys_of_file(frame, asked, None) for name in key.ids if name}


def _keys_of_matrix(table, frame, key):
    keys = [] if table.samples is None else [_Key(None, list(table.samples), True)]
    if table.samples is not None and key is not None:
        return keys
    extra = pd.DataFrame() if table.extra is None else table.extra
    keys += [_key(name, extra[name]) for name in extra.columns]
    if table.samples is None:
        keys += [_Key(name, _texts(ours)) for name, ours, theirs in _shared(table, frame)
                 if _is_counted(ours) and not np.array_equal(ours, theirs)]  # fmt: skip
    return [one for one in keys if _may_be_ids(one)]


def _keys_of_file(frame, asked, key):
    if key is not None and key in frame.columns:
        return [_key(key, frame[key])]
    keys = [_Key(None, list(frame.index), True)] if frame.attrs["has_ids"] else []
    if key is not None and keys and frame.index.name == key:
        return keys
    keys += [_key(name, frame[name]) for name in frame.columns if name not in asked]
    return [one for one in keys if _may_be_ids(one)]


def _key(name, column):
    return _Key(name, _texts(column), is_id_name(str(name)))


def _texts(column):
    """Return cells as text, whole numbers without a trailing .0; None where missing."""
    return [None if pd.isna(cell) else as_text(cell).strip() for cell in column]


def _may_be_ids(key):
    """Return whether most values of a column differ, as ids do."""
    known = [one for one in key.ids if one is not None]
    return bool(known) and 2 * len(set(known)) > len(known)


def _best_pair(ours, theirs, both):
    """Return the columns that hold the same ids as they stand, else by one rule for all of them."""
    sides = list(itertools.product(ours, theirs))
    pairs = [_Pair(one, other, likeness(one.ids, other.ids)) for one, other in sides]
    exact = sorted((p for p in pairs if p.is_credible), key=lambda p: p.merit, reverse=True)
    _check_ambiguous(exact, both)
    if exact and exact[0].like.is_complete:
        return exact[0]
    least = exact[0].like.hits if exact else 0
    for one, other in sides:
        like = nearest_rule(one.ids, other.ids, None if _is_of_ids(other) else (NUMBERS,))
        if like is not None and like.is_complete and like.hits > least:
            return _Pair(one, other, like)
    return exact[0] if exact else None


def _check_ambiguous(pairs, both):
    """Refuse two columns that hold the same ids for other rows, unless the index is one of them."""
    if len(pairs) < 2 or pairs[0].theirs.name is None:
        return
    first, second = pairs[:2]
    if first.merit == second.merit and not np.array_equal(first.like.take, second.like.take):
        raise InputError(
            f"{both}: the columns {first.theirs.name!r} and {second.theirs.name!r} both have ids "
            "of the other file, but match different rows; set data.id to the column to match by."
        )


def _by_ids(table, frame, pair, source, is_only):
    where, like, rows = frame.attrs["source"], pair.like, len(pair.like.take)
    _check_counts(pair, f"{source} and {where}")
    warnings, said = [], ""
    if pair.ours.name is not None or pair.theirs.name is not None or like.rule:
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
        warnings.append(("matching", f"{said[0].upper()}{said[1:]}."))
        said = ""
    lost = [name for name, place in zip(pair.ours.ids, like.take, strict=True) if place < 0]
    unused = like.count - like.hits
    if lost:
        out = " and are left out" if is_only else ""
        text = f"{source}: {len(lost)} of {rows} samples have no row in {where}{out} (such as "
        text += f"{lost[0]!r}); {unused} of its {like.count} rows have no sample."
        warnings.append(("matching", text + _hint(pair, lost)))
    elif unused:
        text = f"{where}: samples without a row in {source} are not used: {unused}"
        said = f"{said}; {text}" if said else text
    return Match(
        like.take, _identified(table, pair.ours), pair.theirs.name, False, tuple(warnings), said
    )


def _check_counts(pair, both):
    """Refuse numbers of rows that begin with another number on each side."""
    ours, theirs = (_counted_from(key.ids) for key in (pair.ours, pair.theirs))
    if None in (ours, theirs) or ours == theirs or len(pair.ours.ids) != len(pair.theirs.ids):
        return
    raise InputError(
        f"{both}: their ids count the rows, from {ours} in the first and from {theirs} in the "
        "second, so the same number is not the same sample. Give both files the same ids."
    )


def _counted_from(ids):
    """Return the first of ids that are consecutive whole numbers, in any order, else None."""
    if not ids or not all(name and name.isdigit() for name in ids):
        return None
    first, count = min(map(int, ids)), len(ids)
    return first if set(map(int, ids)) == set(range(first, first + count)) else None


def _hint(pair, lost):
    """Say what would let more rows match."""
    taken = set(pair.like.take)
    others = [name for place, name in enumerate(pair.theirs.ids) if place not in taken]
    near = nearest_rule(lost, others)
    if near is None or not near.hits:
        return ""
    return f" Ignoring {near.rule}, {near.hits} more would match."


def _identified(table, key):
    """Return the matrix with one of its columns as sample ids."""
    if key.name is None:
        return table
    table = dataclasses.replace(table, samples=[name or "" for name in key.ids])
    if key.name not in table.features:
        return table
    kept = [place for place, name in enumerate(table.features) if name != key.name]
    features = [table.features[place] for place in kept]
    values = chunked.columns(table.values, kept)
    return dataclasses.replace(table, values=values, features=features)


def _check_ids(table, frame, theirs, source):
    """Refuse to match by order what has ids, none of which is in both."""
    where = frame.attrs["source"]
    if frame.attrs.get("repeated"):
        raise InputError(frame.attrs["repeated"])
    named = [key for key in theirs if _is_of_ids(key)]
    if table.samples is None or not named:
        return
    near = [found for key in named if (found := nearest_rule(table.samples, key.ids))]
    best = max(near, key=lambda one: one.hits, default=None)
    hint = ""
    if best is not None:
        hint = f" Ignoring {best.rule}, {best.hits} of {len(table.samples)} would match"
        hint += "." if best.is_distinct else ", but some ids would then be the same."
    if set(table.samples).intersection(frame.columns):
        hint += (
            f" The ids of {source} are in the header of {where}: transpose it to one row per "
            "sample."
        )
    key = named[0]
    has = "has" if key.name is None else f"has in {key.title}"
    ids = [name for name in key.ids if name is not None]
    raise InputError(
        f"no sample id is in both files: {source} has {some(table.samples, 3)}; "
        f"{where} {has} {some(ids, 3)}.{hint}"
    )


def _is_of_ids(key):
    """Return whether a column holds ids: by its heading, or as text that differs in every row."""
    known = set(key.ids)
    if key.name is None or key.is_named:
        return True
    is_whole = None not in known and len(known) == len(key.ids) >= FEWEST_IDS
    return is_whole and not any(map(is_number, known))


def _by_order(table, frame, theirs, source):
    where, rows = frame.attrs["source"], table.values.shape[0]
    if len(frame) != rows:
        hint = " It has that many columns: if columns are samples, set data.orientation."
        hint = hint if len(frame) == len(table.features) else ""
        raise InputError(
            f"{where}: {len(frame)} rows, but {source} has {rows}; without sample ids in both "
            f"files the counts must agree.{hint}"
        )
    _check_order(table, frame, source)
    _check_numbers(table, frame, source)
    has_ids = [table.samples is not None, any(key.name is None for key in theirs)]
    who = f"only {(source, where)[has_ids.index(True)]} has" if any(has_ids) else "neither has"
    text = (
        f"{source} and {where}: {who} sample ids, so rows are matched by their order, which "
        "cannot be checked. Give both files a column with the same ids (and set data.id to its "
        "name)."
    )
    return Match(np.arange(rows), table, None, True, (("matching", text),))


def _shared(table, frame):
    """Yield the names of columns that both have, with the numbers of the matrix and of the file."""
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


def _check_order(table, frame, source):
    """Refuse to match by order where a column that both have says that the order is another."""
    for name, ours, theirs in _shared(table, frame):
        is_same = np.array_equal(np.sort(ours), np.sort(theirs))
        if is_same and not np.array_equal(ours, theirs):
            raise InputError(
                f"{source} and {frame.attrs['source']}: both have the column {name!r}, with the "
                "same numbers in another order, and rows would be matched by order; if these are "
                f'sample ids, set data.id "{name}".'
            )


def _check_numbers(table, frame, source):
    """Refuse to match by order where the ids of one file number its rows in another order."""
    ids = list(frame.index) if frame.attrs["has_ids"] else []
    for path, names in ((source, table.samples or []), (frame.attrs["source"], ids)):
        if _counted_from(names) is not None and names != sorted(names, key=int):
            raise InputError(
                f"{path}: its ids number the rows, but not in the order that they stand in, and "
                f"the other file has no ids to match them by. Give both files the same ids; or "
                "take these away where the rows of both stand in one order."
            )
