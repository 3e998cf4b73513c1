"""Gene sets matched with the genes of a matrix: the connections of a masked layer."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf import data
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.core.files import version

KEPT, FEW, MANY = "kept", "too few", "too many"


@dataclasses.dataclass(frozen=True, eq=False)
class Membership:
    """Membership of inputs in sets: the nonzero entries of a mask of (inputs, sets).

    Attributes:
        rows: (connections,) index of an input, sets one after the other.
        columns: (connections,) index of a set.
        inputs: Number of inputs.
        names: Names of the sets that are kept.
        table: A row for each set in the files, kept or not: set, source, genes (of the file),
            measured, status ("kept", "too few", "too many" measured genes), lost (genes that were
            not measured, joined by blanks).
        doubt: What may be wrong with the files, in a sentence; "" for nothing.
    """

    rows: np.ndarray
    columns: np.ndarray
    inputs: int
    names: tuple[str, ...]
    table: pd.DataFrame
    doubt: str = ""

    def __str__(self):
        counts = self.table["status"].value_counts()
        dropped = "".join(
            f", {counts[status]} dropped for {status} measured genes"
            for status in (FEW, MANY)
            if status in counts
        )
        free = self.inputs - len(np.unique(self.rows))
        lost = len({gene for genes in self.table["lost"] for gene in genes.split()})
        return (
            f"{len(self.names)} sets{dropped}; {len(self.rows)} connections; {free} of "
            f"{self.inputs} genes are in no set; {lost} genes of the sets are not in the data"
        )

    @property
    def sizes(self) -> np.ndarray:
        """Return the number of inputs in each set, (sets,)."""
        return np.bincount(self.columns, minlength=len(self.names))

    def widened(self, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns of the mask with several units for each input and each set.

        Args:
            inputs: Units for each input, side by side.
            outputs: Units for each set, side by side.
        """
        rows = self.rows[:, None, None] * inputs + np.arange(inputs)[:, None]
        columns = self.columns[:, None, None] * outputs + np.arange(outputs)
        shape = (len(self.rows), inputs, outputs)
        return np.broadcast_to(rows, shape).ravel(), np.broadcast_to(columns, shape).ravel()

    @property
    def free(self) -> np.ndarray:
        """Return the indices of the inputs that are in no set."""
        return np.setdiff1d(np.arange(self.inputs), self.rows)


def read_membership(
    paths: Sequence[str], features: Sequence[str] | None, least: int = 1, most: int | None = None,
    place: str = "gene_sets",
) -> Membership:  # fmt: skip
    """Read gene sets and keep those with enough, and not too many, measured genes.

    A gene is found under its own name, else ignoring case, and an Ensembl gene without its
    version. Limits are applied to the measured genes of a set.

    Args:
        paths: GMT files.
        features: Names of the inputs: genes, or sets for sets of sets.
        least: Fewest measured genes; 1 by default.
        most: Most measured genes; None for no limit.
        place: Key of the config that names the files, for errors.

    Returns:
        A `Membership`.

    Raises:
        InputError: A file cannot be read, no set is left, or there are no names.
    """
    if features is None:
        raise InputError(f"{place}: expected features, the names of the genes; received none.")
    versions = tuple(map(version, paths))
    return _matched(tuple(paths), versions, tuple(map(str, features)), least, most, place)


@functools.lru_cache(maxsize=8)
def _matched(paths, _versions, features, least, most, place):
    sets = data.read_gene_sets(paths)
    find = _finder(features)
    rows, columns, names, lines = [], [], [], []
    for one in sets:
        found = {gene: find(gene) for gene in one.genes}
        members = sorted({row for row in found.values() if row is not None})
        status = FEW if len(members) < least else KEPT
        status = MANY if most and len(members) > most else status
        if status == KEPT:
            rows += members
            columns += [len(names)] * len(members)
            names.append(one.name)
        lost = " ".join(gene for gene, row in found.items() if row is None)
        line = [one.name, one.source, len(one.genes), len(members), status, lost]
        lines.append(line)
    table = pd.DataFrame(lines, columns=["set", "source", "genes", "measured", "status", "lost"])
    if not names:
        raise InputError(_none_left(place, table, sets, features, least, most))
    return Membership(
        np.array(rows, "int32"), np.array(columns, "int32"), len(features), tuple(names), table,
        _doubt(sets, find),
    )  # fmt: skip


def _doubt(sets, find):
    """Return a sentence where the second column of all sets is a gene: a column may lack."""
    if any(one.description == one.name or find(one.description) is None for one in sets):
        return ""
    return (
        f"the second column of all sets is one of the genes, such as {sets[0].description!r} of "
        f"{sets[0].name!r}. It is the description in a GMT file, so they are no members. If the "
        "file has no descriptions, add a column of them."
    )


def _finder(features):
    """Make a function from a name to the index of its feature, or None."""
    exact = {name: row for row, name in enumerate(features)}
    loose = {}
    for row, name in enumerate(features):
        loose.setdefault(_folded(name), []).append(row)

    def find(gene):
        # A name that two features share but for its case names neither.
        several = loose.get(_folded(gene), ())
        return exact.get(gene, several[0] if len(several) == 1 else None)

    return find


def _folded(name):
    upper = name.upper()
    return upper.partition(".")[0] if upper.startswith("ENS") else upper


def _none_left(place, table, sets, features, least, most):
    if not table["measured"].any():
        return (
            f"{place}: none of the sets' members is among the {len(features)} inputs; received "
            f"{some([gene for one in sets[:1] for gene in one.genes], 3)}; expected names such as "
            f"{some(features, 3)}."
        )
    limits = f"at least {least}" + (f" and at most {most}" if most else "")
    return (
        f"{place}: no set is left; expected {limits} measured members, the {len(table)} sets have "
        f"{table['measured'].min()} to {table['measured'].max()}."
    )
