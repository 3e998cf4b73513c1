"""Test final models that average networks of several seeds, and how the trial is chosen."""

import dataclasses
import types

import numpy as np
import pytest
from folds import NETWORKS, config_of, cross_validation, thirds

from autogenome_tf import explainers
from autogenome_tf.core.files import model_names
from autogenome_tf.ensemble import _finalists, _refit, fit_final_model
from autogenome_tf.models import Predictor
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Plan, TrainingSettings, Trial

ROWS, GENES = 60, 40
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
TASKS = {
    "classification": (
        Classification(["healthy", "tumour"]),
        (X[:, :4].sum(1) > 0).astype("int32"),
    ),
    "regression": (
        Regression(["dose"], mean=np.array([5.0]), scale=np.array([2.0])),
        X[:, :4].sum(1, keepdims=True) / 2,
    ),
}
LIMITED = {"search": {"max_parameters": 10_000, "method": "enas"}, "families": {"wired": {}}}
MLP, LINEAR = NETWORKS["mlp"], {"l2": 0.1, "spectral_power": 0.0}


def in_folds(kind="classification", seeds=3, splits=None, **changes):
    """Return the `NetworkCrossValidation` of rows whose best trial becomes several networks."""
    ensemble = {"seeds": seeds} | changes.pop("ensemble", {})
    changes = {"training": {"epochs": 2}, "search": {"repeats": 1}} | changes
    task, targets = TASKS[kind]
    given = splits or thirds(ROWS)
    return cross_validation(X, targets, task, given, ensemble=ensemble, **changes)


def tried(folds, number=1, family="mlp", values=MLP, epochs=2):
    """Return the result of a trial as a search leaves it."""
    if family == "linear":
        ((_, fit),) = folds.path(Configuration(family, values), [values["l2"]])
    else:
        fit = folds.fit(Configuration(family, values), Plan(epochs, learning_rate=0.01), number)
    return folds.judge(Trial(number, family, values), fit)


def scored(result, score):
    """Return a result with another score."""
    return dataclasses.replace(result, trial=dataclasses.replace(result.trial, score=score))


def assert_explained_as_by_shap(model, values):
    """The fast attributions of a model are those of shap, which are returned."""
    rows = types.SimpleNamespace(values=values[:4], samples=list("abcd"))
    fast, shap = (
        explainers.explain(model, rows, values[20:40], method).values
        for method in ("fast_deep_shap", "deep_shap")
    )
    assert np.abs(fast - shap).max() < 1e-4 * np.abs(shap).max()
    return shap


@pytest.mark.parametrize("family", NETWORKS)
@pytest.mark.parametrize("kind", TASKS)
def test_the_model_is_the_mean_of_networks_that_differ_in_their_seed(kind, family):
    folds = in_folds(kind)
    found = _refit.train(folds, Trial(1, family, NETWORKS[family]), 7, 3)
    each = [found.model(replica).outputs(X) for replica in found.replicas]
    assert np.abs(each[0] - each[1]).max() > 1e-3
    mean = found.model(*found.replicas)
    np.testing.assert_allclose(mean.outputs(X), np.mean(each, axis=0), rtol=1e-4, atol=1e-5)
    assert (mean.networks, found.model(0).networks) == (3, 1)


@pytest.mark.parametrize("power", [0.0, 0.5])
@pytest.mark.parametrize("family", ["mlp", "wired"])
def test_networks_of_many_genes_share_the_layer_that_leads_to_coordinates(family, power):
    task, targets = TASKS["classification"]
    wide = np.random.default_rng(1).normal(size=(ROWS, 300)).astype("float32")
    folds = cross_validation(wide, targets, task, thirds(ROWS), training={"epochs": 2})
    assert folds.space == "rows"
    values = NETWORKS[family] | {"units": 60, "spectral_power": power, "width_1": 4}
    found = _refit.train(folds, Trial(1, family, values), 7, 20)
    each = [found.model(replica).outputs(wide) for replica in found.replicas]
    mean = found.model(*found.replicas)
    np.testing.assert_allclose(mean.outputs(wide), np.mean(each, axis=0), rtol=1e-3, atol=1e-4)
    network = mean.model.get_layer("network")
    assert (
        network.get_layer("coordinates").units
        == found.cross_validation.fold_inputs(Configuration(family, values)).width
    )
    assert network.count_params() < sum(found.model(0).model.count_params() for _ in each)
    assert_explained_as_by_shap(mean, wide)


