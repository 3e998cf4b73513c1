"""Train on rows that are made batch by batch."""

import numpy as np
import tensorflow as tf

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import BLOCK, ahead
from autogenome_tf.nn.graphs import compiled
from autogenome_tf.training._engines._vectorized import VectorizedEngine, looped


class Streamed(VectorizedEngine):
    """Train one replica on rows made on demand, a few batches ahead of the step.

    Memory holds some `chunked.BLOCK` rows.
    """

    def __init__(self, network, seeds, rows, task, optimizer="adam"):
        super().__init__(network, seeds, rows, task, optimizer)
        width = network.input_shape[-1]
        steps = ((None, 1, None, width), tf.float32), ((None, 1, None), tf.int32)
        self._train_epoch = compiled(self._run, *steps, ((None,), tf.float32))
        self._validate = compiled(self._outputs, ((1, None, width), tf.float32))

    def epoch(self, index, rates, is_validated=True):
        """Train for an epoch, block by block; see `Engine.epoch`."""
        parts = list(chunked.parts(len(index), index.shape[2], values=BLOCK))
        index = self._own(index)
        made = ahead(lambda part: self._rows(index[part]), parts)
        losses = [
            self._train_epoch(x, index[part], rates[part]).numpy()
            for part, x in zip(parts, made, strict=True)
        ]
        validation = self.rows.validation[0] if is_validated else np.zeros(0, int)
        outputs = [np.zeros((0, self.task.outputs), "float32")]
        blocks = (validation[None, part] for part in chunked.parts(len(validation), 1))
        for x in ahead(self._rows, blocks):
            outputs.append(self._validate(x).numpy()[0])
        return np.concatenate(losses), [np.concatenate(outputs)]

    def _own(self, index):
        """Select of (steps, 1, batch) row numbers those that this process trains on: all."""
        return index

    def _rows(self, index):
        """Make the tensor (..., rows, inputs) for (..., rows) numbers."""
        rows = self.rows.inputs[0].batch(index.ravel())
        return tf.constant(rows.reshape(*index.shape, -1))

    def _run(self, x, index, rates):
        """Run the steps of some batches; return their losses."""
        return looped(lambda i: self._step(x[i], index[i], rates[i]), tf.shape(rates)[0])
