"""The result of every reader: named rows, named genes, targets."""

import dataclasses

import numpy as np
import pandas as pd
import scipy

from autogenome_tf.core import chunked

# Name of the array of an archive that holds what arose as its rows were taken from memory.
WARNINGS = "row_warnings"
# Name of the array of an archive that says that a run wrote it: nobody writes to it again.
WRITTEN_BY = "written_by"


@dataclasses.dataclass(frozen=True)
class Table:
    """A feature matrix as one file held it.

    Attributes:
        values: (rows, features) float32, an array or a CSR matrix; missing cells are NaN.
        samples: Sample ids, or None where the file has none (rows then match by order).
        features: Feature names, made up as ``feature_1`` ... where the file has none.
        extra: Columns that are not features (h5ad's ``obs``), one row a sample, or None.
        said: What was detected, in one line, for the log.
        orientation: How the matrix lay in its file where the reader is certain:
            ``samples_by_genes``, or ``genes_by_samples`` and was transposed; None where nothing but
            the ids of the targets can show it.
        id_column: Name of the column of ids, where `data.id` names it.
        warnings: As those of a `Dataset`.
    """

    values: "np.ndarray | scipy.sparse.csr_matrix"
    samples: list[str] | None
    features: list[str]
    extra: pd.DataFrame | None = None
    said: str = ""
    orientation: str | None = None
    id_column: str | None = None
    warnings: tuple[tuple[str, str], ...] = ()

    def column(self, name: str) -> pd.Series:
        """Return one of the columns of `extra`.

        Args:
            name: Name of the column.

        Raises:
            KeyError: There is none of that name.
        """
        if self.extra is None:
            raise KeyError(name)
        return self.extra[name]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Rows with their names and, where asked for, their targets and groups.

    Attributes:
        values: (rows, features) float32, an array or a CSR matrix; missing cells are NaN.
        samples: Sample ids, one a row.
        features: Feature names, one a column.
        targets: (rows,) labels as text for classification, (rows, targets) float64 for
            regression, or None.
        target_names: Name of each target column.
        groups: (rows,) text, or None.
        covariates: How many of the last columns are no genes but levels of covariates, 0 or 1,
            named ``column=level``.
        origins: Columns of text that say where a row comes from (donor, batch), or None.
        owners: Names of columns of patients and the like by which several samples share one row of
            a target file.
        sites: The columns of `data.sites` as text, None where a cell is missing; None: no columns.
        weights: (rows,) float64, how much each row counts, or None where all count alike.
        warnings: What about the rows should make one doubt the scores: pairs of a subject in a word
            and the text.
        rare_classes: Names of classes that `data.rare_classes` left out or merged.
        limit: Bytes of values that rows taken from these may have in memory.
        lacking: Names of genes of training that new rows lack; their values are missing.
        source: Name of the file or the object that the rows came from, for messages.
    """

    values: "np.ndarray | scipy.sparse.csr_matrix"
    samples: np.ndarray
    features: list[str]
    targets: np.ndarray | None = None
    target_names: list[str] = dataclasses.field(default_factory=list)
    groups: np.ndarray | None = None
    covariates: int = 0
    origins: pd.DataFrame | None = None
    owners: tuple[str, ...] = ()
    sites: pd.DataFrame | None = None
    weights: np.ndarray | None = None
    warnings: tuple[tuple[str, str], ...] = ()
    rare_classes: frozenset[str] = frozenset()
    limit: int = chunked.LIMIT
    lacking: tuple[str, ...] = ()
    source: str = "the given rows"

    def __len__(self) -> int:
        """Count the rows."""
        return self.values.shape[0]

    @property
    def known_targets(self) -> np.ndarray:
        """Return `targets` of rows that have them.

        Raises:
            ValueError: These rows have none.
        """
        if self.targets is None:
            raise ValueError(f"{self.source}: rows without targets; expected labelled ones.")
        return self.targets

    def rows(self, index: np.ndarray) -> "Dataset":
        """Take the rows of an integer index, with everything that belongs to them.

        Args:
            index: (n,) integer numbers of rows.
        """
        return dataclasses.replace(
            self,
            values=chunked.rows(self.values, index, self.limit),
            samples=self.samples[index],
            targets=None if self.targets is None else self.targets[index],
            groups=None if self.groups is None else self.groups[index],
            origins=None if self.origins is None else self.origins.iloc[index],
            sites=None if self.sites is None else self.sites.iloc[index],
            weights=None if self.weights is None else self.weights[index],
        )

    def warned(self, about: str, text: str) -> "Dataset":
        """Add one of the `warnings`.

        Args:
            about: Subject of the warning, such as "duplicates".
            text: Text of the warning.
        """
        return dataclasses.replace(self, warnings=(*self.warnings, (about, text)))
