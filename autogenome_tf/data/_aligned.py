"""Rows and targets in memory: two objects of pandas are aligned by the labels of their indexes."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import is_id_name
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._ids import texts
from autogenome_tf.data._memory import is_annotated, is_counted
from autogenome_tf.data._names import REPEATED, likeness, nearest_rule


def aligned_targets(table: Table, x: Any, y: Any, columns: pd.DataFrame) -> tuple:
    """Bring the rows of targets into the order of a matrix.

    Args:
        table: The matrix as a `Table`.
        x: What it was made of. An index of pandas, or the names of an AnnData, are its labels.
        y: What the targets came as; only a Series or a DataFrame has labels.
        columns: The targets.

    Returns:
        (table, columns): rows that have both, with a warning where others are left out or the order
        alone says which belong together. The index of the columns has the name of the one that
        holds the ids, where one does.

    Raises:
        InputError: The labels of both contradict each other, or there are other counts of rows.
    """
    if isinstance(y, pd.DataFrame) and is_counted(y.index) and table.samples is not None:
        columns = _identified(columns, table.samples)
    theirs = columns.index if isinstance(y, (pd.Series, pd.DataFrame)) else None
    ours = _labels(x, table, theirs)
    if ours is None or theirs is None or _say_nothing(ours, theirs):
        return _by_order(table, columns)
    names, others = list(map(str, ours)), list(map(str, theirs))
    like = likeness(names, others)
    if (like.take == REPEATED).any():
        twice = {names[row] for row in np.flatnonzero(like.take == REPEATED)}
        raise InputError(f"data: y: duplicate label in its index: {some(sorted(twice))}.")
    is_counted_once = is_counted(ours) or is_counted(theirs)
    if not like.is_complete and not is_counted_once:
        like = _nearly(like, names, others)
    if not like.is_complete and is_counted_once:
        return _half_counted(table, columns, like)
    if not like.hits:
        raise InputError(
            f"data: y has no value for any sample: X has {some(names, 3)}; y has {some(others, 3)}."
        )
    return _taken(table, columns, like, names)


def _identified(columns, samples):
    """Return targets whose index is their column of the ids of the samples, if one has most."""
    found = []
    for name, column in columns.items():
        is_named = is_id_name(str(name))
        if pd.api.types.is_numeric_dtype(column) and not is_named:
            continue
        ids = texts(column)
        if len(set(ids)) < len(ids):
            continue
        exact = likeness(samples, ids)
        like = exact if exact.is_complete else _nearly(exact, samples, ids)
        if like.is_complete or (is_named and 2 * like.hits >= min(len(samples), len(ids))):
            found.append((like.hits, not like.rule, name, ids))
    if not found:
        return columns
    *_, name, ids = max(found, key=lambda one: one[:2])
    return columns.set_axis(pd.Index(ids, name=name))


def _labels(x, table, theirs):
    """Return the labels of rows: an index, or a column of ids where the index just counts."""
    if is_annotated(x):
        return x.obs_names
    if not isinstance(x, pd.DataFrame):
        return None
    is_named = theirs is not None and not is_counted(theirs)
    has_column = is_counted(x.index) and is_named and table.samples is not None
    return pd.Index(table.samples) if has_column else x.index


def _say_nothing(ours, theirs):
    """Return whether two indexes agree with the order, or both just count."""
    if is_counted(ours) and is_counted(theirs):
        return True
    return len(ours) == len(theirs) and list(map(str, ours)) == list(map(str, theirs))


def _nearly(like, names, others):
    near = nearest_rule(names, others)
    return near if near is not None and near.is_complete and near.hits > like.hits else like


def _by_order(table, columns, *warnings):
    count = table.values.shape[0]
    if len(columns) != count:
        raise InputError(f"data: X has {count} rows, y has {len(columns)}; expected as many.")
    return dataclasses.replace(table, warnings=(*table.warnings, *warnings)), columns


def _half_counted(table, columns, like):
    """Return rows matched where one side is only counted: counts are positions."""
    if like.hits:
        raise InputError(
            f"data: {like.hits} of {len(like.take)} labels in the index of X are in that of y, "
            "so the order of the rows differs. Give both the same index, or give y as an array "
            "(y.to_numpy()) to match rows by their order."
        )
    text = (
        "data: only one of X and y has labels in its index, so rows are matched by their order, "
        "which cannot be checked."
    )
    return _by_order(table, columns, ("matching", text))


def _taken(table, columns, like, names):
    """Return the rows that have both, in the order of the matrix."""
    kept = np.flatnonzero(like.take >= 0)
    warnings = list(table.warnings)
    if like.rule:
        one = kept[0]
        text = f"{names[one]!r} and {str(columns.index[like.take[one]])!r}"
        text = f"data: rows of X and y are matched by labels that differ in {like.rule} ({text})."
        warnings.append(("matching", text))
    lost = len(like.take) - len(kept)
    if lost:
        first = names[int(np.flatnonzero(like.take < 0)[0])]
        text = f"data: {lost} of {len(names)} samples of X have no value in y and are left out"
        warnings.append(("matching", f"{text} (such as {first!r})."))
        extra = None if table.extra is None else table.extra.iloc[kept]
        samples = [names[row] for row in kept]
        table = dataclasses.replace(table, values=table.values[kept], samples=samples, extra=extra)
    table = dataclasses.replace(table, warnings=tuple(warnings))
    return table, columns.iloc[like.take[kept]]
