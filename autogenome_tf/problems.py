"""What pydantic found wrong with a config, in one sentence."""

import json
import re

from autogenome_tf.errors import nearest


def first_problem(error, model):
    """Say the first problem that pydantic found: path, what came, what was expected.

    Args:
        error: The `pydantic.ValidationError`.
        model: The class that was validated.
    """
    problems = error.errors()
    start = _known_steps(problems[0]["loc"])
    # Where a value may be of several kinds, the kind that fits furthest is the one that was meant.
    related = [p for p in problems if _known_steps(p["loc"])[: len(start)] == start]
    first = max(related, key=lambda problem: len(_known_steps(problem["loc"])))
    path = _known_steps(first["loc"])
    name = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = _keys(model, path[:-1])
        return (
            f"{name}: unknown key; expected one of: {', '.join(known)}.{nearest(path[-1], known)}"
        )
    if first["type"] == "missing":
        return f"{name}: this key must be given."
    prefix = f"{name}: " if name else ""
    if first["type"] == "value_error":
        said = str(first["ctx"]["error"])
        return prefix + (said if said.endswith("?") else said.rstrip(".") + ".")
    branches = [problem for problem in related if _known_steps(problem["loc"]) == path]
    expected = " or ".join(dict.fromkeys(_expected(problem) for problem in branches))
    received, options = first["input"], [word for b in branches for word in _options(b)]
    hint = nearest(received, options) if isinstance(received, str) else ""
    return f"{prefix}expected {expected}; received {json.dumps(received, default=str)[:80]}.{hint}"


def _known_steps(location):
    """Drop what pydantic adds to a path where a value may be of several kinds."""
    kind = re.compile(r"Split|str|int|float|constrained-\w+|.*\[.*")
    return [str(step) for step in location if not kind.fullmatch(str(step))]


def _expected(problem):
    message = re.sub(r"^(Input|String|Dictionary) should (be|match|have) ?", "", problem["msg"])
    return re.sub("valid dictionary( or instance of .*)?", "JSON object", message)


def _keys(model, path):
    """The keys that are known at a path of the schema."""
    for step in path:
        annotation = model.model_fields[step].annotation
        branches = [annotation, *getattr(annotation, "__args__", ())]
        model = next(b for b in branches if hasattr(b, "model_fields"))
    return list(model.model_fields)


def _options(problem):
    """The words that a choice would have taken."""
    return re.findall(r"'([^']*)'", problem.get("ctx", {}).get("expected", ""))
