"""Arrays and CSR matrices that grow block by block, in a file beyond a limit of memory.

The file has no name: the system removes it with the last process that has it open, however that
ends. To all others it is an array or a CSR matrix like any.
"""

import os
import tempfile
from typing import IO, Any

import numpy as np
import scipy

from autogenome_tf.core.errors import InputError

GIB = 1 << 30
# Of the arrays of one matrix, unless a config says otherwise (`data.memory`).
LIMIT = 1 * GIB


class Growing:
    """An array that grows at its end and goes on in a file beyond a limit.

    Args:
        width: Columns, or None for an array of one dimension.
        kind: Type of its elements.
        limit: Bytes that it may take in memory.
    """

    def __init__(self, width: int | None = None, kind: Any = np.float32, limit: int = LIMIT):
        self._memory = np.empty((0,) if width is None else (0, width), kind)
        self._limit, self._count = limit, 0
        self._file: IO[bytes] | None = None

    def add(self, block: Any) -> None:
        """Append elements, or rows of `width`.

        Args:
            block: Array of elements, or of (rows, width).

        Raises:
            InputError: Where the disk is full.
        """
        block = np.ascontiguousarray(block, self._memory.dtype)
        self._count += len(block)
        if self._file is None and self._memory.nbytes + block.nbytes > self._limit:
            self._file = _file()
            self._write(self._file, self._memory)
            self._memory = self._memory[:0].copy()
        if self._file is not None:
            self._write(self._file, block)
            return
        # A realloc moves pages; np.concatenate would need the whole matrix a second time.
        start = len(self._memory)
        self._memory.resize((self._count, *self._memory.shape[1:]), refcheck=False)
        self._memory[start:] = block

    @staticmethod
    def _write(file, block):
        try:
            file.write(block.reshape(-1).view(np.uint8).data)
            file.flush()
        except OSError as error:
            raise _no_space(error) from None

    @property
    def array(self) -> np.ndarray:
        """Return all elements so far; a read-only map of the file where they lie in one."""
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
        f"{place()}: {error.strerror}; expected disk space for a matrix larger than data.memory: "
        "set TMPDIR to a folder with more space, or raise data.memory (GiB)."
    )


class GrowingRows:
    """A CSR matrix that grows at its end and goes on in a file beyond a limit.

    Args:
        width: Columns.
        limit: Bytes that it may take in memory.
        count: Values that will come, at most; more than 2^31 need wider indices, which SciPy would
            else make in memory.
    """

    def __init__(self, width: int, limit: int = LIMIT, count: int = 0):
        self._width, self._ends = width, Growing(kind=np.int64, limit=limit)
        self._data = Growing(limit=limit // 2)
        self._indices = Growing(kind=_index_kind(count), limit=limit // 2)
        self._ends.add([0])
        self._count = 0

    def add(self, block: "scipy.sparse.csr_matrix") -> None:
        """Append the rows of a CSR matrix.

        Args:
            block: CSR matrix of (rows, columns).
        """
        self.add_parts(block.data, block.indices)
        self.end(block.indptr[1:] - block.indptr[0])

    def add_parts(self, data: np.ndarray, indices: np.ndarray) -> None:
        """Append values and their columns; `end` says later where rows end.

        Args:
            data: (values,) stored values.
            indices: (values,) their columns.
        """
        self._data.add(data)
        self._indices.add(indices)

    def end(self, ends: Any) -> None:
        """End rows at these counts of values since the last row's end.

        Args:
            ends: (rows,) counts of values.
        """
        self._ends.add(np.asarray(ends, np.int64) + self._count)
        if len(ends):
            self._count += int(ends[-1])

    @property
    def matrix(self) -> "scipy.sparse.csr_matrix":
        """Return all rows so far, a CSR matrix of float32; its indices are not checked."""
        ends = self._ends.array
        indices, shape = self._indices.array, (len(ends) - 1, self._width)
        ends = ends.astype(np.promote_types(indices.dtype, _index_kind(self._count)))
        whole = scipy.sparse.csr_matrix(shape, dtype=np.float32)
        # SciPy's constructor would bring indices that are wider than they need be into memory.
        whole.data, whole.indices, whole.indptr = self._data.array, indices, ends
        return whole


def _index_kind(count):
    return np.int32 if count < np.iinfo(np.int32).max else np.int64


def place() -> str:
    """Return the folder of files that take the place of memory: TMPDIR, else /var/tmp."""
    return os.environ.get("TMPDIR") or "/var/tmp"
