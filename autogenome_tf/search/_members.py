"""The search methods that there are."""

from __future__ import annotations

from autogenome_tf.core.errors import unknown
from autogenome_tf.core.open_sets import classes, declared, members
from autogenome_tf.search.methods._base import SearchMethod

FOLDER = "search/methods"


def method(name: str, place: str = "search.method") -> type[SearchMethod]:
    """Return the class of a search method by its name.

    Args:
        name: That of its file.
        place: The config key that named it, for errors.

    Raises:
        InputError: There is none of this name; the message names the nearest.
    """
    if name not in members(FOLDER):
        raise unknown(place, name, members(FOLDER))
    (found, *_) = classes(FOLDER, name, SearchMethod)
    return found


def distributable() -> list[str]:
    """List the names of the methods that a chief and workers can share."""
    return [name for name, own in declared(FOLDER).items() if own["is_distributable"]]
