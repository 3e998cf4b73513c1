"""Compression and encoding of a text file, by its first bytes, whatever its name."""

import codecs
import io
import os
from collections.abc import Iterator
from typing import IO, BinaryIO

# Of names of packed files, and what pyarrow calls their packing.
CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_BEGINNINGS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BETWEEN_CELLS = b"\t,;|\n"
# Bytes that are looked at, and that are written anew at once.
_LOOKED_AT, _BLOCK = 512, 1 << 16


def suffixes(*kinds: str) -> tuple[str, ...]:
    """Return the ends of the names of files of some kinds, plain and packed.

    >>> suffixes("fq")
    ('.fq', '.fq.gz', '.fq.bz2', '.fq.zst')
    """
    return tuple(f".{kind}{packed}" for kind in kinds for packed in ("", *CODECS))


def codec_of(source: str) -> str | None:
    """Return how a file is packed, None where it is not.

    Browsers unpack files and keep their names, and lose the ends of others' names: its first bytes
    go before its name. Bytes that are neither packed nor text are a damaged file of its name.
    """
    first = first_bytes(source)
    for beginning, codec in _BEGINNINGS.items():
        if first.startswith(beginning):
            return codec
    if _is_text(first):
        return None
    return CODECS.get(os.path.splitext(source)[1].lower())


def packed(name: str, content: bytes) -> bytes:
    """Return the bytes of a file of some name: packed where its ending says so, else as they are.

    Args:
        name: The name or path.
        content: Bytes of the unpacked file. The same ones are packed into the same bytes.
    """
    codec = CODECS.get(os.path.splitext(name)[1].lower())
    if codec is None:
        return content
    import pyarrow as pa

    with pa.BufferOutputStream() as found:
        with pa.CompressedOutputStream(found, codec) as stream:
            stream.write(content)
        return found.getvalue().to_pybytes()


def utf16_of(first: bytes) -> str | None:
    """Return the encoding of text in UTF-16 by its first bytes, None where it is none."""
    first = first[:_LOOKED_AT]
    if first.startswith(_UTF_16):
        return "utf-16"
    # Without a mark: of letters and digits every other byte is 0, and no other one is.
    for encoding, zeros, letters in (
        ("utf-16-le", first[1::2], first[::2]),
        ("utf-16-be", first[::2], first[1::2]),
    ):
        if 2 * zeros.count(0) > len(zeros) and 0 not in letters:
            return encoding
    return None


class Pieces(io.RawIOBase):
    """A stream of pieces of bytes that are made of another stream, which it closes."""

    def __init__(self, pieces: Iterator[bytes], stream: IO):
        self._pieces, self._stream, self._left = pieces, stream, memoryview(b"")

    def readable(self):
        """Return True: the stream can be read."""
        return True

    def readinto(self, buffer):
        """Read as `io.RawIOBase` does."""
        self._left = self._left or memoryview(next(self._pieces, b""))
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self):
        """Close the stream below too."""
        self._stream.close()
        super().close()


def utf8(stream: BinaryIO, encoding: str) -> Pieces:
    """Return a stream of UTF-8 made of one of UTF-16, as spreadsheets save "Unicode text".

    Args:
        stream: Of bytes.
        encoding: As `utf16_of` returns it.
    """
    text = io.TextIOWrapper(stream, encoding, newline="")
    return Pieces(_encoded(text), text)


def _encoded(text):
    try:
        while block := text.read(_BLOCK):
            yield block.encode()
    except UnicodeError as error:
        raise OSError(str(error)) from None  # as of other damaged files


def first_bytes(source: str) -> bytes:
    """Return the first bytes of a file as it lies on disk, b"" where there is nothing to be read.

    Args:
        source: Its path.
    """
    try:
        with open(source, "rb") as stream:
            return stream.read(_LOOKED_AT)
    except (OSError, ValueError):  # for the one that reads it to say
        return b""


def _is_text(first):
    """Return whether bytes are a table in UTF-8, the last character perhaps cut, or in UTF-16."""
    if utf16_of(first):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False
    return b"\0" not in first and any(sign in first for sign in _BETWEEN_CELLS)
