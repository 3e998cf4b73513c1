"""Winner's bias: the corrected validation score lacks what being chosen gains."""

import numpy as np
import pytest

from autogenome_tf import metrics
from autogenome_tf.ensemble import _winners_bias, corrected
from autogenome_tf.tasks import Classification, Regression

ROWS, TRIALS, SEEDS = 80, 30, 20
CHANCE = 0.5
TASK = Classification(["healthy", "tumour"])


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Resample less often than a run does, which is fast and as good on average."""
    monkeypatch.setattr(_winners_bias, "RESAMPLES", 25)
    monkeypatch.setattr(_winners_bias, "ENSEMBLE_RESAMPLES", 8)


def matrix(seed, skill, rows=ROWS):
    """Return classes and out-of-fold logits of trials with a common skill and noise of their own.

    Args:
        seed: Of classes and noise.
        skill: (trials,) mean of the logit of the true class.
        rows: Number of rows.
    """
    random = np.random.default_rng(seed)
    targets = random.integers(0, 2, rows).astype("int32")
    signal = np.eye(2)[targets]
    return targets, [random.normal(size=(rows, 2)) + own * signal for own in skill]


def chosen(targets, outputs):
    """Return the accuracy of the trial that is best on all rows, and its place."""
    scores = [TASK.metric("accuracy", targets, one)[0] for one in outputs]
    return max(scores), int(np.argmax(scores))


def fair(targets, outputs, size=1, objective="accuracy"):
    options = {"objective": objective, "size": size, "seed": 1}
    return corrected(TASK, targets, outputs, **options)["accuracy"]


def contains(metric):
    return metric["low"] <= CHANCE <= metric["high"]


def test_on_shuffled_labels_chance_is_in_the_interval_and_not_in_the_uncorrected_one():
    own, uncorrected = 0, 0
    for seed in range(SEEDS):
        targets, outputs = matrix(seed, np.zeros(TRIALS))
        best = outputs[chosen(targets, outputs)[1]]
        plain = metrics.with_intervals(TASK, targets, best, 1, resamples=200)["accuracy"]
        own, uncorrected = own + contains(fair(targets, outputs)), uncorrected + contains(plain)
    assert own >= SEEDS - 1
    assert uncorrected < SEEDS / 2


@pytest.mark.parametrize("skill", [0.0, 0.7])
def test_the_bias_is_below_a_fifth_of_the_uncorrected_one(skill):
    skills = np.linspace(skill, skill + 0.2, TRIALS)
    beyond, uncorrected = [], []
    for seed in range(40):
        targets, outputs = matrix(seed, skills)
        own, place = chosen(targets, outputs)
        many, fresh = matrix(10_000, skills[[place]], rows=20_000)
        expected = TASK.metric("accuracy", many, fresh[0])[0]
        uncorrected.append(own - expected)
        beyond.append(fair(targets, outputs)["value"] - expected)
    assert np.mean(uncorrected) > 0.04
    assert abs(np.mean(beyond)) < np.mean(uncorrected) / 5


def test_the_selection_of_an_ensemble_is_corrected_too():
    found = [fair(*matrix(seed, np.zeros(8)), 3, "log_loss")["value"] for seed in range(12)]
    assert abs(np.mean(found) - CHANCE) < 0.03


def test_a_single_trial_has_nothing_to_correct():
    targets, outputs = matrix(0, [1.0])
    assert abs(fair(targets, outputs)["value"] - chosen(targets, outputs)[0]) < 0.02


def test_values_are_corrected_in_their_units():
    random = np.random.default_rng(0)
    targets = 100 + random.normal(size=(ROWS, 1))
    outputs = [100 + random.normal(size=(ROWS, 1)) for _ in range(TRIALS)]
    task = Regression(["age"], mean=np.array([100.0]), scale=np.array([1.0]))
    found = corrected(task, targets, outputs, objective="pearson", size=1, seed=1)
    best = max(task.metric("pearson", targets, one)[0] for one in outputs)
    assert best > 0.15
    assert found["pearson"]["value"] < best / 2


def test_a_metric_that_is_undefined_has_no_value():
    targets, outputs = np.zeros(ROWS, "int32"), matrix(0, np.zeros(3))[1]
    options = {"objective": "log_loss", "size": 1, "seed": 1}
    assert corrected(TASK, targets, outputs, **options)["roc_auc"]["value"] is None


@pytest.mark.parametrize("task", [TASK, Regression(["y"])])
def test_of_very_few_rows_samples_that_leave_none_out_do_not_count(task):
    random = np.random.default_rng(0)
    targets = np.array([0, 1, 1]) if task is TASK else random.normal(size=(3, 1))
    outputs = [random.normal(size=(3, task.outputs)) for _ in range(4)]
    name = task.headlines[0]
    options = {"objective": name, "size": 1, "seed": 1}
    found = corrected(task, targets, outputs, **options)
    assert set(found) == set(task.metrics(targets, outputs[0]))
    assert np.isfinite(found["log_loss" if task is TASK else "mae"]["value"])
    assert corrected(task, targets[:1], [own[:1] for own in outputs], **options) == {}
