"""Text tables: .tsv, .csv and .txt, also compressed."""

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._delimiter import DELIMITERS
from autogenome_tf.data._distinct import repeated
from autogenome_tf.data._files import TEXTS, check_text
from autogenome_tf.data._layout import find_layout
from autogenome_tf.data._lists import check_table
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._text_table import text_table


class Text(Reader):
    """Read a text table; delimiter, header, ids and decimal mark are detected.

    Lines above the table that begin with ``#`` are passed over. A table whose names stand below
    ``Hugo_Symbol``, ``Geneid``, ``ID_REF`` or their like is one of genes x samples.
    """

    kinds = ".tsv, .csv, .txt, .tab (also .gz, .bz2, .zst)"
    suffixes = TEXTS
    takes = ("delimiter",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a wrong cell is named by line and column."""
        check_text(source)
        layout = find_layout(source, options)
        try:
            table = _read(source, layout, options)
        except InputError:
            check_table(source, layout)
            raise
        if repeated(table.samples or []) or repeated(table.features):
            check_table(source, layout)
        return table

    def read_columns(self, source: str, options: ReadOptions) -> None:
        """Leave a file of targets to the reader of text tables."""


def _read(source, layout, options):
    table, layout = text_table(source, layout, options)
    notes, limit = layout.notes(), options.limit
    # In a matrix of genes x samples a target would be a row.
    columns = options.columns if table.orientation else ()
    kind = DELIMITERS[layout.delimiter]
    return checked(source, table, kind, *notes, columns=columns, limit=limit)
