"""Loom files: genes x cells in blocks; attributes of rows name genes, those of columns cells."""

import itertools

import pandas as pd
import scipy

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.data._checked import checked, numbered_features
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._hdf5 import check_hdf5
from autogenome_tf.data._orientation import GENES
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._texts import without_words

_GENE_NAMES = ("Gene", "gene", "gene_names", "gene_name", "var_names", "Accession", "gene_ids")
_CELL_NAMES = ("CellID", "cell_id", "cell_names", "obs_names", "barcode", "Barcode")
_BAND = 1 << 24  # values that are read at once
_DENSE = 0.5  # share of values other than zero from which they are kept as an array


class Loom(Reader):
    """Read the main matrix of a loom file, or the layer that `data.matrix` names.

    Attributes of cells go to `Table.extra`. Where most values are zero the matrix is sparse.
    """

    kinds = ".loom"
    suffixes = (".loom",)
    duplicates = "suffix"
    takes = ("matrix",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        part = "matrix" if options.matrix is None else "layers"
        check_hdf5(source, options.most(source), part, "row_attrs", "col_attrs")
        try:
            table = _opened(source, options)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # h5py names a damaged file by a dozen kinds of error
            raise InputError(f"{source}: not a readable .loom file ({error}).") from error
        return checked(source, table, "loom", columns=options.columns, limit=options.limit)


def _opened(source, options):
    import h5py

    with h5py.File(source) as file:
        matrix = _matrix(source, file, options.matrix)
        genes = _names(file, "row_attrs", _GENE_NAMES)
        cells = _names(file, "col_attrs", _CELL_NAMES)
        values = _values(matrix, options.limit)
        extra = _attributes(file, matrix.shape[1])
    if extra is not None:
        extra = without_words(extra, options.missing_words)
        extra.index = pd.RangeIndex(len(extra)) if cells is None else pd.Index(cells)
    features = genes or numbered_features(matrix.shape[0])
    return Table(values, cells, features, extra, orientation=GENES)


def _matrix(source, file, layer):
    if layer is None:
        return file["matrix"]
    layers = file["layers"] if "layers" in file else {}
    if layer not in layers:
        raise unknown(f"{source}: data.matrix", layer, list(layers))
    return layers[layer]


def _names(file, side, known):
    """Return the texts of the first attribute that names rows or columns, None without one."""
    group = file[side]
    found = next((name for name in known if name in group), None)
    if found is None:
        return None
    return [_text(value) for value in group[found][:]]


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _attributes(file, count):
    """Return attributes of cells of one value each as a frame of text and numbers, or None."""
    found = {}
    for name, values in file["col_attrs"].items():
        if values.shape == (count,):
            cells = values[:]
            found[name] = cells if cells.dtype.kind in "biuf" else [_text(cell) for cell in cells]
    return pd.DataFrame(found).astype(object) if found else None


def _values(matrix, limit):
    """Return the matrix as cells x genes, read band by band."""
    genes, cells = matrix.shape
    width = max(1, _BAND // max(1, genes))
    bands = (matrix[:, start : start + width].T for start in range(0, cells, width))
    first = next(bands, None)
    if first is None:
        raise InputError(f"{matrix.file.filename}: received no cell; expected some.")
    is_sparse = (first != 0).mean() < _DENSE
    made = scipy.sparse.csr_matrix if is_sparse else (lambda band: band)
    parts = map(made, itertools.chain([first], bands))
    return chunked.built(parts, limit, genes * cells)
