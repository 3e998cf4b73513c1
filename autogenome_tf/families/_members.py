"""The families that there are, by name."""

from typing import Any

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.core.open_sets import classes, members
from autogenome_tf.families._base import Family
from autogenome_tf.tasks import kind_of

FOLDER = "families"
# The family that every search of targets is compared with.
BASELINE = "linear"


def names(task_type: str | None = None, loss: str | None = None) -> tuple[str, ...]:
    """List the families, sorted: all, or those for a type of task.

    Args:
        task_type: `task.type`; None for all families.
        loss: `task.loss`; None for the default of the type.
    """
    listed = members(FOLDER)
    return tuple(name for name in listed if task_type is None or is_for(name, task_type, loss))


def member(name: str, place: str = FOLDER) -> type[Family]:
    """Return the class of a family.

    Args:
        name: One of `names`.
        place: The config's section that named it, for errors.

    Raises:
        InputError: There is none of this name; the message names the nearest.
        InputError: The file has no subclass of `Family`, or several.
    """
    if name not in names():
        raise unknown(place, name, names())
    found: list[Any] = classes(FOLDER, name, Family)
    if len(found) > 1:
        listed = ", ".join(one.__name__ for one in found)
        raise InputError(f"{name}.py: expected one class derived from Family; found {listed}.")
    return found[0]


def is_for(name: str, task_type: str, loss: str | None = None) -> bool:
    """Return whether a family is for tasks of a type.

    Args:
        name: Name of a family.
        task_type: `task.type`.
        loss: `task.loss`; None for the default of the type.
    """
    return member(name).fits(kind_of(task_type).for_loss(loss))


def has_levels(name: str) -> bool:
    """Return whether units of a family stand for sets that can be explained.

    Args:
        name: Name of a family.
    """
    return bool(member(name).level_names)


def is_asked(name: str, values: dict[str, Any], asked: dict[str, dict[str, Any]]) -> bool:
    """Return whether a trial is among those that a config asks for; a baseline need not be.

    Args:
        name: Family of the trial.
        values: Its hyperparameters.
        asked: The config's section `families`.
    """
    losses = asked.get(name, {}).get("loss")
    if name not in asked or losses is None or "loss" not in values:
        return name in asked
    return values["loss"] in ([losses] if isinstance(losses, str) else losses)


def is_of_genes(name: str, values: dict[str, Any]) -> bool:
    """Return whether networks of a trial see genes themselves, not coordinates in row space.

    Args:
        name: Name of a family.
        values: Hyperparameters of a trial.
    """
    return member(name).is_of_genes(values)


def is_of_trees(name: str) -> bool:
    """Return whether a family is of decision trees, not of networks.

    Args:
        name: Name of a family.
    """
    return member(name).is_of_trees
