"""The open room of network families: a module with `SPACE` and `body` is a member.

`SPACE` maps hyperparameter names to `Hyperparameter`s (where some hang on others, a function
`opened(given, place)` returns the whole map); `body(x, values, blocks)` turns the
preprocessed genes into the last hidden layer, using `blocks` (see `layers.LayerFactory`) for its layers.
Where units stand for something, `levels(settings, features)` tells for what; `OF_GENES` keeps
inputs from being rotated.
`families.MLP`, `families.ResNet` ... are the members as KerasTuner HyperModels.
"""

import functools
import importlib
import pkgutil

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.families._space import RATES, number, word

__all__ = [
    "RATES", "has_levels", "hypermodel", "is_for", "is_of_genes", "member", "names", "settings",
    "space", "spaces",
]  # fmt: skip

_CLASS_NAMES = {
    "mlp": "MLP", "resnet": "ResNet", "densenet": "DenseNet", "linear": "Linear",
    "resvae": "ResVAE",
}  # fmt: skip


@functools.cache
def names(task_type=None):
    """List the members, all or those for tasks of a type, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    listed = sorted(name for name in found if not name.startswith("_"))
    return tuple(name for name in listed if task_type is None or is_for(name, task_type))


def member(name, place="families"):
    """Import one member by name.

    Raises:
        InputError: For an unknown name, with the nearest known one.
    """
    if name not in names():
        raise unknown(place, name, names())
    return importlib.import_module(f"{__name__}.{name}")


def is_for(name, task_type):
    """Whether a member is for tasks of a type: one names its `TASK`, all others have targets."""
    return (getattr(member(name), "TASK", None) == "representation") == (
        task_type == "representation"
    )


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
    module, given = member(name, place), given or {}
    opened = getattr(module, "opened", None)
    declared = opened(given, f"{place}.{name}") if opened else module.SPACE
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
    for key, hyper in member(name, place).SPACE.items():
        if not hyper.setting:
            continue
        where = f"{place}.{name}.{key}"
        found[key] = hyper.narrow(where, given[key]).options if key in given else hyper.options
        if not found[key] and not hyper.optional:
            raise InputError(f"{where}: expected {hyper.expected}; none is given.")
    return found


def has_levels(name):
    """Whether units of a family stand for sets that can be explained."""
    return hasattr(member(name), "LEVELS")


def is_of_genes(name, values):
    """Whether networks of a trial see genes themselves, never other coordinates of them."""
    return getattr(member(name), "OF_GENES", False) or bool(values.get("gates"))


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
        is_convex = getattr(member(name, place), "CONVEX", False)
        kind = config.task.type
        if not is_for(name, kind):
            fitting = ", ".join(names(kind))
            raise InputError(f"{place}: {name} is not for task.type {kind}; expected {fitting}.")
        if config.training.l2 is not None and not is_convex:
            given = {"l2": config.training.l2} | given
        found[name] = space(name, given, place)
        settings(name, given, place)
        bounds = found[name].get("output_nonlinearity")
        if kind == "regression" and bounds and bounds.options != ("none",):
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


@functools.cache
def hypermodel(name):
    """The KerasTuner HyperModel class of a family; importing Keras happens here."""
    from autogenome_tf.families._base import Autoencoder, Family

    module = member(name)
    class_name = _CLASS_NAMES.get(name, name.title().replace("_", ""))
    base = Autoencoder if is_for(name, "representation") else Family
    return type(class_name, (base,), {"member": module, "__doc__": module.__doc__})


def __getattr__(attribute):
    by_class = {_CLASS_NAMES.get(name, name.title().replace("_", "")): name for name in names()}
    if attribute in by_class:
        return hypermodel(by_class[attribute])
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
