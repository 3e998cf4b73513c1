"""Series matrices of GEO: lines about the samples, then a table of probes x samples."""

import csv
import dataclasses
import itertools

import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import TEXTS, beginning, check_file, filled_rows, numbered_lines
from autogenome_tf.data._layout import find_layout
from autogenome_tf.data._orientation import GENES
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._text_table import text_table
from autogenome_tf.data._texts import columns_of, frame_of_texts

_BEGIN, _END = "!series_matrix_table_begin", "!series_matrix_table_end"
_SAMPLE, _ID, _TRAIT = "!Sample_", "geo_accession", "characteristics_"


class SeriesMatrix(Reader):
    """Read a series matrix of GEO; its characteristics (``disease: tumor``) can be targets."""

    kinds = "a GEO series matrix"
    by_content = True

    def matches(self, source: str) -> bool:
        """Return whether a text file begins as a series matrix does."""
        is_text = source.lower().endswith(TEXTS)
        return is_text and beginning(source).lstrip().startswith(("!Series_", _SAMPLE))

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; what is said of samples goes to `Table.extra`."""
        check_file(source)
        about, line = _about(source)
        skip = _table_line(source, line)
        asked = dataclasses.replace(options, orientation=GENES, delimiter="\t")
        table, _ = text_table(source, find_layout(source, asked, skip, _END), options)
        ids = about.pop(_ID, None)
        extra = frame_of_texts(about, ids, options.missing_words) if about and ids else None
        if extra is not None and table.samples is not None:
            words = extra.attrs
            extra = extra[~extra.index.duplicated()].reindex(table.samples)
            extra.attrs = words
        table = dataclasses.replace(table, extra=extra)
        note = f"says of samples: {', '.join(about) or 'nothing'}"
        return checked(
            source, table, "GEO series matrix", note, columns=options.columns, limit=options.limit
        )

    def read_columns(self, source: str, options: ReadOptions) -> pd.DataFrame | None:
        """Read what is said of the samples, below the names of their characteristics."""
        about, _ = _about(source)
        ids = about.pop(_ID, None)
        if ids is None or not about:
            raise InputError(f"{source}: a series matrix without lines that describe its samples.")
        said = f"{source}: GEO series matrix, {len(ids)} samples: {', '.join(about)}"
        return columns_of(source, list(about.items()), pd.Index(ids, name=_ID), options, said)


def _about(source):
    """Return the annotation of samples by name, and the line above the table (None: no table)."""
    about, count = {}, None
    for number, line in numbered_lines(source):
        if line.startswith(_BEGIN):
            return about, number
        if not line.startswith(_SAMPLE):
            continue
        key, *cells = next(csv.reader([line.rstrip("\r\n")], delimiter="\t"))
        count = len(cells) if count is None else count
        if len(cells) != count:
            raise InputError(
                f"{source} line {number}: received {len(cells)} samples; expected {count} as above."
            )
        for name, values in _named(key.removeprefix(_SAMPLE).strip(), cells):
            if name == _ID or name.startswith(_TRAIT) or len(set(values)) > 1 or _TRAIT in key:
                about[_free(name, about)] = values
    return about, None


def _named(key, cells):
    """Yield the columns of a line: one, or those that ``name: value`` in its cells name."""
    cells = [cell.strip() for cell in cells]
    pairs = [cell.split(": ", 1) if ": " in cell else [key, cell] for cell in cells]
    names = dict.fromkeys(name for name, value in pairs if value)
    if not key.startswith(_TRAIT):
        yield key, cells
        return
    for name in names:
        yield name.strip(), [value if own == name else "" for own, value in pairs]


def _free(name, taken):
    """Return a name that no other column has: a second line of one name is numbered."""
    if name not in taken:
        return name
    return next(f"{name}_{n}" for n in itertools.count(2) if f"{name}_{n}" not in taken)


def _table_line(source, line):
    """Return the line above the header of the table, and refuse a file without values."""
    if line is None:
        raise InputError(f"{source}: a GEO series matrix without the line {_BEGIN!r}.")
    rows = list(itertools.islice(filled_rows(source, "\t", skip=line), 2))
    if len(rows) < 2 or rows[1][1][0].startswith(_END):
        raise InputError(
            f"{source}: a GEO series matrix without values, as those of sequencing are; expected "
            "the matrix from the supplementary files of the series as data.features (this file can "
            "be data.targets)."
        )
    return line
