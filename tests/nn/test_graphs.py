"""Functional models walked with other functions in the place of their layers."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from autogenome_tf import preprocessing
from autogenome_tf.nn.graphs import compiled, without_gaps
from autogenome_tf.preprocessing import FittedScaling, Moments, Transform

X = np.random.default_rng(5).gamma(2.0, 30.0, size=(50, 8)).astype("float32")
TRANSFORMS = ("none", "log1p", "log2", "library_log1p", "clr", "relative_log", "rank")


@pytest.mark.parametrize("name", TRANSFORMS)
def test_without_gaps_only_what_fills_them_is_left_out(name):
    transform = Transform(name, floor=20.0, is_filled=True)
    transformed = np.asarray(transform(X))
    constants = FittedScaling.of(Moments.of([transformed]), missing="mean")
    if name == "rank":
        constants = constants.ranked(transformed, "standard", "mean")
    model = preprocessing.model(transform, constants, X.shape[1])
    run = compiled(functools.partial(without_gaps, model), ((None, X.shape[1]), tf.float32))
    assert run(tf.constant(X)).numpy() == pytest.approx(model(X).numpy(), abs=1e-6)
    graph = run.get_concrete_function().graph
    assert "IsNan" not in {operation.type for operation in graph.get_operations()}


class Adding:
    """An object of which each has its own compiled step, as each engine of a search has."""

    def __init__(self, number):
        self.number = number
        self.step = compiled(self.added, ((None,), tf.float32))

    def added(self, values):
        return values + self.number


def test_one_trace_each_of_many_objects_is_no_warning_of_retracing(monkeypatch):
    said = []
    monkeypatch.setattr(tf.get_logger(), "warning", lambda message, *_: said.append(message))
    # TensorFlow warns of five traces in fifteen calls.
    assert [float(Adding(k).step(tf.zeros(1))[0]) for k in range(8)] == list(range(8))
    assert said == []
