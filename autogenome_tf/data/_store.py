"""Rows from a notebook as a file, so that a run made of them can be repeated and resumed."""

import numpy as np
import pandas as pd
import scipy.sparse

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._aligned import aligned_targets
from autogenome_tf.data._dataset import WARNINGS
from autogenome_tf.data._memory import is_annotated, table_of
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
        InputError: Where rows do not match.
    """
    table, columns = aligned_targets(table_of(x), x, y, _columns(x, y, further))
    kept = columns
    if is_annotated(x) and table.extra is not None:
        found = origins(table.extra, columns)
        if found is not None:
            kept = pd.concat([columns, found.set_axis(columns.index)], axis=1)
    arrays = {f"target_{name}": _plain(kept[name]) for name in kept}
    if table.samples is not None:
        arrays["samples"] = np.array(table.samples)
    if table.warnings:
        arrays[WARNINGS] = np.array(table.warnings)
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


def _plain(column):
    """Numbers as they are, everything else as text, blank where it is missing: no objects."""
    values = column.to_numpy()
    if values.dtype.kind in "iufb":
        return values
    return np.where(column.isna(), "", values.astype(str))
