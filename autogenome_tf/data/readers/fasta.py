"""FASTA: the composition of each contig in words of four bases."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from autogenome_tf.data._abundance import with_abundance
from autogenome_tf.data._checked import checked
from autogenome_tf.data._contigs import Contig, contigs
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._encoding import CODECS
from autogenome_tf.data._files import check_file
from autogenome_tf.data._orientation import SAMPLES
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._words import SHORT, WORDS, codes, composition


class Fasta(Reader):
    """Read sequences as shares of words of four bases (tetranucleotides), 136 of them.

    Values are those of `composition`. The id of a sequence is the first word of its header;
    `Table.extra` has its `length`.
    """

    kinds = ".fasta, .fa, .fna (also .gz, .bz2, .zst)"
    takes = ("abundance",)
    suffixes = tuple(
        f".{kind}{packed}" for kind in ("fasta", "fa", "fna") for packed in ("", *CODECS)
    )

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a sequence without any word is refused."""
        check_file(source)
        names, values, lengths = [], [], []
        for one in self.contigs(source, options):
            where = f"{source} line {one.line}: {one.name}"
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
            table = with_abundance(table, options.abundance, source, options)
            notes.append(f"log depths of {len(table.features) - len(WORDS)} samples")
        limits = {"columns": options.columns, "limit": options.limit}
        return checked(source, table, "FASTA", *notes, **limits)

    def contigs(self, source: str, options: ReadOptions) -> Iterator[Contig]:
        """Yield the sequence of each row; see `Reader.contigs`."""
        return contigs(source, options.most(source))


def _doubts(source, lengths):
    """Yield a warning about short sequences."""
    short = sum(length < SHORT for length in lengths)
    if short:
        yield (
            f"{source}: {short} of {len(lengths)} sequences are shorter than {SHORT:,} bases: "
            f"shares of {len(WORDS)} words are mostly chance there. Leave them out, or read what "
            "is said of them with care."
        )
