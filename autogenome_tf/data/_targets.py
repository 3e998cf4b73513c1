"""Target files: small tables of labels and numbers, with or without header and sample ids."""

import dataclasses
import operator
import os
from typing import Any

import pandas as pd

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import is_id_name, is_number, is_text
from autogenome_tf.data._delimiter import (
    DELIMITERS,
    find_delimiter,
    head_lines,
    header_only,
    preamble,
)
from autogenome_tf.data._distinct import repeated
from autogenome_tf.data._files import (
    BLANKS,
    check_file,
    check_text,
    check_width,
    numbered_rows,
)
from autogenome_tf.data._head import fitted
from autogenome_tf.data._read import own_columns
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._texts import columns_of


def read_columns(
    source: str | os.PathLike, options: ReadOptions | None = None, **changes: Any
) -> pd.DataFrame:
    """Read one target file.

    Args:
        source: Path of a text table.
        options: `ReadOptions`; columns that they name cannot be the sample ids.
        **changes: Attributes of `ReadOptions` that differ from `options`.

    Returns:
        A DataFrame of text, None where a cell is missing. Its index is the first column where that
        is the sample ids; where ``frame.attrs["has_ids"]`` is False it is not, and the index just
        counts. What was detected is in ``frame.attrs["said"]``; ``frame.attrs["missing_words"]``
        counts, for each column, the words that stood for a missing cell.

    Raises:
        InputError: The file is no table, or names a sample or a column twice.
    """
    frame = read_targets(source, dataclasses.replace(options or ReadOptions(), **changes))
    if frame.attrs["repeated"]:
        raise InputError(frame.attrs["repeated"])
    return frame


def read_targets(source: str | os.PathLike, options: ReadOptions) -> pd.DataFrame:
    """Read one target file, as `read_columns`, whose first column may be ids that come again.

    It is a column like any then, and ``frame.attrs["repeated"]`` is the error for those that need
    it as ids: another column may hold the ids of the matrix.
    """
    source = os.fspath(source)
    check_file(source)
    frame = own_columns(source, options)
    if frame is not None:
        return frame
    check_text(source)
    delimiter, rows = _rows(source, options.most(source))
    return columns_of_rows(source, rows, options, DELIMITERS[delimiter])


def columns_of_rows(
    source: str,
    rows: list[list[str]],
    options: ReadOptions,
    kind: str,
    *,
    has_header: bool = False,
) -> pd.DataFrame:
    """Make the frame of a file of targets from its rows; header and ids are detected.

    Args:
        source: Path of the file.
        rows: Cells of each row; the first may name the columns, and lack the name of the ids.
        options: `ReadOptions`; columns that they name cannot be the sample ids.
        kind: What the file is, for the log.
        has_header: Whether the first row is known to be one.
    """
    header = has_header or _has_header(rows)
    body = rows[header:]
    if not body:
        raise header_only(source)
    names = [name.strip() for name in rows[0]] if header else []
    names, blank = fitted(names or [""] * len(body[0]), body)
    if header and names[0] == "" and len(rows[0]) < len(names):
        names[0] = "sample"
    body = [cells[: len(names) - blank] for cells in body]
    names = names[: len(names) - blank] if header else []
    ids = _has_ids(names, body, options)
    # Spreadsheets leave rows of empty cells at the end.
    while ids and len(body) > 1 and not any(cell.strip() for cell in body[-1]):
        body.pop()
    index = [cells[0].strip() for cells in body] if ids else []
    repeated = _repeated(source, index)
    ids = ids and not (repeated and header)
    heading = names[0] if ids and names else "sample"
    names = names[ids:] or _made_up(len(body[0]) - ids)
    columns = list(zip(names, zip(*(cells[ids:] for cells in body), strict=True), strict=True))
    said = _said(source, kind, len(body), names, ids, header)
    found = pd.Index(index, name=heading) if ids else None
    frame = columns_of(source, columns, found, options, said)
    frame.attrs["repeated"] = repeated
    return frame


def _rows(source, most):
    """Read every row; a blank line counts only in a file of one column, as a missing label."""
    skip = preamble(source)
    delimiter = find_delimiter(head_lines(source, skip), is_matrix=False)
    numbered = list(numbered_rows(source, delimiter, most, skip))
    if delimiter == BLANKS and not _is_table([cells for _, cells in numbered if cells]):
        delimiter = "\t"
        numbered = list(numbered_rows(source, delimiter, most, skip))
    while numbered and not numbered[-1][1]:
        numbered.pop()
    if not numbered:
        raise InputError(f"{source}: the file has empty cells only; expected a table.")
    if max(len(cells) for _, cells in numbered) == 1:
        return delimiter, [cells or [""] for _, cells in numbered]
    filled = [(line, cells) for line, cells in numbered if cells]
    width = len(filled[min(1, len(filled) - 1)][1])
    for line, cells in filled:
        is_header = line == filled[0][0]
        # R leaves out the name above row names, others end the header with a delimiter.
        is_other = len(cells) >= width - 1 and not any(cells[width:])
        check_width(source, line, cells, len(cells) if is_header and is_other else width)
    return delimiter, [cells for _, cells in filled]


def _is_table(rows):
    """Return whether blanks separate cells, and not the words of labels such as "T cell"."""
    first = [cells[0] for cells in rows]
    distinct = len(set(first)) == len(first)
    return distinct or not any(is_text(cell) for cells in rows[1:] for cell in cells)


def _has_header(rows):
    """Return whether the first row names the columns.

    It does if it has one cell fewer than the next, or begins with a heading for ids. Else a
    number in it makes it data; and text is a header unless a cell of it comes again below.
    """
    first, body = rows[0], rows[1:]
    if (body and len(first) < len(body[0])) or (len(first) > 1 and is_id_name(first[0])):
        return True
    if any(map(is_number, first)) or not any(map(is_text, first)):
        return False
    below = list(zip(*body, strict=True)) or [()] * len(first)
    return not any(map(operator.contains, below, first))


def _has_ids(names, body, options):
    """Return whether the first of several columns is the ids: by heading, or distinct text."""
    if len(body[0]) == 1:
        return False
    first = [cells[0] for cells in body]
    named = bool(names) and names[0] not in options.columns and is_id_name(names[0])
    has_text = any(is_text(cell, options.missing_words) for cell in first)
    return named or (has_text and 2 * len(set(first)) > len(first))


def _made_up(count):
    return ["target"] if count == 1 else [f"target_{number}" for number in range(1, count + 1)]


def _said(source, kind, count, names, ids, header):
    kind = kind if ids or len(names) > 1 else "one column"
    id_note = "first column is the sample id" if ids else "the first column is no sample id"
    header_note = "header found" if header else f"no header: columns named {some(names)}"
    label = os.path.basename(source)
    return f"{label}: {kind}, {count} rows of {some(names)}, {id_note}, {header_note}"


def _repeated(source, ids):
    """Return the error for ids that come twice, None where none does."""
    twice = repeated(ids)
    if not twice:
        return None
    return f"{source}: duplicate sample id: {some(twice)}; expected each only once."
