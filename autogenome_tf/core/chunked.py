"""Matrices of rows, arrays or CSR, that may be larger than memory: made and read block by block.

What is larger than a limit lies in a file without a name, which the system removes with the last
process that has it open, however that ends. To all others it is an array or a CSR matrix like any.
Pages of the file that were read do not stay in memory: a block is forgotten before the next.
"""

import concurrent.futures
import itertools
import mmap
import os
import tempfile

import numpy as np
import scipy.sparse

from autogenome_tf.core.errors import InputError

GIB = 1 << 30
# Of the arrays of one matrix, unless a config says otherwise (`data.memory`).
LIMIT = 1 * GIB
# Rows of a block.
BLOCK = 1024


class Growing:
    """An array that grows at its end and goes on in a file beyond a limit.

    Args:
        width: Columns, or None for an array of one dimension.
        kind: Type of its elements.
        limit: Bytes that it may take in memory.
    """

    def __init__(self, width=None, kind=np.float32, limit=LIMIT):
        self._memory = np.empty((0,) if width is None else (0, width), kind)
        self._limit, self._file, self._count = limit, None, 0

    def add(self, block):
        """Append elements, or rows of `width`.

        Raises:
            InputError: Where the disk is full.
        """
        block = np.ascontiguousarray(block, self._memory.dtype)
        self._count += len(block)
        if self._file is None and self._memory.nbytes + block.nbytes > self._limit:
            self._file = _file()
            self._write(self._memory)
            self._memory = self._memory[:0].copy()
        if self._file is not None:
            self._write(block)
            return
        # A realloc moves pages; np.concatenate would need the whole matrix a second time.
        start = len(self._memory)
        self._memory.resize((self._count, *self._memory.shape[1:]), refcheck=False)
        self._memory[start:] = block

    def _write(self, block):
        try:
            self._file.write(block.reshape(-1).view(np.uint8).data)
            self._file.flush()
        except OSError as error:
            raise _no_space(error) from None

    @property
    def array(self):
        """What was appended; a read-only map of the file where it lies in one."""
        if self._file is None:
            return self._memory
        shape = (self._count, *self._memory.shape[1:])
        return np.memmap(self._file, self._memory.dtype, "r", shape=shape)


def _file():
    try:
        return tempfile.TemporaryFile(dir=place())
    except OSError as error:
        raise _no_space(error) from None


def _no_space(error):
    return InputError(
        f"{place()}: {error.strerror}; expected space for a matrix larger than memory: set TMPDIR "
        "to a folder that has it, or data.memory to more GiB."
    )


