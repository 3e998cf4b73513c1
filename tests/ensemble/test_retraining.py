"""Contract of the final fit and of retraining: one procedure; controls and nulls as defined."""

import dataclasses

import numpy as np
import pytest
from folds import config_of, cross_validation, thirds

from autogenome_tf.ensemble import Retraining, _controls, fit_final_model
from autogenome_tf.ensemble._refit import train
from autogenome_tf.families import spaces
from autogenome_tf.tasks import Classification, Regression, Representation
from autogenome_tf.training import (
    Configuration,
    Plan,
    TrainingSettings,
    Trial,
    TrialResult,
)
from autogenome_tf.training._autoencoders import AutoencoderCrossValidation
from autogenome_tf.training._networks import NetworkCrossValidation

ROWS, GENES = 48, 12
RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
CLASSES = (X[:, 0] > 0).astype("int32")
SPLITS = thirds(ROWS)
NETWORK = Trial(1, "mlp", {"layers": 1, "units": 6, "dropout": 0.0, "input_dropout": 0.0})
BASELINE = Trial(0, "linear", {"l2": 0.01})


def in_folds(kind=None, targets=CLASSES, splits=SPLITS, **changes):
    """Return the `NetworkCrossValidation` of some rows, trained for three epochs at most."""
    training = {"epochs": 3, "learning_rate": 0.01, "space": "genes"}
    kind = kind or Classification(["low", "high"])
    return cross_validation(X, targets, kind, splits, training=training, **changes)


def weights(model):
    """Return the weights of a model's network."""
    return model.branches[0].network.get_weights()


