"""Cross-validation of one configuration: fold inputs, epoch loop, engines, several workers."""

from autogenome_tf.training._batches import Batches
from autogenome_tf.training._cross_validation import CrossValidation, Splits
from autogenome_tf.training._engines import (
    Engine,
    EngineError,
    TrainingRows,
    VectorizedEngine,
    looped,
    resident,
)
from autogenome_tf.training._factory import cross_validation
from autogenome_tf.training._forests import left_out
from autogenome_tf.training._learning_rate import first_rate
from autogenome_tf.training._multi_worker import WorkerCluster, worker_cluster
from autogenome_tf.training._plan import Fit, Plan
from autogenome_tf.training._settings import TrainingSettings
from autogenome_tf.training._trials import Configuration, Trial, TrialResult

__all__ = [
    "Batches", "Configuration", "CrossValidation", "Engine", "EngineError", "Fit", "Plan", "Splits",
    "TrainingRows", "TrainingSettings", "Trial", "TrialResult", "VectorizedEngine", "WorkerCluster",
    "cross_validation", "first_rate", "left_out", "looped", "resident", "worker_cluster",
]  # fmt: skip
