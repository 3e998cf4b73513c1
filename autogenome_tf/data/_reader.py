"""The contract of a reader: a class in a file of `data/readers/` that reads one kind of file."""

import abc
import dataclasses
import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.core.growing import LIMIT
from autogenome_tf.data._cells import MISSING, missing_words
from autogenome_tf.data._contigs import Contigs
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import EXPANSION, most_unpacked
from autogenome_tf.data._name_pairs import read_gene_names
from autogenome_tf.data._names import OF_GENES, nearest_rule, plain

# Columns of new rows beside the genes of a model that are kept as text.
MOST_OTHERS = 200


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """Say how a matrix is to be read; a reader uses what concerns its kind of file.

    Attributes:
        columns: Names of columns that are not features (targets, groups). Those that the file has
            go to `Table.extra`; missing ones are for the caller to report.
        exclude: Names, or patterns such as ``clin_*``, of columns that are no genes; those that the
            file has go to `Table.extra` too.
        id: Name of the column of sample ids; None: detected.
        genes: The genes of a model: columns of new rows beside them may hold text.
        gene_names: Names of genes to use, by those in the file.
        missing_words: What text stands for a missing value.
        orientation: "auto", "samples_by_genes" or "genes_by_samples".
        known_ids: Sample ids of the targets: where the header of a table has them, it is one of
            genes x samples.
        duplicates: What is done about names that repeat: "error", "suffix" or "mean"; None: as the
            reader's kind of file is usually read.
        matrix: Name of the matrix to read where a file holds several: a layer of AnnData or loom, a
            modality, a sheet, a column of quantities; None: the usual one.
        targets_sheet: Name of the sheet of targets in a spreadsheet; None: found by `columns`.
        delimiter: Delimiter of a text table; None: detected.
        abundance: Path of a table of contigs x samples, depths of coverage; None: there is none.
        limit: Bytes that the matrix may take in memory; beyond, it lies in a file without a name
            where the reader reads block by block.
        expansion: How many times its size a file may unpack to, where that is above `limit`.
    """

    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    id: str | None = None
    genes: frozenset[str] = frozenset()
    gene_names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    missing_words: frozenset[str] = MISSING
    orientation: str = "auto"
    known_ids: frozenset[str] = frozenset()
    duplicates: str | None = None
    matrix: str | None = None
    targets_sheet: str | None = None
    delimiter: str | None = None
    abundance: str | None = None
    limit: int = LIMIT
    expansion: float = EXPANSION

    @classmethod
    def of(cls, data: Any) -> "ReadOptions":
        """Return the options of a config's `data` section."""
        words = missing_words(data.missing_words)
        return cls(
            columns=tuple(data.columns),
            exclude=tuple(data.exclude),
            id=data.id,
            gene_names=read_gene_names(data.gene_names) if data.gene_names else {},
            missing_words=words,
            orientation=data.orientation,
            duplicates=data.duplicates,
            matrix=data.matrix,
            targets_sheet=data.targets_sheet,
            abundance=data.abundance,
            limit=data.limit,
            expansion=data.expansion,
        )

    def is_no_gene(self, name: str) -> bool:
        """Return whether a config says that a column is no gene.

        Args:
            name: Name of a column.
        """
        return name in self.columns or any(fnmatchcase(name, one) for one in self.exclude)

    def aside(self, names: Sequence[str]) -> set[str]:
        """Return the names of columns that are no features.

        Of rows for a model that is fitted these are all beside its genes, where most of those are
        there and few others, but for names that are nearly those of genes that are not there. A
        gene is there too where one rule, such as upper and lower case, makes its name that of a
        column.

        Args:
            names: Names of columns.
        """
        found = {name for name in names if self.is_no_gene(name)}
        if not self.genes:
            return found
        own = {name: self.gene_names.get(name, name) for name in names}
        lacking = sorted(self.genes.difference(own.values()))
        others = [name for name, used in own.items() if used not in self.genes]
        alike = nearest_rule(lacking, [own[name] for name in others], OF_GENES)
        if alike and alike.is_distinct:
            is_there = alike.take >= 0
            genes = {others[place] for place in alike.take[is_there]}
            others = [name for name in others if name not in genes]
            lacking = [name for name, known in zip(lacking, is_there, strict=True) if not known]
        if len(others) > MOST_OTHERS or 2 * len(lacking) > len(self.genes):
            return found
        near = {plain(name) for name in lacking}
        return found | {name for name in others if plain(name) not in near}

    def most(self, source: str) -> int | None:
        """Return the bytes that a source may unpack to; None where it is no file.

        Args:
            source: Path of a file.
        """
        if not os.path.exists(source):
            return None
        return most_unpacked(source, self.limit, self.expansion)


class Reader(abc.ABC):
    """Read one kind of file as a matrix of samples x genes.

    A subclass in a file of `data/readers/` is a member of the open set: `data.features`,
    `autogenome-tf check` and `predict` know its kind at once.

    Attributes:
        kinds: The files that it reads, for messages and guides: ``".npz"``.
        suffixes: Ends of the names of such files, lower case; unused where `matches` is overridden.
        by_content: Whether `matches` looks into the file. Such readers are asked before those that
            look at the name alone.
        takes: Options beside `columns`, `limit` and `expansion` that the reader follows; any other
            one that a user gives is an error.
        duplicates: What is done about names that repeat where nobody asks: "error" or "suffix".
    """

    kinds: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    by_content: ClassVar[bool] = False
    takes: ClassVar[tuple[str, ...]] = ()
    duplicates: ClassVar[str] = "error"

    def matches(self, source: str) -> bool:
        """Return whether a source is of this reader's kind; it need not exist.

        Args:
            source: Path of a file or folder.
        """
        return source.lower().endswith(self.suffixes)

    @abc.abstractmethod
    def read(self, source: str, options: ReadOptions) -> Table:
        """Read a source that `matches`, and have the table `checked`.

        Args:
            source: Path of a file or folder.
            options: Keys of the section `data` that readers use.

        Raises:
            InputError: The content is wrong; the message names file and place.
        """

    def contigs(self, source: str, options: ReadOptions) -> Contigs | None:
        """Return the sequences of the rows, in order; None for kinds whose rows have none.

        Args:
            source: Path of a file.
            options: Keys of the section `data` that readers use.

        Raises:
            InputError: As `read`; also where they are iterated.
        """
        return None

    def read_columns(self, source: str, options: ReadOptions) -> pd.DataFrame | None:
        """Read a source as a file of targets.

        Args:
            source: Path of a file or folder.
            options: Keys of the section `data` that readers use.

        Returns:
            What `columns_of` makes: text or None below the name of each column, a row a sample.
            None where the file is read as a text table.

        Raises:
            InputError: Files of this kind are no files of targets.
        """
        raise InputError(
            f"{source}: files of this kind ({self.kinds}) are not read as targets; expected a "
            "table of text, .xlsx or .parquet with a column of sample ids. Columns beside the "
            "matrix need no file: name one in data.target."
        )
