"""Tasks: how targets are read, learned, scored and returned; a class a kind. No Keras here.

A new kind is a subclass of `Task` in a file of its own and a name in `KINDS`.
"""

from typing import Any

import numpy as np

from autogenome_tf.tasks._classification import Classification
from autogenome_tf.tasks._conformal import ALL, Conformal, PredictionIntervals, PredictionSets
from autogenome_tf.tasks._discrete_survival import DiscreteSurvival
from autogenome_tf.tasks._labels import as_text, natural, plain_number
from autogenome_tf.tasks._mixed import Mixed
from autogenome_tf.tasks._novelty import NOVEL
from autogenome_tf.tasks._output_means import OutputMeans
from autogenome_tf.tasks._regression import Regression
from autogenome_tf.tasks._representation import UNLABELLED, Representation
from autogenome_tf.tasks._survival import Survival
from autogenome_tf.tasks._task import Task
from autogenome_tf.tasks._time_to_event import TimeToEvent

__all__ = [
    "ALL", "Classification", "Conformal", "DEFAULT", "DiscreteSurvival", "KINDS", "Kind", "Mixed",
    "NOVEL", "OutputMeans", "PredictionIntervals", "PredictionSets", "Regression",
    "Representation", "Survival", "Task", "TimeToEvent", "UNLABELLED", "as_text", "kind_of",
    "natural",
    "plain_number", "task_from_names", "task_of", "types",
]  # fmt: skip

Kind = type[Task]
# The kind where a config names none.
DEFAULT: Kind = Classification
# Kinds of task by the name that configs use.
_ALL: tuple[Kind, ...] = (Classification, Regression, Survival, Mixed, Representation)
KINDS: dict[str, Kind] = {kind.type: kind for kind in _ALL}


def kind_of(task_type: str) -> Kind:
    """Return the class of a kind of task by its name in a config.

    Args:
        task_type: `task.type`.
    """
    return KINDS[task_type]


def types(attribute: str) -> list[str]:
    """List the names of the kinds of which an attribute is true.

    Args:
        attribute: Name of an attribute of `Task`, such as "has_classes".

    >>> types("has_classes")
    ['classification']
    """
    return [name for name, kind in KINDS.items() if getattr(kind, attribute)]


def task_of(settings: Any, rows: Any, is_train: np.ndarray) -> Task:
    """Return the task of a data set: its classes, or the scale of its targets.

    Args:
        settings: The config's `task` section.
        rows: The `data.Dataset` of all rows but the test rows.
        is_train: (rows,) whether each is a training row.
    """
    return kind_of(settings.type).for_loss(settings.loss).fitted(settings, rows, is_train)


def task_from_names(names: dict[str, Any]) -> Task:
    """Return the task of a fitted model.

    Args:
        names: As the model's file has them; `task` is the type.
    """
    return kind_of(names["task"]).for_loss(names.get("loss")).from_names(names)


def __getattr__(name: str):
    # Its base class is one of Keras.
    if name == "FocalLoss":
        from autogenome_tf.tasks._focal_loss import FocalLoss

        return FocalLoss
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
