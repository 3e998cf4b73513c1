"""Open sets: folders of the package whose files are members, known by their names."""

import ast
import contextlib
import functools
import importlib
import pkgutil
from pathlib import Path
from typing import Any

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.core.files import version

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT.name
# The file of a folder that states the contract of its members, and the defaults of its attributes.
BASE = "_base"


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


def classes(folder: str, name: str, base: type) -> list[Any]:
    """Import a member and return the classes in its file that keep a contract.

    Args:
        folder: As for `members`.
        name: One of `members`.
        base: The abstract class of the contract.

    Raises:
        InputError: The file has no such class.
    """
    module = importlib.import_module(f"{PACKAGE}.{folder.replace('/', '.')}.{name}")
    own = [value for value in vars(module).values() if isinstance(value, type)]
    own = [value for value in own if value.__module__ == module.__name__]
    found = [value for value in own if issubclass(value, base)]
    if not found:
        raise InputError(f"{module.__file__}: expected a class derived from {base.__name__}.")
    return found


def member(folder: str, name: str, base: type, place: str) -> Any:
    """Return the class of a member, the first in its file that keeps the contract.

    Args:
        folder: As for `members`.
        name: One of `members`.
        base: The abstract class of the contract.
        place: The config key that named it, for errors.

    Raises:
        InputError: There is none of this name, the message names the nearest; or its file has no
            such class.
    """
    if name not in members(folder):
        raise unknown(place, name, members(folder))
    return classes(folder, name, base)[0]


def declared(folder: str) -> dict[str, dict[str, Any]]:
    """Read the attributes that members of an open set declare, without importing any.

    Configs, schema and report need them without waiting for TensorFlow.

    Args:
        folder: As for `members`. Its file ``_base.py`` has the contract: an abstract class, and
            further ones derived from it, from one of which the class of a member derives.

    Returns:
        A dict from each member's name to the class attributes that are literals, inherited ones
        among them; those of the contract where a file has no such class.

    >>> declared("explainers")["knockout"]["tolerance"] is None
    True
    >>> declared("search/methods")["random"]["is_distributable"]
    True
    """
    contract = _declarations(ROOT / folder / f"{BASE}.py", {"ABC": {}})
    defaults, *_ = contract.values()
    return {
        name: next(iter(_declarations(_source(folder, name), contract).values()), defaults)
        for name in members(folder)
    }


def _source(folder, name):
    path = ROOT / folder / name
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _declarations(path, known):
    """Return the literal attributes of each class of a file that derives from a known one.

    Args:
        path: Of the file.
        known: Name of a class to its attributes, which those that derive from it inherit.
    """
    found = {}
    for name, bases, own in _written(path, version(path)):
        for base in bases:
            above = (known | found).get(base)
            if above is not None:
                found[name] = above | own
    return found


@functools.lru_cache(512)
def _written(path, _version):
    """Return name, names of bases, and literal attributes of each class in a file."""
    nodes = ast.parse(path.read_text("utf-8")).body
    return [
        (node.name, [ast.unparse(base).rpartition(".")[2] for base in node.bases], _literals(node))
        for node in nodes
        if isinstance(node, ast.ClassDef)
    ]


def _literals(node):
    found = {}
    for line in node.body:
        for target in getattr(line, "targets", [getattr(line, "target", None)]):
            # What is computed is not known without importing, and an annotation has no value.
            with contextlib.suppress(ValueError, AttributeError):
                found[target.id] = ast.literal_eval(line.value)
    return found
