"""AnnData files: X is the matrix, obs goes along."""

from autogenome_tf.data._files import check_file
from autogenome_tf.data._memory import annotated_table
from autogenome_tf.data._optional import single_cell
from autogenome_tf.errors import InputError

READS = ".h5ad"


def matches(source):
    """Whether a source is an AnnData file by its suffix."""
    return source.lower().endswith(".h5ad")


def read(source, columns=()):
    """Read an AnnData file.

    Args:
        source: Path of the file.
        columns: Names of genes that are no features; they go to `Table.extra`, as ``obs`` does.

    Returns:
        A `Table`, sparse if X is.
    """
    check_file(source)
    anndata = single_cell("anndata", source)
    try:
        data = anndata.read_h5ad(source)
    except Exception as error:  # anndata and h5py name a damaged file by a dozen kinds of error
        raise InputError(f"{source}: not a readable .h5ad file ({error}).") from error
    return annotated_table(source, data, "h5ad", columns)
