"""Layout of a text table: delimiter, header, role of each column."""

import dataclasses
import itertools

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import MISSING, decimal_mark, is_comma_number
from autogenome_tf.data._checked import check_names, numbered_features
from autogenome_tf.data._delimiter import (
    HEAD,
    find_delimiter,
    head_lines,
    known_delimiter,
    preamble,
)
from autogenome_tf.data._files import filled_rows
from autogenome_tf.data._head import ASIDE, BLANK, EXTRA, NAME, NUMBERS, SPARE, VALUE, Head
from autogenome_tf.data._orientation import GENES, turned
from autogenome_tf.data._reader import ReadOptions


@dataclasses.dataclass(frozen=True)
class Layout:
    """Say how the cells of a text table are to be read.

    Attributes:
        delimiter: One character; a space stands for any run of blanks.
        names: A name for each column, the column of row names included.
        roles: What each column is for: `VALUE`, `NAME` (one at most) and so on.
        skip: Lines before the first row of data.
        has_header: Whether one of them names the columns.
        orientation: `SAMPLES` or `GENES`, or None where nothing in the file shows it.
        reason: What showed `GENES`, for the log.
        end: Text that begins the line below the table; "" where the table ends with the file.
        decimal: The decimal mark, "." or ",".
        words: What text stands for a missing value.
        is_new: Whether the rows are for a fitted model, whose config cannot be changed.
    """

    delimiter: str
    names: list[str]
    roles: list[str]
    skip: int = 0
    has_header: bool = True
    orientation: str | None = None
    reason: str = ""
    end: str = ""
    decimal: str = "."
    words: frozenset[str] = MISSING
    is_new: bool = False

    def places(self, *roles: str) -> list[int]:
        """Return the positions of the columns of some roles, in the order of the roles."""
        return [p for role in roles for p, own in enumerate(self.roles) if own == role]

    def named(self, *roles: str) -> list[str]:
        """Return the names of the columns of some roles."""
        return [self.names[place] for place in self.places(*roles)]

    @property
    def texts(self) -> list[int]:
        """Return the positions of the columns that are kept as text."""
        return self.places(NAME, SPARE, EXTRA, BLANK)

    @property
    def values(self) -> list[int]:
        """Return the positions of the columns that go into the matrix."""
        return self.places(VALUE)

    def notes(self):
        """Return log texts about the detected layout."""
        names = self.places(NAME)
        what = "gene" if self.orientation == GENES else "sample id"
        if names:
            yield f"{_ordinal(names[0])} column is the {what}"
        else:
            yield ("no gene names" if self.orientation == GENES else "no sample ids")
        yield "header found" if self.has_header else "no header: features are numbered"
        if self.orientation == GENES:
            yield turned(self.reason)
        if self.places(NUMBERS):
            yield "the numbers of the rows before it are left out"
        if self.places(SPARE, ASIDE):
            yield f"columns that describe genes are left out: {some(self.named(SPARE, ASIDE))}"
        if self.decimal == ",":
            yield "decimal commas"


def find_layout(
    source: str, options: ReadOptions, skip: int | None = None, end: str = ""
) -> Layout:
    """Detect the layout of a matrix file from its first rows.

    Args:
        source: Path of a text table.
        options: `ReadOptions`; columns that they name cannot be the sample ids.
        skip: Lines above the table; None: those that begin with '#'.
        end: Text that begins the line below the table; "" where the table ends with the file.

    Raises:
        InputError: There is no row of data.
    """
    skip = preamble(source) if skip is None else skip
    delimiter = known_delimiter(options.delimiter)
    delimiter = delimiter or find_delimiter(head_lines(source, skip), is_matrix=True)
    rows = table_rows(filled_rows(source, delimiter, skip=skip), end)
    rows = list(itertools.islice(rows, HEAD))
    layout = layout_of(source, rows, options)
    skip = layout.skip if layout.has_header else skip
    return dataclasses.replace(layout, delimiter=delimiter, skip=skip, end=end)


def layout_of(source: str, rows: list[tuple[int, list[str]]], options: ReadOptions) -> Layout:
    """Detect the layout of a matrix from its first rows.

    Args:
        source: Its file, for errors.
        rows: Pairs of the number of a line and its cells.
        options: `ReadOptions`; columns that they name cannot be the sample ids.
    """
    if not any(cell.strip() for _, cells in rows for cell in cells):
        raise InputError(f"{source}: the file begins with empty cells only; expected a table.")
    decimal = _decimal(source, rows)
    head = Head.of(source, rows, decimal, options)
    orientation, reason = head.lie(options)
    roles = head.roles(orientation, options)
    names = head.names if head.has_header else _numbered(roles)
    skip = rows[0][0] if head.has_header else rows[0][0] - 1
    layout = Layout("\t", names, roles, skip, head.has_header, orientation, reason)
    check_names(source, "column name", layout.named(EXTRA))
    known = {"words": options.missing_words, "is_new": bool(options.genes)}
    return dataclasses.replace(layout, decimal=decimal, **known)


def table_rows(rows, end):
    """Yield the rows above the line that ends a table."""
    return itertools.takewhile(lambda row: not end or not row[1][0].startswith(end), rows)


def _decimal(source, rows):
    """Return the decimal mark of the first rows, or refuse commas that may be thousands'."""
    cells = [cell for _, cells in rows for cell in cells]
    mark = decimal_mark(cells)
    if mark is None:
        raise thousands(source, next(filter(is_comma_number, cells)))
    return mark


def thousands(where, cell):
    """Return the error for a comma that may part thousands or decimals."""
    plain, point = cell.strip().replace(",", ""), cell.strip().replace(",", ".", 1)
    return InputError(
        f"{where}: received {cell.strip()!r}, which may be {plain} or {point}; expected numbers "
        "without commas between thousands."
    )


def _numbered(roles):
    """Return the number the values of a table without header; its other columns have no name."""
    numbers = iter(numbered_features(roles.count(VALUE)))
    return [next(numbers) if role == VALUE else "" for role in roles]


def _ordinal(place):
    return "first" if place == 0 else f"{place + 1}."
