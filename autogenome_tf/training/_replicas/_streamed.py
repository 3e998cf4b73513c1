"""Replicas whose rows are made batch by batch."""

import numpy as np
import tensorflow as tf

from autogenome_tf.core.chunked import BLOCK, ahead
from autogenome_tf.nn.graphs import compiled
from autogenome_tf.training._replicas._base import Replicas, looped


class Streamed(Replicas):
    """Rows are made on demand, for one replica, a few batches at once while others are trained on.

    Memory holds some `matrix.BLOCK` rows.
    """

    def __init__(self, network, seeds, rows, task, optimizer="adam"):
        super().__init__(network, seeds, rows, task, optimizer)
        width = network.input_shape[-1]
        steps = ((None, 1, None, width), tf.float32), ((None, 1, None), tf.int32)
        self._trained_on = compiled(self._run, *steps, ((None,), tf.float32))
        self._judged = compiled(self._outputs, ((1, None, width), tf.float32))

    def epoch(self, index, rates, judge=True):
        """As `InMemory.epoch`, block by block."""
        steps = max(1, BLOCK // index.shape[2])
        index = self._own(index)
        parts = [slice(start, start + steps) for start in range(0, len(index), steps)]
        made = ahead(lambda part: self._rows(index[part]), parts)
        losses = [
            self._trained_on(x, index[part], rates[part]).numpy()
            for part, x in zip(parts, made, strict=True)
        ]
        held = self.rows.held[0] if judge else np.zeros(0, int)
        outputs = [np.zeros((0, self.task.outputs), "float32")]
        starts = range(0, len(held), BLOCK)
        for x in ahead(lambda start: self._rows(held[None, start : start + BLOCK]), starts):
            outputs.append(self._judged(x).numpy()[0])
        return np.concatenate(losses), [np.concatenate(outputs)]

    def _own(self, index):
        """Of (steps, 1, batch) row numbers those that this process trains on: all."""
        return index

    def _rows(self, index):
        """(..., rows) numbers to (..., rows, inputs)."""
        rows = self.rows.views[0].batch(index.ravel())
        return np.asarray(rows, "float32").reshape(*index.shape, -1)

    def _run(self, x, index, rates):
        """The steps of some batches; returns their losses."""
        return looped(lambda i: self._step(x[i], index[i], rates[i]), tf.shape(rates)[0])
