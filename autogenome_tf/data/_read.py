"""One door to every reader of this room."""

import dataclasses
import os
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.core.open_sets import classes, members
from autogenome_tf.data._checked import set_aside
from autogenome_tf.data._contigs import Contigs
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._distinct import distinct
from autogenome_tf.data._files import check_text, missing_file
from autogenome_tf.data._gene_names import renamed
from autogenome_tf.data._ids import identified, with_counted_ids
from autogenome_tf.data._lists import check_name
from autogenome_tf.data._orientation import AUTO, GENES, SAMPLES, transposed
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._unassigned import without_unassigned

# Why a reader does not take an option that others do.
_WHY_NOT = {"matrix": "hold one matrix", "abundance": "hold no contigs"}


def readers() -> list[Reader]:
    """Return one reader of each file of the open set, those that look into files first."""
    folder = "data/readers"
    found = [kind() for name in members(folder) for kind in classes(folder, name, Reader)]
    return sorted(found, key=lambda reader: not reader.by_content)


def read_table(
    source: str | os.PathLike[str],
    columns: Iterable[str] = (),
    options: ReadOptions | None = None,
    turn: Callable[[Table], Table] | None = None,
    **changes: Any,
) -> Table:
    """Read a matrix of samples x genes from whatever holds it.

    Args:
        source: Path of a file or a folder, or ``scanpy:<data set>``.
        columns: Names of columns that are not features, beside those of `options`.
        options: `ReadOptions`; None: their defaults.
        turn: A function that transposes a table where something beside the file shows that it is
            genes x samples, or None.
        **changes: Attributes of `ReadOptions` that differ from `options`.

    Returns:
        A `Table` whose names are distinct.

    Raises:
        InputError: The kind is unknown, the content is wrong, or memory does not hold it; the
            message has the place.
    """
    source = os.fspath(source)
    options = dataclasses.replace(options or ReadOptions(), **changes)
    options = dataclasses.replace(options, columns=(*options.columns, *columns))
    reader = find_reader(source)
    _check_taken(source, reader, options)

    def read(options):
        table = _oriented(reader.read(source, options), options)
        table = table if turn is None else turn(table)
        return set_aside(source, table, options)

    def again(name):
        return read(dataclasses.replace(options, columns=(*options.columns, name)))

    try:
        table = identified(read(options), options.id, source)
        table = with_counted_ids(table, source, again, options.genes)
        table = renamed(table, options.gene_names, source)
        table = without_unassigned(table, source, options.genes, options.limit)
        how = options.duplicates or reader.duplicates
        limits = {"limit": options.limit, "is_new": bool(options.genes)}
        return distinct(table, how, source, asked=options.columns, **limits)
    except MemoryError as error:
        raise InputError(
            f"{source}: not enough memory to read it ({error}); lower data.memory, or give it more."
        ) from None


def find_reader(source: str) -> Reader:
    """Choose the reader of a source.

    Args:
        source: Path of a file or folder, or `scanpy:NAME`.

    Raises:
        InputError: There is none, or no such file.
    """
    known = readers()
    for reader in known:
        if reader.matches(source):
            return reader
    if not os.path.splitext(source)[1] and not os.path.exists(source):
        raise missing_file(source)
    check_name(source)
    way = ""
    if os.path.isfile(source):
        check_text(source)
        way = " A table of text needs a name that ends in .tsv, .csv or .txt."
    kinds = "; ".join(reader.kinds for reader in known)
    raise InputError(f"{source}: unknown kind of file; expected one of: {kinds}.{way}")


def contigs_of(data: Any) -> Contigs | None:
    """Return the sequences of the rows of `data.features`; None where rows have none.

    Args:
        data: A config's `data` section.

    Raises:
        InputError: As for `find_reader` and `Reader.contigs`.
    """
    source = data.features
    return find_reader(source).contigs(source, ReadOptions.of(data)) if source else None


def own_columns(source: str, options: ReadOptions) -> pd.DataFrame | None:
    """Read a file of targets by the reader of its kind; None where it is read as a text table."""
    for reader in readers():
        if reader.matches(source):
            return reader.read_columns(source, options)
    return None


def _oriented(table, options):
    """Follow `data.orientation` where the reader does not know how the matrix lies."""
    if options.orientation == AUTO or table.orientation is not None:
        return table
    if options.orientation == GENES:
        return transposed(table, "data.orientation", options.limit)
    return dataclasses.replace(table, orientation=SAMPLES)


def _check_taken(source, reader, options):
    """Refuse an option that a reader would leave aside in silence."""
    if options.delimiter is not None and "delimiter" not in reader.takes:
        raise InputError(f"{source}: received a delimiter; expected one only for text tables.")
    for name, why in _WHY_NOT.items():
        given = getattr(options, name)
        if given is not None and name not in reader.takes:
            kinds = "; ".join(other.kinds for other in readers() if name in other.takes)
            raise InputError(
                f"{source}: data.{name}: received {given!r}, but files of this kind {why}; "
                f"expected null, or one of: {kinds}."
            )
