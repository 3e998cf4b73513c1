"""Cross-validation of rows that a test has made up."""

import numpy as np

from autogenome_tf.config import Config
from autogenome_tf.training import TrainingSettings
from autogenome_tf.training._networks import NetworkCrossValidation

# A small network of each family, with an activation of its own.
NETWORKS = {
    "mlp": {"layers": 2, "units": 8},
    "resnet": {"n_blocks": 1, "width": 8, "activation": "tanh"},
    "densenet": {"block_config": [1, 1], "growth_rate": 4, "bottleneck": 4, "activation": "elu"},
    "wired": {"layers": 3, "max_width": 8, "arc": [1, 2, 1], "width_2": 2, "width_3": 4,
              "skip_1_3": 1, "activation": "softplus"},
}  # fmt: skip


def thirds(rows):
    """Return the splits of so many rows, of which every third validates."""
    numbers = np.arange(rows)
    return [(numbers[numbers % 3 != fold], numbers[fold::3]) for fold in range(3)]


def config_of(kind, **sections):
    """Return a config of rows that are not transformed unless a section says otherwise.

    Args:
        kind: Type of the task.
        **sections: Further keys of sections.
    """
    given = {"data": {"features": "x.tsv", "transform": "none"}, "task": {"type": kind}}
    for name, keys in sections.items():
        given[name] = given.get(name, {}) | keys
    return Config.of({"name": "t"} | given)


def cross_validation(matrix, targets, task, splits, **sections):
    """Return the `NetworkCrossValidation` of some rows of genes g0, g1 and so on."""
    settings = TrainingSettings.of(config_of(task.type, **sections))
    names = [f"g{gene}" for gene in range(matrix.shape[1])]
    return NetworkCrossValidation(matrix, targets, task, settings, splits=splits, features=names)
