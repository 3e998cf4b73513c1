"""How a text table is laid out: its delimiter, its header, what each column is for."""

import csv
import dataclasses
import itertools
import re

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import (
    MISSING,
    decimal_mark,
    is_comma_number,
    is_corner,
    is_id_name,
    is_missing,
    is_number,
    is_text,
    with_point,
)
from autogenome_tf.data._checked import check_names, numbered_features
from autogenome_tf.data._files import BLANKS, filled_rows, numbered_lines
from autogenome_tf.data._orientation import (
    AUTO,
    GENES,
    has_ids_above,
    is_annotation,
    is_gene_heading,
    orientation_of,
    turned,
)
from autogenome_tf.data._reader import ReadOptions

# In the order of trust: a comma or a blank stands inside a name more often than a tab does.
DELIMITERS = {
    "\t": "tab-separated",
    ";": "semicolon-separated",
    "|": "pipe-separated",
    ",": "comma-separated",
    BLANKS: "blank-separated",
}
HEAD = 6  # rows looked at; a guess that fails further down is an error with its line

# What a column is for: a value of the matrix, names of rows, names where those are blank, text that
# is asked for, nothing (what describes genes, or blank cells behind the last delimiter).
VALUE, NAME, SPARE, EXTRA, ASIDE, BLANK = "value", "name", "spare", "extra", "aside", "blank"


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

    def places(self, *roles: str) -> list[int]:
        """Return the positions of the columns of some roles, in the order of the roles."""
        return [p for role in roles for p, own in enumerate(self.roles) if own == role]

    def named(self, *roles: str) -> list[str]:
        """Return the names of the columns of some roles."""
        return [self.names[place] for place in self.places(*roles)]

    @property
    def texts(self) -> list[int]:
        """Positions of the columns that are kept as text."""
        return self.places(NAME, SPARE, EXTRA, BLANK)

    @property
    def values(self) -> list[int]:
        """Positions of the columns that go into the matrix."""
        return self.places(VALUE)

    def notes(self):
        """Say for the log what was detected."""
        names = self.places(NAME)
        what = "gene" if self.orientation == GENES else "sample id"
        if names:
            yield f"{_ordinal(names[0])} column is the {what}"
        else:
            yield ("no gene names" if self.orientation == GENES else "no sample ids")
        yield "header found" if self.has_header else "no header: features are numbered"
        if self.orientation == GENES:
            yield turned(self.reason)
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
        raise InputError(f"{source}: the file begins with empty cells alone; expected a table.")
    decimal = _decimal(source, rows)
    head = _Head.of(source, rows, decimal, options)
    orientation, reason = head.lie(options)
    roles = head.roles(orientation, options)
    names = head.names if head.has_header else _numbered(roles)
    skip = rows[0][0] if head.has_header else rows[0][0] - 1
    layout = Layout("\t", names, roles, skip, head.has_header, orientation, reason)
    check_names(source, "column name", layout.named(EXTRA))
    return dataclasses.replace(layout, decimal=decimal, words=options.missing_words)


