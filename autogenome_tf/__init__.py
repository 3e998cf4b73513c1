"""AutoML for omics matrices on TensorFlow: from a matrix and a JSON file to the best network.

>>> import autogenome_tf as ag
>>> automl = ag.AutoGenome({"name": "demo", "data": {"features": "scanpy:pbmc68k_reduced"}})
>>> automl.config.search.max_trials
30
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "AutoGenome": "autogenome_tf.automl",
    "Config": "autogenome_tf.config",
    "Dataset": "autogenome_tf.data",
}
_ROOMS = ("families", "metrics", "plots", "tasks")

__all__ = ["AutoGenome", "Config", "Dataset", "__version__", "load", *_ROOMS]


def load(folder):
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
