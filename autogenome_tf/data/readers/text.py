"""Text tables: .tsv, .csv and .txt, also compressed."""

import numpy as np

from autogenome_tf.data._checked import checked, has_infinite
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import BLANKS, CODECS, check_file, open_bytes
from autogenome_tf.data._layout import DELIMITERS, find_layout
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._scan import scan_rows
from autogenome_tf.data._stack import stack_batches
from autogenome_tf.data._texts import frame_of_texts

_SUFFIXES = tuple(f".{kind}{packed}" for kind in ("tsv", "csv", "txt") for packed in ("", *CODECS))
# Arrow pays for each column in each block: at 20,000 genes 4 MB takes four times as long, and
# 32 MB saves a tenth of the time for 100 MB more.
_BLOCK = 24 << 20


class Text(Reader):
    """Read a text table of samples x genes; delimiter, header and ids are detected."""

    kinds = ".tsv, .csv, .txt (also .gz, .bz2, .zst)"
    suffixes = _SUFFIXES
    takes = ("delimiter",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a wrong cell is named by line and column."""
        check_file(source)
        layout = find_layout(source, options)
        values, lists = _read_rows(source, layout, options)
        if lists:
            count = _filled(values, lists.values())
            values, lists = values[:count], {place: cells[:count] for place, cells in lists.items()}
        ids = None if layout.id_column is None else lists[layout.id_column]
        samples = None if ids is None else [name.strip() for name in ids]
        table = Table(
            values=values,
            samples=samples,
            features=[layout.names[place] for place in layout.features],
            extra=_frame(layout, lists, samples),
        )
        return checked(source, table, DELIMITERS[layout.delimiter], *layout.notes())


def _filled(values, lists):
    """Number of rows but for those of empty cells at the end, which spreadsheets leave there."""
    count = len(values)
    while count and np.isnan(values[count - 1]).all():
        if any(cells[count - 1].strip() for cells in lists):
            break
        count -= 1
    return count


def _read_rows(source, layout, options):
    """Read with Arrow; whatever Arrow refuses is read again by the reader that knows lines."""
    import pyarrow as pa

    limit, most = options.limit, options.most(source)
    try:
        values, lists = _stream(source, layout, limit, most)
    except (pa.ArrowInvalid, OSError):
        return scan_rows(source, layout, limit, most)
    if has_infinite(values):
        return scan_rows(source, layout, limit, most)
    return values, lists


def _stream(source, layout, limit, most):
    from pyarrow import csv

    names = [str(place) for place in range(len(layout.names))]
    with open_bytes(source, most) as stream:
        reader = csv.open_csv(
            stream,
            csv.ReadOptions(block_size=_BLOCK, column_names=names, skip_rows=layout.header_line),
            csv.ParseOptions(delimiter=layout.delimiter),
            _conversion(layout, names),
        )
        features, texts = ([names[p] for p in places] for places in (layout.features, layout.texts))
        values, lists = stack_batches(reader, features, texts, limit)
    return values, {int(name): cells for name, cells in lists.items()}


def _conversion(layout, names):
    import pyarrow as pa
    from pyarrow import csv

    # Between blanks an empty cell is a second blank, which only the careful reader joins.
    missing = layout.words - {""} if layout.delimiter == BLANKS else layout.words
    texts = set(layout.texts)
    types = [pa.string() if place in texts else pa.float32() for place in range(len(names))]
    return csv.ConvertOptions(
        column_types=dict(zip(names, types, strict=True)),
        null_values=sorted(missing),
        strings_can_be_null=False,
    )


def _frame(layout, lists, samples):
    if not layout.extra:
        return None
    columns = {layout.names[place]: lists[place] for place in layout.extra}
    return frame_of_texts(columns, samples, layout.words)
