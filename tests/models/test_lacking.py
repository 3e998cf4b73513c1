"""Genes that new rows lack: filled up to a share of the importance, refused beyond."""

import dataclasses
import tracemalloc

import keras
import numpy as np
import pytest
import tensorflow as tf

from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset
from autogenome_tf.export._graph import Served
from autogenome_tf.models import Predictor, tables
from autogenome_tf.nn.sensitivity import squared_slopes
from autogenome_tf.preprocessing import FittedScaling, Moments, Transform
from autogenome_tf.tasks import Regression

NAMES = ["a", "b", "c", "d"]
VALUES = (np.random.default_rng(0).normal(size=(200, 4)) * [1, 2, 1, 1] + [3, 4, 5, 6]).astype(
    "float32"
)
WEIGHTS = np.array([[10.0, 0], [0, 20], [0.2, 0.1], [0, 0]], "float32")


def predictor_of(limit=0.05, transform="none", missing="error"):
    """A linear model of two outputs in units, of which the last gene is no part."""
    transform = Transform(transform)
    transformed = np.asarray(transform(VALUES))
    moments = Moments.of([transformed]).with_median(transformed)
    constants = FittedScaling.of(moments, "standard", missing)
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    network.layers[-1].set_weights([WEIGHTS, np.ones(2)])
    task = Regression(["y", "z"], "mse", np.array([1.0, -3]), np.array([2.0, 1.0]))
    predictor = Predictor.assemble([(transform, constants, network)], task, NAMES, missing)
    return predictor.with_training_rows(VALUES, limit)


def rows_without(*genes):
    """Rows whose values of some genes are missing, and say so."""
    values = VALUES[:6].copy()
    values[:, [NAMES.index(gene) for gene in genes]] = np.nan
    samples = np.array([f"s{row}" for row in range(6)], object)
    return Dataset(values, samples, NAMES, lacking=genes, source="new.tsv")


# Importance --------------------------------------------------------------------------------


def test_slopes_of_a_linear_network_are_its_weights():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    network.layers[-1].set_weights([WEIGHTS, np.ones(2)])
    found = squared_slopes(network, VALUES[:9])
    assert found == pytest.approx(WEIGHTS.astype("float64") ** 2)


def test_slopes_of_one_output_are_in_memory_at_a_time():
    network = keras.Sequential([keras.Input((500,)), keras.layers.Dense(40)])
    rows = np.random.default_rng(0).normal(size=(100, 500))
    tracemalloc.start()
    found = squared_slopes(network, rows)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (500, 40) and most < 5 * rows.nbytes


def test_slopes_are_root_mean_squares_over_rows():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "relu")])
    network.layers[-1].set_weights([np.array([[3.0]]), np.zeros(1)])
    # Of four rows one is on the slope.
    assert squared_slopes(network, np.array([[-1.0], [-2], [-3], [5]])) == pytest.approx(9 / 4)


def test_importance_is_the_norm_of_weights_in_standard_deviations_and_units():
    # The outputs' units are 2 and 1; genes are standardised.
    expected = np.array([20.0, 20.0, np.hypot(0.4, 0.1), 0])
    found = predictor_of().importance
    assert found == pytest.approx(expected / expected.sum(), rel=1e-3)
    assert predictor_of().share(["c", "d"]) == pytest.approx(found[2:].sum())


# What is filled ----------------------------------------------------------------------------


@pytest.mark.parametrize("transform", ["none", "log1p"])
@pytest.mark.parametrize("missing", ["error", "mean"])
def test_a_gene_that_lacks_takes_the_mean_of_training(transform, missing):
    predictor = predictor_of(transform=transform, missing=missing)
    values = VALUES[:6].copy()
    means = np.asarray(Transform(transform)(VALUES)).mean(axis=0)
    values[:, 2] = means[2] if transform == "none" else np.expm1(means[2])
    found = predictor.outputs(rows_without("c"))
    assert found == pytest.approx(predictor.outputs(values), rel=1e-4)
    assert np.isfinite(predictor.predict(rows_without("c", "d")).iloc[:, 1:].to_numpy()).all()


def test_genes_that_matter_are_an_error_with_their_share():
    said = (
        r"new.tsv: lacks 2 of the 4 genes of training: 'a', 'c'. They have 50.* % of the model's "
        r"importance; data.missing_genes allows 5 %."
    )
    with pytest.raises(InputError, match=said):
        predictor_of().outputs(rows_without("a", "c"))
    assert predictor_of(0.6).outputs(rows_without("a", "c")).shape == (6, 2)


def test_a_model_of_before_takes_no_gap(tmp_path):
    before = dataclasses.replace(predictor_of(), importance=None)
    before.save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="lacks 1 of the 4 genes of training: 'd'.$"):
        Predictor.load(tmp_path / "model.keras").outputs(rows_without("d"))


def test_importance_and_limit_travel_with_the_model(tmp_path):
    predictor_of(0.125).save(tmp_path / "model.keras")
    loaded = Predictor.load(tmp_path / "model.keras")
    assert loaded.may_lack == 0.125
    assert loaded.importance == pytest.approx(predictor_of().importance, rel=1e-4)


def test_the_cost_is_the_score_with_these_values_missing():
    predictor = predictor_of()
    rows = Dataset(VALUES, np.arange(200), NAMES, targets=predictor.outputs(VALUES).astype(float))
    full, without = tables.without_genes(predictor, rows, ["c"], 1)
    assert full["rmse"]["value"] == pytest.approx(0, abs=1e-4)
    # The deviation of each output by one gene: its weight, in the units of the outputs.
    expected = np.mean([0.4, 0.1])
    assert without["rmse"]["value"] == pytest.approx(expected, rel=1e-3)


# The SavedModel ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signatures(tmp_path_factory):
    """Of a SavedModel on disk."""
    served, path = Served(predictor_of()), str(tmp_path_factory.mktemp("saved"))
    tf.saved_model.save(served, path, signatures=served.signatures())
    return tf.saved_model.load(path).signatures


def asked(signatures, genes, name="predict_genes"):
    """The answer for values of some genes."""
    columns = [NAMES.index(gene) for gene in genes]
    return signatures[name](genes=tf.constant(genes), values=tf.constant(VALUES[:6, columns]))


def test_a_server_fills_the_same_genes(signatures):
    found = asked(signatures, ["d", "b", "a"])["prediction"].numpy()
    assert found == pytest.approx(predictor_of().outputs(rows_without("c")), rel=1e-5)
    assert asked(signatures, ["b", "a"], "scale")["outside"].shape == (6,)


def test_a_server_refuses_genes_that_matter(signatures):
    said = (
        "1 of the 4 genes of training are missing: a. They have 49.5 % of the model.+s "
        "importance; data.missing_genes allows 5 %."
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        asked(signatures, ["b", "c", "d"])


def test_a_server_still_refuses_a_missing_value_of_a_gene_that_is_there(signatures):
    with pytest.raises(tf.errors.InvalidArgumentError, match="row 1, gene b: received nan"):
        signatures["predict_genes"](
            genes=tf.constant(["a", "b"]), values=tf.constant([[1.0, np.nan]])
        )


def test_without_a_limit_a_server_refuses_any_gap():
    for predictor in (predictor_of(0.0), dataclasses.replace(predictor_of(), importance=None)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="are missing: d"):
            asked(Served(predictor).signatures(), ["a", "b", "c"])
