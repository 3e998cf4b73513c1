"""The careful reader of text tables: slow, exact about what is wrong, judge of what is not."""

import re
from collections.abc import Iterable

import numpy as np

from autogenome_tf.core.errors import InputError
from autogenome_tf.core.growing import Growing
from autogenome_tf.data._cells import (
    MISSING,
    decimal_mark,
    is_comma_number,
    is_missing,
    is_number,
    is_text,
    with_point,
)
from autogenome_tf.data._files import check_width, filled_rows
from autogenome_tf.data._layout import Layout, table_rows, thousands
from autogenome_tf.data._orientation import GENES
from autogenome_tf.tasks import plain_number

# A row of at least so many cells of True and False, as R and pandas write them, is one of numbers.
FEWEST_LOGICALS = 2
_LOGICALS, _MISSING = {"true": "1", "false": "0"}, "nan"
_GENOTYPE = re.compile(r"[\d.][/|][\d.]|[ACGT][/|]?[ACGT]")
# Columns of text that an error names.
MOST_NAMED = 5
_EXPECTED = "expected a number, or an empty cell or NA where it is missing"


class DecimalComma(InputError):
    """A file whose first rows are whole numbers has a decimal comma further down."""


def scan_rows(source: str, layout: Layout, limit: int, most: int | None = None):
    """Read a text table line by line.

    Args:
        source: Path of the table.
        layout: Its `Layout`.
        limit: Bytes that the matrix may take in memory.
        most: Bytes that the file may unpack to; None: as many as any.

    Returns:
        (values, lists): values is (rows, values of a row) float32; lists has one list of text for
        each of `Layout.texts`.

    Raises:
        InputError: A row is ragged or a cell is not a finite number; the message has its line.
    """
    rows = filled_rows(source, layout.delimiter, most, layout.skip)
    return scanned(source, table_rows(rows, layout.end), layout, limit)


def scanned(source: str, rows: Iterable[tuple[int, list[str]]], layout: Layout, limit: int):
    """Read rows of cells, likewise.

    Args:
        source: Path of their file, for errors.
        rows: Pairs of the number of a line and its cells, below the header.
        layout: Their `Layout`.
        limit: Bytes that the matrix may take in memory.
    """
    places, stack = layout.values, Growing(len(layout.values), limit=limit)
    lists = {place: [] for place in layout.texts}
    # Words that are numbers, such as -999, are looked for in every cell.
    is_coded = any(map(is_number, layout.words - MISSING))
    for line, cells in rows:
        check_width(source, line, cells, len(layout.names))
        for place, column in lists.items():
            column.append(cells[place])
        row = _numbers([cells[place] for place in places], layout, is_coded)
        if row is None:
            raise _refusal(f"{source} line {line}", layout, cells)
        stack.add(row)
    return stack.array, lists


def _numbers(cells, layout, is_coded=False):
    """Return a (1, cells) float32 row, or None where a cell is not a finite number."""
    numbers = None if is_coded or layout.decimal == "," else _floats(cells)
    if numbers is None:  # only now, since looking at each cell doubles the time
        cells = _without_logicals([_readable(cell, layout) for cell in cells])
        numbers = _floats(cells)
    if numbers is None or "_" in "".join(cells):
        return None
    with np.errstate(over="ignore"):
        row = np.array([numbers], np.float32)
    return None if np.isinf(row).any() else row


def _readable(cell, layout):
    """Return a cell as `float` reads it; a point among decimal commas is no number."""
    if is_missing(cell, layout.words):
        return _MISSING
    if layout.decimal == ".":
        return cell
    return "" if "." in cell else with_point(cell)


def _without_logicals(cells):
    """Return a row of True and False as 1 and 0; among numbers such a column is no gene."""
    known = [cell for cell in cells if cell != _MISSING]
    if len(known) < FEWEST_LOGICALS or not all(cell.strip().lower() in _LOGICALS for cell in known):
        return cells
    return [_LOGICALS.get(cell.strip().lower(), cell) for cell in cells]


def _floats(cells):
    try:
        return list(map(float, cells))
    except ValueError:
        return None


def _refusal(where, layout, cells):
    place = next(place for place in layout.values if _numbers([cells[place]], layout) is None)
    cell, where = cells[place], f"{where}, column {layout.names[place]!r}"
    if is_comma_number(cell) and decimal_mark([cell, "1"]) is None:
        return thousands(where, cell)
    if layout.decimal == "." and is_comma_number(cell):
        return DecimalComma(f"{where}: received {cell!r}; expected a point, as in the cells above.")
    if is_number(cell) and layout.decimal == "," and "." in cell:
        return InputError(
            f"{where}: received {cell!r}; expected a decimal comma, as in other cells of the file."
        )
    if is_number(cell):
        return InputError(f"{where}: received {cell}; expected a finite float32 number.")
    hint = _way_out(layout, cells, cell)
    return InputError(f"{where}: received {cell!r}; {_EXPECTED}.{hint}")


def _way_out(layout, cells, cell):
    """Return what to do about a cell of text among numbers; "" where nothing is sure to help."""
    texts = [layout.names[p] for p in layout.values if is_text(cells[p], layout.words)]
    if _GENOTYPE.fullmatch(cell.strip()):
        return " Of a genotype write the number of alternative alleles: 0, 1 or 2."
    plain = plain_number(cell)
    alone = f" In genes write the number alone, such as {plain}." if plain else ""
    if alone and (layout.is_new or 2 * len(texts) > len(layout.values)):
        return alone
    if 2 * len(texts) > len(layout.values):
        return (
            f" The line has text in {len(texts)} columns: a second header, to be removed, labels, "
            "which belong in a file of targets, or words for values, such as 1 and 0 of mutations?"
        )
    if layout.is_new:
        return ""
    word = cell.strip()
    times = [cells[place].strip() for place in layout.values].count(word)
    # In several genes it is a word for what is not known, such as ND or <LOD.
    if not any(map(str.isalnum, word)) or times > 1:
        way = f'write NA, or set data.missing_words ["{word}"]'
        return f" If it stands for a missing value, {way}.{alone}"
    if layout.has_header and layout.orientation != GENES and cell.strip():
        names = ", ".join(f'"{name}"' for name in texts[:MOST_NAMED])
        return f" Columns that are not genes belong in data.exclude: [{names}].{alone}"
    return alone
