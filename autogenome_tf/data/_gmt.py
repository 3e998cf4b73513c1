"""Files of gene sets: GMT, a set a line, as MSigDB, Reactome and Enrichr give them."""

import dataclasses
import os
from collections.abc import Iterable

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._files import check_file, numbered_lines


@dataclasses.dataclass(frozen=True)
class GeneSet:
    """A line of a file of gene sets.

    Attributes:
        name: Of the set.
        source: Name of its file, without folder.
        genes: Its members, each once, in the order of the file.
        description: The second column.
    """

    name: str
    source: str
    genes: tuple[str, ...]
    description: str = ""


def read_gene_sets(paths: Iterable[str]) -> tuple[GeneSet, ...]:
    """Read GMT files: name, description, then genes, separated by tabs; `.gz` and the like too.

    The description is not a gene. A weight behind a gene (``TP53,1.0``, as Enrichr writes) is left
    out. A set that comes again with the same genes counts once.

    Args:
        paths: The files.

    Returns:
        A tuple of `GeneSet`s.

    Raises:
        InputError: Naming file and line, for a line without genes, or a name that comes twice with
            different genes.
    """
    found, places = {}, {}
    for path in paths:
        check_file(path)
        for number, line in numbered_lines(path):
            if not line.strip():
                continue
            place = f"{path} line {number}"
            own = _parsed(line, place, os.path.basename(path))
            known = found.setdefault(own.name, own)
            if set(known.genes) != set(own.genes):
                raise InputError(
                    f"{place}: the set {own.name!r} has different genes in {places[own.name]}; "
                    "expected each name once."
                )
            places.setdefault(own.name, place)
    return tuple(found.values())


def _parsed(line, place, source):
    name, *cells = (cell.strip() for cell in line.rstrip("\r\n").split("\t"))
    genes = tuple(dict.fromkeys(cell.partition(",")[0] for cell in cells[1:] if cell))
    if not name or not genes:
        raise InputError(
            f"{place}: expected a set's name, a description and genes, separated by tabs; received "
            f"{line.strip()[:80]!r}."
        )
    return GeneSet(name, source, genes, cells[0])
