"""The last step of every reader: what a table promises is checked here, once."""

import dataclasses
import os
from collections.abc import Collection

import numpy as np
import pandas as pd
import scipy

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Dataset, Table
from autogenome_tf.data._distinct import repeated

# Values of a block that is looked at.
_BLOCK = 1 << 22


def checked(
    where: str,
    table: Table,
    kind: str,
    *notes: str,
    columns: Collection[str] = (),
    limit: int = chunked.LIMIT,
) -> Table:
    """Make a table keep its promises, or refuse it.

    Args:
        where: The file, or whatever else the error should name.
        table: A `Table` whose values may be of any numeric type and sparse format.
        kind: What the file is, for `Table.said`.
        *notes: What else was found out, for `Table.said`.
        columns: Names of features that are none; they move to `Table.extra`.
        limit: Bytes that the matrix may take in memory.

    Returns:
        A `Table` with float32 values, dense or CSR. Its names may repeat; see `distinct`.

    Raises:
        InputError: Shapes disagree, a name is empty, a value is infinite.
    """
    values = float_matrix(where, table.values)
    _check_counts(where, values.shape, table)
    check_spelling(where, "sample id", table.samples or [])
    check_spelling(where, "gene name", table.features)
    _check_finite(where, values, table)
    table = _set_aside(where, dataclasses.replace(table, values=values), columns, limit)
    rows, width = table.values.shape
    words = [kind, f"{rows} samples x {width} features", *notes]
    label = os.path.basename(os.path.normpath(where))
    return dataclasses.replace(table, said=f"{label}: {', '.join(words)}")


def numbered_features(count: int) -> list[str]:
    """Return names for the columns of a matrix without names.

    Args:
        count: Number of columns.

    >>> numbered_features(2)
    ['feature_1', 'feature_2']
    """
    return [f"feature_{number}" for number in range(1, count + 1)]


def has_names(rows: Table | Dataset) -> bool:
    """Return whether rows came with names of their genes."""
    return list(rows.features) != numbered_features(len(rows.features))


def float_matrix(where, values):
    """Cast a matrix of numbers to float32, an array or CSR as it came.

    Raises:
        InputError: It is not two-dimensional, not of numbers, or has no rows or columns.
    """
    values = values if scipy.sparse.issparse(values) else np.asarray(values)
    if values.ndim != 2:
        hint = " One sample is a table of one row: series.to_frame().T, or array[None]."
        raise InputError(
            f"{where}: received {values.ndim} dimension(s), shape {values.shape}; "
            f"expected two: samples x genes.{hint if values.ndim == 1 else ''}"
        )
    if values.dtype.kind not in "biuf":
        raise InputError(f"{where}: received values of type {values.dtype}; expected numbers.")
    if values.shape[1] == 0:
        raise InputError(
            f"{where}: received no genes: no column is left beside sample ids, targets and what "
            "data.exclude names. Is it a file of targets?"
        )
    if values.shape[0] == 0:
        raise InputError(
            f"{where}: received 0 samples x {values.shape[1]} genes; expected at least one of each."
        )
    if scipy.sparse.issparse(values):
        values = scipy.sparse.csr_matrix(values)
        try:
            values.check_format(full_check=True)
        except ValueError as error:
            raise InputError(f"{where}: the sparse matrix is damaged ({error}).") from None
    with np.errstate(over="ignore"):  # becomes inf, which is refused with its place
        return values.astype(np.float32, copy=False)


def has_infinite(values: np.ndarray) -> bool:
    """Return whether an array holds inf or -inf, block by block: it may be larger than memory."""
    flat = values.ravel()
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        # NaN is no matter here, and nothing is copied.
        if np.isinf([np.fmax.reduce(block), np.fmin.reduce(block)]).any():
            return True
        chunked.forget(values)
    return False


def _check_counts(where, shape, table):
    for what, names, count in (
        ("sample ids", table.samples, shape[0]),
        ("gene names", table.features, shape[1]),
    ):
        if names is not None and len(names) != count:
            raise InputError(
                f"{where}: received {len(names)} {what} for a matrix of {shape[0]} samples x "
                f"{shape[1]} genes; expected {count}."
            )


def check_names(where, what, names):
    """Refuse names that are empty, that no table gives back, or that come twice."""
    check_spelling(where, what, names)
    twice = repeated(names)
    if twice:
        raise InputError(f"{where}: duplicate {what}: {some(twice)}; expected each only once.")


def check_spelling(where, what, names):
    """Refuse names that are empty or that no table gives back."""
    empty = next((place for place, name in enumerate(names, 1) if not name.strip()), None)
    if empty:
        raise InputError(f"{where}: {what} {empty} of {len(names)} is empty.")
    check_line(where, what, names)


def check_line(where, what, names):
    """Refuse names that no table gives back.

    A carriage return ends a line for some readers and not for others, a NUL the name.
    """
    broken = next((name for name in names if "\r" in name or "\0" in name), None)
    if broken is not None:
        raise InputError(
            f"{where}: {what} {broken!r}: expected no carriage return and no NUL in it."
        )


def _check_finite(where, values, table):
    sparse = scipy.sparse.issparse(values)
    if not has_infinite(values.data if sparse else values):
        return
    row, column = _first_infinite(values)
    sample = f"row {row + 1}" if table.samples is None else f"sample {table.samples[row]!r}"
    raise InputError(
        f"{where}: {sample}, gene {table.features[column]!r}: received {values[row, column]}; "
        "expected a finite number."
    )


def _first_infinite(values):
    if scipy.sparse.issparse(values):
        entries = values.tocoo()
        place = np.isinf(entries.data).argmax()
        return entries.row[place], entries.col[place]
    return np.unravel_index(np.isinf(values).argmax(), values.shape)


def set_aside(where, table, options):
    """Move the columns of a `Table` that are no features by `ReadOptions` to its `extra`."""
    return _set_aside(where, table, options.aside(table.features), options.limit)


def _set_aside(where, table, columns, limit):
    known = set() if table.extra is None else set(table.extra.columns)
    wanted = set(columns) - known
    places = [place for place, name in enumerate(table.features) if name in wanted]
    if not places:
        return table
    names = [table.features[place] for place in places]
    check_names(where, "column name", names)
    aside = table.values[:, places]
    aside = aside.toarray() if scipy.sparse.issparse(aside) else aside
    # By place: sample ids may repeat so far.
    extra = pd.DataFrame(aside, columns=names)
    if table.extra is not None:
        extra = pd.concat([table.extra.reset_index(drop=True), extra], axis=1)
    extra = extra if table.samples is None else extra.set_axis(list(table.samples))
    keep = [place for place, name in enumerate(table.features) if name not in wanted]
    return dataclasses.replace(
        table,
        values=chunked.columns(table.values, keep, limit),
        features=[table.features[place] for place in keep],
        extra=extra,
    )
