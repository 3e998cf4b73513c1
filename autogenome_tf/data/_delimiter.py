"""Delimiter of a text table, and the lines above its header."""

import csv
import itertools
import re

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._cells import is_comma_number, is_corner, is_id_name, is_missing, is_number
from autogenome_tf.data._files import BLANKS, numbered_lines
from autogenome_tf.data._orientation import is_gene_heading

# In the order of trust: a comma or a blank stands inside a name more often than a tab does.
DELIMITERS = {
    "\t": "tab-separated",
    ";": "semicolon-separated",
    "|": "pipe-separated",
    ",": "comma-separated",
    BLANKS: "blank-separated",
}
_SEPARATOR = re.compile(r'"?sep=\S?"?', re.IGNORECASE)
HEAD = 6  # rows looked at; a guess that fails further down is an error with its line


def preamble(source: str) -> int:
    """Count the lines above a table: those that begin with '#', and Excel's ``sep=;``.

    A header that begins with '#' is not among them.
    """
    count, last = 0, ""
    for number, line in numbered_lines(source):
        if not line.startswith("#") and not (number == 1 and _SEPARATOR.fullmatch(line.strip())):
            return count - _is_header(last, line) if count else 0
        count, last = count + 1, line
    return 0


def _is_header(line, below):
    """Return whether a line such as "#sample,A,B" is the header of what stands below it."""
    first, other = (re.split(r"[\t;|,]", text)[0].strip() for text in (line, below))
    if first == line.strip():
        first, other = (next(iter(text.split()), "") for text in (first, other))
    is_heading = is_id_name(first) or is_gene_heading(first)
    is_known = is_heading and not is_corner(first.lstrip("#")) and not is_id_name(other)
    return is_known or _has_names(line, below)


def _has_names(line, below):
    """Return whether a line has as many names as there are values and a name below it."""
    delimiter = find_delimiter([line, below], is_matrix=True)
    names, cells = (_split(text, delimiter) for text in (line, below))
    # A sentence has blanks behind its commas.
    is_sentence = any(name[:1] == " " for name in names)
    are_values = all(is_number(cell) or is_missing(cell) for cell in cells[1:])
    is_same = len(names) == len(cells) > 2 and are_values and not is_sentence
    return is_same and not any(is_number(name) for name in names)


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
    """Return the error for a table without rows."""
    return InputError(f"{source}: only a header; expected rows below it.")


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
