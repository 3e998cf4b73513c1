"""Matrices of rows, arrays or CSR, that may be larger than memory: made and read block by block.

Pages of a file that were read do not stay in memory: a block is forgotten before the next.
"""

import concurrent.futures
import itertools
import mmap
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
import scipy

from autogenome_tf.core.growing import LIMIT, Growing, GrowingRows

# A matrix of rows, a NumPy array or a SciPy CSR matrix. SciPy ships no types that tell them apart.
Matrix: TypeAlias = Any
# Rows of a block, and values of one whose rows are computed with: each step makes a copy.
BLOCK, VALUES = 1024, 1 << 22


def batches(values: Matrix, size: int = BLOCK) -> Iterator[np.ndarray]:
    """Yield rows, an array or CSR, as float32 arrays of at most `size` rows.

    Args:
        values: (rows, columns) array or CSR.
        size: Most rows of a batch.
    """
    for _, batch in blocks(values, size):
        yield dense(batch)


def dense(values: Any) -> np.ndarray:
    """Return values, an array or a sparse matrix, as a float32 array of the same shape.

    Args:
        values: (rows, columns) array or sparse matrix.
    """
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, "float32")


def ahead(make: Callable[[Any], Any], items: Iterable) -> Iterator:
    """Map `make` over `items`, prefetching one result in a background thread."""
    with concurrent.futures.ThreadPoolExecutor(1) as maker:
        waiting = None
        for item in items:
            made, waiting = waiting, maker.submit(make, item)
            if made is not None:
                yield made.result()
        if waiting is not None:
            yield waiting.result()


def blocks(values: Matrix, size: int = BLOCK) -> Iterator[tuple[int, Matrix]]:
    """Yield the number of the first row and the rows, as they are stored, of each block.

    Args:
        values: (rows, columns) array or CSR.
        size: Rows in a block.
    """
    for start in range(0, values.shape[0], size):
        yield start, values[start : start + size]
        forget(values)


