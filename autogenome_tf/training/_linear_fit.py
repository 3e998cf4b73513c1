"""The linear learner as which a network begins, solved in the coordinates of the network's rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np

from autogenome_tf import families
from autogenome_tf.tasks import Task
from autogenome_tf.training._engines import InMemory, TrainingRows
from autogenome_tf.training._loop import converge
from autogenome_tf.training._plan import Fit

Lend = Callable[[TrainingRows, keras.Model], AbstractContextManager[InMemory]]


def linear_fit(
    lend: Lend,
    rows: TrainingRows,
    task: Task,
    values: dict[str, Any],
    deadline: float,
    factors: np.ndarray | None,
) -> Fit | None:
    """Solve logistic, ridge or the task's own regression on a network's training rows.

    Args:
        lend: Function of rows in memory and a network that lends the engine which solves it.
        rows: What the network learns from.
        task: Its loss.
        values: The network's hyperparameters; `linear_start` is the L2.
        deadline: `time.monotonic()` after which no further iteration starts.
        factors: (folds, inputs) that inputs are multiplied by, or None.

    Returns:
        The fit; None where `linear_start` is 0 or missing, and for streamed rows, of which there
        is no exact solution.
    """
    l2 = values.get("linear_start")
    if not l2 or rows.is_streamed:
        return None
    inputs = rows.inputs[0].shape[-1]
    own = {"l2": 0.0, "output_nonlinearity": values.get("output_nonlinearity", "none")}
    network = families.hypermodel("linear")(inputs, task, seed=1).network(own)
    with lend(rows, network) as engine:
        ((_, fit),) = converge(engine, network, [l2], deadline=deadline, factors=factors)
    return fit
