"""Families: search spaces and the networks that they stand for, an open set.

A file of this folder that holds a subclass of `Family` is a member. What it needs is imported from
here: `Family`, the kinds of hyperparameters (`integer`, `number`, `word`, `sizes`, `switch`,
`files`, `limit`), `COMMON`, those that all networks have, and for gene sets `read_membership`.
`families.MLP`, `families.ResNet` ... are the members as KerasTuner HyperModels.
"""

import functools
from typing import Any

from autogenome_tf.families._base import AutoencoderFamily, Family, Space, TreeFamily
from autogenome_tf.families._gene_sets import Membership, read_membership
from autogenome_tf.families._members import (
    BASELINE,
    has_levels,
    is_asked,
    is_of_genes,
    is_of_trees,
    member,
    names,
)
from autogenome_tf.families._space import (
    ACTIVATIONS,
    COMMON,
    GENE_POWER,
    LINEAR_START,
    RATES,
    Hyperparameter,
    files,
    integer,
    limit,
    number,
    sizes,
    switch,
    word,
)
from autogenome_tf.families._spaces import as_begun, settings, space, spaces

__all__ = [
    "ACTIVATIONS", "AutoencoderFamily", "BASELINE", "COMMON", "Family", "GENE_POWER",
    "Hyperparameter", "LINEAR_START", "Membership", "RATES", "Space", "TreeFamily", "as_begun",
    "files", "has_levels", "hypermodel", "integer", "is_asked", "is_of_genes",
    "is_of_trees", "limit", "member", "names", "number", "read_membership", "settings", "sizes",
    "space", "spaces", "switch", "word",
]  # fmt: skip


def hypermodel(name: str) -> type:
    """Return the KerasTuner HyperModel class of a family; this imports Keras.

    Args:
        name: One of `names`.

    Raises:
        InputError: There is none of this name; the message names the nearest.
    """
    return _hypermodel_of(member(name))


@functools.cache
def _hypermodel_of(family):
    from autogenome_tf.families._hypermodel import hypermodel_class

    return hypermodel_class(family)


def __getattr__(attribute: str) -> Any:
    if attribute[:1].isupper():
        for name in names():
            if member(name).__name__ == attribute:
                return hypermodel(name)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
