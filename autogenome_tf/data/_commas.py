"""Commas of a text table that may part decimals or thousands: decided by all of its cells."""

from autogenome_tf.data._cells import MISSING, decimal_mark, is_comma_number, is_number
from autogenome_tf.data._files import filled_rows
from autogenome_tf.data._layout import Layout, table_rows, thousands

_WHOLE = "1"


def check_commas(source: str, layout: Layout, most: int | None = None) -> str | None:
    """Refuse a comma that can only be a decimal one in a table read with decimal commas.

    Args:
        source: Path of the table.
        layout: Its `Layout`.
        most: Bytes that the file may unpack to; None: as many as any.

    Returns:
        A doubt in words where all commas may part thousands too; None where one cannot.

    Raises:
        InputError: Numbers without a comma stand among such.
    """
    doubtful = plain = None
    rows = filled_rows(source, layout.delimiter, most, layout.skip)
    for line, cells in table_rows(rows, layout.end):
        for place in layout.values:
            cell = cells[place]
            if is_comma_number(cell):
                if decimal_mark([cell, _WHOLE]) == ",":
                    return None
                doubtful = doubtful or (line, place, cell)
            elif plain is None and cell not in MISSING and is_number(cell):
                plain = cell
    if doubtful is None:
        return None
    line, place, cell = doubtful
    if plain is not None:
        raise thousands(f"{source} line {line}, column {layout.names[place]!r}", cell)
    return (
        f"{source}: every number has three digits behind a comma, such as {cell.strip()!r}, which "
        "is taken for a decimal comma. Where it parts thousands, write the numbers without it."
    )
