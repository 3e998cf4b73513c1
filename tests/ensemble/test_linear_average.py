"""Linear learners of numbers become one linear model, each by what unseen rows say for it."""

import dataclasses
import functools
import time

import keras
import numpy as np
import pytest
from folds import cross_validation, thirds

from autogenome_tf.ensemble import _linear_average, fit_final_model
from autogenome_tf.ensemble._selection import posterior_shares
from autogenome_tf.models import FoldNetworks
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Trial, TrialResult

ROWS, GENES = 60, 90
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
VALUES = (X[:, :6] @ RANDOM.normal(size=(6, 2)) + RANDOM.normal(size=(ROWS, 2))).astype("float32")
NUMBERS = Regression(["a", "b"], mean=np.array([5.0, -1]), scale=np.array([2.0, 0.1]))
TRIED = [
    {"loss": "ridge", "l2": 1.0, "gene_power": 0.0},
    {"loss": "pls", "components": 3, "gene_power": 1.0},
    {"loss": "ridge", "l2": 3.0, "gene_power": 2.0},
]
PATHS = {"ridge": "l2", "logistic": "l2", "pls": "components"}


def in_folds(task=NUMBERS, targets=VALUES, splits=None, **changes):
    """Return the `NetworkCrossValidation` of the rows."""
    return cross_validation(X, targets, task, splits or thirds(ROWS), **changes)


def tried(folds, values=TRIED):
    """Return the results of linear learners, best first."""
    found = []
    for number, own in enumerate(values):
        options = [own[PATHS[own["loss"]]]]
        ((_, fit),) = folds.path(Configuration("linear", own), options)
        found.append(folds.judge(Trial(number, "linear", own), fit))
    return sorted(found, key=lambda one: -one.trial.score)


def alone(folds, result):
    """Return outputs for all rows by the final model of one learner."""
    model = fit_final_model(folds, [result], size=1, seed=1)
    assert "trial" not in model.history
    return model.predictor.outputs(X)


@pytest.fixture
def shares(monkeypatch):
    """Shares of the learners, best first."""
    found = np.array([0.5, 0.3, 0.2])
    monkeypatch.setattr(_linear_average, "posterior_shares", lambda *_: found)
    return found


@pytest.mark.parametrize("space", ["rows", "genes"])
@pytest.mark.parametrize("folds", [3, 1])
def test_the_model_is_one_layer_with_the_mean_outputs_of_the_learners(folds, space, shares):
    given = in_folds(splits=thirds(ROWS)[:folds], training={"space": space})
    found = tried(given)
    rows = given.validation_rows
    final = fit_final_model(given, found, size=1, seed=1)
    assert final.trials == tuple(one.trial.number for one in found)
    expected = sum(s * alone(given, one) for s, one in zip(shares, found, strict=True))
    np.testing.assert_allclose(final.predictor.outputs(X), expected, rtol=1e-4, atol=1e-3)
    held = sum(s * one.outputs for s, one in zip(shares, found, strict=True))
    scale, offset = NUMBERS.output_scale()
    np.testing.assert_allclose(final.outputs, held[rows] * scale + offset, rtol=1e-4)
    layers = final.predictor.branches[0].network.layers
    assert [type(layer) for layer in layers] == [keras.layers.InputLayer, keras.layers.Dense]
    assert (final.folds is None) == (folds == 1)


def test_learners_of_each_fold_are_kept_beside_the_model(shares):
    given = in_folds()
    final = fit_final_model(given, tried(given), size=1, seed=1)
    unseen = FoldNetworks(final.folds(), 3).outputs(X, np.arange(ROWS) % 3)
    np.testing.assert_allclose(unseen, final.outputs, rtol=1e-3, atol=1e-3)


def test_transforms_of_learners_are_all_in_the_model(shares, tmp_path):
    given = in_folds(data={"transform": ["none", "rank"]})
    found = tried(given, [own | {"transform": "rank"} for own in TRIED[:1]] + TRIED[1:])
    final = fit_final_model(given, found, size=1, seed=1)
    assert len(final.predictor.branches) == 2
    final.predictor.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model(X), final.predictor.outputs(X), rtol=1e-4, atol=1e-4)
    expected = sum(s * alone(given, one) for s, one in zip(shares, found, strict=True))
    np.testing.assert_allclose(model(X), expected, rtol=1e-4, atol=1e-3)


def test_classes_and_networks_keep_the_best_trial():
    classes = Classification(["low", "high"])
    given = in_folds(classes, (VALUES[:, 0] > 0).astype("int32"))
    values = [{"loss": "logistic", "l2": l2, "gene_power": 0.0} for l2 in (0.1, 0.2)]
    assert fit_final_model(given, tried(given, values), size=1, seed=1).trials in ((0,), (1,))
    numbers = in_folds()
    found = tried(numbers)
    assert _linear_average.linear_average(numbers, found[:1], 1) is None


def test_time_that_is_over_leaves_the_best_learner(shares):
    given = in_folds()
    found = tried(given)
    final = fit_final_model(given, found, size=1, seed=1, deadline=time.monotonic() - 1)
    assert final.trials == (found[0].trial.number,)


def test_no_learner_begins_that_would_take_too_long(shares):
    given = in_folds()
    first, *others = tried(given)
    slow = [
        dataclasses.replace(one, trial=dataclasses.replace(one.trial, seconds=3600.0))
        for one in others
    ]
    final = fit_final_model(given, [first, *slow], size=1, seed=1, deadline=time.monotonic() + 600)
    assert final.trials == (first.trial.number,) and "trial" not in final.history
    np.testing.assert_allclose(final.predictor.outputs(X), alone(given, first), rtol=1e-5)


def test_what_an_interrupted_run_left_gives_the_same_model():
    given = in_folds()
    found = tried(given)
    left = [
        TrialResult(one.trial, retrain=functools.partial(lambda own: own, one)) for one in found
    ]
    whole, again = (fit_final_model(given, own, size=1, seed=1) for own in (found, left))
    assert whole.trials == again.trials and len(whole.trials) > 1
    np.testing.assert_allclose(again.predictor.outputs(X), whole.predictor.outputs(X), rtol=1e-5)


def test_shares_go_to_the_better_the_more_rows_there_are():
    task = Regression(["a"], mean=np.zeros(1), scale=np.ones(1))
    random, tops = np.random.default_rng(3), []
    for rows in (10, 100, 1000):
        truth = random.normal(size=(rows, 1))
        outputs = np.stack([truth + s * random.normal(size=(rows, 1)) for s in (0.8, 1.0)])
        shares = posterior_shares(task, truth, outputs, np.ones(rows), 1)
        assert shares.sum() == pytest.approx(1)
        tops.append(shares[0])
    assert tops[0] < 0.98 and tops[-1] > 0.999
    same = np.repeat(outputs[:1], 2, axis=0)
    assert posterior_shares(task, truth, same, np.ones(rows), 1) == pytest.approx([0.5, 0.5])


def test_rows_of_no_weight_have_no_say():
    task = Regression(["a"], mean=np.zeros(1), scale=np.ones(1))
    random = np.random.default_rng(4)
    truth = random.normal(size=(200, 1))
    outputs = np.stack([truth + s * random.normal(size=(200, 1)) for s in (0.1, 1.0)])
    outputs[0, 100:] = 50.0
    weights = np.repeat([1.0, 0.0], 100)
    assert posterior_shares(task, truth, outputs, weights, 1)[0] > 0.99
