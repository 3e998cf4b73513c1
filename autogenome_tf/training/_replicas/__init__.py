"""Replicas: one Keras network with several sets of weights that train at once in one graph.

Their variables are stacked along a first axis, and an elementwise optimizer acts on all of them as
one flat variable, so that five folds of a cross-validation cost little more than one.
"""

import tensorflow as tf

from autogenome_tf.training._replicas._base import EngineError, Rows, optimizer_of, resident
from autogenome_tf.training._replicas._in_memory import InMemory
from autogenome_tf.training._replicas._mirrored import Mirrored, MultiWorkerStreamed, mirrored
from autogenome_tf.training._replicas._streamed import Streamed

__all__ = [
    "EngineError", "InMemory", "Mirrored", "Rows", "MultiWorkerStreamed", "Streamed", "devices",
    "engine", "optimizer_of", "resident",
]  # fmt: skip


def engine(network, seeds, rows, task, optimizer="adam", count=1, cluster=None):
    """`InMemory`, `Streamed` or, where so many devices or processes are there, a shared one."""
    if not rows.is_streamed:
        return InMemory(network, seeds, rows, task, optimizer)
    if cluster:
        return MultiWorkerStreamed(network, seeds, rows, task, optimizer, cluster)
    found = devices()[:count]
    if len(found) > 1:
        return Mirrored(network, seeds, rows, task, optimizer, mirrored(tuple(found)))
    return Streamed(network, seeds, rows, task, optimizer)


def devices():
    """Names of local devices that can share a batch: GPUs, else CPUs where there are several."""
    for kind in ("GPU", "CPU"):
        found = tf.config.list_logical_devices(kind)
        if found:
            return [device.name for device in found]
    return []
