"""Open sets: folders of the package whose files are members, known by their names."""

import ast
import contextlib
import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Contract = TypeVar("Contract")

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


def classes(folder: str, name: str, base: type[Contract]) -> list[Callable[[], Contract]]:
    """Import a member and return the classes in its file that keep a contract.

    Args:
        folder: As for `members`.
        name: One of `members`.
        base: The abstract class of the contract.

    Raises:
        TypeError: The file has no such class.
    """
    module = importlib.import_module(f"{PACKAGE}.{folder.replace('/', '.')}.{name}")
    own = [value for value in vars(module).values() if isinstance(value, type)]
    own = [value for value in own if value.__module__ == module.__name__]
    found: list[Callable[[], Contract]] = [value for value in own if issubclass(value, base)]
    if not found:
        raise TypeError(f"{module.__file__}: expected a class derived from {base.__name__}.")
    return found


def declared(folder: str) -> dict[str, dict[str, Any]]:
    """Read the attributes that members of an open set declare, without importing any.

    Configs, schema and report need them without waiting for TensorFlow.

    Args:
        folder: As for `members`. Its file ``_base.py`` has the contract's class, from which those
            of the members derive directly, and the defaults.

    Returns:
        A dict from each member's name to its class attributes that are literals.

    >>> declared("explainers")["knockout"]["tolerance"] is None
    True
    """
    (contract, defaults), *_ = _declarations(ROOT / folder / f"{BASE}.py", None).items()
    found = {}
    for name in members(folder):
        own = _declarations(_source(folder, name), contract)
        found[name] = defaults | next(iter(own.values()), {})
    return found


def _source(folder, name):
    path = ROOT / folder / name
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _declarations(path, contract):
    """Return the literal attributes of each class of a file that derives from a contract's.

    Args:
        path: Of the file.
        contract: Name of the contract's class; None for all that derive from `abc.ABC`.
    """
    found = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        bases = [ast.unparse(base) for base in getattr(node, "bases", ())]
        if any(base.rpartition(".")[2] == (contract or "ABC") for base in bases):
            found[node.name] = _literals(node.body)
    return found


def _literals(body):
    found = {}
    for line in body:
        for target in getattr(line, "targets", [getattr(line, "target", None)]):
            # What is computed is not known without importing, and an annotation has no value.
            with contextlib.suppress(ValueError, AttributeError):
                found[target.id] = ast.literal_eval(line.value)
    return found
