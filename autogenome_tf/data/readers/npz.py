"""NumPy archives: sparse as scipy writes them, or dense with the names beside the values."""

import dataclasses
import zipfile
import zlib

import numpy as np
import pandas as pd
import scipy

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.core.growing import Growing
from autogenome_tf.data._checked import checked, numbered_features
from autogenome_tf.data._dataset import WARNINGS, WRITTEN_BY, Table
from autogenome_tf.data._files import check_file, check_unpacked
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._texts import without_words

# What damaged or hostile archives, members and headers raise.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, AttributeError,
    TypeError, NotImplementedError, RuntimeError, SyntaxError, OverflowError,
)  # fmt: skip
_TARGET = "target_"
_CHUNK = 16 << 20
_LOCAL_LENGTHS = 26  # place of the lengths of name and further field, where a member begins
_LINE = 64  # bytes that a row or a column takes, whatever is in it


class Npz(Reader):
    """Read a NumPy archive, sparse or dense as stored; nothing in it is ever unpickled.

    The matrix is what `scipy.sparse.save_npz` wrote, or an array ``values``. Beside it may lie
    ``samples``, ``genes`` (or ``features``) and ``target_<name>``, one value a sample.
    """

    kinds = ".npz"
    suffixes = (".npz",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        check_file(source)
        try:
            table, kind = _unpack(source, options.limit, options.most(source))
        except InputError:
            raise
        except _DAMAGED as error:
            pickled = " (pickled objects are refused: save text as a string array)"
            hint = pickled if "pickle" in str(error) else ""
            raise InputError(f"{source}: not a readable .npz archive: {error}{hint}.") from error
        if table.extra is not None:
            extra = without_words(table.extra, options.missing_words)
            table = dataclasses.replace(table, extra=extra)
        return checked(source, table, kind, columns=options.columns, limit=options.limit)


def _unpack(source, limit, most):
    with zipfile.ZipFile(source) as archive, np.load(source, allow_pickle=False) as arrays:
        check_unpacked(source, sum(member.file_size for member in archive.infolist()), most)
        is_sparse = "format" in arrays
        if is_sparse:
            # A matrix of nothing can claim any number of rows and columns.
            check_unpacked(source, _LINE * sum(map(int, arrays["shape"])), most)
        if not is_sparse and "values" not in arrays:
            raise InputError(
                f"{source}: received the arrays {some(arrays.files)}; expected 'values', or a "
                "matrix written by scipy.sparse.save_npz."
            )
        if is_sparse and bytes(arrays["format"].item()).decode() == "csr":
            parts = (
                _array(archive, arrays, name, kind, limit // 2)
                for name, kind in (("data", "float32"), ("indices", None), ("indptr", None))
            )
            values = scipy.sparse.csr_matrix(tuple(parts), shape=tuple(arrays["shape"]))
        elif is_sparse:
            values = scipy.sparse.load_npz(source)
        else:
            values = _mapped(source, archive) if WRITTEN_BY in arrays else None
            if values is None:
                values = _array(archive, arrays, "values", "float32", limit)
        return _table(values, arrays), "sparse npz" if is_sparse else "dense npz"


def _array(archive, arrays, name, kind, limit):
    """Return an array of the archive; a large one is read and cast chunk by chunk."""
    member = archive.getinfo(f"{name}.npy")
    if member.file_size <= limit:
        return arrays[name]
    with archive.open(member) as stream:
        shape, is_fortran, own = _header(stream)
        if is_fortran or own.hasobject or len(shape) > 2:
            return arrays[name]
        width = shape[1] if len(shape) == 2 else None
        whole = Growing(width, kind or own, limit)
        while chunk := stream.read(_CHUNK // (row := own.itemsize * (width or 1)) * row or row):
            whole.add(np.frombuffer(chunk, own).reshape(-1, *shape[1:]))
    return whole.array


def _mapped(source, archive):
    """Map the matrix of an archive that `write_rows` wrote; None where it is not laid out so.

    Nobody writes to it again, so that its pages need no copy in memory.
    """
    member = archive.getinfo("values.npy")
    with archive.open(member) as stream:
        shape, is_fortran, kind = _header(stream)
        header = stream.tell()
        while stream.read(_CHUNK):  # the sum of all bytes is checked at their end
            pass
    with open(source, "rb") as file:
        file.seek(member.header_offset + _LOCAL_LENGTHS)
        name, further = np.frombuffer(file.read(4), "<u2").tolist()
        start = file.tell() + name + further + header
    is_plain = member.compress_type == zipfile.ZIP_STORED and not is_fortran and not kind.hasobject
    if not is_plain or start % kind.itemsize:
        return None
    return np.memmap(source, kind, "r", start, shape)


def _header(stream):
    """Read the header of an array: its shape, whether columns come first, its type."""
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0
    }  # fmt: skip
    return read_header[np.lib.format.read_magic(stream)](stream)


def _table(values, arrays):
    samples = _names(arrays, "samples")
    features = _names(arrays, "genes") or _names(arrays, "features")
    width = values.shape[1] if values.ndim == 2 else 0
    return Table(
        values=values,
        samples=samples,
        features=features or numbered_features(width),
        extra=_targets(arrays, samples, values.shape[0]),
        warnings=_warnings(arrays),
    )


def _warnings(arrays):
    """Return the pairs of texts that were written with rows from memory."""
    pairs = arrays[WARNINGS] if WARNINGS in arrays else np.empty((0, 2))
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"{WARNINGS} has the shape {pairs.shape}, not (warnings, 2)")
    return tuple((str(about), str(text)) for about, text in pairs)


def _names(arrays, key):
    if key not in arrays:
        return None
    return [name.decode() if isinstance(name, bytes) else str(name) for name in arrays[key]]


def _targets(arrays, samples, rows):
    targets = {
        key.removeprefix(_TARGET): arrays[key] for key in arrays.files if key.startswith(_TARGET)
    }
    for name, column in targets.items():
        if column.shape != (rows,):
            raise ValueError(f"{_TARGET}{name} has the shape {column.shape}, not {(rows,)}")
    return pd.DataFrame(targets, index=samples) if targets else None