@dataclasses.dataclass(frozen=True)
class _Head:
    """Hold the first rows of a table.

    Attributes:
        names: Of the columns, "" where there is no header.
        body: Cells of the rows below the header.
        has_header: Whether the first row is one.
        place: Position of the names of rows, or None.
        blank: Columns at the end that are blank.
    """

    names: list[str]
    body: list[list[str]]
    has_header: bool
    place: int | None
    blank: int

    @classmethod
    def of(cls, source, rows, decimal, options):
        """Find header and names of rows.

        Raises:
            InputError: There is no row below the header.
        """
        cells = [row for _, row in rows]
        if decimal == ",":
            cells = [[with_point(cell) for cell in row] for row in cells]
        has_header = _has_header(cells)
        if has_header and len(cells) == 1:
            raise header_only(source)
        body = cells[has_header:]
        names = [name.strip() for name in rows[0][1]] if has_header else [""] * len(body[0])
        names, blank = fitted(names, body)
        place = _find_ids(names[: len(names) - blank], body, options, has_header)
        return cls(names, body, has_header, place, blank)

    def column(self, place):
        """Return the cells of a column."""
        return [cells[place].strip() for cells in self.body if place < len(cells)]

    def lie(self, options):
        """Return how the table lies, None where nothing shows it, and what shows it."""
        if options.orientation != AUTO:
            return options.orientation, "data.orientation"
        if self.place is None:
            return None, ""
        heading, names = self.names[self.place], self.column(self.place)
        if has_ids_above(self.names, names, options.known_ids):
            return GENES, "the ids of the targets stand in its header"
        return orientation_of(heading), f"heading {heading!r}"

    def roles(self, orientation, options):
        """Say what each column is for; of a matrix of genes x samples no column is a target."""
        roles = [VALUE] * len(self.names)
        if orientation == GENES:
            for place in self._about_genes(options):
                has_spare = SPARE in roles or not is_gene_heading(self.names[place])
                roles[place] = ASIDE if has_spare else SPARE
        else:
            aside = options.aside(self.names)
            roles = [EXTRA if name in aside else VALUE for name in self.names]
        if self.place is not None:
            roles[self.place] = NAME
        return roles[: len(roles) - self.blank] + [BLANK] * self.blank

    def _about_genes(self, options):
        """Yield the columns that describe genes: by their names, or as text before the values."""
        is_before = True
        for place, name in enumerate(self.names):
            is_before = is_before and self._is_text(place, options.missing_words)
            is_sample = name in options.known_ids
            if place != self.place and not is_sample and (is_before or is_annotation(name)):
                yield place

    def _is_text(self, place, words):
        cells = [cell for cell in self.column(place) if not is_missing(cell, words)]
        return place == self.place or (bool(cells) and not any(map(is_number, cells)))


def table_rows(rows, end):
    """Yield the rows above the line that ends a table."""
    return itertools.takewhile(lambda row: not end or not row[1][0].startswith(end), rows)


def preamble(source: str) -> int:
    """Count the lines above a table that begin with '#', but for a header written so."""
    count, last = 0, ""
    for _, line in numbered_lines(source):
        if not line.startswith("#"):
            return count - _is_header(last, line) if count else 0
        count, last = count + 1, line
    return 0


def _is_header(line, below):
    """Whether a line such as "#sample,A,B" is the header of what stands below it."""
    first, other = (re.split(r"[\t;|,]", text)[0].strip() for text in (line, below))
    if first == line.strip():
        first, other = (f"{text} ".split()[0] for text in (first, other))
    is_heading = is_id_name(first) or is_gene_heading(first)
    return is_heading and not is_corner(first.lstrip("#")) and not is_id_name(other)


def known_delimiter(name):
    """Check a delimiter that was given; ``"tab"`` may be written out."""
    name = "\t" if name in ("tab", "\\t") else name
    if name is not None and name not in DELIMITERS:
        raise InputError(f"delimiter: received {name!r}; expected one of {list(DELIMITERS)}.")
    return name


def head_lines(source: str, skip: int = 0) -> list[str]:
    """Return the first lines of a file that are not blank.

    Raises:
        InputError: There are none.
    """
    lines = numbered_lines(source)
    filled = (line for number, line in lines if number > skip and line.strip())
    found = list(itertools.islice(filled, HEAD))
    if not found:
        raise InputError(f"{source}: the file is empty; expected a table.")
    return found


def header_only(source):
    """The error for a table without rows."""
    return InputError(f"{source}: received only a header; expected rows below it.")


