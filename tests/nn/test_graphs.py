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
