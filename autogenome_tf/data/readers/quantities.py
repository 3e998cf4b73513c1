"""Folders of quantities, a file a sample: Salmon, kallisto, RSEM, STAR, HTSeq, GDC."""

import dataclasses
import os
import re
from collections.abc import Sequence

import numpy as np

from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.core.growing import Growing
from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._delimiter import preamble
from autogenome_tf.data._files import check_file, check_width, filled_rows
from autogenome_tf.data._orientation import GENES
from autogenome_tf.data._reader import Reader, ReadOptions

_PACKED = r"(\.(gz|bz2|zst))?$"


@dataclasses.dataclass(frozen=True)
class _Program:
    """Say how a program writes the quantities of a sample.

    Attributes:
        name: Of the program.
        ending: Pattern of the ends of its files' names.
        names: Name of the column of genes or transcripts.
        usual: Name of the column that is read unless `data.matrix` names another.
        header: Names of the columns where the file has no header.
        aside: What may begin the names of rows that count reads without a gene.
    """

    name: str
    ending: str
    names: str
    usual: str
    header: Sequence[str] = ()
    aside: tuple[str, ...] = ()

    def sample(self, file: str) -> str | None:
        """Return the name of a file without its ending, None where it is not this program's."""
        found = re.search(f"[._-]?({self.ending}){_PACKED}", file)
        return None if found is None else file[: found.start()]


# Genes go before transcripts where a folder holds both.
_PROGRAMS = (
    _Program("GDC", r"augmented_star_gene_counts\.tsv", "gene_id", "unstranded", aside=("N_",)),
    _Program("STAR", r"ReadsPerGene\.out\.tab", "gene", "unstranded",
             ("gene", "unstranded", "forward", "reverse"), ("N_",)),
    _Program("RSEM", r"genes\.results", "gene_id", "TPM"),
    _Program("Salmon, genes", r"quant\.genes\.sf", "Name", "TPM"),
    _Program("Salmon", r"quant\.sf", "Name", "TPM"),
    _Program("kallisto", r"abundance\.tsv", "target_id", "tpm"),
    _Program("HTSeq", r"(?<![A-Za-z])(htseq[._-]?)?counts?(\.(txt|tsv|tab))?", "gene", "count",
             ("gene", "count"), ("__",)),
)  # fmt: skip


class Quantities(Reader):
    """Read a folder of quantities: a file a sample, in the folder or in one of its folders each.

    Samples are named by their folders, or by their files where these lie side by side. One such
    file, of any program but HTSeq, is a matrix of one sample.
    """

    kinds = "a folder of quantities (Salmon, kallisto, RSEM, STAR, HTSeq, GDC), a file a sample"
    by_content = True  # before the reader that takes any folder for one of 10x
    takes = ("matrix",)

    def matches(self, source: str) -> bool:
        """Return whether a folder holds files of one of the programs, and no matrix of 10x."""
        if os.path.isfile(source):
            return _one(source) is not None
        if not os.path.isdir(source) or any("matrix.mtx" in n for n in os.listdir(source)):
            return False
        return _found(source) is not None

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says; a file with other genes than the first is refused."""
        found = _one(source) if os.path.isfile(source) else _found(source)
        if found is None:
            raise InputError(f"{source}: holds no file of quantities; expected one a sample.")
        program, files = found
        first, *others = files.values()
        genes, values = _quantities(first, program, options)
        stack = Growing(len(genes), limit=options.limit)
        stack.add(values[None])
        for path in others:
            stack.add(_ordered(path, genes, *_quantities(path, program, options))[None])
        column = options.matrix or program.usual
        table = Table(stack.array, list(files), genes, orientation=GENES)
        return checked(
            source, table, f"{program.name}, {column}", columns=options.columns, limit=options.limit
        )


def _one(path):
    """Return the program of a file and the path by its sample; None for other files."""
    folder, file = os.path.split(os.path.abspath(path))
    for program in _PROGRAMS:
        sample = program.sample(file)
        # A file of counts may be a matrix of many samples.
        if sample is not None and program.name != "HTSeq":
            return program, {sample or os.path.basename(folder): path}
    return None


def _found(folder):
    """Return the first program with files in a folder, and their paths by sample; else None."""
    own = sorted(os.scandir(folder), key=lambda entry: entry.name)
    below = [entry for inner in own if inner.is_dir() for entry in os.scandir(inner)]
    for program in _PROGRAMS:
        files = [entry for entry in (*own, *below) if program.sample(entry.name) is not None]
        if files:
            return program, _by_sample(folder, program, files)
    return None


def _by_sample(folder, program, files):
    """Name files by their folders, by themselves where several lie in one."""
    homes = [os.path.dirname(entry.path) for entry in files]
    found = {}
    for home, entry in zip(homes, files, strict=True):
        is_alone = homes.count(home) == 1 and os.path.normpath(home) != os.path.normpath(folder)
        sample = os.path.basename(home) if is_alone else program.sample(entry.name)
        sample = sample or os.path.basename(os.path.abspath(home))
        if sample in found:
            raise InputError(
                f"{folder}: {found[sample]} and {entry.path} both belong to the sample "
                f"{sample!r}; expected a file a sample."
            )
        found[sample] = entry.path
    return dict(sorted(found.items()))


def _quantities(path, program, options):
    """Return the names of a file and a column of it, (names,) float32."""
    check_file(path)
    rows = filled_rows(path, "\t", options.most(path), preamble(path))
    header = list(program.header) or [cell.strip() for cell in next(rows, (0, []))[1]]
    column = options.matrix or program.usual
    for name in (program.names, column):
        if name not in header:
            where = "data.matrix" if name == options.matrix else "column"
            raise unknown(f"{path}: {where}", name, header)
    name, place, names, values = header.index(program.names), header.index(column), [], []
    for line, cells in rows:
        check_width(path, line, cells, len(header))
        if not cells[name].startswith(program.aside):
            names.append(cells[name].strip())
            values.append(_number(path, line, column, cells[place]))
    if not names:
        raise InputError(f"{path}: received no quantity; expected a row a gene.")
    return names, np.array(values, "float32")


def _number(path, line, column, cell):
    try:
        return float(cell)
    except ValueError:
        raise InputError(
            f"{path} line {line}, column {column!r}: received {cell!r}; expected a number."
        ) from None


def _ordered(path, genes, names, values):
    """Return values in the order of the first file's genes."""
    if names == genes:
        return values
    places = {name: place for place, name in enumerate(names)}
    other = set(genes) ^ set(names)
    if other or len(places) < len(names):
        raise InputError(
            f"{path}: has different genes from the first file, such as {some(sorted(other), 3)}; "
            "expected files of one annotation."
        )
    return values[[places[gene] for gene in genes]]
