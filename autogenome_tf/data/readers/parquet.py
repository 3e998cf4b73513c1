"""Parquet files, as pandas and Arrow write them."""

import json

import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._cells import is_corner, is_id_name
from autogenome_tf.data._checked import check_names, checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import check_file, check_unpacked
from autogenome_tf.data._memory import is_counted
from autogenome_tf.data._orientation import (
    AUTO,
    GENES,
    is_annotation,
    orientation_of,
    transposed,
    turned,
)
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._stack import stack_batches
from autogenome_tf.data._targets import columns_of_rows
from autogenome_tf.tasks import as_text

# As pandas calls a column of index values without a name.
_CORNER = "__index_level_0__"
_CELL = 4  # bytes of a number in memory
_BUFFER = 1 << 16  # bytes of a column that are read at once
_ROWS = 1024  # a batch; at 20,000 genes of float64 it takes 160 MB beside the matrix


class Parquet(Reader):
    """Read a Parquet file of samples x genes.

    The sample ids are the pandas index, unless it only counts from 0, else a first column of text
    or with a heading such as ``sample``.
    """

    kinds = ".parquet"
    suffixes = (".parquet",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        check_file(source)
        file = _open(source)
        names = file.schema_arrow.names
        # The corner above row names is empty.
        check_names(source, "column name", [name for name in names if name])
        _check_size(source, file, options)
        return _table(source, file, options)

    def read_columns(self, source: str, options: ReadOptions) -> pd.DataFrame:
        """Read as a file of targets; the pandas index goes first."""
        check_file(source)
        file = _open(source)
        _check_size(source, file, options)
        names = file.schema_arrow.names
        index = _pandas_index(file.schema_arrow)
        names = [name for name in names if name == index] + [
            name for name in names if name != index
        ]
        _, lists = _stacked(source, file, [], names, options.limit)
        if (ids := _range_index(file)) is not None:
            heading = str(ids.name or _CORNER)
            names, lists = [heading, *names], {heading: list(ids)} | lists
        rows = [[_text(cell) for cell in row] for row in zip(*lists.values(), strict=True)]
        return columns_of_rows(source, [names, *rows], options, "parquet", has_header=True)


def _check_size(source, file, options):
    size = _CELL * file.metadata.num_rows * len(file.schema_arrow.names)
    check_unpacked(source, size, options.most(source))


def _text(cell):
    """Return a cell as text, blank where it is missing."""
    return "" if cell is None or cell != cell else as_text(cell)


def _table(source, file, options):
    try:
        ids, counted = _id_column(file.schema_arrow, options), _range_index(file)
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{source}: what pandas wrote of it is damaged ({error}).") from None
    names = file.schema_arrow.names
    orientation = orientation_of(ids or "", options.orientation)
    is_turned = orientation == GENES
    no_genes = set() if is_turned else options.aside(names)
    extra = [name for name in names if name in no_genes and name != ids]
    aside = [name for name in names if is_turned and is_annotation(name)]
    index = _pandas_index(file.schema_arrow)
    aside += [index] if ids != index and _are_numbers_of_rows(file.schema_arrow, index) else []
    features = [name for name in names if name not in (*extra, *aside, ids)]
    _check_numeric(source, file.schema_arrow, features)
    others = extra if ids is None else [ids, *extra]
    values, lists = _stacked(source, file, features, others, options.limit)
    samples = None if counted is None else list(map(str, counted))
    if ids is not None:
        samples = ["" if name is None else as_text(name) for name in lists[ids]]
    index = None if samples is None else pd.Index(samples)
    frame = pd.DataFrame({name: lists[name] for name in extra}, index=index) if extra else None
    note = f"{ids!r} is the sample id"
    if ids is None:
        note = "no sample ids" if samples is None else "the pandas index is the sample id"
    table = Table(values, samples, features, frame, orientation=orientation)
    if not is_turned:
        return checked(source, table, "parquet", note)
    reason = turned(repr(ids) if options.orientation == AUTO else "data.orientation")
    table, columns, limit = transposed(table, "", options.limit), options.columns, options.limit
    return checked(source, table, "parquet", reason, columns=columns, limit=limit)


def _open(source):
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # Else a row group, which may be all of the file, is held as it is stored; so a page of each
        # column is.
        return parquet.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source}: not a readable Parquet file ({error}).") from error


def _stacked(source, file, features, others, limit):
    import pyarrow as pa

    try:
        # In this thread alone: another one that finds no memory would abort the whole process.
        batches = file.iter_batches(_ROWS, use_threads=False)
        return stack_batches(batches, features, others, limit)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source}: the file is damaged or cut short ({error}).") from error


def _id_column(schema, options):
    index = _pandas_index(schema)
    named = [
        name for name in schema.names if is_id_name(name) and _is_text(schema.field(name).type)
    ]
    named = [name for name in named if name != index and not options.is_no_gene(name)]
    if named and _are_numbers_of_rows(schema, index):
        return named[0]
    if index in schema.names and index != options.id:
        return index
    first = next((name for name in schema.names if not options.is_no_gene(name)), None)
    if first is None or not (is_id_name(first) or _is_text(schema.field(first).type)):
        return None
    return first


def _are_numbers_of_rows(schema, index):
    """Return whether the pandas index is unnamed whole numbers: picked rows."""
    from pyarrow import types

    return index in schema.names and is_corner(index) and types.is_integer(schema.field(index).type)


def _pandas_index(schema):
    """Return the column in which pandas stored its index; a RangeIndex has none."""
    return next((name for name in _stored_index(schema) if isinstance(name, str)), None)


def _stored_index(schema):
    """Return what pandas wrote of its index: names of columns, or dicts of ranges."""
    return json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])


def _range_index(file):
    """Return an index that pandas stored as a range, for ids; None where it only counts rows."""
    for one in _stored_index(file.schema_arrow):
        if isinstance(one, dict):
            ends = (one.get(key) for key in ("start", "stop", "step"))
            index = pd.RangeIndex(*ends, name=one.get("name"))
            # Rows that were picked later leave it as it was.
            is_whole = len(index) == file.metadata.num_rows
            return index if is_whole and not is_counted(index) else None
    return None


def _is_text(kind):
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return types.is_string(kind) or types.is_large_string(kind)


def _check_numeric(source, schema, features):
    from pyarrow import types

    for name in features:
        kind = schema.field(name).type
        if not (types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind)):
            raise InputError(
                f"{source}: column {name!r} is of type {kind}; expected numbers. If the column is "
                "not "
                f'a gene, add it to data.exclude: ["{name}"].'
            )
