"""Compiled functions, and the memory that they leave behind."""

import gc
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context


def compiled(function: Callable, *shapes: tuple[tuple[int | None, ...], Any]) -> Callable:
    """Compile a function for tensors of given shapes and types, in a single trace.

    Nothing here needs AutoGraph, whose rewriting of every function takes longer than the trace.

    Args:
        function: A function of tensors.
        *shapes: For each argument its shape, None for dimensions that vary, and its dtype.
    """
    signature = [tf.TensorSpec(shape, kind) for shape, kind in shapes]
    return tf.function(function, input_signature=signature, autograph=False)


def forget_shapes() -> None:
    """Free the memory of compiled steps that are no longer in use.

    Graphs are cycles that only a collection finds. TensorFlow keeps a kernel for every shape that a
    variable ever had, some 100 KiB each, and frees them only all together.
    `keras.utils.clear_session` does that too, but resets Keras' settings, which are not ours.
    """
    gc.collect()
    context.context().clear_kernel_cache()
