"""The doors of rooms: what other rooms may use, and what of it lacks an annotation of its type."""

import ast
from pathlib import Path

from house import FILES, PACKAGE, room

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def doors(files=FILES):
    """Find the functions and classes that other rooms may use.

    These are the public ones of public modules, and what a room's ``__init__.py`` imports of its
    other files.

    Args:
        files: A dict from paths relative to the package to source texts.

    Returns:
        A dict from (file, name) to the definition as a node of `ast`.
    """
    defined = {file: _definitions(text) for file, text in files.items()}
    found = {}
    for file, text in files.items():
        if any(part.startswith("_") and part != "__init__.py" for part in file.parts):
            continue
        own = {name: (file, name) for name in defined[file] if not name.startswith("_")}
        for place in (own | _handed_on(file, text)).values():
            if place[1] in defined.get(place[0], ()):
                found[place] = defined[place[0]][place[1]]
    return found


def unannotated(files=FILES):
    """Return texts that name file, definition and what of it lacks an annotation."""
    return sorted(
        f"{file}: {name}{rest}"
        for (file, name), node in doors(files).items()
        for rest in _lacking(node)
    )


def _definitions(text):
    body = ast.parse(text).body
    return {node.name: node for node in body if isinstance(node, Definition)}


def _handed_on(file, text):
    """Return the names that an ``__init__.py`` imports from its own room: name to (file, name)."""
    found = {}
    if file.name != "__init__.py":
        return found
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            path = Path(*node.module.split(".")[1:])
            inside = path / "__init__.py"
            source = inside if inside in FILES else path.with_suffix(".py")
            if room(source) == room(file):
                found |= {alias.name: (source, alias.name) for alias in node.names}
    shown = _all(text)
    return {name: place for name, place in found.items() if name in shown}


def _all(text):
    """Return the texts in ``__all__`` of a source, which may add further ones that are computed."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and "__all__" in map(ast.unparse, node.targets):
            return {part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    return set()


def _lacking(node):
    """Yield what a definition lacks, as the end of a dotted name."""
    if isinstance(node, ast.ClassDef):
        for part in node.body:
            if isinstance(part, Definition) and _is_public(part.name):
                yield from (f".{part.name}{rest}" for rest in _lacking(part))
        return
    given = node.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    for argument in filter(None, arguments):
        ignored = argument.arg in ("self", "cls") or argument.arg.startswith("_")
        if argument.annotation is None and not ignored:
            yield f"({argument.arg})"
    if node.returns is None and node.name != "__init__":
        yield " -> ?"


def _is_public(name):
    return not name.startswith("_") or name in ("__init__", "__call__", "__iter__", "__enter__")


if __name__ == "__main__":
    print("\n".join(unannotated()))
