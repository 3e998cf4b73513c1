"""Compiled functions, and the memory that they leave behind."""

import gc

import tensorflow as tf
from tensorflow.python.eager import context


def compiled(function, *shapes):
    """Compile a method for tensors of these shapes (and types), in a single trace.

    Nothing here needs AutoGraph, whose rewriting of every function takes longer than the trace.
    """
    signature = [tf.TensorSpec(shape, kind) for shape, kind in shapes]
    return tf.function(function, input_signature=signature, autograph=False)


def forget_shapes():
    """Give back what steps that are no longer kept have left behind.

    Graphs are cycles that only a collection finds. TensorFlow keeps a kernel for every shape that a
    variable ever had, some 100 KiB each, and frees them only all together.
    `keras.utils.clear_session` does that too, but resets Keras' settings, which are not ours.
    """
    gc.collect()
    context.context().clear_kernel_cache()
