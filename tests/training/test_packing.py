"""Small weights share a variable, and nobody sees it but the clock."""

import numpy as np
import pytest
import tensorflow as tf
from folds import cross_validation, thirds
from tensorflow.python.eager import context

from autogenome_tf.nn.graphs import as_written
from autogenome_tf.tasks import Classification
from autogenome_tf.training import Configuration, Plan
from autogenome_tf.training._engines import SHARED, _packing
from autogenome_tf.training._engines._packing import Packing
from autogenome_tf.training._engines._vectorized import BY_NORM, OPTIMIZERS

SHAPES = {"kernel": (3, 40, 8), "bias": (3, 8), "last": (3, 8, 2), "offset": (3, 2)}
VALUES = {"layers": 2, "units": 8, "normalization": "batch", "dropout": 0.2, "l2": 0.01}


@pytest.fixture
def stacks():
    """Values of some weights."""
    random = np.random.default_rng(0)
    return {path: random.normal(size=shape) for path, shape in SHAPES.items()}


@pytest.mark.parametrize("as_given", [np.asarray, tf.constant])
def test_what_is_put_together_comes_apart_again(stacks, as_given, monkeypatch):
    monkeypatch.setattr(_packing, "SHARED_VALUES", 100)
    packing = Packing(SHAPES)
    assert packing.shapes == [(3, 40, 8), (3, 8 + 16 + 2)]
    values = packing.together({path: as_given(stack) for path, stack in stacks.items()})
    assert [tuple(value.shape) for value in values] == packing.shapes
    assert all(map(tf.is_tensor, values)) == (as_given is tf.constant)
    found = packing.apart(values)
    assert set(found) == set(stacks)
    for path, stack in stacks.items():
        np.testing.assert_array_equal(found[path], stack)


def test_weights_stay_apart_where_an_optimizer_compares_their_values():
    assert Packing(SHAPES, is_apart=True).shapes == list(SHAPES.values())
    assert Packing({}).shapes == [] and Packing({}).apart([]) == {}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_does_not_depend_on_what_shares_a_variable(optimizer, monkeypatch):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 20)).astype("float32"), random.integers(0, 2, 30)
    task, plan, found = Classification(["a", "b"]), Plan(3, 8, optimizer, learning_rate=0.01), []
    for limit in (0, _packing.SHARED_VALUES):
        monkeypatch.setattr(_packing, "SHARED_VALUES", limit)
        SHARED.clear()
        found.append(
            cross_validation(x, y, task, thirds(30)).fit(Configuration("mlp", VALUES), plan, 1)
        )
        (engine,) = SHARED
        is_apart = not limit or optimizer in BY_NORM
        assert len(engine._variables) == (10 if is_apart else 1)
    SHARED.clear()
    for own, other in zip(*(fit.weights for fit in found), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5)


def test_graphs_run_as_written_in_the_block_alone():
    def rewriting():
        given = context.context().function_call_options.as_attrs()["config_proto"]
        config = tf.compat.v1.ConfigProto.FromString(given)
        return not config.graph_options.rewrite_options.disable_meta_optimizer

    assert rewriting()
    with pytest.raises(ValueError), as_written():
        assert not rewriting()
        raise ValueError
    assert rewriting()
