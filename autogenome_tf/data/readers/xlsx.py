"""Sheets of spreadsheets (.xlsx): a table of samples x genes, or of targets."""

import contextlib
import datetime
import itertools
import zipfile

import pandas as pd

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._delimiter import HEAD
from autogenome_tf.data._files import check_file, check_unpacked
from autogenome_tf.data._layout import layout_of
from autogenome_tf.data._optional import optional
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._scan import scanned
from autogenome_tf.data._targets import columns_of_rows
from autogenome_tf.data._text_table import assembled

_DATES = (datetime.date, datetime.time, datetime.timedelta)


class Xlsx(Reader):
    """Read a sheet of a spreadsheet: that of `data.matrix`, or the first; also as targets.

    Lines above the table that have a single cell, such as a title, are passed over.
    """

    kinds = ".xlsx"
    suffixes = (".xlsx", ".xlsm")
    takes = ("matrix",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a wrong cell is named by row and column."""
        kind, rows = _rows(source, options, options.matrix)
        _check_dates(source, rows)
        texts = [(line, _texts(cells)) for line, cells in rows]
        layout = layout_of(source, texts[:HEAD], options)
        below = (row for row in texts if row[0] > layout.skip)
        values, lists = scanned(source, below, layout, options.limit)
        table = assembled(source, layout, values, lists, options)
        notes, limit = layout.notes(), options.limit
        return checked(source, table, kind, *notes, columns=options.columns, limit=limit)

    def read_columns(self, source: str, options: ReadOptions) -> pd.DataFrame | None:
        """Read the first sheet as a file of targets."""
        kind, rows = _rows(source, options, None)
        return columns_of_rows(source, [_texts(cells) for _, cells in rows], options, kind)


def _rows(source, options, name):
    """Return what the sheet is, and pairs of the number of a row and its cells, equally many."""
    openpyxl = optional("openpyxl", "excel", source)
    check_file(source)
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(member.file_size for member in archive.infolist())
        check_unpacked(source, size, options.most(source))
        book = openpyxl.load_workbook(source, read_only=True, data_only=True)
        with contextlib.closing(book):
            names = book.sheetnames
            if name is not None and name not in names:
                raise unknown(f"{source}: data.matrix", name, names)
            name = names[0] if name is None else name
            book[name].reset_dimensions()  # those that are written down may be wrong
            rows = list(enumerate(book[name].iter_rows(values_only=True), 1))
    except (InputError, MemoryError):
        raise
    except Exception as error:  # openpyxl names a damaged file by a dozen kinds of error
        raise InputError(f"{source}: not a readable .xlsx file ({error}).") from error
    rows = _table(rows)
    if not rows:
        raise InputError(f"{source}: sheet {name!r}: empty; expected a table.")
    return f"xlsx, sheet {name!r} of {len(names)}", rows


def _table(rows):
    """Return the rows of the table alone, each as wide as the widest."""
    filled = [(line, cells) for line, cells in rows if any(cell is not None for cell in cells)]
    width = max((_width(cells) for _, cells in filled), default=0)
    titles = itertools.takewhile(lambda row: width > 1 and _count(row[1]) == 1, filled)
    filled = filled[len(list(titles)) :]
    return [(line, [*cells, *[None] * width][:width]) for line, cells in filled]


def _width(cells):
    return max(place for place, cell in enumerate(cells, 1) if cell is not None)


def _count(cells):
    return sum(cell is not None for cell in cells)


def _texts(cells):
    """Return cells as text; whole numbers as such, whatever the spreadsheet holds them as."""
    return [_text(cell) for cell in cells]


def _text(cell):
    if cell is None:
        return ""
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15
    return str(int(cell)) if is_whole else str(cell)


def _check_dates(source, rows):
    """Refuse dates in the place of names: spreadsheets make them of genes such as MARCH1."""
    names = [(line, 1, cells[0]) for line, cells in rows]
    names += [(rows[0][0], place, cell) for place, cell in enumerate(rows[0][1], 1)]
    for line, place, cell in names:
        if isinstance(cell, _DATES):
            raise InputError(
                f"{source}: row {line}, column {place}: received the date {cell}; expected a name. "
                "Spreadsheets turn names such as MARCH1 and SEPT2 into dates: restore them."
            )
