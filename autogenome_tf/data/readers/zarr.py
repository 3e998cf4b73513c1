"""AnnData in a folder of zarr: X or a layer is the matrix, obs goes along."""

import json
import math
import os
from pathlib import Path

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._annotated import parts_read, read_group
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import check_unpacked, missing_file
from autogenome_tf.data._memory import annotated_table
from autogenome_tf.data._optional import optional
from autogenome_tf.data._reader import Reader, ReadOptions

# Codecs of arrays that only pack and unpack; others may run what a stranger wrote.
_CODECS = frozenset(
    "bytes transpose blosc zlib gzip zstd lz4 lzma bz2 crc32 crc32c adler32 shuffle delta bitround "
    "fixedscaleoffset packbits sharding_indexed vlen-utf8 vlen-bytes".split()
)
_CELL = 4  # bytes of a value in memory, at least


class Zarr(Reader):
    """Read X of an AnnData in zarr, or the layer that `data.matrix` names, sparse if it is."""

    kinds = "a .zarr folder of AnnData"
    suffixes = (".zarr", ".zarr/")
    by_content = True  # before the reader that takes any folder for one of 10x
    duplicates = "suffix"
    takes = ("matrix",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        zarr = optional("zarr", "singlecell", source)
        _check(source, parts_read(options.matrix), options.most(source))
        try:
            # Descriptions of arrays in one place are not those that were checked.
            group = zarr.open_group(source, mode="r", use_consolidated=False)
            lacking = [name for name in ("obs", "var") if name not in group]
            if lacking:
                raise InputError(f"{source}: lacks {some(lacking)}; expected an AnnData.")
            data, values = read_group(group, source, options.matrix, options.limit)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # zarr names a damaged folder by a dozen kinds of error
            raise InputError(f"{source}: not a readable AnnData in zarr ({error}).") from error
        words = options.missing_words
        return annotated_table(source, data, "zarr", options.columns, values, words)


def _check(source, parts, most):
    """Refuse arrays that unpack to too much, or by other codecs than those that are known."""
    if not os.path.exists(source):
        raise missing_file(source)
    if not os.path.isdir(source):
        raise InputError(f"{source}: received a file; expected a folder of zarr.")
    total = 0
    for file in (file for part in parts for file in Path(source, part).rglob("*")):
        if file.is_symlink():
            raise InputError(f"{file}: a link; expected the values in the folder itself.")
        if file.name in (".zarray", "zarr.json"):
            total += _size(file)
    check_unpacked(source, total, most)


def _size(file):
    """Return the bytes that an array takes in memory at least."""
    try:
        about = json.loads(file.read_text("utf-8"))
        codecs, size = _codecs(about), math.prod(map(int, about.get("shape", ())))
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: not the description of an array ({error}).") from error
    strange = sorted(codecs - _CODECS)
    if strange:
        raise InputError(
            f"{file}: packed by {some(strange)}; expected {some(sorted(_CODECS), 99)}."
        )
    return _CELL * size


def _codecs(about):
    """Return the names of the codecs of an array, of either format, also those within another."""
    listed = [about.get("compressor"), *(about.get("filters") or ()), *(about.get("codecs") or ())]
    found = set()
    for codec in filter(None, listed):
        found.add(str(codec.get("id", codec.get("name"))).removeprefix("numcodecs."))
        inner = codec.get("configuration") or {}
        found |= _codecs({"codecs": [*inner.get("codecs", ()), *inner.get("index_codecs", ())]})
    return found
