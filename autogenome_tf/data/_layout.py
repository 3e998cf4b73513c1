"""How a text table is laid out: its delimiter, its header, where its sample ids stand."""

import csv
import dataclasses
import itertools

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._cells import MISSING, is_corner, is_id_name, is_number, is_text
from autogenome_tf.data._checked import check_names, numbered_features
from autogenome_tf.data._files import BLANKS, filled_rows, numbered_lines
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


@dataclasses.dataclass(frozen=True)
class Layout:
    """What the first rows of a table give away.

    Attributes:
        delimiter: One character; a space stands for any run of blanks.
        names: A name for each column, the column of ids included.
        header_line: The line of the header, 0 without one.
        id_column: Position of the sample ids, or None.
        extra: Positions of columns that are asked for and are no features.
        words: What text stands for a missing value.
    """

    delimiter: str
    names: list[str]
    header_line: int
    id_column: int | None
    extra: tuple[int, ...] = ()
    words: frozenset[str] = MISSING

    @property
    def texts(self) -> list[int]:
        """Positions of the columns that are kept as text: ids and extra ones."""
        return [*self.extra] if self.id_column is None else [self.id_column, *self.extra]

    @property
    def features(self) -> list[int]:
        """Positions of the columns that go into the matrix."""
        return sorted(set(range(len(self.names))) - set(self.texts))

    def notes(self):
        """Say ids and header for the log."""
        ids = "no sample ids: rows match by order"
        if self.id_column is not None:
            ids = f"{_ordinal(self.id_column)} column is the sample id"
        header = "header found" if self.header_line else "no header: features are numbered"
        return ids, header


def find_layout(source: str, options: ReadOptions) -> Layout:
    """Detect the layout of a matrix file from its first rows.

    Args:
        source: Path of a text table.
        options: `ReadOptions`; columns that they name cannot be the sample ids.

    Raises:
        InputError: There is no row of data.
    """
    delimiter = known_delimiter(options.delimiter)
    delimiter = delimiter or find_delimiter(head_lines(source), is_matrix=True)
    rows = list(itertools.islice(filled_rows(source, delimiter), HEAD))
    if not any(cell.strip() for _, cells in rows for cell in cells):
        raise InputError(f"{source}: the file begins with empty cells alone; expected a table.")
    with_header = _has_header([cells for _, cells in rows])
    if with_header and len(rows) == 1:
        raise header_only(source)
    body = [cells for _, cells in rows[with_header:]]
    names = [name.strip() for name in rows[0][1]] if with_header else [""] * len(body[0])
    if with_header and len(body[0]) == len(names) + 1:
        names = ["", *names]
    id_column = _find_ids(names, body, options, with_header)
    if not with_header:
        names = _numbered(len(names), id_column)
    extra = [p for p, name in enumerate(names) if name in options.columns and p != id_column]
    check_names(source, "column name", [names[place] for place in extra])
    header_line = rows[0][0] if with_header else 0
    return Layout(delimiter, names, header_line, id_column, tuple(extra), options.missing_words)


def known_delimiter(name):
    """Check a delimiter that was given; ``"tab"`` may be written out."""
    name = "\t" if name in ("tab", "\\t") else name
    if name is not None and name not in DELIMITERS:
        raise InputError(f"delimiter: received {name!r}; expected one of {list(DELIMITERS)}.")
    return name


def head_lines(source):
    """The first lines of a file that are not blank.

    Raises:
        InputError: There are none.
    """
    filled = (line for _, line in numbered_lines(source) if line.strip())
    lines = list(itertools.islice(filled, HEAD))
    if not lines:
        raise InputError(f"{source}: the file is empty; expected a table.")
    return lines


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
        agree = body[0] > 1 and set(body) == {body[0]} and counts[0] in (body[0] - 1, body[0])
        numbers = sum(is_number(cell) for cells in rows for cell in cells)
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


def _has_header(rows):
    first, rest = rows[0], rows[0][1:]
    if len(rows) > 1 and len(rows[1]) == len(first) + 1:  # R leaves out the name above row names
        return True
    if is_corner(first[0]) and rest:
        fractions = any(is_number(cell) and "." in cell for cell in rest)
        return len(set(rest)) == len(rest) and not fractions
    named = is_id_name(first[0]) or any(map(is_text, rest))
    alone = not rest and is_text(first[0])
    return named or alone or _is_counted(rows)


def _is_counted(rows):
    """Whether the names are 0, 1, 2 ... as from pandas, and the values do not count on."""
    width = len(rows[0])
    counted = [[str(n) for n in range(start, start + width)] for start in (0, width)]
    return len(rows) > 1 and width > 2 and rows[0] == counted[0] and rows[1] != counted[1]


def _find_ids(names, body, options, with_header):
    places = (place for place, name in enumerate(names) if name not in options.columns)
    place = next(places, None)
    if place is None or len(names) == 1:
        return None
    named = with_header and is_id_name(names[place])
    words = options.missing_words
    text = any(is_text(cells[place], words) for cells in body if place < len(cells))
    return place if named or text else None


def _numbered(count, id_column):
    names = numbered_features(count - (id_column is not None))
    return names if id_column is None else [*names[:id_column], "", *names[id_column:]]


def _ordinal(place):
    return "first" if place == 0 else f"{place + 1}."
