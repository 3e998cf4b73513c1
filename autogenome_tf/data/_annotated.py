"""AnnData as it lies in HDF5 or zarr: one matrix, obs and var; nothing else of it is read."""

import math
from typing import Any

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.core.growing import Growing, GrowingRows
from autogenome_tf.data._optional import optional

_CHUNK = 1 << 22  # values
# Of `data.matrix`: the matrix of all genes before their choice, unless a layer has this name.
RAW = "raw"


def parts_read(matrix: str | None) -> tuple[str, ...]:
    """Return the parts of an AnnData that are read: X, or the layers where one is asked for."""
    asked = ("X",) if matrix is None else ("layers", RAW) if matrix == RAW else ("layers",)
    return (*asked, "obs", "var")


def read_group(group: Any, source: str, matrix: str | None, limit: int) -> tuple[Any, Any]:
    """Read the names and one matrix of an AnnData.

    Args:
        group: Of h5py or zarr: a file, or the group of a modality.
        source: Its path, for errors.
        matrix: The layer to read, or `RAW`; None: X.
        limit: Bytes that the matrix may take in memory; beyond, it lies in a file.

    Returns:
        An AnnData without X, and the matrix, or None where there is none.

    Raises:
        InputError: There is no such matrix.
    """
    anndata = optional("anndata", "singlecell", source)
    read = anndata.io.read_elem
    x, var = (group["X"] if "X" in group else None), group["var"]
    if matrix is not None:
        known = matrices(group)
        if not known:
            raise InputError(f"{source}: data.matrix: no layer {matrix!r}; the file has only X.")
        if matrix not in known:
            raise unknown(f"{source}: data.matrix", matrix, known)
        x, var = known[matrix]
    names = anndata.AnnData(obs=read(group["obs"]), var=read(var))
    if x is None:
        return names, None
    values = _large(x, limit)
    return names, read(x) if values is None else values


def matrices(group: Any) -> dict[str, tuple[Any, Any]]:
    """Return the matrices that `data.matrix` may name in an AnnData, each with its ``var``.

    Args:
        group: Of h5py or zarr.
    """
    layers = group["layers"] if "layers" in group else {}
    found = {name: (layers[name], group["var"]) for name in layers}
    raw = group[RAW] if RAW in group else {}
    # Where there is none, anndata writes a single value.
    is_there = hasattr(raw, "keys") and "X" in raw
    return {RAW: (raw["X"], raw["var"])} | found if is_there else found


def _large(x, limit):
    """Return X block by block where it is larger than the limit and stored by rows; else None."""
    kind = x.attrs.get("encoding-type", x.attrs.get("h5sparse_format"))
    if len(getattr(x, "shape", ())) == 2:
        return _dense(x, limit) if 4 * math.prod(x.shape) > limit else None
    if kind in ("csr", "csr_matrix") and 8 * math.prod(x["data"].shape) > limit:
        return _sparse(x, limit)
    return None


def _dense(x, limit):
    whole, step = Growing(x.shape[1], limit=limit), max(1, _CHUNK // x.shape[1])
    for start in range(0, x.shape[0], step):
        whole.add(x[start : start + step])
    return whole.array


def _sparse(x, limit):
    width = int(x.attrs.get("shape", x.attrs.get("h5sparse_shape"))[1])
    count = math.prod(x["data"].shape)
    whole = GrowingRows(width, limit, count)
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        whole.add_parts(x["data"][part], x["indices"][part])
    whole.end(x["indptr"][1:])
    return whole.matrix
