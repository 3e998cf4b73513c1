"""AnnData files: X is the matrix, obs goes along; nothing else of them is read."""

import math

from autogenome_tf.core.chunked import Growing, GrowingRows
from autogenome_tf.core.errors import InputError
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._hdf5 import check_hdf5
from autogenome_tf.data._memory import annotated_table
from autogenome_tf.data._optional import single_cell
from autogenome_tf.data._reader import Reader, ReadOptions

_CHUNK = 1 << 22  # values


class H5ad(Reader):
    """Read the matrix of an AnnData file, sparse if X is; ``obs`` goes to `Table.extra`."""

    kinds = ".h5ad"
    suffixes = (".h5ad",)
    duplicates = "suffix"

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        anndata = single_cell("anndata", source)
        check_hdf5(source, options.most(source), "X", "obs", "var")
        try:
            data, values = _opened(anndata, source, options.limit)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # anndata and h5py name a damaged file by a dozen kinds of error
            raise InputError(f"{source}: not a readable .h5ad file ({error}).") from error
        words = options.missing_words
        return annotated_table(source, data, "h5ad", options.columns, values, words)


def _opened(anndata, source, limit):
    """The names as an AnnData without X, and X."""
    import h5py

    with h5py.File(source) as file:
        obs, var, x = file["obs"], file["var"], file.get("X")
        if isinstance(obs, h5py.Dataset) or isinstance(var, h5py.Dataset):
            # From before there was a specification (2019).
            data = anndata.read_h5ad(source)
            return data, data.X
        names = anndata.AnnData(obs=anndata.io.read_elem(obs), var=anndata.io.read_elem(var))
        if x is None:
            return names, None
        values = _large(x, limit)
        return names, anndata.io.read_elem(x) if values is None else values


def _large(x, limit):
    """X where it is larger than the limit and lies row by row, read block by block; else None."""
    import h5py

    if isinstance(x, h5py.Dataset) and x.ndim == 2 and 4 * math.prod(x.shape) > limit:
        whole, step = Growing(x.shape[1], limit=limit), max(1, _CHUNK // x.shape[1])
        for start in range(0, x.shape[0], step):
            whole.add(x[start : start + step])
        return whole.array
    kind = x.attrs.get("encoding-type", x.attrs.get("h5sparse_format"))
    if kind in ("csr", "csr_matrix") and 8 * x["data"].size > limit:
        width = int(x.attrs.get("shape", x.attrs.get("h5sparse_shape"))[1])
        whole = GrowingRows(width, limit, x["data"].size)
        for start in range(0, x["data"].size, _CHUNK):
            part = slice(start, start + _CHUNK)
            whole.add_parts(x["data"][part], x["indices"][part])
        whole.end(x["indptr"][1:])
        return whole.matrix
    return None
