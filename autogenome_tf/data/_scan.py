"""The careful reader of text tables: slow, exact about what is wrong, judge of what is not."""

import numpy as np

from autogenome_tf.core.chunked import Growing
from autogenome_tf.core.errors import InputError
from autogenome_tf.data._cells import MISSING, is_missing, is_number
from autogenome_tf.data._files import check_width, filled_rows

_EXPECTED = "expected a number, or an empty cell or NA where it is missing"


def scan_rows(source, layout, limit, most=None):
    """Read a text table line by line.

    Args:
        source: Path of the table.
        layout: Its `Layout`.
        limit: Bytes that the matrix may take in memory.
        most: Bytes that the file may unpack to; None: as many as any.

    Returns:
        (values, lists): values is (rows, features) float32; lists has one list of text for
        each of `Layout.texts`.

    Raises:
        InputError: A row is ragged or a cell is not a finite number; the message has its line.
    """
    features, stack = layout.features, Growing(len(layout.features), limit=limit)
    lists = {place: [] for place in layout.texts}
    # Words that are numbers, such as -999, are looked for in every cell.
    coded = any(map(is_number, layout.words - MISSING))
    for line, cells in filled_rows(source, layout.delimiter, most):
        if line <= layout.header_line:
            continue
        check_width(source, line, cells, len(layout.names))
        for place, column in lists.items():
            column.append(cells[place])
        row = _numbers([cells[place] for place in features], layout.words, coded)
        if row is None:
            raise _refusal(f"{source} line {line}", layout, cells)
        stack.add(row)
    return stack.array, lists


def _numbers(cells, words, coded=False):
    """Return a (1, cells) float32 row, or None where a cell is not a finite number."""
    numbers = None if coded else _floats(cells)
    if numbers is None:  # only now, since looking at each cell doubles the time
        numbers = _floats(["nan" if is_missing(cell, words) else cell for cell in cells])
    if numbers is None or "_" in "".join(cells):
        return None
    with np.errstate(over="ignore"):
        row = np.array([numbers], np.float32)
    return None if np.isinf(row).any() else row


def _floats(cells):
    try:
        return list(map(float, cells))
    except ValueError:
        return None


def _refusal(where, layout, cells):
    wrong = (p for p in layout.features if _numbers([cells[p]], layout.words) is None)
    place = next(wrong)
    cell, where = cells[place], f"{where}, column {layout.names[place]!r}"
    if is_number(cell):
        return InputError(f"{where}: received {cell}; expected a finite float32 number.")
    comma = " A decimal comma is not read: write 1.5." if is_number(cell.replace(",", ".")) else ""
    return InputError(f"{where}: received {cell!r}; {_EXPECTED}.{comma}")
