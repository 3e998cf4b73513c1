"""Engines: train several sets of weights of one network at once, in one graph.

The weights of these replicas are stacked along a first axis, and an elementwise optimizer acts on
each stack as a whole, so that five small networks cost little more than one.
"""

import keras
import tensorflow as tf

from autogenome_tf.tasks import Task
from autogenome_tf.training._engines._autoencoder import AutoencoderEngine
from autogenome_tf.training._engines._engine import (
    PLAIN,
    Engine,
    EngineError,
    Objective,
    TrainingRows,
)
from autogenome_tf.training._engines._in_memory import InMemory, Penalty
from autogenome_tf.training._engines._mirrored import Mirrored, MultiWorkerStreamed, mirrored
from autogenome_tf.training._engines._steps import SHARED, SMALL_BYTES, StepCache
from autogenome_tf.training._engines._streamed import Streamed
from autogenome_tf.training._engines._vectorized import (
    VectorizedEngine,
    aligned,
    lent,
    looped,
    resident,
)
from autogenome_tf.training._multi_worker import WorkerCluster

__all__ = [
    "AutoencoderEngine", "Engine", "EngineError", "InMemory", "Mirrored", "MultiWorkerStreamed",
    "Objective", "PLAIN", "Penalty", "SHARED", "SMALL_BYTES", "StepCache", "Streamed",
    "TrainingRows", "VectorizedEngine", "aligned", "devices", "engine", "lent", "looped",
    "resident",
]  # fmt: skip


def engine(
    network: keras.Model,
    seeds: int,
    rows: TrainingRows,
    task: Task,
    optimizer: str = "adam",
    count: int = 1,
    workers: WorkerCluster | None = None,
) -> VectorizedEngine:
    """Return the engine that fits the rows, in memory or streamed, and the devices.

    Args:
        network: A Keras model of the structure to train.
        seeds: Networks a fold.
        rows: What they learn from.
        task: Loss of each row.
        optimizer: A name of `OPTIMIZERS`.
        count: Devices that share each batch of streamed rows, at most.
        workers: The processes that share each batch, or None.
    """
    if not rows.is_streamed:
        return InMemory(network, seeds, rows, task, optimizer)
    if workers:
        return MultiWorkerStreamed(network, seeds, rows, task, optimizer, workers)
    found = devices()[:count]
    if len(found) > 1:
        return Mirrored(network, seeds, rows, task, optimizer, mirrored(tuple(found)))
    return Streamed(network, seeds, rows, task, optimizer)


def devices() -> list[str]:
    """List local devices that can share a batch: GPUs, else CPUs where there are several."""
    for kind in ("GPU", "CPU"):
        found = tf.config.list_logical_devices(kind)
        if found:
            return [device.name for device in found]
    return []
