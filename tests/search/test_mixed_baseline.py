"""The linear baseline of several targets: each has the penalty that is best for it."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from folds import cross_validation, thirds

from autogenome_tf import families
from autogenome_tf.search import _linear
from autogenome_tf.tasks import DiscreteSurvival, Mixed
from autogenome_tf.training import Configuration, Plan

ROWS, GENES = 90, 30
RANDOM = np.random.default_rng(3)
MATRIX = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
# Of one target each gene has a part and nothing else has; of the other noise has nearly all.
CLEAR = MATRIX @ RANDOM.normal(size=GENES)
FAINT = np.where(MATRIX[:, 0] + RANDOM.normal(0, 3, ROWS) > 0, "high", "low")
TARGETS = np.column_stack([CLEAR.astype(object), FAINT.astype(object)])
TARGETS[:5, 0] = TARGETS[5:9, 1] = None


@pytest.fixture(scope="module")
def folds():
    rows = SimpleNamespace(targets=TARGETS, target_names=["clear", "faint"], weights=None)
    task = Mixed.fitted(None, rows, np.ones(ROWS, bool))
    sections = {"training": {"space": "genes"}}
    return cross_validation(MATRIX, task.encode(TARGETS), task, thirds(ROWS), **sections)


@pytest.fixture(scope="module")
def best(folds):
    return _linear.LinearTrials(folds, {}, Plan(1), 7).baseline()


def test_targets_that_want_penalties_far_apart_have_them(folds, best):
    penalties = best.trial.values["l2"]
    assert penalties["clear"] <= 1e-4 and penalties["faint"] >= 1e-1
    values = {name: value for name, value in best.trial.values.items() if name != "l2"}
    options = families.space("linear", task=folds.task)["l2"].options
    kernels = {}
    for option, fit in folds.path(Configuration("linear", values), options):
        kernels[option] = fit.weights[0]
        result = folds.judge(best.trial, fit)
        assert result.trial.score < best.trial.score
    for part in folds.task.parts:
        own = kernels[penalties[part.name]][:, :, part.outputs]
        found = best.fit.weights[0][:, :, part.outputs]
        np.testing.assert_allclose(found, own, atol=0.02 * np.abs(own).max())


def test_a_trial_of_several_penalties_is_trained_again_as_it_was(folds, best):
    again = best.retrain()
    assert again.trial.score == pytest.approx(best.trial.score, abs=1e-6)
    model = folds.final_model(
        Configuration("linear", best.trial.values), again.fit, again.temperature
    )
    assert np.isfinite(model.outputs(MATRIX)).all()


def test_a_path_goes_on_for_a_target_that_still_gains():
    path = _linear._Path()
    for number, losses in enumerate([(1.0, 9.0), (2.0, 8.0), (2.0, 7.0), (2.0, 6.0)]):
        path.add(number, dict(zip("ab", losses, strict=True)))
        assert not path.is_over
    for number in range(4, 7):
        path.add(number, {"a": 2.0, "b": 6.5})
    assert path.is_over and path.best == {"a": 0, "b": 3}


def test_a_path_goes_on_where_its_first_options_are_all_alike():
    path = _linear._Path()
    for number in range(5):
        path.add(number, {"": 1.1})
    assert not path.is_over
    path.add(5, {"": 0.3})
    assert path.best == {"": 5}


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_path_may_begin_with_options_that_have_no_loss(loss):
    path = _linear._Path()
    path.add(0, {"": loss})
    assert not path.is_over and not path.best
    path.add(1, {"": 0.3})
    assert path.best == {"": 1}


def test_a_path_is_over_where_options_behind_the_best_have_no_loss():
    path = _linear._Path()
    path.add(0, {"": 0.3})
    for number in range(1, 4):
        assert not path.is_over
        path.add(number, {"": np.nan})
    assert path.is_over and path.best == {"": 0}


def test_no_penalty_a_target_is_solved_for_when_time_is_over(folds):
    plan = Plan(1, deadline=time.monotonic() - 1)
    strongest = max(families.space("linear", task=folds.task)["l2"].options)
    found = _linear.LinearTrials(folds, {}, plan, 7).baseline()
    # The path begins with it, and no target has one of its own.
    assert found.trial.values["l2"] == strongest


def test_times_alone_are_solved_for_as_by_a_task_of_their_own():
    times = RANDOM.exponential(np.exp(-MATRIX[:, 1])) + 0.01
    targets = np.column_stack([times, RANDOM.random(ROWS) < 0.7]).astype(float)
    alone = DiscreteSurvival.of_rows(["time", "event"], targets)
    mixed = Mixed.of(["time"], [alone])
    encoded = alone.encode(targets)
    mixed = mixed.weighed(encoded, np.ones(ROWS))
    sections = {"training": {"space": "genes"}}
    values = {"loss": "hazard", "spectral_power": 0.0, "gene_power": 0.0}
    found = []
    for task, loss in ((alone, "hazard"), (mixed, "joint")):
        folds = cross_validation(MATRIX, encoded, task, thirds(ROWS), **sections)
        ((_, fit),) = folds.path(Configuration("linear", values | {"loss": loss}), [0.1])
        found.append(np.concatenate(fit.validation))
    assert np.ptp(found[0]) > 0.5
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)
