"""Replicas that share each batch: between the devices of this process, or of several."""

import functools

import tensorflow as tf

from autogenome_tf.training._replicas._streamed import Streamed

# Apart from each other, what devices draw for their parts of a batch.
PART_SEED = 1_000_003


class Mirrored(Streamed):
    """`Streamed`, each batch shared by several devices (`tf.distribute.MirroredStrategy`).

    Every device has all weights and the gradient of its part of a batch; gradients are summed, so
    that a step is that of the whole batch (but for batch statistics, which are each part's own).

    Args:
        network, seeds, rows, task, optimizer: As for `Replicas`.
        strategy: The devices', as `mirrored` has it.
    """

    is_shared = True

    def __init__(self, network, seeds, rows, task, optimizer, strategy):
        self._strategy = strategy
        self._local = len(self._strategy.extended.worker_devices)
        self._share = 1 / self._strategy.num_replicas_in_sync
        with self._strategy.scope():
            super().__init__(network, seeds, rows, task, optimizer)

    def _step(self, x, index, rate):
        """One update on (1, batch, inputs), by the parts of all devices."""
        losses = self._strategy.run(self._part, (x, index, rate))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _part(self, x, index, rate):
        place, count = self._place() % self._local, self._local
        return super()._step(x[:, place::count], index[:, place::count], rate)

    def _place(self):
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def _of_all(self, value):
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)

    def _drawn(self):
        return super()._drawn() + tf.stack([self._place() * PART_SEED, 0])


@functools.cache
def mirrored(devices):
    """The strategy of some devices, a tuple of names.

    One for all networks: what devices exchange has names that a second one would take again.
    """
    return tf.distribute.MirroredStrategy(devices)


class MultiWorkerStreamed(Mirrored):
    """The same for the devices of several processes, each of which reads its own rows of a batch.

    Args:
        network, seeds, rows, task, optimizer: As for `Replicas`.
        cluster: The processes, a `cluster.Cluster`.
    """

    def __init__(self, network, seeds, rows, task, optimizer, cluster):
        self._cluster = cluster
        with cluster.together():
            super().__init__(network, seeds, rows, task, optimizer, cluster.strategy)

    def epoch(self, index, rates, judge=True):
        """As `InMemory.epoch`; all go by the outputs of the first process, to the last bit."""
        with self._cluster.together():
            losses, held = super().epoch(index, rates, judge)
        return losses, [self._cluster.agreed(part) for part in held]

    def _own(self, index):
        return index[:, :, self._cluster.place :: self._cluster.count]
