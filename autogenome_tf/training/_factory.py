"""The door to cross-validation: the task decides what kind of network is trained."""

import numpy as np

from autogenome_tf.data import Dataset, Split
from autogenome_tf.tasks import Task
from autogenome_tf.training._autoencoders import AutoencoderCrossValidation
from autogenome_tf.training._cross_validation import CrossValidation
from autogenome_tf.training._multi_worker import WorkerCluster
from autogenome_tf.training._networks import NetworkCrossValidation
from autogenome_tf.training._settings import TrainingSettings


def cross_validation(
    dataset: Dataset,
    split: Split,
    task: Task,
    settings: TrainingSettings,
    workers: WorkerCluster | None = None,
) -> CrossValidation:
    """Return the cross-validation of a task's networks on rows to learn from.

    Args:
        dataset: The rows, no test rows among them.
        split: The part and the fold of each of them.
        task: What is learned; it decides between networks that predict and autoencoders.
        settings: Keys of the config.
        workers: The processes that train each network together, or None.

    Raises:
        InputError: Where rows do not fit into memory for what the config asks for, or values do
            not fit a likelihood.
    """
    member = NetworkCrossValidation if task.has_targets else AutoencoderCrossValidation
    is_unlabelled = dataset.targets is None and not task.has_targets
    nothing = np.zeros(len(dataset), "float32")
    targets = nothing if is_unlabelled else task.encode(dataset.known_targets)
    return member(
        dataset.values, targets, task, settings,
        splits=split.pairs(), features=dataset.features, row_weights=dataset.weights,
        workers=workers,
    )  # fmt: skip
