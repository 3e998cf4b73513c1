"""Open sets: folders of the package whose files are members, known by their names."""

import pkgutil
from pathlib import Path

ROOT = Path(__file__).parents[1]


def members(folder: str) -> tuple[str, ...]:
    """List the members of an open set without importing any.

    Args:
        folder: Its place in the package, such as ``"search/methods"``.

    Returns:
        The names of the files and folders in it that begin with a letter, sorted. The folder is
        read anew at each call, so that a file dropped in is a member at once.

    >>> "random" in members("search/methods")
    True
    """
    found = (module.name for module in pkgutil.iter_modules([str(ROOT / folder)]))
    return tuple(sorted(name for name in found if not name.startswith("_")))
