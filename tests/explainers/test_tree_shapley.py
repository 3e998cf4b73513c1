"""Attributions of trees are exact Shapley values, alone and beside networks in an ensemble."""

import warnings

import numpy as np
import pytest
from folds import cross_validation, thirds
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from autogenome_tf import explainers
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset
from autogenome_tf.ensemble import _average, _selection
from autogenome_tf.explainers._pairs import double_knockout
from autogenome_tf.explainers._tree_shapley import tree_shapley
from autogenome_tf.models import FoldNetworks
from autogenome_tf.nn.trees import forest_network, has_trees
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Plan, Trial
from autogenome_tf.training._forests import _trees

RANDOM = np.random.default_rng(7)
ROWS, GENES = 60, 15
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
BACKGROUND = RANDOM.normal(size=(20, GENES)).astype("float32")
CLASSES = (X[:, 0] > 0) * 1 + (X[:, 1] * X[:, 2] > 0.3)
TASK = Classification(["a", "b", "c"])
SHARES = np.array([0.5, 0.3, 0.2])


def forest_of(kind):
    """Return a forest of scikit-learn and the same as a network."""
    if kind == "classification":
        model = ExtraTreesClassifier(30, random_state=1).fit(X, CLASSES)
        return model, forest_network(_trees(model, TASK), GENES)
    model = ExtraTreesRegressor(30, random_state=1).fit(X, X[:, 0] * X[:, 1])
    return model, forest_network(_trees(model, Regression(["x"])), GENES)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_values_are_those_of_the_tree_explainer(kind):
    import shap

    model, network = forest_of(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = shap.TreeExplainer(model, BACKGROUND, feature_perturbation="interventional")
        expected = theirs.shap_values(X[:10], check_additivity=False)
    expected = np.asarray(expected).reshape(10, GENES, -1)
    found = tree_shapley(network, X[:10], BACKGROUND)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    base = np.asarray(network(BACKGROUND)).mean(axis=0)
    np.testing.assert_allclose(found.sum(axis=1), network(X[:10]) - base, atol=1e-6)
    # Rows of the background itself have no part where they are all of it.
    assert not tree_shapley(network, X[:1], X[:1]).any()


def test_blocks_change_nothing(monkeypatch):
    _, network = forest_of("classification")
    whole = tree_shapley(network, X[:5], BACKGROUND)
    monkeypatch.setattr("autogenome_tf.explainers._tree_shapley.BLOCK", 1)
    np.testing.assert_allclose(tree_shapley(network, X[:5], BACKGROUND), whole, atol=1e-7)


@pytest.fixture(scope="module")
def folds():
    """Return rows in three folds."""
    return cross_validation(X, CLASSES, TASK, thirds(ROWS), search={"repeats": 1})


@pytest.fixture(scope="module")
def mixed(folds):
    """Return an ensemble of two forests and a network, and the results that it is made of."""
    tried = [
        ("forest", {"trees": 20, "max_features": "sqrt", "min_leaf": 1}),
        ("mlp", {"layers": 1, "units": 8}),
        ("forest", {"trees": 10, "max_features": "tenth", "min_leaf": 3}),
    ]
    found = [
        folds.judge(
            Trial(number, *own), folds.fit(Configuration(*own), Plan(5, learning_rate=0.01), 1)
        )
        for number, own in enumerate(tried)
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_selection, "select", lambda *_: SHARES)
        return _average.average(folds, found).predictor, found


def dataset(values):
    """Return rows as a `Dataset`."""
    names = [f"g{gene}" for gene in range(GENES)]
    return Dataset(values, np.array([f"s{row}" for row in range(len(values))]), names)


def test_an_ensemble_keeps_trees_in_a_network_of_their_own(folds, mixed):
    model, found = mixed
    assert [has_trees(branch.network) for branch in model.branches] == [True, False]
    assert {"network_none", "network_none_2"} <= {layer.name for layer in model.model.layers}
    total = 0
    for share, one in zip(SHARES, found, strict=True):
        known = one.trial.configuration, one.fit, one.temperature
        each = [folds.final_model(*known, replica).outputs(X) for replica in range(3)]
        total = total + share * np.mean(each, axis=0)
    scale, _ = model.output_scale
    np.testing.assert_allclose(model.outputs(X), total * scale, atol=1e-5)


def test_each_fold_of_an_ensemble_has_its_own_forests(folds, mixed):
    model, found = mixed
    assert FoldNetworks.has_folds(model, 3)
    fold = np.arange(ROWS) % 3
    unseen = sum(s * one.calibrated for s, one in zip(SHARES, found, strict=True))
    expected = unseen * model.output_scale[0]
    np.testing.assert_allclose(FoldNetworks(model, 3).outputs(X, fold), expected, atol=1e-5)


@pytest.mark.parametrize("method", ["fast_deep_shap", "gradient"])
def test_an_ensemble_of_trees_and_networks_adds_up(mixed, method):
    model, _ = mixed
    found = explainers.explain(model, dataset(X[:8]), BACKGROUND, method)
    change = model.outputs(X[:8]) - model.outputs(BACKGROUND).mean(axis=0)
    tolerance = 2e-2 if method == "gradient" else 1e-4
    np.testing.assert_allclose(found.values.sum(axis=1), change, atol=tolerance)


def test_a_knock_out_is_what_the_output_loses(mixed):
    model, _ = mixed
    found = explainers.explain(model, dataset(X[:6]), BACKGROUND, "knockout")
    for gene in (0, 4):
        without = X[:6].copy()
        without[:, gene] = 0
        expected = model.outputs(X[:6]) - model.outputs(without)
        np.testing.assert_allclose(found.values[:, gene], expected, atol=1e-5)


def test_pairs_of_genes_are_knocked_out_together():
    _, network = forest_of("classification")
    rows, changed, genes = X[:4], BACKGROUND[:4], [0, 2, 5]
    found = double_knockout(network, rows, changed, genes)

    def outputs(*out):
        own = rows.copy()
        own[:, list(out)] = changed[:, list(out)]
        return np.asarray(network(own))

    expected = outputs() - outputs(0) - outputs(5) + outputs(0, 5)
    np.testing.assert_allclose(found[:, 1], expected, atol=1e-6)


@pytest.mark.parametrize("method", ["knockout", "fast_deep_shap"])
def test_interactions_of_an_ensemble_are_those_of_its_parts(mixed, method):
    model, _ = mixed
    pairs = explainers.interactions(model, dataset(X[:4]), BACKGROUND, [0, 1, 2], method=method)
    assert pairs.values.shape == (4, 3, 3) and np.abs(pairs.values).max() > 0


def test_single_forests_of_an_ensemble_are_explained(mixed):
    model, _ = mixed
    single = explainers.networks(model, 9)
    forests = [one for one in single if has_trees(one.branches[0].network)]
    assert len(single) == 9 and len(forests) == 6
    found = explainers.explain(forests[0], dataset(X[:3]), BACKGROUND)
    change = forests[0].outputs(X[:3]) - forests[0].outputs(BACKGROUND).mean(axis=0)
    np.testing.assert_allclose(found.values.sum(axis=1), change, atol=1e-5)


def test_importance_finds_the_gene_that_decides(folds):
    values = {"trees": 50, "max_features": "third", "min_leaf": 1}
    fit = folds.fit(Configuration("forest", values), Plan(1), 1)
    model = folds.final_model(Configuration("forest", values), fit, 1.0).with_training_rows(X)
    assert model.importance is not None and model.importance.sum() == pytest.approx(1)
    assert np.argmax(model.importance) == 0


def test_trees_are_no_part_of_a_graph(mixed):
    with pytest.raises(InputError, match="attributions of trees cannot be a part of a graph"):
        explainers.in_graph(mixed[0], BACKGROUND)
