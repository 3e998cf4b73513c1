"""One door to every reader of this room."""

import importlib
import inspect
import os
import pkgutil

from autogenome_tf.core.chunked import LIMIT
from autogenome_tf.core.errors import InputError
from autogenome_tf.data._files import EXPANSION, missing_file, most_unpacked


def readers():
    """Import every reader: the modules of this folder without a leading underscore."""
    found = pkgutil.iter_modules([os.path.join(os.path.dirname(__file__), "readers")])
    names = sorted(module.name for module in found if not module.name.startswith("_"))
    return [importlib.import_module(f"{__package__}.readers.{name}") for name in names]


def read_table(source, columns=None, delimiter=None, limit=LIMIT, expansion=EXPANSION):
    """Read a matrix of samples x genes from whatever holds it.

    Args:
        source: Path of a file or a 10x folder, or ``scanpy:<data set>``.
        columns: Names of columns that are not features (targets, groups). Those that the
            source has go to `Table.extra`; whether one is missed is for the caller to say.
        delimiter: The delimiter of a text table; detected if None.
        limit: Bytes that the matrix may take in memory; beyond, it lies in a file without a name
            where the reader reads block by block.
        expansion: How many times its size a file may unpack to, where that is above `limit`.

    Returns:
        A `Table`.

    Raises:
        InputError: The kind is unknown, the content is wrong, or memory does not hold it; the
            message has the place.
    """
    source = os.fspath(source)
    reader = find_reader(source)
    options = {} if delimiter is None else {"delimiter": delimiter}
    if not options.keys() <= inspect.signature(reader.read).parameters.keys():
        raise InputError(f"{source}: received a delimiter; expected one only for text tables.")
    # A bundled data set has no path.
    most = most_unpacked(source, limit, expansion) if os.path.exists(source) else None
    try:
        return reader.read(source, columns=tuple(columns or ()), limit=limit, most=most, **options)
    except MemoryError as error:
        raise InputError(
            f"{source}: not enough memory to read it ({error}); lower data.memory, or give it more."
        ) from None


def find_reader(source):
    """Choose the reader of a source.

    Raises:
        InputError: There is none, or no such file.
    """
    known = readers()
    for reader in known:
        if reader.matches(source):
            return reader
    kinds = "; ".join(reader.READS for reader in known)
    if not os.path.splitext(source)[1] and not os.path.exists(source):
        raise missing_file(source)
    raise InputError(f"{source}: unknown kind of file; expected one of: {kinds}.")