class GrowingRows:
    """The same for a CSR matrix.

    Args:
        width: Columns.
        limit: Bytes that it may take in memory.
        count: Values that will come, at most; more than 2^31 need wider indices, which SciPy would
            else make in memory.
    """

    def __init__(self, width, limit=LIMIT, count=0):
        self._width, self._ends = width, Growing(kind=np.int64, limit=limit)
        self._data = Growing(limit=limit // 2)
        self._indices = Growing(kind=_index_kind(count), limit=limit // 2)
        self._ends.add([0])
        self._count = 0

    def add(self, block):
        """Append the rows of a CSR matrix."""
        self.add_parts(block.data, block.indices)
        self.end(block.indptr[1:] - block.indptr[0])

    def add_parts(self, data, indices):
        """Append values and their columns, of rows that `end` tells apart later."""
        self._data.add(data)
        self._indices.add(indices)

    def end(self, ends):
        """Where rows end, counted from the end of the row before them."""
        self._ends.add(np.asarray(ends, np.int64) + self._count)
        if len(ends):
            self._count += int(ends[-1])

    @property
    def matrix(self):
        """The rows so far, a CSR matrix of float32; its indices are not checked."""
        ends = self._ends.array
        indices, shape = self._indices.array, (len(ends) - 1, self._width)
        ends = ends.astype(np.promote_types(indices.dtype, _index_kind(self._count)))
        whole = scipy.sparse.csr_matrix(shape, dtype=np.float32)
        # SciPy's constructor would bring indices that are wider than they need be into memory.
        whole.data, whole.indices, whole.indptr = self._data.array, indices, ends
        return whole


def _index_kind(count):
    return np.int32 if count < np.iinfo(np.int32).max else np.int64


def place():
    """The folder of files that take the place of memory: TMPDIR, else where large files may lie."""
    return os.environ.get("TMPDIR") or "/var/tmp"


def batches(values, size=BLOCK):
    """Rows, an array or CSR, as float32 arrays of at most `size` rows."""
    for _, batch in blocks(values, size):
        batch = batch.toarray() if scipy.sparse.issparse(batch) else batch
        yield np.asarray(batch, "float32")


def ahead(make, items):
    """What a function makes of items, in order, each made while the one before is used."""
    with concurrent.futures.ThreadPoolExecutor(1) as maker:
        waiting = None
        for item in items:
            made, waiting = waiting, maker.submit(make, item)
            if made is not None:
                yield made.result()
        if waiting is not None:
            yield waiting.result()


def blocks(values, size=BLOCK):
    """Rows as they are, in blocks: pairs of the number of the first row and the block."""
    for start in range(0, values.shape[0], size):
        yield start, values[start : start + size]
        forget(values)


def taken(values, index):
    """A copy of rows by their numbers, (n,)."""
    found = values[index]
    forget(values)
    return found


def known(values):
    """Every value that is stored and not missing, as arrays of one dimension, block by block.

    Zeros that a CSR matrix leaves out are left out.
    """
    flat = values.data if scipy.sparse.issparse(values) else values
    step = BLOCK * BLOCK if flat.ndim == 1 else max(1, BLOCK * BLOCK // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        block = flat[start : start + step]
        yield block[~np.isnan(block)]
        forget(values)


def forget(values):
    """Let the system take back the memory that pages of a mapped matrix have; they can be read."""
    for array in (values.data, values.indices) if scipy.sparse.issparse(values) else (values,):
        while array is not None and not isinstance(array, mmap.mmap):
            array = getattr(array, "base", None)
        if array is not None:
            array.madvise(mmap.MADV_DONTNEED)


def nbytes(values):
    """Bytes of a matrix as it is stored."""
    if scipy.sparse.issparse(values):
        return values.data.nbytes + values.indices.nbytes + values.indptr.nbytes
    return values.nbytes


def rows(values, index, limit=LIMIT):
    """Take rows by their numbers; a result above the limit lies in a file.

    Args:
        values: (rows, columns), an array or CSR.
        index: (n,) whole numbers.
        limit: Bytes.
    """
    if nbytes(values) * len(index) <= limit * max(1, values.shape[0]):
        return values[index]
    starts = range(0, len(index), BLOCK)
    parts = (taken(values, index[start : start + BLOCK]) for start in starts)
    return built(parts, limit, values.size)


def columns(values, index, limit=LIMIT):
    """Take columns by their numbers, likewise."""
    if nbytes(values) <= limit:
        return values[:, index]
    return built((block[:, index] for _, block in blocks(values)), limit, values.size)


def beside(values, other, limit=LIMIT):
    """Put the columns of an array behind those of a matrix, likewise."""
    stack = scipy.sparse.hstack if scipy.sparse.issparse(values) else np.hstack
    pairs = ((block, other[start : start + BLOCK]) for start, block in blocks(values))
    return built((stack(pair) for pair in pairs), limit, values.size + other.size)


def below(first, second, limit=LIMIT):
    """Put the rows of a matrix below those of another, likewise; CSR where one of them is."""
    sparse = scipy.sparse.issparse(first) or scipy.sparse.issparse(second)
    parts = itertools.chain(blocks(first), blocks(second))
    parts = (scipy.sparse.csr_matrix(block) if sparse else block for _, block in parts)
    return built(parts, limit, first.size + second.size)


def built(parts, limit=LIMIT, count=0):
    """One matrix of blocks of rows, at least one, arrays or CSR of `count` values at most."""
    parts = iter(parts)
    first = next(parts)
    if scipy.sparse.issparse(first):
        whole = GrowingRows(first.shape[1], limit, count)
        for block in itertools.chain([first], parts):
            whole.add(block.tocsr())
        return whole.matrix
    whole = Growing(first.shape[1], limit=limit)
    for block in itertools.chain([first], parts):
        whole.add(block)
    return whole.array
