"""Error messages of a config in one sentence: not JSON, or not by its schema."""

import json
import re

from autogenome_tf.core.errors import nearest

# Of the name of a run, which is that of a folder too, and what it says in words.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
IN_WORDS = {
    NAME: "letters without accents, digits, '.', '_' and '-', the first a letter or a digit"
}
# What word processors, Chinese keyboards and other languages have for the punctuation of JSON.
FOREIGN = {
    "=": ":", ";": ",",
    "，": ",", "：": ":", "；": ",", "、": ",", "［": "[", "］": "]", "｛": "{", "｝": "}",
    "【": "[", "】": "]", "“": '"', "”": '"', "„": '"', "＂": '"', "‘": "'", "’": "'",
}  # fmt: skip
# A text, a comment, or anything else, of JSON with comments.
TOKEN = re.compile(
    r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|//[^\n]*|/\*.*?\*/|[\w.+-]+|\S""", re.DOTALL
)


def first_problem(error, model):
    """Return the first problem that pydantic found: path, received, expected.

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
    if first["type"] == "extra_forbidden":
        # A key of the user's own, whatever it looks like.
        path = [*_known_steps(first["loc"][:-1]), str(first["loc"][-1])]
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
    shown = json.dumps(received, default=str, ensure_ascii=False)[:80]
    return f"{prefix}expected {expected}; received {shown}.{hint}"


def _known_steps(location):
    """Drop what pydantic adds to a path where a value may be of several kinds."""
    kind = re.compile(r"Split|str|int|float|constrained-\w+|.*\[.*")
    return [str(step) for step in location if not kind.fullmatch(str(step))]


def _expected(problem):
    if problem["type"] == "string_pattern_mismatch":
        return IN_WORDS[problem["ctx"]["pattern"]]
    message = re.sub(r"^(Input|String|Dictionary) should (be|match|have) ?", "", problem["msg"])
    return re.sub("valid dictionary( or instance of .*)?", "JSON object", message)


def _keys(model, path):
    """Return the keys that are known at a path of the schema."""
    for step in path:
        annotation = model.model_fields[step].annotation
        branches = [annotation, *getattr(annotation, "__args__", ())]
        model = next(b for b in branches if hasattr(b, "model_fields"))
    return list(model.model_fields)


def _options(problem):
    """Return the words that a choice would have taken."""
    return re.findall(r"'([^']*)'", problem.get("ctx", {}).get("expected", ""))


def json_problem(text, error):
    """Return where a text stops being JSON and, where known, what to put there.

    Args:
        text: The text.
        error: What the parser raised.
    """
    tokens = [found for found in TOKEN.finditer(text) if not found[0].startswith(("//", "/*"))]
    for token in tokens:
        if token[0] in FOREIGN:
            return (
                f"{_place(text, token.start())}: received {token[0]!r}; "
                f"expected {FOREIGN[token[0]]!r} in its place."
            )
    found = re.search(r":(\d+) (.*) at column (\d+)", str(error), re.DOTALL)
    if not found:
        return str(error)
    line, column = int(found[1]), int(found[3])
    lines = text.split("\n")
    start = sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
    before = [token[0] for token in tokens if token.start() < start]
    behind = [token[0] for token in tokens[len(before) :]]
    lacking = _lacking(before, behind[0]) if before and behind else None
    if lacking:
        return (
            f"{_place(text, start)}: received {behind[0][:30]!r} behind {before[-1][-30:]!r}; "
            f"expected {lacking!r} between them."
        )
    return f"line {line}, column {column}: {found[2]}."


def _lacking(before, token):
    """Return the sign that is missing between some tokens and the next, or None."""
    if before[-1] in "{[,:" or token in "}],:":
        return None
    inside = []
    for one in before:
        if one in "{[":
            inside.append(one)
        elif one in "}]" and inside:
            inside.pop()
    is_key = inside[-1:] == ["{"] and before[-1] not in "}]" and before[-2:-1] in (["{"], [","])
    return ":" if is_key else ","


def _place(text, position):
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10))}"
