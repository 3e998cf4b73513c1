"""The promises of docstrings: every public name has one, its words are plain, its examples run."""

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import autogenome_tf

ROOT = Path(autogenome_tf.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
MODULES = ["autogenome_tf"] + [
    module.name
    for module in pkgutil.walk_packages(autogenome_tf.__path__, "autogenome_tf.")
    if not module.name.endswith("__main__")
]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (ast.ClassDef, *FUNCTIONS)
# A riddle as a first word: the summary says what a thing does or is, not what it is about.
RIDDLES = {"What", "Whether", "Which", "Where", "How", "Who", "When", "Why"}
NO_VERBS = {
    "The", "A", "An", "All", "Each", "Every", "One", "It", "This", "Name", "Names", "Number",
    "Rows", "Columns", "Values", "Path", "Paths", "Positions", "Ids", "Keys", "Files", "Words",
    "Text",
}  # fmt: skip
# One name for each thing: the words of docstrings that have a field word in their place, and why.
GLOSSARY = {
    r"\bheld rows?\b": "validation rows: the field's word for rows that judge a fit",
    r"\b(tells?|told)\b": "state, explain, detect or distinguish, as the sentence means",
    r"\bchances\b(?!:)": "probabilities: the outputs of a classification",
    r"\breference model\b": "baseline: the linear model that others are compared with",
    r"\bladders?\b|\brungs?\b": "l2_path and its values",
    r"\bembeddings?\b(?! layer)": "latent space: the name in config, files and report",
    r"\bpheno(type)?s?\b": "targets: the name in the config",
}  # fmt: skip
# The docstrings of verbs are their help on the command line.
HELP = "cli"


def public(node, path=()):
    """Every public class, method and function of a syntax tree, with its dotted name."""
    for child in node.body:
        if isinstance(child, DEFINITIONS) and not child.name.startswith("_"):
            yield ".".join((*path, child.name)), child
            if isinstance(child, ast.ClassDef):
                yield from public(child, (*path, child.name))


def ids(file):
    """The path of a file inside the package."""
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples_to_run():
    finder = doctest.DocTestFinder()
    errors = importlib.import_module("autogenome_tf.core.errors")
    assert sum(len(found.examples) for found in finder.find(errors)) >= 3


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_every_public_name_has_a_docstring(file):
    assert ast.get_docstring(TREES[file])
    assert [name for name, node in public(TREES[file]) if not ast.get_docstring(node)] == []


# Words -------------------------------------------------------------------------------------


def riddles(tree):
    """The public names whose docstring does not begin as it should, and the first word."""
    for name, node in [("module", tree), *public(tree)]:
        first = re.split(r"[\s,.:]", ast.get_docstring(node) or "", maxsplit=1)[0]
        is_function = isinstance(node, FUNCTIONS)
        if first in RIDDLES or (is_function and (first in NO_VERBS or not first[:1].isalpha())):
            yield f"{name}: {first}"


def glossary(tree):
    """The words of docstrings that are other names for a thing that has one, and why."""
    for name, node in [("module", tree), *public(tree)]:
        text = ast.get_docstring(node) or ""
        for word, why in GLOSSARY.items():
            if found := re.search(word, text):
                yield f"{name}: {found[0]!r} is {why}"


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_docstrings_begin_with_a_verb_or_a_noun_phrase(file):
    assert list(riddles(TREES[file])) == []


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_one_thing_has_one_name_in_docstrings(file):
    assert list(glossary(TREES[file])) == []


def test_riddles_and_other_names_would_be_seen():
    tree = ast.parse('def f():\n    """Whether held rows are known."""')
    assert list(riddles(tree)) == ["f: Whether"]
    assert [found.split(":")[0] for found in glossary(tree)] == ["f"]
    tree = ast.parse('def f():\n    """Return whether validation rows are known."""')
    assert not list(riddles(tree)) and not list(glossary(tree))


# Arguments ---------------------------------------------------------------------------------


def exported():
    """(file, name) of what the rooms and the package hand on from their private files."""
    for file, tree in TREES.items():
        if file.name == "__init__.py":
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                    "autogenome"
                ):
                    path = ROOT.joinpath(*node.module.split(".")[1:])
                    for alias in node.names:
                        yield path.with_suffix(".py"), alias.name
                        yield path / "__init__.py", alias.name


DOORS = set(exported())
CLASSES = {
    node.name: node
    for tree in TREES.values() for node in tree.body if isinstance(node, ast.ClassDef)
}  # fmt: skip


def is_door(file, name):
    """Return whether a name can be imported by another room."""
    private = any(p.startswith("_") and p != "__init__.py" for p in file.relative_to(ROOT).parts)
    return not private or (file, name.split(".")[0]) in DOORS


def is_inherited(owner, method):
    """Return whether a base class in this package documents a method."""
    names = [getattr(base, "attr", getattr(base, "id", None)) for base in owner.bases]
    bases = [CLASSES[name] for name in names if name in CLASSES and CLASSES[name] is not owner]
    return any(
        any(isinstance(one, FUNCTIONS) and one.name == method for one in base.body)
        or is_inherited(base, method)
        for base in bases
    )


def arguments(function):
    """The names of a function's arguments but for the first of methods."""
    given = function.args
    listed = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in listed if one is not None and one.arg not in ("self", "cls")]


def unnamed(function):
    """The arguments that a docstring neither lists nor names in backticks."""
    text = ast.get_docstring(function) or ""
    return [
        name for name in arguments(function)
        if f"`{name}`" not in text
        and not re.search(rf"(?m)^\s*\**{re.escape(name)}(,|:| \()", text)
    ]  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_every_argument_is_named(file):
    """Of what other rooms and users call; an overridden method is described by its base."""
    found = {}
    owners = {
        child: node for node in ast.walk(TREES[file]) if isinstance(node, ast.ClassDef)
        for child in node.body
    }  # fmt: skip
    for name, node in public(TREES[file]):
        owner = owners.get(node)
        is_help = ids(file).startswith(HELP) and arguments(node) == ["parsed"]
        if isinstance(node, ast.ClassDef) or not is_door(file, name) or is_help:
            continue
        if unnamed(node) and not (owner and is_inherited(owner, node.name)):
            found[name] = unnamed(node)
    assert found == {}


def test_an_unnamed_argument_would_be_seen():
    (function,) = ast.parse(
        'def f(a, b, *c):\n    """Add `a`.\n\n    Args:\n        b: It.\n    """'
    ).body
    assert unnamed(function) == ["c"]
