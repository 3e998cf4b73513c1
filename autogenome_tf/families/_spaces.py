"""Search spaces of families as a config narrows them."""

from collections.abc import Iterable
from typing import Any

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.families._base import Space
from autogenome_tf.families._members import FOLDER, is_for, member, names
from autogenome_tf.families._space import number, word

# Dimensions that searches of earlier versions did not have.
LATER = ("gene_power", "width_1", "linear_bypass", "label_smoothing")


def space(
    name: str, given: dict[str, Any] | None = None, place: str = FOLDER, task: Any = None
) -> Space:
    """Return the search space of a family after a config has narrowed it.

    Args:
        name: The family.
        given: Hyperparameter name to a list (narrows) or a scalar (fixes); None for nothing.
        place: Place of `given`, for errors.
        task: A task or its class, for the part of the space that it can use; None for all.

    Returns:
        Dict of name to `Hyperparameter`; optional ones only if given.

    Raises:
        InputError: For an unknown hyperparameter or a value that is not allowed.
    """
    given = given or {}
    family = member(name, place)
    declared = family.opened(given, f"{place}.{name}")
    if task is not None:
        declared = family.for_task(declared, task)
    for key in given:
        if key not in declared:
            raise unknown(f"{place}.{name}", key, declared)
    return {
        key: hyper.narrow(f"{place}.{name}.{key}", given[key]) if key in given else hyper
        for key, hyper in declared.items()
        if not hyper.setting and (key in given or not hyper.optional)
    }


def settings(
    name: str, given: dict[str, Any] | None = None, place: str = FOLDER
) -> dict[str, tuple]:
    """Return the values that all trials of a family share, such as files of gene sets.

    Args:
        name: The family.
        given: As for `space`.
        place: Place of `given`, for errors.

    Returns:
        Dict of name to a tuple of values.

    Raises:
        InputError: For a value that is not allowed, or one that is needed and not given.
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


def spaces(config: Any, place: str = FOLDER) -> dict[str, Space]:
    """Return the search space of each family a config names, with dimensions that all share.

    These are the transform, if the config names several, and the strength of epistatic
    regularisation.

    Args:
        config: The `Config`.
        place: Place of its section families, for errors.

    Raises:
        InputError: For an unknown family, hyperparameter or value.
    """
    return {name: _space_in(config, name, place) for name in config.families}


def as_begun(
    asked: dict[str, Space], known: Iterable[tuple[str, dict[str, Any]]]
) -> dict[str, Space]:
    """Return the spaces that an interrupted search had: without what none of its trials has.

    Args:
        asked: As `spaces` returns them.
        known: Family and hyperparameters of each trial of that search; none for one that begins.
    """
    known = list(known)
    missing = set()
    for name in LATER:
        # The baseline says nothing about a dimension that only networks have.
        judged = [values for family, values in known if name in member(family).space]
        if judged and not any(name in values for values in judged):
            missing.add(name)
    return {
        name: {key: hyper for key, hyper in own.items() if key not in missing}
        for name, own in asked.items()
    }


def _space_in(config, name, place):
    family, given, task = member(name, place), config.families[name], config.task
    if not is_for(name, task.type, task.loss):
        fitting = ", ".join(names(task.type, task.loss))
        loss = f" with task.loss {task.loss}" if is_for(name, task.type) else ""
        way_out = f", or task.loss {task.kind.losses[0]}" if loss else ""
        raise InputError(
            f"{place}: {name} is not for task.type {task.type}{loss}; expected {fitting}{way_out}."
        )
    if config.training.l2 is not None and not family.is_convex and "l2" in family.space:
        given = {"l2": config.training.l2} | given
    if config.training.epistasis and "gene_power" in family.space:
        # Sites that act together alone have no association of their own with the targets.
        given = {"gene_power": 0.0} | given
    found = space(name, given, place, config.task.kind)
    settings(name, given, place)
    _check_bounds(found, config.task.kind, f"{place}.{name}.output_nonlinearity")
    return found | _shared(config, family)


def _check_bounds(found, kind, place):
    """Refuse bounds of standardised targets."""
    bounds = found.get("output_nonlinearity")
    has_numbers = kind.has_units or kind.is_of_several
    if has_numbers and bounds and bounds.options != ("none",):
        raise InputError(
            f"{place}: targets that are numbers are standardised and have no bounds; expected "
            f"none; received {list(bounds.options)}."
        )


def _shared(config, family):
    """Return the dimensions that the config's other sections add to a family's space."""
    found, transforms = {}, config.data.transforms
    if len(transforms) > 1:
        found["transform"] = word(*transforms, known=transforms)
    if config.training.epistasis and not (family.is_convex or family.is_of_trees):
        found["epistasis"] = number(*config.training.epistasis.strengths, high=float("inf"))
    return found
