"""Genes wired to the gene sets they belong to, as P-NET's are (Elmarakeby et al. 2021).

A unit of the first layer is wired to the genes of one set, a unit of the second, if there is one,
to the sets of one group. The outputs are the mean of a linear head on each level, built as one
dense layer on all of them. (P-NET also gives each head a loss of its own; here the mean alone is
trained.) `bypass` units are wired to the genes that are in no set.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autogenome_tf.families import (
    ACTIVATIONS,
    COMMON,
    Family,
    Membership,
    files,
    integer,
    limit,
    number,
    read_membership,
    word,
)


class Pathway(Family):
    """Genes wired to the gene sets they belong to, as P-NET's are (Elmarakeby et al. 2021)."""

    level_names = ("sets", "groups")
    sees_genes = True
    space = {
        "gene_sets": files(),
        "set_groups": files(optional=True),
        "min_genes": limit(5),
        "max_genes": limit(500),
        "set_units": integer(1, high=64),
        "bypass": integer(0, low=0),
        **{name: hyper for name, hyper in COMMON.items() if name != "spectral_power"},
        "activation": word("tanh", "relu", "elu", known=ACTIVATIONS),
        "dropout": number(0.2, 0.0, 0.4, high=1.0, below=True),
        "l2": number(1e-3, 0.0, 1e-4, 1e-2, 3e-2, high=1e6),
    }

    @classmethod
    def levels(cls, settings: dict[str, tuple], features: Sequence[str] | None) -> list[Membership]:
        """Return the membership of genes in sets and, with `set_groups`, of sets in groups."""
        place = "families.pathway"
        (least,), (most,) = settings["min_genes"], settings["max_genes"]
        paths, groups = settings["gene_sets"], settings["set_groups"]
        found = [read_membership(paths, features, least, most, f"{place}.gene_sets")]
        if groups:
            found.append(read_membership(groups, found[0].names, place=f"{place}.set_groups"))
        return found

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Wire genes to sets and sets to groups; concatenate the activations of all levels."""
        genes, *groups = layers.levels
        units, bypass = values["set_units"], values["bypass"]
        width = len(genes.names) * units
        rows, columns = genes.widened(1, units)
        free = np.repeat(genes.free, bypass)
        around = width + np.tile(np.arange(bypass), len(genes.free))
        rows, columns = np.concatenate([rows, free]), np.concatenate([columns, around])
        sets, *others = Pathway.level_names
        x = layers.activated(layers.masked(x, rows, columns, width + bypass), sets)
        seen = [x]
        for name, level in zip(others, groups, strict=False):
            masked = layers.masked(x, *level.widened(units, units), len(level.names) * units)
            seen.append(layers.activated(masked, name))
        return layers.concatenate(*seen) if len(seen) > 1 else x
