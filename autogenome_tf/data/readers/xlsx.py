"""Sheets of spreadsheets (.xlsx): a table of samples x genes, or of targets."""

import contextlib
import datetime
import itertools
import zipfile

import pandas as pd

from autogenome_tf.core.errors import InputError, some, unknown
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
from autogenome_tf.data._texts import SHEETS

_DATES = (datetime.date, datetime.time, datetime.timedelta)


class Xlsx(Reader):
    """Read a sheet of a spreadsheet: that of `data.matrix`, or the first.

    Of targets it is that of `data.targets_sheet`, or the first with most of the named columns.
    Lines above the table that have a single cell, such as a title, are passed over.
    """

    kinds = ".xlsx"
    suffixes = (".xlsx", ".xlsm")
    takes = ("matrix", "targets_sheet")

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a wrong cell is named by row and column."""
        with _opened(source, options) as book:
            name = _named(book, options.matrix, f"{source}: data.matrix") or book.sheetnames[0]
            rows = _rows(source, book, name)
        kind = _kind(book, name)
        try:
            return _matrix(source, rows, options, kind)
        except InputError as error:
            if len(book.sheetnames) == 1 or options.matrix is not None:
                raise
            way = "place the matrix first" if options.genes else "data.matrix names another"
            raise InputError(f"{error} This was read: {kind}; {way}.") from None

    def read_columns(self, source: str, options: ReadOptions) -> pd.DataFrame | None:
        """Read a sheet as a file of targets: that of `data.targets_sheet`, or the likeliest."""
        with _opened(source, options) as book:
            where, wanted = f"{source}: data.targets_sheet", options.targets_sheet
            likely = _likely(book, set(options.columns))
            name = _named(book, wanted, where) or [*likely, *book.sheetnames][0]
            rows = _rows(source, book, name)
        texts = [_texts(cells) for _, cells in rows]
        frame = columns_of_rows(source, texts, options, _kind(book, name))
        if len(likely) > 1 and wanted is None:
            frame.attrs[SHEETS] = likely
        return frame


def _matrix(source, rows, options, kind):
    _check_dates(source, rows)
    texts = [(line, _texts(cells)) for line, cells in rows]
    layout = layout_of(source, texts[:HEAD], options)
    below = (row for row in texts if row[0] > layout.skip)
    values, lists = scanned(source, below, layout, options.limit)
    table = assembled(source, layout, values, lists, options)
    notes, limit = layout.notes(), options.limit
    return checked(source, table, kind, *notes, columns=options.columns, limit=limit)


@contextlib.contextmanager
def _opened(source, options):
    """Open a workbook for reading; whatever is wrong with the file is one error."""
    openpyxl = optional("openpyxl", "excel", source)
    check_file(source)
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(member.file_size for member in archive.infolist())
        check_unpacked(source, size, options.most(source))
        book = openpyxl.load_workbook(source, read_only=True, data_only=True)
        with contextlib.closing(book):
            yield book
    except (InputError, MemoryError):
        raise
    except Exception as error:  # openpyxl names a damaged file by a dozen kinds of error
        raise InputError(f"{source}: not a readable .xlsx file ({error}).") from error


def _named(book, name, where):
    """Return the name of a sheet that was asked for, None where none was."""
    if name is not None and name not in book.sheetnames:
        raise unknown(where, name, book.sheetnames)
    return name


def _likely(book, wanted):
    """Return the names of the sheets whose head has most of some columns, none where none has."""
    found: dict[str, int] = {}
    for name in book.sheetnames:
        head = [_texts(cells) for _, cells in _table(_lines(book, name, HEAD))]
        found[name] = len(wanted.intersection(cell.strip() for cell in head[0])) if head else 0
    most = max(found.values())
    return [name for name, count in found.items() if count == most > 0]


def _rows(source, book, name):
    """Return pairs of the number of a row of a sheet and its cells, equally many."""
    rows = _table(_lines(book, name))
    if not rows:
        raise InputError(f"{source}: sheet {name!r}: empty; expected a table.")
    return rows


def _lines(book, name, most=None):
    """Return pairs of the number of a row and its cells, of the first rows or of all."""
    book[name].reset_dimensions()  # those that are written down may be wrong
    return list(enumerate(book[name].iter_rows(max_row=most, values_only=True), 1))


def _kind(book, name):
    """Describe in words the sheet that was read and the sheets beside it."""
    others = [other for other in book.sheetnames if other != name]
    beside = f" (beside {some(others)})" if others else ""
    return f"xlsx, sheet {name!r} of {len(book.sheetnames)}{beside}"


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
