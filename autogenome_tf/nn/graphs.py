"""Walks through functional models; compiled functions, and the memory that they leave behind."""

import contextlib
import functools
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context


def compiled(function: Callable, *shapes: tuple[tuple[int | None, ...], Any]) -> Callable:
    """Compile a function for tensors of given shapes and types, in a single trace.

    Args:
        function: A function of tensors.
        *shapes: For each argument its shape, None for dimensions that vary, and its dtype.
    """
    return traced_once(function, [tf.TensorSpec(shape, kind) for shape, kind in shapes])


def traced_once(function: Callable, signature: Sequence[Any]) -> Callable:
    """Compile a function for arguments of a signature, in a single trace.

    Nothing here needs AutoGraph, whose rewriting of every function takes longer than the trace.

    Args:
        function: A function of tensors, or of structures of them.
        signature: For each argument its `tf.TensorSpec`, or a structure of them.
    """
    found: Any = tf.function(function, input_signature=signature, autograph=False)
    # TensorFlow counts the traces of a method over all objects of its class, and after a few it
    # would warn the user of a run, who can do nothing about it, of frequent retracing.
    found._omit_frequent_tracing_warning = True
    return found


@contextlib.contextmanager
def as_written() -> Iterator[None]:
    """Let TensorFlow run functions as they were traced, in this thread and block only.

    Otherwise the first call looks for equal graphs that are faster. That takes as long as the
    trace, and finds nothing in a training step.
    """
    own = context.context()
    usual = own.function_call_options
    own.function_call_options = _without_rewriting(**usual.as_attrs())
    try:
        yield
    finally:
        own.function_call_options = usual


@functools.cache
def _without_rewriting(executor_type, config_proto):
    """Return the options of a call with rewriting of graphs turned off."""
    config = tf.compat.v1.ConfigProto.FromString(config_proto)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return context.FunctionCallOptions(executor_type, config)


def follow(model: keras.Model, value: Any, operation: Callable[[Any], Callable[..., Any]]) -> Any:
    """Send a value through a functional model, each layer or operation replaced by a function.

    Args:
        model: Functional Keras model.
        value: What stands in the place of the input.
        operation: Makes the function of a layer: of its inputs, whatever they are by then.

    Returns:
        What comes out in the place of the outputs, in their structure.
    """
    # Keras' own walk; public calls run it on tensors of the shape of the input only.
    return model._run_through_graph(value, operation)


def mean_of(networks: list[keras.Model], entrance: Sequence[np.ndarray] = ()) -> keras.Model:
    """Return one functional model that averages the outputs of several, layer by layer their own.

    Args:
        networks: Functional models of the same input, one output (rows, outputs) each.
        entrance: (genes, inputs) kernel and (inputs,) bias of a dense layer in front of all of
            them; none by default.
    """
    first, *_ = networks
    width = entrance[0].shape[0] if entrance else first.input_shape[1]
    genes = keras.Input((width,), name=first.input.name)
    x: Any = genes
    if entrance:
        dense = keras.layers.Dense(first.input_shape[1], name="coordinates")
        x = dense(genes)
        dense.set_weights(list(entrance))
    each = [_copied(network, x, f"network_{number}") for number, network in enumerate(networks, 1)]
    # What explains a single network finds it in front of the mean.
    stacked = keras.layers.Concatenate(axis=1)([keras.layers.Reshape((1, -1))(one) for one in each])
    return keras.Model(genes, keras.layers.GlobalAveragePooling1D()(stacked), name=first.name)


def averages(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers that average the outputs of networks, (batch, networks, outputs) each.

    Args:
        network: Functional Keras model, such as `mean_of` returns.
    """
    kind = keras.layers.GlobalAveragePooling1D
    return [layer for layer in network.layers if isinstance(layer, kind)]


def _copied(network, x, prefix):
    """Return the outputs of a copy of a network on a symbolic input, its layers named anew."""

    def operation(layer):
        if not isinstance(layer, keras.layers.Layer):
            return layer
        config = layer.get_config() | {"name": f"{prefix}_{layer.name}"}
        return functools.partial(_called, type(layer).from_config(config), layer.get_weights())

    return follow(network, x, operation)


def _called(layer, weights, *inputs, **options):
    """Return the outputs of a layer that gets its weights when it has been built."""
    outputs = layer(*inputs, **options)
    layer.set_weights(weights)
    return outputs


# What stands in the place of "is not a number" and of its contrary where no value is missing.
NEVER, ALWAYS = object(), object()


def without_gaps(model: keras.Model, values: Any) -> Any:
    """Run a functional model on values none of which is missing; what would fill gaps is left out.

    Args:
        model: Functional Keras model, of whose parts some may be functional models too.
        values: Its input, without a value that is not a number.

    Returns:
        Its outputs.
    """

    def operation(layer):
        kind = type(layer).__name__
        if isinstance(layer, type(model)):
            return lambda x, **_: without_gaps(layer, x)
        if kind == "Isnan":
            return lambda x: NEVER
        if kind == "LogicalNot":
            return lambda x: ALWAYS if x is NEVER else layer(x)
        if kind == "Where":
            return functools.partial(chosen, layer)
        return layer

    def chosen(layer, condition, one, other):
        if condition is NEVER:
            return other
        return one if condition is ALWAYS else layer(condition, one, other)

    return follow(model, values, operation)


def forget_shapes() -> None:
    """Free the memory of compiled steps that are no longer in use.

    Graphs are cycles that only a collection finds. TensorFlow keeps a kernel for every shape that a
    variable ever had, some 100 KiB each, and frees them only all together.
    `keras.utils.clear_session` does that too, but resets Keras' settings, which are not ours.
    """
    gc.collect()
    context.context().clear_kernel_cache()