def find_delimiter(lines, is_matrix):
    r"""Choose the delimiter that makes a table of some lines.

    Args:
        lines: The first lines of a file.
        is_matrix: Whether most cells are numbers; else (targets) they are mostly text.

    >>> find_delimiter(["sample\tTP53, MYC", "a\t1"], is_matrix=True)
    '\t'
    """

    def merit(delimiter):
        rows = [_split(line, delimiter) for line in lines]
        counts = [len(cells) for cells in rows]
        body = counts[1:] or counts
        agree = body[0] > 1 and set(body) == {body[0]} and abs(counts[0] - body[0]) <= 1
        numbers = sum(is_number(cell) or is_comma_number(cell) for cells in rows for cell in cells)
        is_table = 2 * sum(n > 1 for n in counts) > len(counts)
        # A header without the sign is R's, or the sign stands inside what is below.
        is_sure = counts[0] == body[0] or counts[0] > 1 or delimiter == "\t"
        return agree, numbers if is_matrix else is_table, is_sure

    return max(DELIMITERS, key=merit)


def _split(line, delimiter):
    line = line.strip().replace("\t", BLANKS) if delimiter == BLANKS else line.rstrip("\r\n")
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=delimiter == BLANKS))
    except csv.Error:  # a wide line without this delimiter is longer than a cell may be
        return [line]


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


def _has_header(rows):
    first, rest = rows[0], rows[0][1:]
    if len(rows) > 1 and len(rows[1]) == len(first) + 1:  # R leaves out the name above row names
        return True
    if is_corner(first[0]) and rest:
        fractions = any(is_number(cell) and "." in cell for cell in rest)
        return len(set(rest)) == len(rest) and not fractions
    named = is_id_name(first[0]) or is_gene_heading(first[0]) or any(map(is_text, rest))
    alone = not rest and is_text(first[0])
    return named or alone or _is_counted(rows)


def _is_counted(rows):
    """Whether the names are 0, 1, 2 ... as from pandas, and the values do not count on."""
    width = len(rows[0])
    counted = [[str(n) for n in range(start, start + width)] for start in (0, width)]
    return len(rows) > 1 and width > 2 and rows[0] == counted[0] and rows[1] != counted[1]


def fitted(names: list[str], body: list[list[str]]) -> tuple[list[str], int]:
    """Return a name for each column of the rows, and how many columns at the end are blank."""
    width, blank = len(body[0]), _blank_ends(body)
    more = len(names) - width
    if more > 0 and not any(names[width:]):  # a delimiter at the end of the header alone
        return names[:width], 0
    if more == -1 and blank and (is_id_name(names[0]) or is_gene_heading(names[0])):
        return [*names, ""], 1
    if more == -1:
        return ["", *names], 0
    while blank and names[len(names) - blank :] != [""] * blank:
        blank -= 1
    return names, blank


def _blank_ends(rows):
    """Count the columns at the end that are blank in each of some rows of one width."""
    if len({len(cells) for cells in rows}) > 1:
        return 0
    columns = [any(cell.strip() for cell in column) for column in zip(*rows, strict=True)]
    return len(list(itertools.takewhile(lambda filled: not filled, reversed(columns))))


def _find_ids(names, body, options, has_header):
    """Return the place of the sample ids: the first column, or one of several of text."""
    places = [place for place, name in enumerate(names) if not options.is_no_gene(name)]
    if not places or len(names) == 1:
        return None
    first, words = places[0], options.missing_words
    if has_header and (is_id_name(names[first]) or is_gene_heading(names[first])):
        return first
    columns = {place: [cells[place] for cells in body if place < len(cells)] for place in places}
    text = [place for place in places if any(is_text(cell, words) for cell in columns[place])]
    named = [place for place in text if has_header and is_id_name(names[place])]
    distinct = [place for place in text if len(set(columns[place])) == len(columns[place])]
    if first not in text:
        return next(iter(named), None)
    return first if len(text) == 1 or first in distinct else next(iter(named + distinct), first)


def _numbered(roles):
    """Number the values of a table without header; its other columns have no name."""
    numbers = iter(numbered_features(roles.count(VALUE)))
    return [next(numbers) if role == VALUE else "" for role in roles]


def _ordinal(place):
    return "first" if place == 0 else f"{place + 1}."
