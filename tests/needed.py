"""What some families cannot do without: sets that overlap and leave a gene out, groups of them."""

import tempfile
from pathlib import Path

from autogenome_tf import families

_FOLDER = tempfile.TemporaryDirectory()
_SETS, _GROUPS = Path(_FOLDER.name, "sets.gmt"), Path(_FOLDER.name, "groups.gmt")
_SETS.write_text("S0\t\tG0\tG1\tG2\nS1\t\tG2\tG3\tG4\nS2\t\tG1\tG3\n")
_GROUPS.write_text("A\t\tS0\tS1\nB\t\tS1\tS2\n")

GIVEN = {"pathway": {"gene_sets": str(_SETS), "set_groups": str(_GROUPS), "min_genes": 1}}


def gene_names(count):
    """Names of so many genes, those of the sets first."""
    return [f"G{gene}" for gene in range(count)]


def network_families():
    """Names of the families of targets that are networks, not trees."""
    return [name for name in families.names("classification") if not families.is_of_trees(name)]
