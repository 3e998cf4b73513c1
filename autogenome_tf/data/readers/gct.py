"""GCT 1.2 and 1.3 of the Broad Institute and GTEx: genes in rows."""

import dataclasses
import itertools

import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._encoding import suffixes
from autogenome_tf.data._files import TEXTS, beginning, check_file, numbered_rows
from autogenome_tf.data._head import ASIDE, NAME, VALUE
from autogenome_tf.data._layout import Layout
from autogenome_tf.data._orientation import GENES
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._text_table import text_table
from autogenome_tf.data._texts import columns_of, frame_of_texts

VERSIONS = ("#1.2", "#1.3")


class Gct(Reader):
    """Read a GCT file; genes are named by its first column.

    What version 1.3 says of samples goes to `Table.extra`: a line of it can be the target.
    """

    kinds = ".gct (also .gz, .bz2, .zst)"
    suffixes = suffixes("gct")
    by_content = True

    def matches(self, source: str) -> bool:
        """Return whether a source is a GCT file by its suffix or its first line."""
        name = source.lower()
        return name.endswith(self.suffixes) or (
            name.endswith(TEXTS) and beginning(source).startswith(VERSIONS)
        )

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a file of other dimensions than it claims is refused."""
        check_file(source)
        head = _Head.of(source)
        table, _ = text_table(source, head.layout(options), options)
        found = table.values.shape[1]
        if found != head.genes:
            raise InputError(
                f"{source}: received {found} genes; expected {head.genes}, as line 2 says."
            )
        table = dataclasses.replace(table, extra=head.extra(options))
        note = f"GCT {head.version[1:]}"
        return checked(source, table, note, columns=options.columns, limit=options.limit)

    def read_columns(self, source: str, options: ReadOptions) -> pd.DataFrame | None:
        """Read what a file of version 1.3 says of its samples."""
        head = _Head.of(source)
        if not head.about:
            raise InputError(f"{source}: a GCT file without columns that describe its samples.")
        said = f"{source}: GCT {head.version[1:]}, {len(head.samples)} samples"
        return columns_of(
            source, list(head.about.items()), pd.Index(head.samples, name="id"), options, said
        )


@dataclasses.dataclass(frozen=True)
class _Head:
    """Hold the lines above the values.

    Attributes:
        version: "#1.2" or "#1.3".
        genes: Rows of values.
        names: Of the columns.
        aside: How many columns behind the first describe genes.
        about: Cells of each line that describes samples, by its name.
        lines: Lines above the values.
    """

    version: str
    genes: int
    names: list[str]
    aside: int
    about: dict[str, list[str]]
    lines: int

    @classmethod
    def of(cls, source):
        """Read the head of a file.

        Raises:
            InputError: It is none, or the header has another width than line 2 says.
        """
        rows = numbered_rows(source, "\t")
        version = _cells(next(rows, None))[:1]
        counts = [cell.strip() for cell in _cells(next(rows, None)) if cell.strip()]
        is_known = version and version[0].strip() in VERSIONS
        size = {"#1.2": 2, "#1.3": 4}[version[0].strip()] if is_known else 0
        if len(counts) != size or not size or not all(map(str.isdecimal, counts)):
            raise InputError(
                f"{source}: received {version + counts} in lines 1 and 2; expected those of GCT: "
                "#1.2 or #1.3, and the numbers of genes and samples."
            )
        genes, samples, *more = map(int, counts)
        aside, about = more or (1, 0)
        header = [name.strip() for name in _cells(next(rows, None))]
        while len(header) > 1 + aside + samples and not header[-1]:
            header.pop()
        if len(header) != 1 + aside + samples:
            raise InputError(
                f"{source} line 3: received {len(header)} names; expected {1 + aside + samples}: "
                f"{1 + aside} of the columns that describe genes and {samples} of samples, as "
                "line 2 says."
            )
        lines = dict(_line(source, row, aside, samples) for row in itertools.islice(rows, about))
        return cls(version[0].strip(), genes, header, aside, lines, 3 + about)

    @property
    def samples(self):
        """Return the ids of the samples."""
        return self.names[1 + self.aside :]

    def layout(self, options):
        """Return the `Layout` of the values."""
        roles = [NAME, *[ASIDE] * self.aside, *[VALUE] * len(self.samples)]
        return Layout(
            "\t", self.names, roles, self.lines, orientation=GENES, words=options.missing_words
        )

    def extra(self, options):
        """Return the annotation of samples as a frame, or None."""
        if not self.about:
            return None
        return frame_of_texts(self.about, self.samples, options.missing_words)


def _cells(row):
    return row[1] if row else []


def _line(source, row, aside, samples):
    line, cells = row
    if len(cells) < 1 + aside + samples:
        raise InputError(
            f"{source} line {line}: received {len(cells)} cells; expected {1 + aside + samples}, "
            "as in the header."
        )
    return cells[0].strip(), cells[1 + aside : 1 + aside + samples]
