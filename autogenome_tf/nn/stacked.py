"""Operations on stacked replicas, whose gradients are written out.

A training step of small networks takes as long as it has operations. TensorFlow's own gradients of
sums and products over axes of unknown length have several times as many as these.
"""

import functools
import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record


def _differentiated(count: int) -> Callable[[Callable], Callable[..., Any]]:
    """Return a decorator for functions that return their result and its gradient.

    `tf.custom_gradient` does the same, but never frees a graph that it was traced in.

    Args:
        count: Number of first arguments that the gradient is of.
    """

    def decorated(function):
        @functools.wraps(function)
        def recorded(*arguments):
            with record.stop_recording():
                result, gradient = function(*arguments)
            outputs = tf.nest.flatten(result)
            record.record_operation(function.__name__, outputs, arguments[:count], gradient)
            return result

        return recorded

    return decorated


@_differentiated(2)
def with_bias(x: tf.Tensor, bias: tf.Tensor) -> Any:
    """Add a bias to the rows of each replica.

    Args:
        x: (replicas, rows, units).
        bias: (replicas, units).

    Returns:
        (replicas, rows, units).
    """
    return x + tf.expand_dims(bias, 1), lambda slope: (slope, tf.reduce_sum(slope, axis=1))


@_differentiated(3)
def normalised(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float) -> Any:
    """Normalise each unit by the rows at hand (Ioffe and Szegedy 2015, algorithm 1).

    Args:
        x: (replicas, rows, units).
        gamma: (replicas, units) scale.
        beta: (replicas, units) offset.
        epsilon: Added to the variance, above 0.

    Returns:
        (replicas, rows, units); mean and variance, (replicas, units) each, through which no
        gradient flows.
    """
    mean = tf.reduce_mean(x, axis=1, keepdims=True)
    centred = x - mean
    variance = tf.reduce_mean(tf.square(centred), axis=1, keepdims=True)
    factor = tf.math.rsqrt(variance + epsilon)
    standard, scale = centred * factor, tf.expand_dims(gamma, 1)

    def gradient(slope, *_):
        rows = tf.cast(tf.shape(x)[1], x.dtype)
        of_gamma = tf.reduce_sum(slope * standard, axis=1, keepdims=True)
        of_beta = tf.reduce_sum(slope, axis=1, keepdims=True)
        of_standard = slope - (standard * of_gamma + of_beta) / rows
        return of_standard * (factor * scale), tf.squeeze(of_gamma, 1), tf.squeeze(of_beta, 1)

    normal = standard * scale + tf.expand_dims(beta, 1)
    return (normal, tf.squeeze(mean, 1), tf.squeeze(variance, 1)), gradient


@_differentiated(1)
def times(x: tf.Tensor, factors: tf.Tensor) -> Any:
    """Multiply by factors through which no gradient flows.

    Args:
        x: Tensor of any shape.
        factors: Of the same shape.
    """
    return x * factors, lambda slope: (slope * factors,)


@_differentiated(1)
def plus(x: tf.Tensor, noise: tf.Tensor) -> Any:
    """Add noise through which no gradient flows.

    Args:
        x: Tensor of any shape.
        noise: Of the same shape.
    """
    return x + noise, lambda slope: (slope,)


@_differentiated(2)
def between(own: tf.Tensor, other: tf.Tensor, part: tf.Tensor) -> Any:
    """Interpolate between two tensors; through the part no gradient flows.

    Args:
        own: Tensor of any shape.
        other: Of the same shape.
        part: From 0, which gives `own`, to 1; of a shape that `own` has room for.
    """
    return own + part * (other - own), lambda slope: (slope * (1 - part), slope * part)


@_differentiated(2)
def added(one: tf.Tensor, other: tf.Tensor) -> Any:
    """Add two tensors of one shape.

    Args:
        one: Tensor of any shape.
        other: Of the same shape.
    """
    return one + other, lambda slope: (slope, slope)


@_differentiated(1)
def squares(values: tf.Tensor, factor: tf.Tensor) -> Any:
    """Add up the squares of all values; through the factor of the sum no gradient flows.

    Args:
        values: Tensor of any shape.
        factor: Scalar.

    Returns:
        A scalar.
    """
    twice = 2 * factor
    return twice * tf.nn.l2_loss(values), lambda slope: (slope * twice * values,)


@_differentiated(1)
def sum_over_rows(values: tf.Tensor, shares: tf.Tensor) -> Any:
    """Add up values of rows by shares through which no gradient flows.

    Args:
        values: (replicas, rows).
        shares: (replicas, rows).

    Returns:
        (replicas,).
    """
    total = tf.reduce_sum(values * shares, axis=1)
    return total, lambda slope: (tf.expand_dims(slope, 1) * shares,)


@_differentiated(1)
def replaced(x: tf.Tensor, values: tf.Tensor, slopes: tf.Tensor) -> Any:
    """Put other values in the place of some, and their slopes in that of the derivative.

    Args:
        x: Tensor of any shape, of which the gradient is.
        values: What is returned, of the same shape.
        slopes: By how much it counts as changing with `x`, of the same shape.
    """
    return tf.identity(values), lambda slope: (slope * slopes,)


@_differentiated(1)
def contracted(x: tf.Tensor, kernel: tf.Tensor, equation: str) -> Any:
    """Multiply by a kernel through which no gradient flows; `tf.einsum` computes that one too.

    Args:
        x: Tensor of the first shape of the equation.
        kernel: Tensor of its second shape.
        equation: Of Einstein's summation, one that `reversed_equation` knows: "bkd,kdu->bku".
    """
    back = reversed_equation(equation)
    return tf.einsum(equation, x, kernel), lambda slope: (tf.einsum(back, slope, kernel),)


def reversed_equation(equation: str) -> str:
    """Return the equation of the gradient with respect to the first factor of an einsum.

    Args:
        equation: Such as "bkd,kdu->bku", whose gradient is that of "bku,kdu->bkd".

    Returns:
        The equation; empty where a sum over an axis of the first factor alone has none.
    """
    first, second, result = re.split(",|->", equation)
    return f"{result},{second}->{first}" if set(first) <= set(second + result) else ""
