"""A file of two columns: names of genes in a matrix, and the names to use."""

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._files import check_file, filled_rows, numbered_lines

_DELIMITERS = "\t,;|"


def read_gene_names(path: str) -> dict[str, str]:
    """Read a file of two columns: a name in the matrix, and the name to use.

    Rows without a second name are passed over; a header does no harm.

    Raises:
        InputError: A row has not two columns, or a name comes twice with different names beside it.
    """
    check_file(path)
    found: dict[str, str] = {}
    first = next(line for _, line in numbered_lines(path))
    for line, cells in filled_rows(path, max(_DELIMITERS, key=first.count)):
        if len(cells) != 2:
            raise InputError(
                f"{path} line {line}: received {len(cells)} columns; expected two: a name in the "
                "matrix and the name to use."
            )
        here, there = (cell.strip() for cell in cells)
        if here and there and found.setdefault(here, there) != there:
            # What stands there is not repeated: a run of a stranger may name any file.
            raise InputError(
                f"{path} line {line}: its first name is on an earlier line with another new "
                "name; expected each name once."
            )
    return found
