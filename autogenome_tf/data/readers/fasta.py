"""FASTA: the composition of each contig in words of four bases."""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._abundance import with_abundance
from autogenome_tf.data._checked import checked
from autogenome_tf.data._contigs import Contig, contigs
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._encoding import CODECS
from autogenome_tf.data._files import check_file
from autogenome_tf.data._orientation import SAMPLES
from autogenome_tf.data._reader import Reader, ReadOptions

BASES, WORD = "ACGT", 4
# Letters of IUPAC for several bases, and gaps. No word is counted across them.
UNKNOWN = "RYSWKMBDHVN-"
# Bases of a sequence below which shares of so many words are mostly chance.
SHORT = 1000
# Of a contig of 5,000 bases the root of a share has a standard deviation of 1 / (2 sqrt(5000)), by
# chance alone; times this it is 0.05. Composition differs within a genome too, about as much again,
# and depths by some 15 %.
UNIT = 7.0


class Fasta(Reader):
    """Read sequences as shares of words of four bases (tetranucleotides), 136 of them.

    A word and its reverse complement are one, since the strand of a contig is unknown (Teeling et
    al. 2004, doi:10.1111/j.1462-2920.2004.00624.x). Words with a letter that is not one base are
    left out. A value is `UNIT` times the square root of the share (Hellinger's distance): chance
    moves the root of a rare word as far as that of a frequent one, and `UNIT` makes that as far as
    it moves log depths. The id of a sequence is the first word of its header; `Table.extra` has
    its `length`.
    """

    kinds = ".fasta, .fa, .fna (also .gz, .bz2, .zst)"
    takes = ("abundance",)
    suffixes = tuple(
        f".{kind}{packed}" for kind in ("fasta", "fa", "fna") for packed in ("", *CODECS)
    )

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a sequence without any word is refused."""
        check_file(source)
        names, shares, lengths = [], [], []
        for one in self.contigs(source, options):
            where = f"{source} line {one.line}: {one.name}"
            counts = words(_codes(where, one.letters))
            if not counts.any():
                raise InputError(
                    f"{where}: {len(one.letters)} letters without {WORD} known bases in a row; "
                    "expected longer sequences: leave it out."
                )
            names.append(one.name)
            shares.append(counts / counts.sum())
            lengths.append(len(one.letters))
        extra = pd.DataFrame({"length": lengths}, index=names)
        doubts = tuple(("values", text) for text in _doubts(source, lengths))
        table = Table(
            (UNIT * np.sqrt(shares)).astype("float32"), names, list(WORDS), extra,
            orientation=SAMPLES, warnings=doubts,
        )  # fmt: skip
        notes = [f"{min(lengths):,} to {max(lengths):,} bases"]
        if options.abundance:
            table = with_abundance(table, options.abundance, source, options)
            notes.append(f"log depths of {len(table.features) - len(WORDS)} samples")
        limits = {"columns": options.columns, "limit": options.limit}
        return checked(source, table, "FASTA", *notes, **limits)

    def contigs(self, source: str, options: ReadOptions) -> Iterator[Contig]:
        """Yield the sequence of each row; see `Reader.contigs`."""
        return contigs(source, options.most(source))


def words(codes: np.ndarray) -> np.ndarray:
    """Count the words of four bases of a sequence, each with its reverse complement.

    Args:
        codes: (bases,) integers: place of each base in `BASES`, or 4 where it is unknown.

    Returns:
        (136,) counts in the order of `WORDS`.
    """
    count = max(0, len(codes) - WORD + 1)
    numbers, is_known = np.zeros(count, "int64"), np.ones(count, bool)
    for start in range(WORD):
        letters = codes[start : start + count]
        numbers = len(BASES) * numbers + letters
        is_known &= letters < len(BASES)
    return np.bincount(_PLACES[numbers[is_known]], minlength=len(WORDS))


def _canonical():
    """Return the words that come before their reverse complement, and the place of each word."""
    turned = str.maketrans(BASES, BASES[::-1])
    every = ["".join(letters) for letters in itertools.product(BASES, repeat=WORD)]
    first = [min(word, word[::-1].translate(turned)) for word in every]
    kept = tuple(sorted(set(first)))
    return kept, np.array([kept.index(word) for word in first])


WORDS, _PLACES = _canonical()


def _letters():
    """Return the code of each byte; -1 for those that are no letter of a nucleotide sequence."""
    codes = np.full(256, -1, "int64")
    for letters, place in [*zip(BASES, range(len(BASES)), strict=True), ("U", 3), (UNKNOWN, 4)]:
        for letter in letters + letters.lower():
            codes[ord(letter)] = place
    return codes


_CODES = _letters()


def _codes(where, sequence):
    """Return the code of each base of a sequence, (bases,)."""
    codes = _CODES[np.frombuffer(sequence.encode("ascii", "replace"), "uint8")]
    wrong = codes < 0
    if wrong.any():
        place = int(wrong.argmax())
        raise InputError(
            f"{where}: received {sequence[place]!r} at base {place + 1}; expected nucleotides "
            f"({BASES}, U, or {UNKNOWN} where several are possible)."
        )
    return codes


def _doubts(source, lengths):
    """Yield a warning about short sequences."""
    short = sum(length < SHORT for length in lengths)
    if short:
        yield (
            f"{source}: {short} of {len(lengths)} sequences are shorter than {SHORT:,} bases: "
            f"shares of {len(WORDS)} words are mostly chance there. Leave them out, or read what "
            "is said of them with care."
        )
