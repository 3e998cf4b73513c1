"""Rows of two files matched by their order, and what contradicts it."""

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._id_columns import counted_from, shared_columns


def warning_of_order(table: Table, frame: pd.DataFrame, source: str) -> str:
    """Return the warning that rows are matched by their order alone.

    Args:
        table: The matrix.
        frame: The target file, as `read_targets` returns it.
        source: The matrix file, for messages.

    Raises:
        InputError: The counts differ, or a column or the ids of one file contradict the order.
    """
    where, rows = frame.attrs["source"], table.values.shape[0]
    if len(frame) != rows:
        hint = " It has that many columns: if columns are samples, set data.orientation."
        hint = hint if len(frame) == len(table.features) else ""
        raise InputError(
            f"{where}: {len(frame)} rows, but {source} has {rows}; without sample ids in both "
            f"files the counts must agree.{hint}"
        )
    _check_columns(table, frame, source)
    _check_numbers(table, frame, source)
    has_ids = [table.samples is not None, frame.attrs["has_ids"]]
    who = f"only {(source, where)[has_ids.index(True)]} has" if any(has_ids) else "neither has"
    return (
        f"{source} and {where}: {who} sample ids, so rows are matched by their order, which "
        "cannot be checked. Give both files a column with the same ids (and set data.id to its "
        "name)."
    )


def _check_columns(table, frame, source):
    """Refuse to match by order where a column that both have says that the order is another."""
    for name, ours, theirs in shared_columns(table, frame):
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
        if counted_from(names) is not None and names != sorted(names, key=int):
            raise InputError(
                f"{path}: its ids number the rows, but not in the order that they stand in, and "
                f"the other file has no ids to match them by. Give both files the same ids; or "
                "take these away where the rows of both stand in one order."
            )
