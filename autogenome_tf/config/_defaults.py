"""Defaults of a config that depend on its other keys."""

from typing import Any

from autogenome_tf.tasks import DEFAULT, KINDS, Kind

# Forests are searched by default where they are quick: hundreds of trees take longer than a network
# on many values.
SETTINGS = {"forest": {"most_values": 5_000_000}}


def default_families(kind: Kind = DEFAULT) -> dict[str, dict[str, Any]]:
    """Return the section `families` of a config that has none.

    Args:
        kind: Kind of its task.
    """
    return {name: dict(SETTINGS.get(name, {})) for name in kind.families}


def with_dependent_defaults(given: Any) -> Any:
    """Return a config's keys with families and scale of the task, and weights of a balanced score.

    Args:
        given: Dict of the keys that are named; anything else is returned as it is.
    """
    if not isinstance(given, dict):
        return given
    task = given.get("task", {})
    kind = _kind(task.get("type", DEFAULT.type) if isinstance(task, dict) else task)
    own = {}
    if kind.families != DEFAULT.families and "families" not in given:
        own["families"] = default_families(kind)
    data = given.get("data", {})
    if not kind.has_targets and isinstance(data, dict) and "scale" not in data:
        # The noise of a gene does not grow with its spread; see tests/benchmarks/gene_scaling.py.
        own["data"] = {**data, "scale": "centre"}
    is_open = isinstance(task, dict) and "class_weight" not in task
    if is_open and kind.has_classes and _objective(given.get("search")) == "balanced_accuracy":
        own["task"] = {**task, "class_weight": "balanced"}
    return {**given, **own} if own else given


def _kind(task):
    """Return the kind of a task by its name or section, the default where there is none such."""
    name = getattr(task, "type", task)
    return KINDS.get(name, DEFAULT) if isinstance(name, str) else DEFAULT


def _objective(search):
    """Return the objective that a section `search` names."""
    return search.get("objective") if isinstance(search, dict) else None
