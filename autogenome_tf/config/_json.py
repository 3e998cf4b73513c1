"""Configs as JSON and nested dicts: read from a file, overridden key by key, merged."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import json5

from autogenome_tf.config._messages import json_problem
from autogenome_tf.core.errors import InputError

# Characters in which a mistake is looked for.
MOST_TEXT = 2 << 20


def merged(first: Mapping[str, Any], second: Mapping[str, Any] | None) -> dict[str, Any]:
    """Merge nested dicts of keys; the second's values win, families are replaced.

    Args:
        first: Nested dict of keys.
        second: Nested dict of keys; takes precedence.

    Raises:
        InputError: Where the second is no dict.
    """
    if not isinstance(second or {}, dict):
        raise InputError(f"config: expected a dict of keys as in a config; received {second!r}.")
    both = dict(first)
    for key, value in (second or {}).items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if nested and key != "families" else value
    return both


def read_json(path: str | Path) -> Any:
    """Read JSON that may hold comments and trailing commas.

    Args:
        path: Path of the file.

    Raises:
        InputError: Naming the file, and the line and column where reading stopped.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: a folder; expected a config file.")
    if not path.is_file():
        raise InputError(f"{path}: no such config file.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from None
    # Plain JSON, as runs write it, is read a hundred times as fast.
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text, object_pairs_hook=_unambiguous)
    if len(text) > MOST_TEXT:
        raise InputError(
            f"{path}: not valid JSON, and {len(text) >> 20} MiB long; expected a config, which "
            "names a matrix by data.features."
        )
    try:
        return json5.loads(text, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {json_problem(text, error)}") from None


def _unambiguous(pairs):
    """Return a dict of pairs; a repeated key must have the same value."""
    found = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise ValueError(f"{key!r} comes twice, as {found[key]!r} and as {value!r}")
        found[key] = value
    return found


def put(given: dict[str, Any], override: str) -> None:
    """Put one ``key.path=value`` into nested dicts."""
    path, equals, text = override.partition("=")
    if not equals or not all(path.split(".")):
        raise InputError(f"--set {override}: expected key.path=value.")
    try:
        value = json5.loads(text)
    except ValueError:
        value = text
    *parents, last = path.split(".")
    for parent in parents:
        given = given.setdefault(parent, {})
        if not isinstance(given, dict):
            raise InputError(f"--set {override}: {parent!r} holds a value, not a section.")
    given[last] = value
