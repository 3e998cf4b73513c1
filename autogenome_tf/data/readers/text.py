"""Text tables: .tsv, .csv and .txt, also compressed."""

from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._delimiter import DELIMITERS
from autogenome_tf.data._files import TEXTS, check_file
from autogenome_tf.data._layout import find_layout
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
        check_file(source)
        table, layout = text_table(source, find_layout(source, options), options)
        notes, limit = layout.notes(), options.limit
        # In a matrix of genes x samples a target would be a row.
        columns = options.columns if table.orientation else ()
        return checked(
            source, table, DELIMITERS[layout.delimiter], *notes, columns=columns, limit=limit
        )
