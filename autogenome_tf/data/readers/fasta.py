"""FASTA: the composition of each contig in words of four bases."""

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._abundance import with_abundance
from autogenome_tf.data._checked import checked
from autogenome_tf.data._contigs import Contig, Contigs
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._encoding import suffixes
from autogenome_tf.data._files import check_file, numbered_lines
from autogenome_tf.data._orientation import SAMPLES
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._words import SHORT, WORDS, codes, composition

# Contigs of a bin, at least.
FEWEST = 5


class Fasta(Reader):
    """Read sequences as shares of words of four bases (tetranucleotides), 136 of them.

    Values are those of `composition`. The id of a sequence is the first word of its header;
    `Table.extra` has its `length`.
    """

    kinds = ".fasta, .fa, .fna, .fas, .fsa, .ffn (also .gz, .bz2, .zst)"
    takes = ("abundance",)
    suffixes = suffixes("fasta", "fa", "fna", "fas", "fsa", "ffn")

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a sequence without any word is refused."""
        check_file(source)
        names, values, lengths = [], [], []
        for one in self.contigs(source, options):
            where = one.where(source)
            values.append(composition(where, codes(where, one.letters)))
            names.append(one.name)
            lengths.append(len(one.letters))
        extra = pd.DataFrame({"length": lengths}, index=names)
        doubts = tuple(("values", text) for text in _doubts(source, lengths))
        table = Table(
            np.array(values, "float32"), names, list(WORDS), extra,
            orientation=SAMPLES, warnings=doubts,
        )  # fmt: skip
        notes = [f"{min(lengths):,} to {max(lengths):,} bases"]
        if options.abundance:
            table = with_abundance(table, lengths, options.abundance, source, options)
            notes.append(f"log depths of {len(table.features) - len(WORDS)} samples")
        limits = {"columns": options.columns, "limit": options.limit}
        return checked(source, table, "FASTA", *notes, **limits)

    def contigs(self, source: str, options: ReadOptions) -> Contigs:
        """Return the sequence of each row; see `Reader.contigs`."""
        return Contigs(lambda: _sequences(source, options.most(source)), FEWEST)


def _sequences(source, most):
    """Yield the sequences of a file of at most so many bytes."""
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
                is_fastq = text.startswith("@")
                hint = " The file is FASTQ: its name must end in .fastq." if is_fastq else ""
                raise InputError(
                    f"{source} line {number}: received {text[:20]!r}; expected '>' and the id "
                    f"of a sequence.{hint}"
                )
            parts.append(text)
    if header is None:
        raise InputError(f"{source}: no sequence; expected lines of '>' and an id, then bases.")
    yield Contig(line, header, "".join(parts))


def _doubts(source, lengths):
    """Yield a warning about short sequences."""
    short = sum(length < SHORT for length in lengths)
    if short:
        yield (
            f"{source}: {short} of {len(lengths)} sequences are shorter than {SHORT:,} bases: "
            f"shares of {len(WORDS)} words are mostly chance there. Leave them out, or read what "
            "is said of them with care."
        )
