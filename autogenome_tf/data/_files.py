"""Files as they lie on disk: present, decompressed, decoded, cut into numbered rows."""

import csv
import io
import os

from autogenome_tf.errors import InputError, nearest

CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
BLANKS = " "  # this delimiter stands for any run of spaces and tabs


def check_file(source):
    """Refuse what is not a file with something in it.

    Raises:
        InputError: There is no such file, or it is a folder, or empty.
    """
    if os.path.isdir(source):
        raise InputError(f"{source}: received a folder; expected a file.")
    if not os.path.isfile(source):
        raise missing_file(source)
    if os.path.getsize(source) == 0:
        raise InputError(f"{source}: the file is empty; expected a table.")


def missing_file(source):
    """The error for a path where nothing lies."""
    folder, name = os.path.split(os.path.normpath(source))
    if not os.path.isdir(folder or "."):
        return InputError(f"{source}: no such file; the folder {folder!r} does not exist either.")
    return InputError(f"{source}: no such file.{nearest(name, os.listdir(folder or '.'))}")


def open_bytes(source):
    """Open a file for reading bytes, decompressed as its last suffix says.

    Returns:
        A pyarrow stream, which Arrow's own readers use without going through Python.
    """
    import pyarrow as pa

    codec = CODECS.get(os.path.splitext(source)[1].lower())
    file = pa.OSFile(str(source))
    return pa.CompressedInputStream(file, codec) if codec else file


def numbered_lines(source):
    """Yield (line number from 1, text) of a UTF-8 file, with or without byte order mark.

    Raises:
        InputError: A line is not UTF-8, or the compressed stream is damaged or cut short.
    """
    number = 0
    try:
        with io.BufferedReader(open_bytes(source)) as stream:
            for number, line in enumerate(stream, 1):
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
            f"0x{line[error.start]:02x}; expected UTF-8 text."
        ) from error


def numbered_rows(source, delimiter):
    """Yield (line number, cells) of a text table; a blank line has no cells.

    Raises:
        InputError: As for `numbered_lines`, or a quoted cell does not end.
    """
    lines = (line for _, line in numbered_lines(source))
    if delimiter == BLANKS:
        lines = (line.strip().replace("\t", BLANKS) for line in lines)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == BLANKS)
    try:
        for cells in reader:
            yield reader.line_num, [] if len(cells) == 1 and not cells[0].strip() else cells
    except csv.Error as error:
        raise InputError(f"{source} line {reader.line_num}: unreadable row ({error}).") from error


def filled_rows(source, delimiter):
    """Yield (line number, cells) of the rows that are not blank."""
    return ((line, cells) for line, cells in numbered_rows(source, delimiter) if cells)


def check_width(source, line, cells, width):
    """Refuse a row that is shorter or longer than the others."""
    if len(cells) != width:
        raise InputError(
            f"{source} line {line}: received {len(cells)} cells; expected {width} "
            "as in the rows above."
        )
