"""AnnData files: X or a layer is the matrix, obs goes along."""

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._annotated import matrices, parts_read, read_group
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._hdf5 import check_hdf5
from autogenome_tf.data._memory import annotated_table
from autogenome_tf.data._optional import optional
from autogenome_tf.data._reader import Reader, ReadOptions

_KIND = "h5ad"


class H5ad(Reader):
    """Read X of an AnnData file, or the layer (or `raw`) that `data.matrix` names, sparse if it is.

    ``obs`` goes to `Table.extra`.
    """

    kinds = ".h5ad"
    suffixes = (".h5ad",)
    duplicates = "suffix"
    takes = ("matrix",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        optional("anndata", "singlecell", source)
        check_hdf5(source, options.most(source), *parts_read(options.matrix))
        try:
            data, values, kind = _opened(source, options)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # anndata and h5py name a damaged file by a dozen kinds of error
            raise InputError(f"{source}: not a readable .h5ad file ({error}).") from error
        words = options.missing_words
        return annotated_table(source, data, kind, options.columns, values, words)


def _opened(source, options):
    """Return the names as an AnnData without X, the matrix, and a word on further layers."""
    import h5py

    with h5py.File(source) as file:
        if any(isinstance(file[name], h5py.Dataset) for name in ("obs", "var")):
            # From before there was a specification (2019).
            data = optional("anndata", "singlecell", source).read_h5ad(source)
            values = data.X if options.matrix is None else data.layers[options.matrix]
            return data, values, _KIND
        return *read_group(file, source, options.matrix, options.limit), _kind(file, options)


def _kind(file, options):
    """Return the kind of file, with the matrices that could be read in place of X."""
    layers = matrices(file)
    return f"{_KIND}, X (data.matrix: {some(layers)})" if layers and not options.matrix else _KIND