def test_a_single_split_is_judged_by_the_networks_that_are_the_last():
    folds = in_folds(splits=thirds(ROWS)[:1])
    final = fit_final_model(folds, [tried(folds)], size=1, seed=7)
    ((_, rows),) = folds.splits
    np.testing.assert_allclose(
        final.predictor.outputs(X[rows]), final.outputs, rtol=1e-3, atol=1e-4
    )
    assert final.predictor.networks == 3 and final.folds is None


def test_the_file_of_a_model_says_how_many_networks_it_averages(tmp_path):
    folds = in_folds()
    path = tmp_path / "model.keras"
    final = fit_final_model(folds, [tried(folds)], size=1, seed=7)
    final.predictor.save(path)
    assert model_names(path)["networks"] == 3
    np.testing.assert_allclose(Predictor.load(path).outputs(X), final.predictor.outputs(X))


@pytest.mark.parametrize("family", NETWORKS)
def test_the_fast_attributions_of_a_mean_are_those_of_shap(family):
    folds = in_folds()
    mean = _refit.train(folds, Trial(1, family, NETWORKS[family]), 7, 3).model(0, 1, 2)
    assert np.abs(assert_explained_as_by_shap(mean, X)).max() > 1e-3


# Choice ---------------------------------------------------------------------------------------


def test_the_best_network_is_judged_even_behind_a_linear_learner():
    folds = in_folds()
    ahead, network = scored(tried(folds, 0, "linear", LINEAR), 0.0), tried(folds)
    best, judged = _finalists.best_judged(folds, [ahead, network], 7)
    assert best is ahead and list(judged) == [1]
    behind = scored(ahead, 9.0)
    best, judged = _finalists.best_judged(folds, [network, behind], 7)
    assert best is judged[1] and best.trial.score != network.trial.score


def test_a_judged_score_is_that_of_the_average_of_all_seeds():
    folds = in_folds()
    _, judged = _finalists.best_judged(folds, [tried(folds)], 7)
    fit = folds.fit(Configuration("mlp", MLP), Plan.of(folds.settings.training, 2), 7, 3)
    assert judged[1].trial.score == folds.judge(Trial(1, "mlp", MLP), fit).trial.score
    assert len(judged[1].fit.weights[0]) == 9


def test_what_luck_has_put_ahead_falls_back():
    folds = in_folds(training={"epochs": 30})
    lucky, worse = scored(tried(folds, 1), 0.0), scored(tried(folds, 2, "resnet"), 0.1)
    steady = scored(tried(folds, 0, "linear", LINEAR), 0.2)
    best, judged = _finalists.best_judged(folds, [lucky, worse, steady], 7)
    assert set(judged) == {1, 2} and best is steady
    assert all(one.trial.score > 0.2 for one in judged.values())


def test_without_time_the_best_with_networks_at_hand_stays():
    folds = in_folds()
    network = tried(folds)
    gone = dataclasses.replace(scored(tried(folds, 2), 0.0), fit=None)
    best, judged = _finalists.best_judged(folds, [gone, network], 7, deadline=0.0)
    assert best is network and not judged


def test_the_final_model_is_of_the_judged_folds():
    folds = in_folds()
    final = fit_final_model(folds, [tried(folds)], size=1, seed=7)
    (judged,) = final.judged
    rows = final.validation_rows
    np.testing.assert_allclose(final.outputs, judged.calibrated[rows], rtol=1e-5)
    np.testing.assert_allclose(final.folds().outputs(X).shape, (ROWS, 2))


# Number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "rows", "sections", "expected"),
    [
        ("mlp", 999, {}, 5),
        ("mlp", 1000, {}, 1),
        ("mlp", 5000, {"ensemble": {"seeds": 2}}, 2),
        ("linear", 50, {"ensemble": {"seeds": 2}}, 1),
        ("forest", 50, {"ensemble": {"seeds": 2}}, 1),
        ("resvae", 50, {}, 1),
        ("pathway", 50, {}, 1),
        ("pathway", 50, {"ensemble": {"seeds": 2}}, 2),
        ("wired", 50, LIMITED, 1),
    ],
)
def test_few_rows_get_five_seeds_where_seeds_differ(family, rows, sections, expected):
    settings = TrainingSettings.of(config_of("classification", **sections))
    assert settings.number_of_seeds(family, rows) == expected


def test_networks_of_folds_are_repeated_only_where_the_final_model_averages():
    few, one = in_folds(seeds="auto", search={}), in_folds(seeds=1, search={})
    assert (few.repeats, one.repeats) == (3, 1)
    assert len(few.fit(Configuration("mlp", MLP), Plan(1), 1).weights[0]) == 9
    assert len(one.fit(Configuration("mlp", MLP), Plan(1), 1).weights[0]) == 3
