"""Several processes that train one network together, step by step, as TF_CONFIG names them.

All run the same code on the same rows and must come to the same decisions, so what decides is the
first process's: its outputs of validation rows, and the trials of a search that goes on.
"""

import contextlib
import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from autogenome_tf.config import PATHS, processes
from autogenome_tf.core.errors import InputError, StageError


class WorkerCluster:
    """The processes of `tf.distribute.MultiWorkerMirroredStrategy`; TensorFlow allows one.

    Args:
        place: Number of this process, from 0.
        count: How many there are.

    Attributes:
        place, count: As given.
        strategy: TensorFlow's.

    Raises:
        StageError: Where TensorFlow has been at work already.
    """

    def __init__(self, place: int, count: int):
        self.place, self.count = place, count
        try:
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:
            raise StageError(f"TF_CONFIG must be set before TensorFlow is used: {error}") from None
        self._local = len(self.strategy.extended.worker_devices)
        self._summing = tf.function(
            self._sum_over_processes, autograph=False, reduce_retracing=True
        )

    def broadcast_array(self, values: np.ndarray) -> np.ndarray:
        """Broadcast the first process's array; every process passes one of the same shape.

        Args:
            values: Array of the same shape in every process.
        """
        return self._summed(values if self.place == 0 else np.zeros_like(values))

    def broadcast(self, text: str) -> str:
        """Broadcast the first process's text.

        Args:
            text: Text of the first process.
        """
        letters = np.frombuffer(text.encode(), "uint8").astype("int32")
        (length,) = self.broadcast_array(np.array([len(letters)], "int32"))
        return bytes(self.broadcast_array(np.resize(letters, length)).astype("uint8")).decode()

    def check(self, text: str) -> None:
        """Refuse to train with others on something else; `text` is all that must be the same.

        Raises:
            InputError: In all processes where one differs from the first.
        """
        differs = np.zeros(self.count, "int32")
        differs[self.place] = self.broadcast(text) != text
        found = np.flatnonzero(self._summed(differs))
        if len(found):
            raise InputError(
                "TF_CONFIG: all processes need the same config and data; they differ from the "
                f"first process in: {', '.join(map(str, found))} of {self.count}, counted from 0."
            )

    def is_trained(self, run: Any, config: Any) -> bool:
        """Return whether the first process has trained before; give all processes its trials.

        Args:
            run: This process's `Run`, begun; gets the leaderboard of the first's.
            config: Its `Config`.

        Raises:
            InputError: See `check`.
        """
        environment = run.read_json("environment.json")
        # What is in files counts, not where they are.
        apart = {"output_dir": True, "output": True, "data": set(PATHS) - {"split"}}
        sums = sorted(map(str, environment["data"].values()))
        asked = config.model_dump_json(exclude=apart)
        self.check(json.dumps([asked, sums, environment["versions"]]))
        board = run.path(run.searched)
        known = self.broadcast(board.read_text("utf-8") if board.exists() else "")
        if known and self.place:
            run.write_text("leaderboard.tsv", known)
        return self.broadcast(json.dumps("train" in run.stages)) == "true"

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Run a block in which all processes take part.

        Raises:
            StageError: Where one of them has gone.
        """
        try:
            yield
        except tf.errors.OpError as error:
            raise StageError(
                f"one of the {self.count} processes of TF_CONFIG has stopped "
                f"({type(error).__name__}); restart all of them: finished work is kept."
            ) from error

    def _summed(self, values):
        """Sum arrays over processes, to the same bits in all."""
        # TensorFlow 2.21 crashes where nothing is to be summed.
        if not values.size:
            return values
        with self.together():
            return self._summing(tf.constant(values)).numpy()

    def _sum_over_processes(self, values):
        found = self.strategy.run(self._sum_over_replicas, (values,))
        return self.strategy.experimental_local_results(found)[0]

    def _sum_over_replicas(self, values):
        replica = tf.distribute.get_replica_context()
        is_first = tf.equal(replica.replica_id_in_sync_group % self._local, 0)
        mine = tf.where(is_first, values, tf.zeros_like(values))
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, mine)


@functools.cache
def worker_cluster() -> WorkerCluster | None:
    """Return the cluster that this process is one of, or None; call it before all other TensorFlow.

    Raises:
        InputError: Where TF_CONFIG is none that all can step by.
    """
    member = processes.member()
    return WorkerCluster(*member) if member else None
