"""Starting points: configurations that a search tries before its method chooses."""

import json
from pathlib import Path
from typing import Any

from autogenome_tf.families import Hyperparameter, Space

Start = tuple[str, dict[str, Any]]

# Made by tests/benchmarks/portfolio.py: a list of family and hyperparameters for each task.
PORTFOLIO = Path(__file__).parent / "portfolio.json"


def starting_points(spaces: dict[str, Space], start: str, task: str) -> list[Start]:
    """Return the configurations that a search begins with.

    Those of the portfolio come first, then the default of each family that it has none of.

    Args:
        spaces: Family name to its search space, as the config narrows it.
        start: The config's `search.start`, "portfolio" or "defaults".
        task: The config's `task.type`.

    Returns:
        Family and values of each, no two alike.
    """
    found = portfolio(spaces, start, task)
    known = {family for family, _ in found}
    return found + [(name, _within(spaces[name], {})) for name in spaces if name not in known]


def begun_with(spaces: dict[str, Space], start: str, task: str, first: Start | None) -> list[Start]:
    """Return the starting points of a search whose first trial may be on record.

    Searches of earlier versions began with defaults, or at random.

    Args:
        spaces: As for `starting_points`.
        start: The config's `search.start`.
        task: The config's `task.type`.
        first: Family and values of the first trial of an interrupted run; None of one that begins.
    """
    for asked in (start, "defaults"):
        found = starting_points(spaces, asked, task)
        if first is None or [_key(point) for point in found[:1]] == [_key(first)]:
            return found
    return []


def portfolio(spaces: dict[str, Space], start: str, task: str) -> list[Start]:
    """Return the portfolio's configurations of some families, each within its space.

    A number that the space lacks becomes the nearest of its options; a configuration with another
    value that it lacks is left out. What the portfolio does not name takes its first option.

    Args:
        spaces: Family name to its search space.
        start: As for `starting_points`; without "portfolio" there are none.
        task: The config's `task.type`; one without a list takes that of classification.

    Returns:
        Family and values of each, no two alike.
    """
    if start != "portfolio":
        return []
    lists = json.loads(PORTFOLIO.read_text(encoding="utf-8"))
    found = [
        (family, _within(spaces[family], values))
        for family, values in lists.get(task, lists["classification"])
        if family in spaces and _fits(spaces[family], values)
    ]
    return list({_key(point): point for point in found}.values())


def _key(point: Start) -> str:
    return json.dumps(point, sort_keys=True)


def _fits(space: Space, values: dict[str, Any]) -> bool:
    named = [(space[name], value) for name, value in values.items() if name in space]
    return all(hyper.is_numeric or value in hyper.options for hyper, value in named)


def _within(space: Space, values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _nearest(hyper, values[name]) if name in values else hyper.options[0]
        for name, hyper in space.items()
    }


def _nearest(hyper: Hyperparameter, value: Any) -> Any:
    if value in hyper.options:
        return value
    return min(hyper.options, key=lambda option: abs(option - value))
