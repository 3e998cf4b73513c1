"""Operations on replicas: their gradients are those that TensorFlow finds."""

import gc

import numpy as np
import pytest
import tensorflow as tf

from autogenome_tf.nn import stacked

DRAWN = np.random.default_rng(5)
X, SLOPE, OTHER = DRAWN.normal(size=(3, 2, 6, 4)).astype("float32")
GAMMA, BETA = DRAWN.normal(size=(2, 2, 4)).astype("float32")
KERNEL = DRAWN.normal(size=(2, 4, 4)).astype("float32")
EPSILON = 1e-3


def normalised(x, gamma, beta, epsilon):
    mean, variance = tf.nn.moments(x, axes=[1])
    factor = gamma * tf.math.rsqrt(variance + epsilon)
    return x * factor[:, None] + (beta - mean * factor)[:, None], mean, variance


# Each operation, its formula, and its arguments, the first ones of which have a gradient.
CASES = {
    "with_bias": (lambda x, bias: x + bias[:, None], (X, BETA), 2),
    "normalised": (normalised, (X, GAMMA, BETA, EPSILON), 3),
    "times": (lambda x, factors: x * factors, (X, OTHER), 1),
    "plus": (lambda x, noise: x + noise, (X, OTHER), 1),
    "between": (lambda own, other, part: (1 - part) * own + part * other, (X, OTHER, 0.3), 2),
    "added": (lambda one, other: one + other, (X, OTHER), 2),
    "squares": (lambda x, factor: factor * tf.reduce_sum(x**2), (X, 0.3), 1),
    "replaced": (
        lambda x, values, slopes: tf.stop_gradient(values - slopes * x) + slopes * x,
        (X, OTHER, SLOPE), 1,
    ),
    "contracted": (
        lambda x, kernel, equation: tf.einsum(equation, x, kernel),
        (X, KERNEL, "kbd,kdu->kbu"), 1,
    ),
    "sum_over_rows": (lambda x, shares: tf.reduce_sum(x * shares, 1), (X[0], OTHER[0]), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_the_formula(name):
    formula, arguments, count = CASES[name]

    def results(function):
        given = [tf.constant(part) for part in arguments[:count]]
        with tf.GradientTape() as tape:
            tape.watch(given)
            outputs = tf.nest.flatten(function(*given, *arguments[count:]))
            slope = SLOPE if len(outputs[0].shape) == 3 else SLOPE[0, :, 0]
            total = tf.reduce_sum(outputs[0] * slope)
        return [*outputs, *tape.gradient(total, given)]

    found = tf.function(lambda: results(getattr(stacked, name)), autograph=False)()
    for own, expected in zip(found, results(formula), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)


def test_a_compiled_function_is_freed():
    def graphs():
        gc.collect()
        return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())

    def differentiate():
        @tf.function(autograph=False)
        def compiled(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = stacked.times(x, OTHER)
            return tape.gradient(y, x)

        compiled(tf.constant(X))

    differentiate()
    differentiate()
    before = graphs()
    differentiate()
    assert graphs() == before
