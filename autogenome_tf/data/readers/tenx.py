"""10x Genomics: a folder with matrix.mtx, barcodes and features, or an .h5 file."""

import collections
import os
from typing import Any

import scipy

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.core.growing import GrowingRows
from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import check_file, check_unpacked, filled_rows, open_forward
from autogenome_tf.data._hdf5 import check_hdf5
from autogenome_tf.data._reader import Reader, ReadOptions

_CHUNK = 1 << 22  # values
_LINE, _ENTRY = 64, 16  # bytes of a barcode or gene, and of a count
_GENES = "Gene Expression"  # other types (antibodies, guides) are counted on scales of their own


class TenX(Reader):
    """Read counts from Cell Ranger, sparse; genes are named by symbol.

    A symbol that several genes share is followed by the gene's id. Where antibodies or guides
    were counted too, only the genes are kept.
    """

    kinds = "a 10x folder or .h5"
    duplicates = "suffix"

    def matches(self, source: str) -> bool:
        """Return whether a source is a folder or a 10x .h5 file."""
        return os.path.isdir(source) or source.lower().endswith(".h5")

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        most, limit, columns = options.most(source), options.limit, options.columns
        is_folder = os.path.isdir(source)
        found = _folder(source, most) if is_folder else _hdf5(source, limit, most)
        values, barcodes, genes = found
        if values.shape != (len(barcodes), len(genes)):
            raise InputError(
                f"{source}: received a matrix of {values.shape[1]} features x {values.shape[0]} "
                f"barcodes; expected {len(genes)} x {len(barcodes)} as in the lists beside it."
            )
        kept = [place for place, gene in enumerate(genes) if gene[2] == _GENES]
        kept = kept or list(range(len(genes)))
        names = _distinct([genes[place] for place in kept])
        values = values if len(names) == len(genes) else chunked.columns(values, kept, limit)
        note = f"{len(names)} of {len(genes)} features are genes"
        table = Table(values, barcodes, names)
        return checked(source, table, "10x", note, columns=columns, limit=limit)


def _distinct(genes):
    times = collections.Counter(symbol for _, symbol, _ in genes)
    return [f"{symbol}_{name}" if times[symbol] > 1 else symbol for name, symbol, _ in genes]


def _folder(source: str, most: int | None) -> tuple[Any, list[str], list[tuple]]:
    prefix = _prefix(source)
    matrix = _find(source, prefix, "matrix.mtx")
    barcodes = _find(source, prefix, "barcodes.tsv")
    genes = _find(source, prefix, "features.tsv", "genes.tsv")
    return (
        _matrix_market(matrix, most),
        [cells[0] for _, cells in filled_rows(barcodes, "\t", most)],
        [_gene(*cells) for _, cells in filled_rows(genes, "\t", most)],
    )


def _prefix(source):
    """Return what GEO puts before the names of the three files, "" where nothing stands there."""
    ends = ("matrix.mtx", "matrix.mtx.gz")
    found = {file.rpartition("matrix.mtx")[0] for file in os.listdir(source) if file.endswith(ends)}
    if len(found) > 1 and "" not in found:
        raise InputError(
            f"{source}: received several 10x matrices, {some(sorted(found))}; expected one. Give "
            "each a folder of its own, or join them, such as by anndata.concat."
        )
    return found.pop() if len(found) == 1 else ""


def _gene(name, symbol=None, kind=_GENES, *_):
    return name, symbol or name, kind


def _find(folder, prefix, *names):
    found = sorted(os.listdir(folder))
    for name in names:
        for file in (f"{prefix}{name}", f"{prefix}{name}.gz"):
            if file in found:
                return os.path.join(folder, file)
    names = [prefix + name for name in names]
    raise InputError(
        f"{folder}: a 10x folder needs {' or '.join(names)} (or .gz); "
        f"received {some(found) or 'nothing'}. A folder with a file a sample needs the names that "
        "programs give them: quant.sf, abundance.tsv, *ReadsPerGene.out.tab, *.genes.results, "
        "*counts.txt."
    )


def _matrix_market(path, most):
    from scipy.io import mminfo, mmread

    check_file(path)
    try:
        with open_forward(path, most) as stream:
            rows, columns, entries, *_ = mminfo(stream)
        check_unpacked(path, _LINE * (rows + columns) + _ENTRY * entries, most)
        with open_forward(path, most) as stream:
            return scipy.sparse.csr_matrix(mmread(stream).T)
    except InputError:
        raise
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: not a readable Matrix Market file ({error}).") from error


def _hdf5(source: str, limit: int, most: int | None) -> tuple[Any, list[str], list[tuple]]:
    import h5py

    check_hdf5(source, most)
    try:
        with h5py.File(source) as file:
            return _groups(source, file, limit)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # h5py names a damaged file by a dozen kinds of error
        raise InputError(f"{source}: not a readable 10x .h5 file ({error}).") from error


def _groups(source, file, limit):
    # Cell Ranger 3 calls the group "matrix"; version 2 called it by the genome.
    groups = [part for part in file.values() if hasattr(part, "keys") and "barcodes" in part]
    if len(groups) != 1:
        is_annotated = "obs" in file and "var" in file
        way = " The name of an AnnData must end in .h5ad." if is_annotated else ""
        raise InputError(
            f"{source}: received the parts {some(file)}; expected one 10x matrix.{way}"
        )
    group = groups[0]
    width, rows = group["shape"][:]
    # 10x compresses by barcode, so its columns are our rows as they are.
    whole = GrowingRows(int(width), limit, group["data"].size)
    for start in range(0, group["data"].size, _CHUNK):
        part = slice(start, start + _CHUNK)
        whole.add_parts(group["data"][part], group["indices"][part])
    whole.end(group["indptr"][1:])
    values: Any = whole.matrix
    if values.shape[0] != rows:
        raise ValueError(f"{values.shape[0]} barcodes in indptr, {rows} in shape")
    return values, _texts(group["barcodes"]), _gene_list(group)


def _gene_list(group):
    if "features" not in group:
        columns = [group["genes"], group["gene_names"]]
    else:
        columns = [group["features"][key] for key in ("id", "name", "feature_type")]
    return [_gene(*cells) for cells in zip(*map(_texts, columns), strict=True)]


def _texts(array):
    return [text.decode() if isinstance(text, bytes) else str(text) for text in array[:]]
