"""Files as they lie on disk: present, decompressed, decoded, cut into numbered rows."""

import contextlib
import csv
import io
import itertools
import os
import re
from pathlib import Path

from autogenome_tf.core.errors import InputError, nearest
from autogenome_tf.core.growing import GIB, LIMIT
from autogenome_tf.data._encoding import (
    CODECS,
    Pieces,
    codec_of,
    first_bytes,
    suffixes,
    utf8,
    utf16_of,
)

# Of names of text tables, plain and packed.
TEXTS = suffixes("tsv", "csv", "txt", "tab")
BLANKS = " "  # this delimiter stands for any run of spaces and tabs
# How many times its size a file may unpack to, unless a config says otherwise (`data.expansion`).
EXPANSION = 200.0
_BEGINNING, _SOME = 1 << 16, 1 << 12
# What files begin with that are no tables, whatever their name, and what they are.
_PAGE = "a web page, as a download that failed leaves"
_KINDS = "(its name must end in .h5ad, .h5mu, .loom or, of 10x, .h5)"
_NO_TABLES = {
    b"<!doctype": _PAGE,
    b"<html": _PAGE,
    b"%pdf-": "a PDF",
    b"pk\x03\x04": "a zip archive (unpack it) or a spreadsheet (its name must end in .xlsx)",
    b"version https://git-lfs": "a pointer of Git LFS (fetch the file itself with git lfs pull)",
    b"par1": "Parquet (its name must end in .parquet)",
    b"\x89hdf": f"HDF5 {_KINDS}",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (save it as .xlsx)",
    b"arrow1": "Feather (in pandas: pandas.read_feather(file).to_parquet(other))",
    b"\x93numpy": "an array of NumPy (numpy.savez(file, values=array) makes an .npz)",
    b"matlab": "a file of MATLAB (write its matrix as a table of text)",
    b"rdx": "a file of R (write its matrix by write.csv)",
    b"x\n\0\0\0": "a file of R (write its matrix by write.csv)",
    b"%%matrixmarket": "Matrix Market (name its folder, with the files of genes and barcodes)",
}
_ADDRESS = re.compile(r"(^|/)[a-z][a-z0-9]+:/")
# Bytes of a file that say what it is, and where a tar archive is called so.
_HEAD, _TAR = 512, slice(257, 262)
# A row of 20,000 genes takes less than 1.
MOST_LINE = 256 << 20


def check_file(source: str | os.PathLike) -> None:
    """Refuse what is not a file with something in it.

    Args:
        source: Path of the file.

    Raises:
        InputError: There is no such file, or it is a folder, or empty, or not ours to read.
    """
    if os.path.isdir(source):
        raise InputError(f"{source}: received a folder; expected a file.")
    if not os.path.isfile(source):
        raise missing_file(os.fspath(source))
    if not os.access(source, os.R_OK):
        raise InputError(f"{source}: no permission to read it.")
    if os.path.getsize(source) == 0:
        raise InputError(f"{source}: the file is empty; expected a table.")


def check_text(source: str | os.PathLike) -> None:
    """Refuse what is not a file of text, as `check_file`, and what begins like no table.

    Args:
        source: Path of the file.

    Raises:
        InputError: Naming what the file is and what to do.
    """
    check_file(source)
    first = bytearray()
    with contextlib.suppress(InputError, OSError), open_bytes(source) as stream:
        first += stream.read(_HEAD)
    start = bytes(first).lstrip().lower()
    for begin, what in _NO_TABLES.items():
        if start.startswith(begin):
            raise InputError(f"{source}: the file is {what}; expected a table of text.")
    if first[_TAR].startswith(b"ustar"):
        raise InputError(f"{source}: the file is an archive (unpack it); expected a table of text.")


def stem(source: str | os.PathLike[str]) -> str:
    """Return the name of a file without its folder and the suffixes of kind and compression.

    Args:
        source: Path of a file.

    >>> stem("rows/GSE1.same.csv.gz"), stem("pbmc.v3.h5ad")
    ('GSE1.same', 'pbmc.v3')
    """
    name = os.path.basename(os.path.normpath(source))
    if os.path.isdir(source):
        return name
    name, last = os.path.splitext(name)
    return os.path.splitext(name)[0] if last.lower() in CODECS else name


def missing_file(source: str) -> InputError:
    """Return the error for a path without a file.

    Args:
        source: The path.
    """
    # A path that was made absolute has a single slash left of two.
    if _ADDRESS.search(source):
        return InputError(f"{source}: an address; expected a path: download the file first.")
    folder, name = os.path.split(os.path.normpath(source))
    if not os.path.isdir(folder or "."):
        return InputError(f"{source}: no such file; the folder {folder!r} does not exist either.")
    return InputError(f"{source}: no such file.{nearest(name, os.listdir(folder or '.'))}")


def most_unpacked(source: str, limit: int = LIMIT, expansion: float = EXPANSION) -> int:
    """Return the bytes that a file or folder may decompress to; always what fits into memory."""
    sizes = [os.path.getsize(source)]
    if os.path.isdir(source):
        sizes = [file.stat().st_size for file in Path(source).rglob("*") if file.is_file()]
    return int(max(limit, expansion * sum(sizes)))


def check_unpacked(source, count, most=None):
    """Refuse a file that unpacks to more bytes than it may; None: as many as any file.

    Raises:
        InputError: With the keys that allow it.
    """
    most = most_unpacked(source) if most is None else most
    if count > most:
        raise InputError(
            f"{source}: unpacks to {count / GIB:.2g} GiB or more when decompressed; expected at "
            f"most {most / GIB:.2g} GiB. If you trust the file, raise data.expansion (times its "
            "size on disk) or data.memory."
        )