def parts(count: int, width: int, most: int = BLOCK, values: int | None = None) -> Iterator[slice]:
    """Yield slices of so many rows, or columns, of at most so many values each but at least one.

    Args:
        count: Number of rows.
        width: Values of a row.
        most: Most rows of a slice.
        values: Most values of a slice; None for `VALUES`.
    """
    step = max(1, min(most, (values or VALUES) // max(1, width)))
    return (slice(start, start + step) for start in range(0, count, step))


def taken(values: Matrix, index: np.ndarray) -> Matrix:
    """Copy rows by their numbers, (n,).

    Args:
        values: (rows, columns) array or CSR.
        index: (n,) numbers of rows.
    """
    found = values[index]
    forget(values)
    return found


def known(values: Matrix) -> Iterator[np.ndarray]:
    """Yield every stored value that is not missing, as arrays of one dimension, in blocks.

    Zeros that a CSR matrix leaves out are left out.

    Args:
        values: (rows, columns) array or CSR.
    """
    flat = values.data if scipy.sparse.issparse(values) else values
    step = BLOCK * BLOCK if flat.ndim == 1 else max(1, BLOCK * BLOCK // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        block = flat[start : start + step]
        yield block[~np.isnan(block)]
        forget(values)


def forget(values: Matrix) -> None:
    """Give the memory of a mapped matrix's pages back; they can still be read.

    Args:
        values: (rows, columns) array or CSR.
    """
    for array in (values.data, values.indices) if scipy.sparse.issparse(values) else (values,):
        while array is not None and not isinstance(array, mmap.mmap):
            array = getattr(array, "base", None)
        if array is not None:
            array.madvise(mmap.MADV_DONTNEED)


def nbytes(values: Matrix) -> int:
    """Return the bytes of a matrix as it is stored.

    Args:
        values: (rows, columns) array or CSR.
    """
    if scipy.sparse.issparse(values):
        return values.data.nbytes + values.indices.nbytes + values.indptr.nbytes
    return values.nbytes


def rows(values: Matrix, index: np.ndarray, limit: int = LIMIT) -> Matrix:
    """Take rows by their numbers; a result above the limit lies in a file.

    Args:
        values: (rows, columns) array or CSR.
        index: (n,) numbers of rows.
        limit: Bytes that may be in memory.
    """
    if nbytes(values) * len(index) <= limit * max(1, values.shape[0]):
        return values[index]
    starts = range(0, len(index), BLOCK)
    taken_blocks = (taken(values, index[start : start + BLOCK]) for start in starts)
    return built(taken_blocks, limit, values.size)


def columns(values: Matrix, index: Any, limit: int = LIMIT) -> Matrix:
    """Take columns by their numbers; a result above the limit lies in a file.

    Args:
        values: (rows, columns) array or CSR.
        index: (n,) numbers of columns.
        limit: Bytes that may be in memory.
    """
    if nbytes(values) <= limit:
        return values[:, index]
    return built((block[:, index] for _, block in blocks(values)), limit, values.size)


def transposed(values: Matrix, limit: int = LIMIT) -> Matrix:
    """Exchange rows and columns; a result above the limit lies in a file.

    Args:
        values: (rows, columns) array or CSR.
        limit: Bytes that may be in memory.
    """
    is_sparse = scipy.sparse.issparse(values)
    if nbytes(values) <= limit:
        return scipy.sparse.csr_matrix(values.T) if is_sparse else np.ascontiguousarray(values.T)
    width = max(1, limit // (4 * np.float32().itemsize * values.shape[0]))
    stack = scipy.sparse.vstack if is_sparse else np.concatenate
    starts = range(0, values.shape[1], width)
    # Copies: a view would hold the pages of its block.
    bands = ([b[:, s : s + width].copy() for _, b in blocks(values)] for s in starts)
    return built((stack(band).T for band in bands), limit, values.size)


def beside(values: Matrix, other: np.ndarray, limit: int = LIMIT) -> Matrix:
    """Put the columns of an array behind those of a matrix; above the limit they lie in a file.

    Args:
        values: (rows, columns) array or CSR.
        other: (rows, further columns) array.
        limit: Bytes that may be in memory.
    """
    stack = scipy.sparse.hstack if scipy.sparse.issparse(values) else np.hstack
    pairs = ((block, other[start : start + BLOCK]) for start, block in blocks(values))
    return built((stack(pair) for pair in pairs), limit, values.size + other.size)


def below(first: Matrix, second: Matrix, limit: int = LIMIT) -> Matrix:
    """Put the rows of a matrix below those of another; CSR where one of them is.

    Args:
        first: (rows, columns) array or CSR.
        second: (further rows, columns) array or CSR.
        limit: Bytes that may be in memory.
    """
    sparse = scipy.sparse.issparse(first) or scipy.sparse.issparse(second)
    each = itertools.chain(blocks(first), blocks(second))
    alike = (scipy.sparse.csr_matrix(block) if sparse else block for _, block in each)
    return built(alike, limit, first.size + second.size)


def built(blocks_of_rows: Iterable, limit: int = LIMIT, count: int = 0) -> Matrix:
    """Join blocks of rows, at least one, arrays or CSR of `count` values at most.

    Args:
        blocks_of_rows: At least one array or CSR of (rows, columns).
        limit: Bytes that may be in memory.
        count: Most stored values of a CSR matrix; 0 where not known.
    """
    others = iter(blocks_of_rows)
    first = next(others)
    if scipy.sparse.issparse(first):
        whole = GrowingRows(first.shape[1], limit, count)
        for block in itertools.chain([first], others):
            whole.add(block.tocsr())
        return whole.matrix
    whole = Growing(first.shape[1], limit=limit)
    for block in itertools.chain([first], others):
        whole.add(block)
    return whole.array
