"""What the docstrings promise: every public name has one, and every example runs."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import autogenome_tf

ROOT = Path(autogenome_tf.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MODULES = ["autogenome_tf"] + [
    module.name
    for module in pkgutil.walk_packages(autogenome_tf.__path__, "autogenome_tf.")
    if not module.name.endswith("__main__")
]
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def public(node, path=()):
    """Every public class, method and function of a syntax tree, with its dotted name."""
    for child in node.body:
        if isinstance(child, DEFINITIONS) and not child.name.startswith("_"):
            yield ".".join((*path, child.name)), child
            if isinstance(child, ast.ClassDef):
                yield from public(child, (*path, child.name))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples_to_run():
    finder = doctest.DocTestFinder()
    errors = importlib.import_module("autogenome_tf.core.errors")
    assert sum(len(found.examples) for found in finder.find(errors)) >= 3


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_public_name_has_a_docstring(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert [name for name, node in public(tree) if not ast.get_docstring(node)] == []
