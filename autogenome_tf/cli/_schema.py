"""The schema of configs as editors read it (JSON Schema) and as people do (a table)."""

import json
import re
from typing import Any

from autogenome_tf import families
from autogenome_tf.config import Config

HEAD = "| key | values | default | |\n|---|---|---|---|"
HYPER_HEAD = "| hyperparameter | of | values | searched, the default first |\n|---|---|---|---|"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of configs, hyperparameters of families included."""
    document = Config.model_json_schema()
    known = {
        family: {
            "type": "object",
            "properties": {
                name: {"description": f"{hyper.expected}; searched: {_listed(hyper.options)}"}
                for name, hyper in families.member(family).space.items()
            },
            # Where hyperparameters hang on others, their names are not all known before.
            "additionalProperties": families.member(family).is_open(),
        }
        for family in families.names()
    }
    document["properties"]["families"] |= {"properties": known, "additionalProperties": False}
    return document


def table() -> str:
    """Return every key and every hyperparameter as two Markdown tables."""
    document = Config.model_json_schema()
    keys = [_line(key, rule, document) for key, rule in _keys(document, document)]
    return "\n".join([HEAD, *keys, "", HYPER_HEAD, *_hyperparameters()])


def _line(key, rule, document):
    """Return the line of a key of a config."""
    text = rule.get("description", "")
    return f"| `{key}` | {_values(rule, document)} | {_default(rule)} | {text} |"


def _keys(node, document, before=""):
    """Return each key below a node with its rule, in order; sections by their keys."""
    for name, rule in node["properties"].items():
        section = _section(rule, document)
        if section is None or "anyOf" in rule:
            yield before + name, rule
        if section is not None:
            yield from _keys(section, document, f"{before}{name}.")


def _section(rule, document):
    """Return the section that a rule stands for, or None."""
    for one in [rule, *rule.get("anyOf", [])]:
        if "$ref" in one:
            return document["$defs"][one["$ref"].rpartition("/")[2]]
    return None


def _values(rule: dict[str, Any], document: dict[str, Any]) -> str:
    if "anyOf" in rule:
        kinds = rule["anyOf"]
        return " or ".join(
            "a list of them"
            if one.get("items") in kinds and "maxItems" not in one
            else _values(one, document)
            for one in kinds
        )
    if "$ref" in rule:
        return "the keys below"
    if "enum" in rule:
        return ", ".join(f"`{word}`" for word in rule["enum"])
    if "const" in rule:
        return f"`{rule['const']}`"
    if rule["type"] == "array":
        few = f"{rule['maxItems']}, each " if "maxItems" in rule else ""
        return f"list of {few}{_values(rule['items'], document)}"
    named = {"string": "text", "boolean": "true or false"}
    return (named.get(rule["type"]) or rule["type"]) + _range(rule)


def _range(rule):
    ends = {
        "minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most",
        "exclusiveMaximum": "below",
    }  # fmt: skip
    limits = [f"{word} {rule[key]:g}" for key, word in ends.items() if key in rule]
    return f" {' and '.join(limits)}" if limits else ""


def _default(rule):
    if rule.get("default") == "":
        return "required"
    return f"`{json.dumps(rule['default'])}`" if "default" in rule else ""


def _hyperparameters():
    """Return one line for hyperparameters of one name, range and default, with their families."""
    lines = {}
    for family in families.names():
        for name, hyper in families.member(family).space.items():
            searched = "" if hyper.optional else _listed(hyper.options)
            # Of one layer each: width_1, width_2, ...
            name = re.sub(r"_\d+$", "_1", name)
            of = lines.setdefault((name, hyper.expected, searched), [])
            of.append(family)
    for (name, expected, searched), of in lines.items():
        each = " ..." if name.endswith("_1") else ""
        yield f"| `{name}`{each} | {', '.join(dict.fromkeys(of))} | {expected} | {searched} |"


def _listed(options):
    return ", ".join(
        f"{option:g}" if isinstance(option, float) else str(option) for option in options
    )
