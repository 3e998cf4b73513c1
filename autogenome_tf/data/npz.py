"""NumPy archives: sparse as scipy writes them, or dense with the names beside the values."""

import zipfile
import zlib

import numpy as np
import pandas as pd
import scipy.sparse

from autogenome_tf.data._checked import checked, numbered_features
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import check_file
from autogenome_tf.errors import InputError, some

READS = ".npz"

_TARGET = "target_"


def matches(source):
    """Whether a source is a NumPy archive by its suffix."""
    return source.lower().endswith(".npz")


def read(source, columns=()):
    """Read an archive; nothing in it is ever unpickled.

    The matrix is what `scipy.sparse.save_npz` wrote, or an array ``values``. Beside it may
    lie ``samples``, ``genes`` (or ``features``) and ``target_<name>``, one value a sample.

    Args:
        source: Path of the file.
        columns: Names of genes that are no features; they go to `Table.extra`, as targets do.

    Returns:
        A `Table`, sparse or dense as stored.

    Raises:
        InputError: It is no archive, lacks the matrix, or holds pickled objects.
    """
    check_file(source)
    try:
        table, kind = _unpack(source)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError) as error:
        pickled = " (pickled objects are refused: save text as a string array)"
        hint = pickled if "pickle" in str(error) else ""
        raise InputError(f"{source}: not a readable .npz archive: {error}{hint}.") from error
    return checked(source, table, kind, columns=columns)


def _unpack(source):
    with zipfile.ZipFile(source), np.load(source, allow_pickle=False) as arrays:
        is_sparse = "format" in arrays
        if not is_sparse and "values" not in arrays:
            raise InputError(
                f"{source}: received the arrays {some(arrays.files)}; expected 'values', or a "
                "matrix written by scipy.sparse.save_npz."
            )
        values = scipy.sparse.load_npz(source) if is_sparse else arrays["values"]
        return _table(values, arrays), "sparse npz" if is_sparse else "dense npz"


def _table(values, arrays):
    samples = _names(arrays, "samples")
    features = _names(arrays, "genes") or _names(arrays, "features")
    width = values.shape[1] if values.ndim == 2 else 0
    return Table(
        values=values,
        samples=samples,
        features=features or numbered_features(width),
        extra=_targets(arrays, samples),
    )


def _names(arrays, key):
    if key not in arrays:
        return None
    return [name.decode() if isinstance(name, bytes) else str(name) for name in arrays[key]]


def _targets(arrays, samples):
    targets = {
        key.removeprefix(_TARGET): arrays[key] for key in arrays.files if key.startswith(_TARGET)
    }
    return pd.DataFrame(targets, index=samples) if targets else None
