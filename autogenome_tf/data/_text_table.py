"""A text table of a known layout as a `Table`: fast with Arrow, carefully where Arrow refuses."""

import dataclasses

import numpy as np

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._checked import has_infinite
from autogenome_tf.data._commas import check_commas
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import BLANKS, open_bytes
from autogenome_tf.data._head import BLANK, EXTRA, NAME, SPARE, VALUE
from autogenome_tf.data._layout import Layout
from autogenome_tf.data._orientation import GENES, transposed
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._scan import DecimalComma, scan_rows
from autogenome_tf.data._stack import stack_batches
from autogenome_tf.data._texts import frame_of_texts

# Arrow pays for each column in each block: at 20,000 genes 4 MB takes four times as long, and
# 32 MB saves a tenth of the time for 100 MB more.
_BLOCK = 24 << 20


def text_table(source: str, layout: Layout, options: ReadOptions) -> tuple[Table, Layout]:
    """Read a text table of a known layout.

    Args:
        source: Path of the table.
        layout: Its `Layout`.
        options: Limits and words for missing values.

    Returns:
        A `Table` that is not checked yet, samples x genes, and the layout as it was followed: with
        a decimal comma where one stands below the first rows.

    Raises:
        InputError: The message names the line and the column.
    """
    values, lists, layout = _read_rows(source, layout, options)
    table = assembled(source, layout, values, lists, options)
    doubt = check_commas(source, layout, options.most(source)) if layout.decimal == "," else None
    return dataclasses.replace(table, warnings=(("commas", doubt),) if doubt else ()), layout


def assembled(
    source: str,
    layout: Layout,
    values: np.ndarray,
    lists: dict[int, list[str]],
    options: ReadOptions,
) -> Table:
    """Make a `Table`, not checked yet, of the values and the texts of the rows of a layout."""
    if lists:
        count = _filled(values, lists.values())
        values, lists = values[:count], {place: cells[:count] for place, cells in lists.items()}
    _check_blank(source, layout, lists)
    names = _row_names(layout, lists)
    table = Table(values, names, layout.named(VALUE), _extra(layout, lists, names))
    if layout.orientation == GENES:
        table = transposed(table, "", options.limit)
    return dataclasses.replace(table, orientation=layout.orientation)


def _row_names(layout, lists):
    """Return the names of rows, a spare one where the first is blank; None without names."""
    if not layout.places(NAME):
        return None
    names = [name.strip() for name in lists[layout.places(NAME)[0]]]
    for place in layout.places(SPARE):
        names = [name or spare.strip() for name, spare in zip(names, lists[place], strict=True)]
    return names


def _extra(layout, lists, names):
    if not layout.places(EXTRA):
        return None
    columns = {layout.names[place]: lists[place] for place in layout.places(EXTRA)}
    return frame_of_texts(columns, names, layout.words)


def _check_blank(source, layout, lists):
    """Refuse a cell behind the last heading, in a column that began blank."""
    for place in layout.places(BLANK):
        cell = next((cell for cell in lists[place] if cell.strip()), None)
        if cell is not None:
            raise InputError(
                f"{source}: column {place + 1} has no name and begins blank, but contains "
                f"{cell!r}; expected a name above it, or blank cells."
            )


def _filled(values, lists):
    """Return the number of rows without the empty ones at the end, which spreadsheets leave."""
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
        if not has_infinite(values):
            return values, lists, layout
    except (pa.ArrowInvalid, OSError):
        pass
    try:
        return *scan_rows(source, layout, limit, most), layout
    except DecimalComma:
        layout = dataclasses.replace(layout, decimal=",")
        return *scan_rows(source, layout, limit, most), layout


def _stream(source, layout, limit, most):
    from pyarrow import csv

    names = [str(place) for place in range(len(layout.names))]
    with open_bytes(source, most, layout.end) as stream:
        reader = csv.open_csv(
            stream,
            csv.ReadOptions(block_size=_BLOCK, column_names=names, skip_rows=layout.skip),
            csv.ParseOptions(delimiter=layout.delimiter),
            _conversion(layout, names),
        )
        values, texts = ([names[p] for p in places] for places in (layout.values, layout.texts))
        found, lists = stack_batches(reader, values, texts, limit)
    return found, {int(name): cells for name, cells in lists.items()}


def _conversion(layout, names):
    import pyarrow as pa
    from pyarrow import csv

    # Between blanks an empty cell is a second blank, which only the careful reader joins.
    missing = layout.words - {""} if layout.delimiter == BLANKS else layout.words
    types = dict.fromkeys(layout.texts, pa.string()) | dict.fromkeys(layout.values, pa.float32())
    return csv.ConvertOptions(
        column_types={names[place]: kind for place, kind in types.items()},
        include_columns=[names[place] for place in sorted(types)],
        null_values=sorted(missing),
        strings_can_be_null=False,
        decimal_point=layout.decimal,
    )
