"""FASTQ: long reads by their composition, and by how often their words are in all reads."""

import itertools
import math

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.core.growing import Growing
from autogenome_tf.data._checked import checked
from autogenome_tf.data._contigs import Contig, Contigs
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._encoding import suffixes
from autogenome_tf.data._files import check_file, numbered_lines
from autogenome_tf.data._orientation import SAMPLES
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._words import BASES, SHORT, WORDS, codes, composition, numbers_of_words

# Bases of the words whose counts tell how deeply a genome is sequenced (Wickramarachchi and Lin
# 2022); odd, so that none is its own reverse complement. One of so many words is counted.
LONG, SAMPLED = 15, 4
# Counts of the first bins of a histogram, each sqrt(2) times the one before, to 2^16.
STEP, STEPS = 0.5, 32
MOST = 2**16 - 1
STEP_OF = (np.log2(np.maximum(np.arange(MOST + 1), 1)) / STEP).astype(int)
# Entries of the table of counts for each word that is counted, and at most: 2 GiB.
ROOM, LARGEST = 4, 30
# Of roots of shares of a histogram, in the units of `composition`.
UNIT = 1.0
# Reads of a bin, at least. Of a genome there are many; a few alike are those of one place.
FEWEST = 20
# Reads whose words are counted at once, by their bases.
BLOCK = 1 << 22


class Fastq(Reader):
    """Read long reads as 136 words of four bases and a histogram of 32 depths.

    Words are those of FASTA. The histogram is of the counts that words of 15 bases of the read
    have in all reads of the file, in steps of sqrt(2): the reads of a genome that is sequenced
    twice as deeply lie two steps further (as in LRBinner, Wickramarachchi and Lin 2022,
    doi:10.1186/s13015-022-00221-z). Values are roots of shares. Reads below 1,000 bases are left
    out; `Table.extra` has the `length` of the others. The file is read three times.
    """

    kinds = ".fastq, .fq (also .gz, .bz2, .zst)"
    suffixes = suffixes("fastq", "fq")

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a file of short reads alone is refused."""
        check_file(source)
        known = [(_known(one), len(one.letters)) for one in _reads(source, options.most(source))]
        long = [length for count, length in known if count >= SHORT]
        if not long:
            raise InputError(
                f"{source}: the longest of {len(known)} reads has {max(known)[0]} known bases; "
                f"expected long reads, of {SHORT:,} bases and more. Assemble short ones, and read "
                "contigs."
            )
        counts = _Counts(sum(long))
        for part in _blocks(self.contigs(source, options)):
            counts.add([codes(one.where(source), one.letters) for one in part])
        values, names = Growing(len(WORDS) + STEPS, limit=options.limit), []
        for part in _blocks(self.contigs(source, options)):
            names += [one.name for one in part]
            rows = []
            for one in part:
                where = one.where(source)
                own = codes(where, one.letters)
                rows.append([*composition(where, own), *counts.histogram(own)])
            values.add(rows)
        depths = [f"depth {2 ** (STEP * step):.3g}" for step in range(STEPS)]
        doubts = tuple(("values", text) for text in _doubts(source, len(known), len(long)))
        table = Table(
            values.array, names, [*WORDS, *depths], pd.DataFrame({"length": long}, index=names),
            orientation=SAMPLES, warnings=doubts,
        )  # fmt: skip
        notes = f"{min(long):,} to {max(long):,} bases"
        return checked(source, table, "FASTQ", notes, columns=options.columns, limit=options.limit)

    def contigs(self, source: str, options: ReadOptions) -> Contigs:
        """Return the long reads; see `Reader.contigs`."""
        return Contigs(lambda: filter(_is_long, _reads(source, options.most(source))), FEWEST)


class _Counts:
    """Count words of many bases, a word and its reverse complement alike, of those sampled.

    Args:
        bases: How many there are in all reads.
    """

    def __init__(self, bases):
        size = math.ceil(math.log2(max(2, ROOM * bases / SAMPLED)))
        self._bits = min(size, LARGEST)
        self._table = np.zeros(1 << self._bits, "uint16")

    def add(self, reads):
        """Count the words of some reads, each an array of the codes of its bases."""
        places, times = np.unique(
            np.concatenate([self._places(read) for read in reads]), return_counts=True
        )
        self._table[places] = np.minimum(self._table[places] + times, MOST)

    def histogram(self, read):
        """Return (32,) roots of the shares of a read's words whose counts lie in each step."""
        counts = self._table[self._places(read)]
        shares = np.bincount(STEP_OF[counts], minlength=STEPS) / max(len(counts), 1)
        return UNIT * np.sqrt(shares)

    def _places(self, read):
        """Return the place in the table of each sampled word of a read."""
        turned = np.where(read < len(BASES), len(BASES) - 1 - read, len(BASES))[::-1]
        word = np.minimum(numbers_of_words(read, LONG), numbers_of_words(turned, LONG)[::-1])
        # Mixed (as MurmurHash does), like words are far apart, and which are sampled is chance.
        mixed = word[word >= 0].astype("uint32") * np.uint32(0x9E3779B1)
        mixed ^= mixed >> np.uint32(15)
        mixed *= np.uint32(0x85EBCA77)
        mixed ^= mixed >> np.uint32(13)
        return mixed[mixed % SAMPLED == 0] >> np.uint32(32 - self._bits)


def _is_long(read):
    return _known(read) >= SHORT


def _known(read):
    """Return the number of bases that are not N."""
    return len(read.letters) - sum(map(read.letters.count, "Nn"))


def _doubts(source, count, long):
    """Yield a warning about reads that are left out."""
    if count > long:
        yield (
            f"{source}: {count - long} of {count} reads have fewer than {SHORT:,} known bases: "
            "they are left out."
        )


def _blocks(reads):
    """Yield lists of reads of some million bases."""
    part, size = [], 0
    for one in reads:
        part.append(one)
        size += len(one.letters)
        if size >= BLOCK:
            yield part
            part, size = [], 0
    if part:
        yield part


def _reads(source, most):
    """Yield the reads of a file, four lines each."""
    lines = ((number, text.rstrip("\r\n")) for number, text in numbered_lines(source, most))
    is_any = False
    for number, header in lines:
        if not header.strip():
            continue
        if not header.startswith("@") or not header[1:].strip():
            raise InputError(
                f"{source} line {number}: received {header[:20]!r}; expected '@' and the id of a "
                "read; each has four lines."
            )
        three = [text for _, text in itertools.islice(lines, 3)]
        if len(three) < 3:
            raise InputError(
                f"{source} line {number}: the last read is cut short; expected four lines."
            )
        letters, plus, quality = three
        if not plus.startswith("+") or len(quality) != len(letters):
            raise InputError(
                f"{source} line {number}: the read has {len(letters)} bases and {len(quality)} "
                f"qualities below {plus[:20]!r}; expected as many, below '+'."
            )
        is_any = True
        yield Contig(number, header[1:].strip(), letters)
    if not is_any:
        raise InputError(
            f"{source}: no read; expected lines of '@' and an id, bases, '+', qualities."
        )
