"""The search methods that there are."""

from __future__ import annotations

from autogenome_tf.core import open_sets
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
    return open_sets.member(FOLDER, name, SearchMethod, place)


def distributable() -> list[str]:
    """List the names of the methods that a chief and workers can share."""
    return [name for name, own in open_sets.declared(FOLDER).items() if own["is_distributable"]]