def beginning(source: str) -> str:
    """Return the first 64 KiB of a text file, unpacked; "" where there is nothing to be read.

    A reader that knows its kind by content looks here; what is wrong with the file is for the one
    that reads it to say.
    """
    if not os.path.isfile(source):
        return ""
    found = bytearray()
    with contextlib.suppress(InputError, OSError), open_bytes(source) as stream:
        while len(found) < _BEGINNING and (block := stream.read(_SOME)):
            found += block
    return found.decode("utf-8-sig", errors="replace")


def open_bytes(source, most=None, end=""):
    """Open a file for reading bytes, unpacked, of text in UTF-8.

    Args:
        source: Its path.
        most: Bytes that it may unpack to; None: as many as any file.
        end: What begins the first line that is not read any more; "": all are.

    Returns:
        A stream of bytes that Arrow's readers take; a plain file's does not go through Python.
    """
    import pyarrow as pa

    codec = codec_of(source)
    try:
        file = pa.OSFile(str(source))
    except UnicodeEncodeError:
        raise InputError(
            f"{os.fsencode(source)!r}: the file name is not UTF-8; rename the file."
        ) from None
    if codec:
        file = io.BufferedReader(_Counted(source, pa.CompressedInputStream(file, codec), most))
    if encoding := utf16_of(file.peek() if codec else first_bytes(source)):
        file = io.BufferedReader(utf8(file, encoding))
    return io.BufferedReader(_above(io.BufferedReader(file), end.encode())) if end else file


def open_forward(source, most=None):
    """Open a file as `open_bytes` does, as a stream that cannot seek.

    scipy's reader of Matrix Market files seeks in a file where it can, to wrong places, which ends
    the process.

    Args:
        source: Its path.
        most: As for `open_bytes`.
    """
    return io.BufferedReader(_Counted(source, open_bytes(source, most), most))


class _Counted(io.RawIOBase):
    """A stream that ends with an error where it is longer than it may be."""

    def __init__(self, source, stream, most):
        self._source, self._stream, self._most, self._count = source, stream, most, 0

    def readable(self):
        """Return True: the stream can be read."""
        return True

    def readinto(self, buffer):
        """Read as `io.RawIOBase` does."""
        count = self._stream.readinto(buffer)
        self._count += count
        check_unpacked(self._source, self._count, self._most)
        return count


def _above(stream, end):
    """Return a stream that ends above the first line that begins with some bytes."""
    lines = iter(lambda: stream.readline(MOST_LINE), b"")
    return Pieces(itertools.takewhile(lambda line: not line.startswith(end), lines), stream)


def numbered_lines(source, most=None):
    """Yield (line number from 1, text) of a UTF-8 file, with or without byte order mark.

    Args:
        source: Path of the file.
        most: Bytes that it may unpack to; None: as many as any file.

    Raises:
        InputError: A line is not UTF-8 or endless, or the compressed stream is damaged, cut short
            or too long.
    """
    number = 0
    try:
        with io.BufferedReader(open_bytes(source, most)) as stream:
            while line := stream.readline(MOST_LINE):
                number += 1
                if len(line) == MOST_LINE:
                    raise InputError(
                        f"{source} line {number}: longer than {MOST_LINE >> 20} MiB; expected a "
                        "row of a table."
                    )
                if number == 1 and b"\r" in line.rstrip(b"\r\n"):
                    raise InputError(
                        f"{source} line 1: lines end in carriage returns only (old Macintosh "
                        "format); expected line feeds: save the file again."
                    )
                yield number, _decoded(source, number, line)
    except OSError as error:
        raise InputError(
            f"{source} line {number + 1}: the file is damaged or cut short ({error})."
        ) from error


def _decoded(source, number, line):
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source} line {number}: byte {error.start + 1} of the line is "
            f"0x{line[error.start]:02x}; expected UTF-8 text. Save it as such (Excel: CSV UTF-8), "
            "or convert it: iconv -f WINDOWS-1252 -t UTF-8."
        ) from error


def numbered_rows(source, delimiter, most=None, skip=0):
    """Yield (line number, cells) of a text table; a blank line has no cells; see `numbered_lines`.

    Args:
        source: Path of the file.
        delimiter: One character.
        most: Bytes that it may unpack to.
        skip: Lines above the table.

    Raises:
        InputError: As for `numbered_lines`, or a quoted cell does not end.
    """
    lines = (line for number, line in numbered_lines(source, most) if number > skip)
    if delimiter == BLANKS:
        lines = (line.strip().replace("\t", BLANKS) for line in lines)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == BLANKS)
    try:
        for cells in reader:
            line = skip + reader.line_num
            yield line, [] if len(cells) == 1 and not cells[0].strip() else cells
    except csv.Error as error:
        line = skip + reader.line_num
        raise InputError(f"{source} line {line}: unreadable row ({error}).") from error


def filled_rows(source, delimiter, most=None, skip=0):
    """Yield (line number, cells) of the rows that are not blank; see `numbered_rows`."""
    return (row for row in numbered_rows(source, delimiter, most, skip) if row[1])


def check_width(source, line, cells, width):
    """Refuse a row that is shorter or longer than the others."""
    if len(cells) != width:
        raise InputError(
            f"{source} line {line}: received {len(cells)} cells; expected {width} "
            "as in the rows above."
        )
