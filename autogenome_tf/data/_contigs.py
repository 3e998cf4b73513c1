"""Sequences: contigs of a FASTA file, one after the other."""

from collections.abc import Iterator
from typing import NamedTuple

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._files import numbered_lines


class Contig(NamedTuple):
    """A sequence of a FASTA or FASTQ file.

    Attributes:
        line: Number of the line of its header.
        header: What stands behind ``>`` or ``@``.
        letters: Its bases, as the file has them.
    """

    line: int
    header: str
    letters: str

    @property
    def name(self) -> str:
        """Return its id, the first word of the header."""
        return self.header.split()[0]


def contigs(source: str, most: int | None = None) -> Iterator[Contig]:
    """Yield the sequences of a FASTA file.

    Args:
        source: Path of the file.
        most: Bytes that it may unpack to; None: as many as any file.

    Raises:
        InputError: Naming the line without an id, or of bases without a header above.
    """
    line, header, parts = 0, None, []
    for number, text in numbered_lines(source, most):
        text = text.strip()
        if text.startswith(">"):
            if header is not None:
                yield Contig(line, header, "".join(parts))
            line, header, parts = number, text[1:].strip(), []
            if not header:
                raise InputError(f"{source} line {number}: expected an id behind '>'.")
        elif text and not text.startswith(";"):
            if header is None:
                hint = (
                    " The file is FASTQ: its name must end in .fastq."
                    if text.startswith("@")
                    else ""
                )
                raise InputError(
                    f"{source} line {number}: received {text[:20]!r}; expected '>' and the id of "
                    f"a sequence.{hint}"
                )
            parts.append(text)
    if header is None:
        raise InputError(f"{source}: no sequence; expected lines of '>' and an id, then bases.")
    yield Contig(line, header, "".join(parts))
