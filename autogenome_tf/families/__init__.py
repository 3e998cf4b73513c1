"""Families: search spaces and the networks that they stand for, an open set.

A file of this folder that holds a subclass of `Family` is a member. What it needs is imported from
here: `Family`, the kinds of hyperparameters (`integer`, `number`, `word`, `sizes`, `switch`,
`files`, `limit`) and `COMMON`, those that all networks have.
`families.MLP`, `families.ResNet` ... are the members as KerasTuner HyperModels.
"""

import functools
import importlib
import inspect

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.core.open_sets import members
from autogenome_tf.families._family import AutoencoderFamily, Family
from autogenome_tf.families._space import (
    ACTIVATIONS,
    COMMON,
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
from autogenome_tf.tasks import kind_of

__all__ = [
    "ACTIVATIONS", "AutoencoderFamily", "BASELINE", "COMMON", "Family", "Hyperparameter", "RATES",
    "files", "has_levels", "hypermodel", "integer", "is_for", "is_of_genes", "limit", "member",
    "names", "number", "settings", "sizes", "space", "spaces", "switch", "word",
]  # fmt: skip

# The family that every search of targets is compared with.
BASELINE = "linear"


def names(task_type: str | None = None) -> tuple[str, ...]:
    """List the members, all or those for tasks of a type, sorted."""
    listed = members("families")
    return tuple(name for name in listed if task_type is None or is_for(name, task_type))


def member(name: str, place: str = "families") -> type[Family]:
    """Return the class of a family by the name of its file.

    Raises:
        InputError: For an unknown name, with the nearest known one.
    """
    if name not in names():
        raise unknown(place, name, names())
    module = importlib.import_module(f"{__name__}.{name}")
    found = [
        one
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Family) and one.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise InputError(f"{module.__file__}: expected one subclass of Family; found {len(found)}.")
    return found[0]


def is_for(name: str, task_type: str) -> bool:
    """Return whether a family is for tasks of a type."""
    return member(name).predicts_targets == kind_of(task_type).has_targets


def space(name, given=None, place="families"):
    """The search space of a family after a config has narrowed it.

    Args:
        name: The family.
        given: Hyperparameter name to a list (narrows) or a scalar (fixes).
        place: Where `given` stands, for errors.

    Returns:
        Dict of name to `Hyperparameter`; optional ones only where given.

    Raises:
        InputError: For an unknown hyperparameter or a value that is not allowed.
    """
    given = given or {}
    declared = member(name, place).opened(given, f"{place}.{name}")
    for key in given:
        if key not in declared:
            raise unknown(f"{place}.{name}", key, declared)
    return {
        key: hyper.narrow(f"{place}.{name}.{key}", given[key]) if key in given else hyper
        for key, hyper in declared.items()
        if not hyper.setting and (key in given or not hyper.optional)
    }


def settings(name, given=None, place="families"):
    """What all trials of a family share, such as files of gene sets.

    Args:
        name: The family.
        given: As for `space`.
        place: Where `given` stands, for errors.

    Returns:
        Dict of name to a tuple of values.

    Raises:
        InputError: For a value that is not allowed, or where one is needed and none given.
    """
    found, given = {}, given or {}
    for key, hyper in member(name, place).space.items():
        if not hyper.setting:
            continue
        where = f"{place}.{name}.{key}"
        found[key] = hyper.narrow(where, given[key]).options if key in given else hyper.options
        if not found[key] and not hyper.optional:
            raise InputError(f"{where}: expected {hyper.expected}; none is given.")
    return found


def has_levels(name):
    """Whether units of a family stand for sets that can be explained."""
    return bool(member(name).level_names)


def is_of_genes(name, values):
    """Whether networks of a trial see genes themselves, never other coordinates of them."""
    return member(name).sees_genes or bool(values.get("gates"))


def spaces(config, place="families"):
    """The search space of each family a `Config` names, with dimensions that all families share.

    Several transforms are one, and strengths of epistatic regularisation are another.

    Args:
        config: The `Config`.
        place: What to call its section families in an error.

    Raises:
        InputError: For an unknown family, hyperparameter or value.
    """
    found = {}
    for name, given in config.families.items():
        is_convex = member(name, place).is_convex
        kind = config.task.type
        if not is_for(name, kind):
            fitting = ", ".join(names(kind))
            raise InputError(f"{place}: {name} is not for task.type {kind}; expected {fitting}.")
        if config.training.l2 is not None and not is_convex:
            given = {"l2": config.training.l2} | given
        found[name] = space(name, given, place)
        settings(name, given, place)
        bounds = found[name].get("output_nonlinearity")
        if config.task.kind.has_units and bounds and bounds.options != ("none",):
            raise InputError(
                f"{place}.{name}.output_nonlinearity: a regression's targets are standardised, and "
                f"have no bounds; expected none; received {list(bounds.options)}."
            )
        if len(config.data.transforms) > 1:
            found[name]["transform"] = word(*config.data.transforms, known=config.data.transforms)
        if config.training.epistasis and not is_convex:
            found[name]["epistasis"] = number(
                *config.training.epistasis.strengths, high=float("inf")
            )
    return found


def hypermodel(name: str):
    """Return the KerasTuner HyperModel class of a family; importing Keras happens here."""
    return _model_of(member(name))


@functools.cache
def _model_of(family):
    from autogenome_tf.families._hypermodel import AutoencoderModel, NetworkModel

    base = NetworkModel if family.predicts_targets else AutoencoderModel
    return type(family.__name__, (base,), {"member": family, "__doc__": family.__doc__})


def __getattr__(attribute: str):
    if attribute[:1].isupper():
        for name in names():
            if member(name).__name__ == attribute:
                return hypermodel(name)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
