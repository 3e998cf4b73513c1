"""Tables that are in memory already: frames, arrays, sparse matrices, AnnData, lists."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import scipy

from autogenome_tf.core.errors import ONE_MATRIX, InputError
from autogenome_tf.data._annotated import RAW
from autogenome_tf.data._cells import are_numbers_of_rows, is_id_name, is_number
from autogenome_tf.data._checked import checked, numbered_features, set_aside
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._distinct import ERROR, SUFFIX, distinct
from autogenome_tf.data._gene_names import renamed
from autogenome_tf.data._ids import identified, texts, with_counted_ids
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._texts import without_words

# Genes from which on names that count are numbers.
FEWEST_NUMBERED = 3


def table_of(x: Any, options: ReadOptions | None = None) -> Table:
    """Make a table of an object from a notebook.

    Args:
        x: (samples, genes) as a DataFrame (index = sample ids, columns = genes; an index that just
            counts from 0 means no ids), an AnnData, an array, a scipy sparse matrix or a list of
            lists.
        options: `ReadOptions`; None: their defaults.

    Returns:
        A `Table` whose names are distinct; a `Table` comes back as it is.

    Raises:
        InputError: A column is not numeric, a name repeats, or the dimensions are wrong.
    """
    if isinstance(x, Table):
        return x
    x, options = in_pandas(x), options or ReadOptions()
    table = plain_table(x, options)
    how, is_new = how_of(x, options), bool(options.genes)
    return distinct(table, how, type(x).__name__, asked=options.columns, is_new=is_new)


def plain_table(x: Any, options: ReadOptions) -> Table:
    """Make a table of an object from a notebook, whose names may repeat; see `table_of`."""
    where, table = type(x).__name__, _table(x, options)
    table = identified(table, options.id, where)

    def again(name):
        return _table(x, dataclasses.replace(options, columns=(*options.columns, name)))

    table = with_counted_ids(table, where, again, options.genes)
    return renamed(table, options.gene_names, where)


def _table(x, options):
    where = type(x).__name__
    if isinstance(x, pd.DataFrame):
        return _frame_table(where, x, options.aside([str(name) for name in x.columns]))
    table = _of_annotated(where, x, options) if is_annotated(x) else _array_table(where, x)
    return set_aside(where, table, options)


def _of_annotated(where, data, options):
    """Make a table of an AnnData; where it has the layer of `data.matrix`, that is read for X."""
    matrix = options.matrix
    if matrix is None:
        return annotated_table(where, data)
    if matrix in getattr(data, "layers", ()):
        return annotated_table(where, data, f"layer {matrix!r}", values=data.layers[matrix])
    if matrix == RAW and getattr(data, "raw", None) is not None:
        return annotated_table(where, data.raw.to_adata(), RAW)
    table = annotated_table(where, data)
    text = f"{where}: it has no layer {matrix!r}, which data.matrix names; X is read."
    return dataclasses.replace(table, warnings=(*table.warnings, ("values", text)))


def in_pandas(x: Any) -> Any:
    """Return a table of Polars or Arrow as one of pandas: as an array it would lose its names."""
    return x.to_pandas() if hasattr(x, "to_pandas") else x


def how_of(x: Any, options: ReadOptions) -> str:
    """Return the treatment of repeated names of an object."""
    return options.duplicates or (SUFFIX if is_annotated(x) else ERROR)


def is_counted(index: pd.Index) -> bool:
    """Return whether an index is the one that pandas makes by itself: 0, 1, 2 ..."""
    is_whole = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    return is_whole and index.name is None


def is_annotated(x: Any) -> bool:
    """Return whether an object looks like an AnnData, which need not be installed to ask.

    Args:
        x: Any object.
    """
    return all(hasattr(x, name) for name in ("X", "obs", "obs_names", "var_names"))


def annotated_table(where, data, kind="AnnData", columns=(), values=None, words=frozenset()):
    """Make a table of an AnnData: X, obs and the names.

    Args:
        where: The file, or whatever else errors should name.
        data: The AnnData.
        kind: What it came as.
        columns: Names of genes that are no features.
        values: In place of its X, which is not read then.
        words: What text in ``obs`` stands for a missing value.

    Raises:
        InputError: There is no X.
    """
    values = data.X if values is None else values
    if values is None:
        raise InputError(
            f"{where}: X is empty; expected a matrix of samples x genes, or the name of a layer in "
            "data.matrix."
        )
    if getattr(data, "isbacked", False):
        raise InputError(
            f"{where}: X is backed by a file; expected the path of the file, or data.to_memory()."
        )
    extra = without_words(data.obs.astype(object), words)
    table = Table(
        values=values,
        samples=[str(name) for name in data.obs_names],
        features=[str(name) for name in data.var_names],
        extra=extra if len(extra.columns) else None,
        warnings=tuple(("names", text) for text in _counted_genes(where, data)),
    )
    return checked(where, table, kind, f"{len(extra.columns)} columns in obs", columns=columns)


def _counted_genes(where, data):
    """Yield a text on genes that are numbered where ``var`` has names of them."""
    numbers = list(data.var_names)
    if len(numbers) < FEWEST_NUMBERED or not are_numbers_of_rows(numbers):
        return
    for name, column in getattr(data, "var", pd.DataFrame()).items():
        names = set(column.astype(str))
        if 2 * len(names) > len(numbers) and not any(map(is_number, names)):
            yield (
                f"{where}: its genes are numbered ({numbers[0]}, {numbers[1]} ...), and a gene of "
                "new rows is the one with the same number, whatever it is. The column "
                f"{str(name)!r} of var has names: data.var_names = data.var[{str(name)!r}]."
            )
            return


def frame_values(where, frame):
    """Cast the columns of a frame to float32, whatever numeric types they have.

    Raises:
        InputError: A column is not numeric; the message has its name and its first bad cell.
    """
    # Other cells than zeros left out are those of a frame like any.
    sparse = [isinstance(kind, pd.SparseDtype) and kind.fill_value == 0 for kind in frame.dtypes]
    if sparse and all(sparse):
        return frame.sparse.to_coo()
    if all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in frame.dtypes):
        with np.errstate(over="ignore"):  # becomes inf, which is refused with its place
            return frame.to_numpy(np.float32)  # without a type, logicals beside numbers are objects
    values = np.empty(frame.shape, np.float32)
    for place in range(frame.shape[1]):
        values[:, place] = _column(where, frame.columns[place], frame.iloc[:, place])
    return values


def _column(where, name, column):
    if column.dtype.kind in "mMc":
        raise InputError(
            f"{where}: column {str(name)!r} is of type {column.dtype}; expected numbers."
        )
    is_coded = isinstance(column.dtype, (pd.CategoricalDtype, pd.SparseDtype))
    plain = column.astype(object) if is_coded else column
    numbers = pd.to_numeric(plain, errors="coerce")
    wrong = numbers.isna() & column.notna()
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise InputError(
            f"{where}: column {str(name)!r}, row {row + 1}: received {column.iloc[row]!r}; "
            f'expected a number. If the column is not a gene, add it to data.exclude: ["{name}"].'
        )
    return numbers.to_numpy(np.float32, na_value=np.nan)


def _frame_table(where, frame, columns):
    names = [str(name) for name in frame.columns]
    aside = [place for place, name in enumerate(names) if name in columns]
    kept = [place for place, name in enumerate(names) if name not in columns]
    has_ids = not is_counted(frame.index)
    samples = [str(name) for name in frame.index] if has_ids else None
    note = "the index is the sample id" if has_ids else "no sample ids"
    if not has_ids and len(kept) > 1 and _are_ids(names[kept[0]], frame.iloc[:, kept[0]]):
        note = f"the column {names[kept[0]]!r} is the sample id"
        samples = texts(frame.iloc[:, kept.pop(0)])
    table = Table(
        values=frame_values(where, frame.iloc[:, kept]),
        samples=samples,
        features=[names[place] for place in kept],
        extra=frame.iloc[:, aside].astype(object).rename(columns=str) if aside else None,
    )
    return checked(where, table, "in memory", note)


def _are_ids(name, column):
    """Return whether a column is text that differs in every row, below a heading of ids.

    Text of digits is none of values: whoever made it text reads "0.25" as a name, as a file is.
    """
    is_text = all(isinstance(cell, str) for cell in column)
    return is_id_name(name) and column.is_unique and is_text


def _array_table(where, x):
    if np.ma.isMaskedArray(x):
        x = np.where(np.ma.getmaskarray(x), np.nan, np.asarray(x, "float64"))
    if isinstance(x, (list, tuple)) and any(getattr(one, "ndim", 1) > 1 for one in x):
        raise InputError(f"{where}: received {len(x)} tables; expected one; {ONE_MATRIX}.")
    try:
        matrix: Any = x if scipy.sparse.issparse(x) else np.asarray(x)
    except ValueError as error:
        raise InputError(f"{where}: {error}; expected rows of equal length.") from error
    if matrix.ndim == 2 and matrix.dtype.kind in "OUS":
        matrix = frame_values(where, pd.DataFrame(matrix))
    names = numbered_features(matrix.shape[1]) if matrix.ndim == 2 else []
    table = Table(values=matrix, samples=None, features=names)
    return checked(where, table, "in memory", "no sample ids")
