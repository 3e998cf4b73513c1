"""Train on batches that several devices share: those of this process, or of several."""

import functools

import tensorflow as tf

from autogenome_tf.training._engines._streamed import Streamed

# Distance of the noise seeds of two devices.
DEVICE_SEED = 1_000_003


class Mirrored(Streamed):
    """Train by several devices, each on a part of a batch (`tf.distribute.MirroredStrategy`).

    Every device has all weights and the gradient of its part of a batch; gradients are summed, so
    that a step is that of the whole batch (but for batch statistics, which are each part's own).

    Args:
        network, seeds, rows, task, optimizer: As for `VectorizedEngine`.
        strategy: The devices', as `mirrored` returns it.
    """

    is_mirrored = True

    def __init__(self, network, seeds, rows, task, optimizer, strategy):
        self._strategy = strategy
        self._local = len(self._strategy.extended.worker_devices)
        self._penalty_share = 1 / self._strategy.num_replicas_in_sync
        with self._strategy.scope():
            super().__init__(network, seeds, rows, task, optimizer)

    def _step(self, x, index, rate):
        """Update weights on (1, batch, inputs), by the parts of all devices."""
        losses = self._strategy.run(self._part, (x, index, rate))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _part(self, x, index, rate):
        place, count = self._device() % self._local, self._local
        return super()._step(x[:, place::count], index[:, place::count], rate)

    def _device(self):
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def _over_devices(self, value):
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)

    def _noise_seed(self):
        return super()._noise_seed() + tf.stack([self._device() * DEVICE_SEED, 0])


@functools.cache
def mirrored(devices: tuple[str, ...]):
    """Return the strategy of some devices, by their names.

    One serves all networks: what devices exchange has names that a second one would take again.

    Args:
        devices: Names of devices.
    """
    return tf.distribute.MirroredStrategy(devices)


class MultiWorkerStreamed(Mirrored):
    """Train by the devices of several processes, each of which reads its own rows of a batch.

    Args:
        network, seeds, rows, task, optimizer: As for `VectorizedEngine`.
        workers: The processes, a `WorkerCluster`.
    """

    def __init__(self, network, seeds, rows, task, optimizer, workers):
        self._workers = workers
        with workers.together():
            super().__init__(network, seeds, rows, task, optimizer, workers.strategy)

    def epoch(self, index, rates, is_validated=True):
        """Train for an epoch; all processes get the outputs of the first one, to the last bit."""
        with self._workers.together():
            losses, validation = super().epoch(index, rates, is_validated)
        return losses, [self._workers.broadcast_array(part) for part in validation]

    def _own(self, index):
        return index[:, :, self._workers.place :: self._workers.count]
