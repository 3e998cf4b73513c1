"""Rows from a notebook as a file, so that a run made of them can be repeated and resumed."""

import numpy as np
import pandas as pd
import scipy.sparse

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._memory import table_of
from autogenome_tf.data._origins import origins

TARGET = "target"


def write_rows(path, x, y, further=()):
    """Write rows and targets as an archive that the npz reader reads.

    Args:
        path: The archive.
        x: (samples, genes): a DataFrame, an array, a sparse matrix or an AnnData.
        y: (samples,) or (samples, targets) labels or values, a Series, a DataFrame, or the name
            or names of columns of an AnnData's ``obs``.
        further: Names of further columns of ``obs`` or of `y` to keep.

    Returns:
        Names of the targets.

    Raises:
        InputError: Where rows do not match or targets are missing.
    """
    table = table_of(x)
    columns = _matched(_columns(x, y, further), table.samples)
    if len(columns) != table.values.shape[0]:
        raise InputError(
            f"data: X has {table.values.shape[0]} rows, y has {len(columns)}; expected as many."
        )
    for name in columns:
        if columns[name].isna().any():
            first = int(np.flatnonzero(columns[name].isna())[0])
            sample = table.samples[first] if table.samples else f"row {first + 1}"
            count = int(columns[name].isna().sum())
            raise InputError(f"data: {name}: missing for {count} samples, first {sample!r}.")
    kept = columns
    if hasattr(x, "obs"):
        told = origins(x.obs.reset_index(drop=True), columns)
        if told is not None:
            kept = pd.concat([columns, told.set_axis(columns.index)], axis=1)
    arrays = {f"target_{name}": _plain(kept[name]) for name in kept}
    if table.samples is not None:
        arrays["samples"] = np.array(table.samples)
    values = table.values
    if scipy.sparse.issparse(values):
        arrays |= {"data": values.data, "indices": values.indices, "indptr": values.indptr}
        arrays |= {"shape": np.array(values.shape), "format": np.array(b"csr")}
    else:
        arrays["values"] = values
    with open(path, "wb") as stream:
        np.savez(stream, features=np.array(table.features), **arrays)
    return [str(name) for name in columns if name not in further]


def _columns(x, y, further):
    """Targets, and further columns where some are asked for, as a frame."""
    obs = getattr(x, "obs", None)
    if y is None and not further:
        return pd.DataFrame(index=pd.RangeIndex(table_of(x).values.shape[0]))
    if y is None or isinstance(y, str) or (obs is not None and _are_names(y, obs)):
        names = [y] if isinstance(y, str) else list(y or ())
        names = list(dict.fromkeys([*names, *further]))
        for name in names:
            if obs is None or name not in obs:
                raise InputError(f"data: {name!r} is not a column of obs.")
        return obs[names].reset_index(drop=True)
    if isinstance(y, pd.DataFrame):
        if y.columns.has_duplicates:
            twice = y.columns[y.columns.duplicated()]
            raise InputError(f"data: y: duplicate column {some(twice)}; expected each once.")
        return y
    if isinstance(y, pd.Series):
        return y.rename(y.name or TARGET).to_frame()
    values = np.asarray(y)
    if values.ndim not in (1, 2):
        raise InputError(
            f"data: y: received {type(y).__name__} of shape {values.shape}; expected (samples,) or "
            "(samples, targets)."
        )
    if values.ndim == 1:
        return pd.DataFrame({TARGET: values})
    return pd.DataFrame(values, columns=[f"{TARGET}_{i + 1}" for i in range(values.shape[1])])


def _are_names(y, obs):
    """Whether a list is of columns, not of labels: a wrong name among few is a name."""
    return isinstance(y, list) and (len(y) != len(obs) or all(name in obs for name in y))


def _matched(columns, samples):
    """Rows in the order of the samples where both have ids, else as they are."""
    if samples is None or isinstance(columns.index, pd.RangeIndex):
        return columns
    named = columns.set_axis(columns.index.map(str), axis=0)
    known = set(named.index)
    lacking = [sample for sample in samples if sample not in known]
    if lacking:
        raise InputError(f"data: y has no value for sample {lacking[0]!r} ({len(lacking)} in all).")
    return named.loc[list(samples)]


def _plain(column):
    """Numbers as they are, everything else as text: an archive must hold no objects."""
    values = column.to_numpy()
    return values if values.dtype.kind in "iufb" else values.astype(str)
