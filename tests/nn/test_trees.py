"""Trees as Keras layers give what scikit-learn's do, saved or not; paths say what a change does."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from autogenome_tf.nn.tree_paths import Paths
from autogenome_tf.nn.trees import Trees, forest_network, has_trees, rounded_down, trees_of
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training._forests import _trees

RANDOM = np.random.default_rng(5)
GENES = 12
ROWS = RANDOM.normal(size=(80, GENES)).astype("float32")
OTHERS = RANDOM.normal(size=(50, GENES)).astype("float32")
CLASSES = (ROWS[:, 0] > 0) * 1 + (ROWS[:, 1] + ROWS[:, 2] > 0.5)
VALUES = np.stack([ROWS[:, 0] * ROWS[:, 1], np.abs(ROWS[:, 2])], axis=1)
KINDS = ("classification", "regression")


def fitted(kind, rows=ROWS):
    """Return a forest of scikit-learn with its `Trees`, and its outputs of other rows."""
    if kind == "classification":
        model = ExtraTreesClassifier(20, random_state=1).fit(rows, CLASSES)
        return model, _trees(model, Classification(list("abc"))), model.predict_proba
    model = ExtraTreesRegressor(20, random_state=1).fit(rows, VALUES)
    return model, _trees(model, Regression(["x", "y"])), model.predict


@pytest.mark.parametrize("kind", KINDS)
def test_layers_equal_scikit_learn(kind):
    _, trees, outputs = fitted(kind)
    network = forest_network(trees, GENES)
    assert has_trees(network)
    for rows in (ROWS, OTHERS):
        np.testing.assert_allclose(network(rows), outputs(rows), atol=1e-6)


def test_values_at_a_threshold_go_the_same_way():
    model, trees, outputs = fitted("classification")
    found = np.unique(trees.thresholds[~trees.is_leaf])
    around = [found, np.nextafter(found, np.float32(np.inf)), np.nextafter(found, -np.float32(9))]
    rows = np.tile(np.concatenate(around)[:, None], GENES).astype("float32")
    np.testing.assert_allclose(forest_network(trees, GENES)(rows), outputs(rows), atol=1e-6)
    # Rounded to the nearest, some thresholds would lie above scikit-learn's.
    exact = np.concatenate([one.tree_.threshold for one in model.estimators_])
    assert (exact.astype("float32") > exact).any()
    assert (rounded_down(exact) <= exact).all()
    assert (np.nextafter(rounded_down(exact), np.float32(np.inf)) > exact).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_forest_is_the_same_as_keras_and_saved_model(kind, tmp_path):
    _, trees, outputs = fitted(kind)
    network = forest_network(trees, GENES)
    network.save(tmp_path / "forest.keras")
    loaded = keras.models.load_model(tmp_path / "forest.keras", safe_mode=True)
    network.export(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")
    for run in (loaded, served.serve):
        np.testing.assert_allclose(run(OTHERS), outputs(OTHERS), atol=1e-6)
    for field in dataclasses.fields(Trees):
        ours, theirs = (getattr(one, field.name) for one in (trees, trees_of(loaded)))
        is_used = trees.is_leaf if field.name == "values" else slice(None)
        np.testing.assert_allclose(theirs[is_used], ours[is_used], rtol=1e-6)


def test_a_tree_of_a_single_leaf_is_a_constant():
    model = ExtraTreesRegressor(3, random_state=1).fit(ROWS, np.full(len(ROWS), 2.5))
    trees = _trees(model, Regression(["x"]))
    assert trees.depth == 0
    network = forest_network(trees, GENES)
    np.testing.assert_array_equal(network(OTHERS), np.full((len(OTHERS), 1), 2.5))
    assert not Paths.of(trees_of(network)).changes(OTHERS, ROWS[:50]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_paths_say_what_another_value_of_a_gene_does(kind):
    _, trees, outputs = fitted(kind)
    rows, others = ROWS[:30], OTHERS[:30]
    found = Paths.of(trees).changes(rows, others)
    for gene in range(GENES):
        changed = rows.copy()
        changed[:, gene] = others[:, gene]
        np.testing.assert_allclose(found[:, gene], outputs(changed) - outputs(rows), atol=1e-6)
    assert np.abs(found).max() > 0.1
