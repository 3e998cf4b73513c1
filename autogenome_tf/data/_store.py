"""Rows from a notebook as a file, so that a run made of them can be repeated and resumed."""

import numpy as np
import pandas as pd
import scipy.sparse

from autogenome_tf.data._memory import table_of
from autogenome_tf.errors import InputError

TARGET = "target"


def targets_of(x, y):
    """The targets as a frame of named columns.

    Args:
        x: The rows; an AnnData where `y` names columns of its ``obs``.
        y: (samples,) or (samples, targets) labels or values, a Series, a DataFrame, or a name or
            names of columns of ``obs``.
    """
    if isinstance(y, str) or (isinstance(y, list) and hasattr(x, "obs")):
        names = [y] if isinstance(y, str) else y
        lacking = [name for name in names if name not in getattr(x, "obs", ())]
        if lacking:
            raise InputError(f"data: {lacking[0]!r} is not a column of obs.")
        return x.obs[names].reset_index(drop=True)
    if isinstance(y, pd.DataFrame):
        return y.reset_index(drop=True)
    if isinstance(y, pd.Series):
        return y.rename(y.name or TARGET).reset_index(drop=True).to_frame()
    values = np.asarray(y)
    if values.ndim == 1:
        return pd.DataFrame({TARGET: values})
    return pd.DataFrame(values, columns=[f"{TARGET}_{i + 1}" for i in range(values.shape[1])])


def write_rows(path, x, y):
    """Write rows and targets as an archive that the npz reader reads; returns target names.

    Raises:
        InputError: Where the numbers of rows differ.
    """
    table, targets = table_of(x), targets_of(x, y)
    if isinstance(y, pd.Series) and table.samples is not None and not _is_counted(y.index):
        targets = y.rename(targets.columns[0]).to_frame()
        lacking = [sample for sample in table.samples if sample not in targets.index]
        if lacking:
            raise InputError(f"data: y has no value for sample {lacking[0]!r}.")
        targets = targets.loc[table.samples]
    if len(targets) != table.values.shape[0]:
        raise InputError(
            f"data: X has {table.values.shape[0]} rows, y has {len(targets)}; expected as many."
        )
    named = {f"target_{name}": _plain(targets[name]) for name in targets}
    if table.samples is not None:
        named["samples"] = np.array(table.samples)
    values = table.values
    if scipy.sparse.issparse(values):
        parts = {"data": values.data, "indices": values.indices, "indptr": values.indptr}
        matrix = parts | {"shape": np.array(values.shape), "format": np.array(b"csr")}
    else:
        matrix = {"values": values}
    with open(path, "wb") as stream:
        np.savez(stream, features=np.array(table.features), **matrix, **named)
    return [str(name) for name in targets]


def _is_counted(index):
    return isinstance(index, pd.RangeIndex)


def _plain(column):
    """Numbers as they are, everything else as text: an archive must hold no objects."""
    values = column.to_numpy()
    return values if values.dtype.kind in "iufb" else values.astype(str)