def is_same(left, right):
    """Return whether two networks have the same weights."""
    return all(np.allclose(a, b, atol=1e-6) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("trial", [NETWORK, BASELINE], ids=["winner", "baseline"])
def test_winner_and_baseline_are_refitted_on_all_rows(trial):
    rows = in_folds()
    final = fit_final_model(rows, [TrialResult(trial)], size=1, seed=7)
    assert final.trials == (trial.number,)
    constants = rows.on_all_rows().fold_inputs(trial.configuration).constants[0]
    front = final.predictor.model.get_layer("preprocessing")
    np.testing.assert_allclose(np.asarray(front(X)), constants.apply(X), atol=1e-5)
    np.testing.assert_array_equal(final.validation_rows, np.arange(ROWS))
    assert np.isfinite(final.outputs).all()


@pytest.mark.parametrize("trial", [NETWORK, BASELINE], ids=["winner", "baseline"])
def test_winner_and_baseline_are_averaged_over_their_folds(trial):
    rows = in_folds(search={"repeats": 1})
    fit = rows.fit(trial.configuration, Plan(3, learning_rate=0.01), 1)
    final = fit_final_model(rows, [rows.judge(trial, fit)], size=3, seed=7)
    assert final.trials == (trial.number,) and set(final.history["trial"]) == {trial.number}
    expected = rows.judge(trial, fit)
    scaled = expected.outputs / rows.temperature(expected.calibrated) / expected.temperature
    np.testing.assert_allclose(final.outputs, scaled, rtol=1e-4)


def test_all_rows_keep_the_matrix_and_the_choices_of_the_folds():
    rows = in_folds()
    whole = rows.on_all_rows()
    assert whole.matrix is rows.matrix and whole.transforms is rows.transforms
    ((train, validation),) = whole.splits
    assert len(train) == ROWS and not len(validation)
    assert len(rows.splits) == 3 and whole._steps is not rows._steps


def test_other_seeds_are_other_networks():
    found = Retraining(lambda: in_folds(), 7).seeds(NETWORK, 2)
    assert len(found) == 2 and not is_same(*map(weights, found))
    assert len(Retraining(lambda: in_folds(), 7).seeds(BASELINE, 2)) == 1


def test_rows_are_prepared_once_and_only_when_asked():
    calls = []

    def prepare():
        calls.append(1)
        return in_folds()

    retraining = Retraining(prepare, 7)
    assert not calls
    assert retraining.is_possible and retraining.cross_validation is retraining.cross_validation
    assert len(calls) == 1


def test_rows_that_are_streamed_have_no_further_networks():
    rows = in_folds(splits=SPLITS[:1], data={"transform": "auto", "memory": 1e-7})
    assert not Retraining(lambda: rows, 7).is_possible


def test_controls_see_other_genes_or_other_targets(monkeypatch):
    monkeypatch.setattr(_controls, "TOGETHER", 2)
    seen, rows = {}, in_folds()
    kept = NetworkCrossValidation.fit_inputs

    def noted(self, configuration, inputs, *arguments):
        seen.setdefault("inputs", []).append(inputs)
        return kept(self, configuration, inputs, *arguments)

    monkeypatch.setattr(NetworkCrossValidation, "fit_inputs", noted)
    found = [
        (kind, order, [own.copy() for own in weights(model)])
        for kind, model, order in Retraining(lambda: rows, 7).controls(NETWORK, 3)
    ]
    kinds = [kind for kind, *_ in found]
    assert kinds == ["trained"] * 3 + ["genes"] * 2 + ["labels"] * 2 + ["genes", "labels"]
    for kind, order, _ in found:
        assert np.array_equal(order, np.arange(GENES)) == (kind != "genes")
    for one, other in zip(found, found[1:], strict=False):
        assert not is_same(one[2], other[2])
    first, *_ = seen["inputs"]
    whole = rows.on_all_rows().fold_inputs(Configuration("mlp", {})).constants[0].apply(X)
    np.testing.assert_allclose(first[0], whole[:, found[3][1]], atol=1e-5)
    np.testing.assert_allclose(np.sort(first[2], axis=0), np.sort(whole, axis=0), atol=1e-5)
    assert not np.allclose(first[2], whole)


def test_the_null_has_targets_that_a_linear_model_explains(monkeypatch):
    product = (X[:, 0] * X[:, 1]).astype("float32")[:, None]
    kind = Regression(["y"], mean=np.zeros(1), scale=np.ones(1))
    rows, drawn = in_folds(kind, product), []
    kept = NetworkCrossValidation.with_targets

    def noted(self, targets):
        drawn.append(targets)
        return kept(self, targets)

    monkeypatch.setattr(NetworkCrossValidation, "with_targets", noted)
    found = list(Retraining(lambda: rows, 7).additive_null(NETWORK, BASELINE, 2))
    assert len(found) == 2 and not is_same(*map(weights, found))
    additive = fit_final_model(rows, [TrialResult(BASELINE)], size=1, seed=7).predictor
    fitted = additive.outputs(X)
    for targets in drawn:
        residuals = np.sort((targets - fitted).ravel())
        np.testing.assert_allclose(residuals, np.sort((product - fitted).ravel()), atol=1e-3)
        assert not np.allclose(targets, product, atol=1e-3)


def test_a_deadline_that_has_passed_still_ends_in_a_model():
    rows = in_folds()
    late = dataclasses.replace(NETWORK, seconds=1.0)
    final = fit_final_model(rows, [TrialResult(late)], size=1, seed=7, deadline=0.0)
    assert list(final.history["epoch"]) == [1]


@pytest.mark.parametrize("trial", [NETWORK, BASELINE], ids=["winner", "baseline"])
def test_a_fit_that_the_deadline_ends_too_early_gives_way_to_the_networks_of_the_trial(trial):
    rows = in_folds()
    fit = rows.fit(trial.configuration, Plan(40, learning_rate=0.01), 1)
    result = rows.judge(trial, fit)
    late, in_time = (
        fit_final_model(rows, [result], size=1, seed=7, deadline=deadline)
        for deadline in (0.0, float("inf"))
    )
    assert "trial" in late.history and "trial" not in in_time.history
    late, in_time = late.outputs, in_time.outputs
    temperature = rows.temperature(result.calibrated)
    np.testing.assert_allclose(late, result.calibrated / temperature, rtol=1e-4)
    assert trial is BASELINE or not np.allclose(late, in_time, rtol=1e-2)


def test_a_representation_that_the_deadline_ends_too_early_is_the_network_of_the_trial():
    families = {"resvae": {"latent": 2, "start_width": 8, "layers": 1, "linear": "none"}}
    config = config_of("representation", families=families, training={"epochs": 3})
    space = spaces(config)["resvae"]
    trial = Trial(1, "resvae", {name: hyper.options[0] for name, hyper in space.items()})
    rows = AutoencoderCrossValidation(
        X, np.zeros(ROWS, "int32"), Representation(), TrainingSettings.of(config), splits=SPLITS[:1]
    )
    result = rows.judge(trial, rows.fit(trial.configuration, Plan(60, learning_rate=0.01), 1))
    late, in_time = (
        fit_final_model(rows, [result], size=1, seed=7, deadline=deadline)
        for deadline in (0.0, float("inf"))
    )
    expected = result.outputs[rows.validation_rows]
    np.testing.assert_allclose(late.outputs, expected, rtol=1e-5)
    assert not np.allclose(in_time.outputs, expected, rtol=1e-3)
    fitted = rows.final_model(trial.configuration, result.fit, 1.0).outputs(X)
    np.testing.assert_allclose(late.predictor.outputs(X), fitted, atol=1e-5)


def test_gene_power_of_controls_is_that_of_their_own_genes_and_targets():
    trial = Trial(1, "mlp", NETWORK.values | {"gene_power": 2.0})
    found = train(in_folds(search={"repeats": 1}), trial, 7, 1)
    reused = _controls._Reused(found)
    expected = weights(found.model(0))
    assert is_same(weights(reused.of(found.fit, 0, reused.weights)), expected)
    (order, _), (by_order, by_labels), fit = _controls._shuffled(found, reused.inputs, 1, 7, 0)
    np.testing.assert_allclose(by_order, reused.weights[order])
    assert np.mean(by_labels**2) == pytest.approx(1.0, abs=1e-4)
    assert np.abs(np.corrcoef(by_labels, reused.weights)[0, 1]) < 0.9
    assert len(fit.weights[0]) == 2
