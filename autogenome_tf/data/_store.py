"""Rows from a notebook as a file, so that a run made of them can be repeated and resumed."""

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._aligned import aligned_targets
from autogenome_tf.data._dataset import WARNINGS, WRITTEN_BY
from autogenome_tf.data._distinct import distinct
from autogenome_tf.data._memory import how_of, in_pandas, is_annotated, plain_table
from autogenome_tf.data._origins import origins
from autogenome_tf.data._reader import ReadOptions

TARGET = "target"


def write_rows(
    path: str | Path,
    x: Any,
    y: Any,
    further: Collection[str] = (),
    options: ReadOptions | None = None,
) -> list[str | list[str]]:
    """Write rows and targets as an archive that the npz reader reads.

    Args:
        path: The archive.
        x: (samples, genes): a DataFrame, an array, a sparse matrix or an AnnData.
        y: (samples,) or (samples, targets) labels or values, a Series, a DataFrame, or the name
            or names of columns of a DataFrame `x` or of an AnnData's ``obs``, of which one may be a
            pair of time and event, such as ``["subtype", ["days", "death"]]``.
        further: Names of further columns to keep: of `y`, ``obs`` or a DataFrame `x`.
        options: `ReadOptions`; None: their defaults.

    Returns:
        Names of the targets, pairs as `y` has them.

    Raises:
        InputError: Where rows do not match, or a column is not there.
    """
    x, options = in_pandas(x), options or ReadOptions()
    columns = _columns(x, in_pandas(y), further)
    if isinstance(x, pd.DataFrame) and _are_names(y, x):
        options = dataclasses.replace(options, columns=(*options.columns, *columns))
    table, columns = aligned_targets(plain_table(x, options), x, y, columns)
    ids = columns.index.name if len(columns.columns) > 1 else None
    kept = columns
    if is_annotated(x) and table.extra is not None:
        found = origins(table.extra, columns)
        if found is not None:
            kept = pd.concat([columns, found.set_axis(columns.index)], axis=1)
    if table.extra is not None:
        more = [name for name in further if name in table.extra and name not in kept]
        kept = pd.concat([kept, table.extra[more].set_axis(kept.index)], axis=1)
    kept = kept.set_axis(table.samples or list(range(len(kept))))
    table = dataclasses.replace(table, extra=kept)
    table = distinct(table, how_of(x, options), "data: X", asked=list(columns))
    if not is_annotated(x):
        _check_names(columns, table.features)
    arrays: dict[str, Any] = {f"target_{name}": _plain(table.column(name)) for name in kept}
    if table.samples is not None:
        arrays["samples"] = np.array(table.samples)
    if table.warnings:
        arrays[WARNINGS] = np.array(table.warnings)
    values: Any = table.values
    if scipy.sparse.issparse(values):
        arrays |= {"data": values.data, "indices": values.indices, "indptr": values.indptr}
        arrays |= {"shape": np.array(values.shape), "format": np.array(b"csr")}
    else:
        # First in the archive the values lie at a multiple of their size, and can be mapped.
        arrays = {"values": values, WRITTEN_BY: np.array("autogenome_tf")} | arrays
    with open(path, "wb") as stream:
        np.savez(stream, **arrays, features=np.array(table.features))
    if _has_pairs(y):
        return y
    # The ids of the samples are no target.
    return [str(name) for name in columns if name not in (*further, ids)]


def _columns(x, y, further):
    """Return the targets, and further columns where some are asked for, as a frame."""
    if y is None and not further:
        return pd.DataFrame(index=pd.RangeIndex(_count(x)))
    if y is None or _are_names(y, x):
        own = [y] if isinstance(y, str) else y or ()
        names = [name for one in own for name in (one if isinstance(one, list) else [one])]
        return _named(x, list(dict.fromkeys([*names, *further])))
    if isinstance(y, pd.DataFrame):
        if y.columns.has_duplicates:
            twice = y.columns[y.columns.duplicated()]
            raise InputError(f"data: y: duplicate column {some(twice)}; expected each once.")
        return y
    if isinstance(y, pd.Series):
        return y.rename(y.name or TARGET).to_frame()
    values = np.asarray(y)
    if np.ma.isMaskedArray(y):
        values = values.astype(object)
        values[np.ma.getmaskarray(y)] = None
    if values.dtype.names:
        # As scikit-survival has them: the event first, unless the types say otherwise.
        names = sorted(values.dtype.names[::-1], key=lambda name: values.dtype[name].kind == "b")
        return pd.DataFrame({name: values[name].astype("float64") for name in names})
    if values.ndim not in (1, 2):
        raise InputError(
            f"data: y: received {type(y).__name__} of shape {values.shape}; expected (samples,) or "
            "(samples, targets)."
        )
    if values.ndim == 1:
        return pd.DataFrame({TARGET: values})
    return pd.DataFrame(values, columns=[f"{TARGET}_{i + 1}" for i in range(values.shape[1])])


def _check_names(columns, features):
    """Refuse a target of the name of a gene: of a file of new rows the column is no gene."""
    both = set(map(str, columns)).intersection(features)
    if both:
        raise InputError(
            f"data: y: {some(sorted(both))}: also a gene of X, and new rows cannot have both under "
            "one name. Leave it out of X, where it would predict itself, or rename y."
        )


def _named(x, names):
    """Return columns of an AnnData's ``obs``, or of a DataFrame, in the order of the rows."""
    place, known = ("obs", x.obs) if is_annotated(x) else ("X", x)
    known = known if isinstance(known, pd.DataFrame) else pd.DataFrame()
    for name in names:
        if name not in known:
            raise InputError(f"data: {name!r} is not a column of {place}.")
    return known[names].reset_index(drop=True)


def _has_pairs(y):
    """Return whether targets are named, one of them by a pair of columns."""
    return isinstance(y, list) and {str, list} == {type(one) for one in y}


def _count(x):
    """Return the number of rows; a list has no shape."""
    return x.shape[0] if hasattr(x, "shape") else len(x)


def _are_names(y, x):
    """Return whether targets are names of columns, not labels: a wrong name among few is a name."""
    if isinstance(y, str) or _has_pairs(y):
        return True
    if not isinstance(y, list) or not y:
        return False
    if isinstance(x, pd.DataFrame):
        return len(y) != len(x) and all(isinstance(name, str) and name in x for name in y)
    obs = getattr(x, "obs", None)
    return obs is not None and (len(y) != len(obs) or all(name in obs for name in y))


def _plain(column):
    """Return numbers unchanged, everything else as text, blank where missing: no objects."""
    values = column.to_numpy()
    if values.dtype.kind == "m":
        raise InputError(
            f"data: {column.name}: received durations ({column.dtype}); expected numbers in one "
            "unit, such as those of column.dt.days."
        )
    if values.dtype.kind in "iufb":
        return values
    return np.where(column.isna(), "", values.astype(str))
