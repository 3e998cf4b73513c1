"""The named results that clients of a served model get, by signature."""

import dataclasses
from typing import Any

# How a result is made of the Keras model's outputs: by their softmax, by the class of the largest,
# or as the output of a name ("" is the only output); of log-risks, by the baseline hazard as
# survival at some times.
SOFTMAX, CLASS, ONLY, SURVIVAL, RISK = "softmax", "class", "", "survival", "risk"

# By the task's type, signature and name of the result.
ANSWERS: dict[str, dict[str, dict[str, str]]] = {
    "classification": {
        "serving_default": {"probabilities": SOFTMAX, "prediction": CLASS},
        "logits": {"logits": ONLY},
    },
    "regression": {"serving_default": {"prediction": ONLY}},
    "survival": {"serving_default": {"risk": RISK, "survival": SURVIVAL}},
    "representation": {
        "serving_default": {"latent": "latent", "reconstruction": "reconstruction"},
        "encoder": {"latent": "latent", "log_variance": "log_variance"},
    },
}


@dataclasses.dataclass(frozen=True)
class PartAnswer:
    """A result of one target of several.

    Attributes:
        part: The `tasks.MixedPart`, which knows its outputs.
        how: How the result is made of these outputs, as for a model of the target alone.
    """

    part: Any
    how: str


def answers_of(task: Any) -> dict[str, dict[str, Any]]:
    """Return by signature the named results of a served model, and how each is made.

    Results of one target of several have its name before them.

    Args:
        task: What the model predicts.
    """
    if not task.is_of_several:
        found = ANSWERS[task.type]
        if task.type != "representation" or not task.classes:
            return found
        of_rows = found["serving_default"] | {"probabilities": "probabilities"}
        return found | {"serving_default": of_rows}
    return {
        "serving_default": {
            f"{part.name}_{name}": PartAnswer(part, how)
            for part in task.parts
            for name, how in ANSWERS[part.task.type]["serving_default"].items()
        }
    }
