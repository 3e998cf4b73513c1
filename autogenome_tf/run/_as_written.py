"""Files of a run that are not as a run writes them: refused by name, place and what to do."""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.run import artifacts
from autogenome_tf.run.artifacts import EACH, NUMBER, STAGES, Artifact

# Names of types in messages.
TITLES = {
    dict: "an object", list: "a list", str: "text", int: "a whole number",
    NUMBER: "a number or null",
}  # fmt: skip
# Of a value in messages.
MOST_LETTERS = 60


def changed(path: Path, name: str, reason: str) -> InputError:
    """Return the error of a file that is not as a run writes it.

    Args:
        path: Path of the file.
        name: Its name in the run folder.
        reason: What is wrong with it.
    """
    return InputError(f"{path}: not as a run writes it: {reason}. {way_out(name)}")


def way_out(name: str) -> str:
    """Return what to do where a file of a run is gone or damaged.

    Args:
        name: Its name in the run folder.
    """
    stage = artifacts.stage_of(name)
    if stage in STAGES and stage != "train":
        return f"Run the {stage} stage again, which writes it."
    # A run that is trained is not trained again.
    return "Put a copy of it back, or move this folder away and run its config again."


def check_table(path: Path, name: str, frame: pd.DataFrame, needed: Iterable[str] = ()) -> None:
    """Refuse a table that lacks a column, or has text in place of a number.

    Args:
        path: Path of the file.
        name: Its name in the run folder.
        frame: What was read of it.
        needed: Further columns that must be there.

    Raises:
        InputError: Naming the file, the column and the line.
    """
    own = artifacts.artifact_of(name) or Artifact(name, artifacts.ALWAYS, "")
    missing = [column for column in (*own.columns, *needed) if column not in frame]
    if missing:
        raise changed(path, name, f"missing columns: {some(missing)}")
    for columns, expected, is_wrong in (
        (own.whole, "a whole number", _is_broken),
        (own.numbers, "a number", _is_text),
        (own.objects, "a JSON object", functools.partial(_is_other_json, dict)),
        (own.lists, "a JSON list", functools.partial(_is_other_json, list)),
    ):
        for column in frame.columns.intersection(columns):
            wrong = is_wrong(frame[column])
            if wrong.any():
                place = int(wrong.to_numpy().argmax())
                cell = frame[column].iloc[place]
                value = "nothing" if pd.isna(cell) else _shown(cell)
                where = f"line {place + 2}, column {column!r}"
                raise changed(path, name, f"{where}: received {value}; expected {expected}")


def _is_text(column):
    return pd.to_numeric(column, errors="coerce").isna() & column.notna()


def _is_broken(column):
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers.isna() | (numbers % 1 != 0)


def _is_other_json(kind, column):
    return ~column.map(lambda text: _is_json_of(kind, text)).astype(bool)


def _is_json_of(kind, text):
    try:
        return isinstance(json.loads(text), kind)
    except (TypeError, ValueError):
        return False


def check_arrays(path: Path, name: str, arrays: Iterable[str], needed: Iterable[str] = ()) -> None:
    """Refuse an archive that lacks an array.

    Args:
        path: Path of the file.
        name: Its name in the run folder.
        arrays: Names of its arrays.
        needed: Further arrays that must be there.

    Raises:
        InputError: Naming the file and the arrays.
    """
    own = artifacts.artifact_of(name)
    missing = sorted({*(own.arrays if own else ()), *needed}.difference(arrays))
    if missing:
        raise changed(path, name, f"missing arrays: {some(missing)}")


def check_json(path: Path, name: str, value: Any) -> None:
    """Refuse a JSON file that is not of the form that the table of artifacts gives.

    A form is a type, or several; a list of one form for all its items; or a dict of forms by key,
    of which `EACH` stands for any key. Further keys may be there.

    Args:
        path: Path of the file.
        name: Its name in the run folder.
        value: What was read of it.

    Raises:
        InputError: Naming the file and the key.
    """
    own = artifacts.artifact_of(name)
    for reason in _differences(value, own.form if own else None, ""):
        raise changed(path, name, reason)


def _differences(value, form, where):
    """Yield what differs from a form; `where` is the path of keys."""
    if form is None:
        return
    kind = type(form) if isinstance(form, dict | list) else form
    if not isinstance(value, kind) or isinstance(value, bool):
        yield f"{f'{where}: ' if where else ''}received {_shown(value)}; expected {TITLES[kind]}"
        return
    inner: dict[str, tuple[Any, Any]] = {}
    if isinstance(form, list):
        inner = {f"item {place}": (one, form[0]) for place, one in enumerate(value, 1)}
    elif isinstance(form, dict):
        before = f"{where}." if where else ""
        asked = dict.fromkeys(value, form[EACH]) if EACH in form else form
        yield from (f"{before}{key}: missing" for key in asked if key not in value)
        inner = {f"{before}{key}": (value[key], own) for key, own in asked.items() if key in value}
    for place, (one, own) in inner.items():
        yield from _differences(one, own, place)


def _shown(value):
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
