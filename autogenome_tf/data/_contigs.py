"""Sequences of nucleotides, as readers of contigs and reads yield them."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import NamedTuple


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

    def where(self, source: str) -> str:
        """Return its place and id, for messages.

        Args:
            source: Path of the file.
        """
        return f"{source} line {self.line}: {self.name}"


@dataclasses.dataclass(frozen=True)
class Contigs:
    """The sequences of the rows of a file; each iteration reads it anew.

    Attributes:
        read: Function that yields each `Contig`.
        fewest: Of them in a bin, at least.
    """

    read: Callable[[], Iterator[Contig]]
    fewest: int

    def __iter__(self) -> Iterator[Contig]:
        return self.read()
