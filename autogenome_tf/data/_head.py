"""The first rows of a table: is there a header, where are the names, what is each column for."""

import dataclasses
import itertools

from autogenome_tf.data._cells import (
    are_numbers_of_rows,
    is_corner,
    is_id_name,
    is_missing,
    is_number,
    is_text,
    with_point,
)
from autogenome_tf.data._delimiter import header_only
from autogenome_tf.data._orientation import (
    AUTO,
    GENES,
    has_ids_above,
    is_annotation,
    is_gene_heading,
    orientation_of,
)
from autogenome_tf.data._reader import ReadOptions

# What a column is for: a value of the matrix, names of rows, names where those are blank, text that
# is asked for, nothing (what describes genes, the numbers of rows that R and pandas write, or blank
# cells behind the last delimiter).
VALUE, NAME, SPARE, EXTRA, ASIDE, BLANK = "value", "name", "spare", "extra", "aside", "blank"
NUMBERS = "numbers"


@dataclasses.dataclass(frozen=True)
class Head:
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
    def of(cls, source: str, rows: list, decimal: str, options: ReadOptions) -> "Head":
        """Find header and names of rows.

        Args:
            source: The file, for errors.
            rows: Pairs of the number of a line and its cells.
            decimal: The decimal mark.
            options: `ReadOptions`.

        Raises:
            InputError: There is no row below the header.
        """
        cells = [row for _, row in rows]
        if decimal == ",":
            cells = [[with_point(cell) for cell in row] for row in cells]
        has_header = _has_header(cells) or _has_genes(cells[0], options.genes)
        if has_header and len(cells) == 1:
            raise header_only(source)
        body = cells[has_header:]
        names = [name.strip() for name in rows[0][1]] if has_header else [""] * len(body[0])
        names, blank = fitted(names, body)
        place = _find_ids(names[: len(names) - blank], body, options, has_header)
        return cls(names, body, has_header, place, blank)

    def column(self, place: int) -> list[str]:
        """Return the cells of a column."""
        return [cells[place].strip() for cells in self.body if place < len(cells)]

    def lie(self, options: ReadOptions) -> tuple[str | None, str]:
        """Return how the table lies, None where nothing shows it, and what shows it."""
        if options.orientation != AUTO:
            return options.orientation, "data.orientation"
        if self.place is None:
            return None, ""
        heading, names = self.names[self.place], self.column(self.place)
        if has_ids_above(self.names, names, options.known_ids):
            return GENES, "the ids of the targets are in its header"
        return orientation_of(heading), f"heading {heading!r}"

    def roles(self, orientation: str | None, options: ReadOptions) -> list[str]:
        """Return the role of each column; a matrix of genes x samples has no column of targets."""
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
        if self.place and is_corner(self.names[0]):
            roles[0] = NUMBERS
        return roles[: len(roles) - self.blank] + [BLANK] * self.blank

    def _about_genes(self, options):
        """Yield the columns that describe genes: by their names, or as text.

        Where no sample is known by its id, text counts before the values only.
        """
        samples, is_before = options.known_ids.intersection(self.names), True
        for place, name in enumerate(self.names):
            has_text = self._is_text(place, options.missing_words)
            is_before = is_before and has_text
            is_about = is_before or is_annotation(name) or (has_text and samples)
            if place != self.place and name not in samples and is_about:
                yield place

    def _is_text(self, place, words):
        cells = [cell for cell in self.column(place) if not is_missing(cell, words)]
        return place == self.place or (bool(cells) and not any(map(is_number, cells)))


def _has_header(rows):
    first, rest = rows[0], rows[0][1:]
    if len(rows) > 1 and len(rows[1]) == len(first) + 1:  # R leaves out the name above row names
        return True
    if is_corner(first[0]) and rest:
        # Names may come twice, and a spreadsheet may have made numbers of a few.
        if 2 * sum(map(is_text, rest)) > len(rest):
            return True
        fractions = any(is_number(cell) and "." in cell for cell in rest)
        return len(set(rest)) == len(rest) and not fractions
    named = is_id_name(first[0]) or is_gene_heading(first[0]) or any(map(is_text, rest))
    alone = not rest and is_text(first[0])
    return named or alone or _is_counted(rows)


def _has_genes(first, genes):
    """Return whether a row has the names of a model's genes, which may be numbers."""
    return 2 * len(genes.intersection(cell.strip() for cell in first)) > len(first)


def _is_counted(rows):
    """Return whether the names are 0, 1, 2 ... as from pandas, and the values do not count on."""
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
    columns = {place: [cells[place] for cells in body if place < len(cells)] for place in places}
    if has_header and (is_id_name(names[first]) or is_gene_heading(names[first])):
        behind = _behind_numbers(names, columns, words) if is_corner(names[first]) else None
        return first if behind is None else behind
    text = [place for place in places if any(is_text(cell, words) for cell in columns[place])]
    named = [place for place in text if has_header and is_id_name(names[place])]
    distinct = [place for place in text if len(set(columns[place])) == len(columns[place])]
    if first not in text:
        return next(iter(named), None)
    return first if len(text) == 1 or first in distinct else next(iter(named + distinct), first)


def _behind_numbers(names, columns, words):
    """Return the place of ids behind the numbers of rows that R and pandas write; None if none is.

    Ids are text, or where the numbers count from 0 or 1 numbers below a heading of ids.
    """
    (_, numbers), *others = columns.items()
    if not all(cell.strip().isdigit() for cell in numbers):
        return None
    counts = are_numbers_of_rows(numbers)
    distinct = [(place, cells) for place, cells in others if len(set(cells)) == len(cells)]
    text = [place for place, cells in distinct if all(is_text(cell, words) for cell in cells)]
    named = [place for place, _ in distinct if is_id_name(names[place])]
    found = [place for place in named if counts or place in text]
    beside = [place for place in text if place == others[0][0]]
    return next(iter(found + beside), None)
