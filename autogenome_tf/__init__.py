"""AutoML for omics matrices on TensorFlow: from a matrix and a JSON file to the best network.

>>> import autogenome_tf as ag
>>> automl = ag.AutoGenome({"name": "demo", "data": {"features": "scanpy:pbmc68k_reduced"}})
>>> automl.config.search.max_trials
30
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autogenome_tf.core import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from autogenome_tf.automl import AutoGenome

_HOMES = {
    "AutoGenomeClassifier": "autogenome_tf.estimators",
    "AutoGenomeRegressor": "autogenome_tf.estimators",
    "AutoGenomeSurvival": "autogenome_tf.estimators",
    "ResVAE": "autogenome_tf.estimators",
    "AutoGenome": "autogenome_tf.automl",
    "Config": "autogenome_tf.config._config",
    "Dataset": "autogenome_tf.data",
}
_ROOMS = ("families", "metrics", "plots", "tasks", "tl")

__all__ = ["__version__", "auto", "load", *_HOMES, *_ROOMS]


def auto(config: Any = None) -> AutoGenome:
    """Begin from a config, also AutoGenome's own; a ported workflow changes its import line only.

    Args:
        config: Path of a JSON config of this package or of AutoGenome; None for cell types of the
            blood cells that scanpy brings along.

    Returns:
        An `AutoGenome`.

    Raises:
        InputError: At the first thing wrong in the config.
    """
    from autogenome_tf.automl import AutoGenome

    cells = {"features": "scanpy:pbmc68k_reduced", "target": "bulk_labels"}
    return AutoGenome({"name": "autogenome", "data": cells} if config is None else config)


def load(folder: str | Path) -> AutoGenome:
    """Open the folder of an earlier run, on any later day.

    Args:
        folder: Path of the run folder.

    Returns:
        An `AutoGenome` that predicts with the same values as on the day of training.

    Raises:
        InputError: Where the folder holds no run.
    """
    from autogenome_tf.automl import AutoGenome

    return AutoGenome.load(folder)


def __getattr__(name):
    # TensorFlow takes seconds to import; what does not need it (help, check) must not wait.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"autogenome_tf.{name}")
    raise AttributeError(f"module 'autogenome_tf' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
