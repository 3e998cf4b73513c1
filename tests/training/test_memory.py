"""Rows of a large matrix are in memory once: no copy beside them, and none that lie idle."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
from folds import cross_validation

from autogenome_tf.config import Config
from autogenome_tf.preprocessing import Transform
from autogenome_tf.tasks import Classification
from autogenome_tf.training import Configuration, Plan
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._linear import SOLVERS, LinearRows

ROWS, GENES = 400, 500
RANDOM = np.random.default_rng(5)
X = RANDOM.gamma(2.0, 3.0, size=(ROWS, GENES)).astype("float32")
Y = (X[:, :4].sum(1) > np.median(X[:, :4].sum(1))).astype("int32")
NUMBERS = np.arange(ROWS)
SPLIT = (NUMBERS[NUMBERS % 5 > 0], NUMBERS[::5])
MLP = {"layers": 1, "units": 8}


def peak(make):
    """Return the bytes that a function had at most beside what was there, and what it returns."""
    tracemalloc.start()
    found = make()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, found


@pytest.mark.parametrize("folds", [1, 3])
def test_preprocessed_rows_have_no_copy_beside_them(folds, monkeypatch):
    monkeypatch.setattr("autogenome_tf.core.chunked.VALUES", 1 << 12)
    settings = Config.of({"name": "t", "data": {"features": "x.tsv"}}).data
    inputs = FoldInputs(X, Transform("log1p"), settings, [SPLIT] * folds, "genes")
    most, rows = peak(lambda: inputs.rows)
    assert rows.shape == (folds, ROWS, GENES)
    # Each step of a chunk makes a copy of it; several folds share what is transformed.
    assert most < (folds + 0.2) * X.nbytes


def test_chunks_do_not_change_rows(monkeypatch):
    settings = Config.of({"name": "t", "data": {"features": "x.tsv"}}).data

    def rows():
        return FoldInputs(X, Transform("log1p"), settings, [SPLIT], "genes").rows.numpy()

    whole = rows()
    monkeypatch.setattr("autogenome_tf.core.chunked.VALUES", 1 << 12)
    np.testing.assert_allclose(rows(), whole, atol=1e-5)


def test_rows_in_row_space_are_freed_without_a_collection():
    settings = Config.of({"name": "t", "data": {"features": "x.tsv"}}).data
    inputs = FoldInputs(X, Transform("log1p"), settings, [SPLIT] * 2, "rows")
    weighed = inputs.weighed([np.arange(GENES)] * 2, 1.0)
    (space, _), known = weighed.coordinates, [weakref.ref(inputs), weakref.ref(weighed)]
    gc.disable()
    try:
        del inputs, weighed
        assert [one() for one in known] == [None, None]
    finally:
        gc.enable()
    assert space.basis.shape == (GENES, space.rank)


def test_rows_of_all_genes_are_freed_before_others_are_made(monkeypatch):
    monkeypatch.setattr("autogenome_tf.training._networks.MOST_ROWS", 100)
    for name, value in {"MOST_ROWS": 100, "LARGE": 1e4, "RANK": 50}.items():
        monkeypatch.setattr(f"autogenome_tf.preprocessing._row_space.{name}", value)
    folds = cross_validation(X, Y, Classification(["a", "b"]), [SPLIT])
    genes, weighed = ({"loss": "centroid", "gene_power": power} for power in (0.0, 1.0))
    first = folds.fold_inputs(Configuration("linear", genes)).rows
    assert folds.space == "rows" and first.shape == (1, ROWS, GENES)
    # Genes that are weighed otherwise are the same rows.
    assert folds.fold_inputs(Configuration("linear", weighed)).rows is first
    assert folds.fold_inputs(Configuration("mlp", MLP)).width == 50
    again = folds.fold_inputs(Configuration("linear", weighed)).rows
    assert again is not first and folds.fold_inputs(Configuration("linear", genes)).rows is again
    np.testing.assert_array_equal(again, first)
    # A path leaves none behind.
    plan = Plan(1, learning_rate=0.01)
    folds.fit(Configuration("linear", {"loss": "logistic", "l2": 1.0}), plan, 1)
    freed = folds.fold_inputs(Configuration("linear", genes))
    most, rows = peak(lambda: freed.rows)
    assert rows is not again and most > X.nbytes
    fit = folds.fit(Configuration("mlp", MLP | {"gene_power": 1.0}), plan, 1)
    assert np.isfinite(fit.validation[0]).all()


@pytest.mark.parametrize("loss", sorted(SOLVERS.keys() - {"cox"}))
def test_factors_and_training_rows_are_taken_chunk_by_chunk(loss, monkeypatch):
    train, factors = SPLIT[0], RANDOM.random(GENES)
    own = train, factors
    given = Y[train], np.ones(len(train)), 2, GENES
    option = 3 if loss == "pls" else 0.3
    (expected,) = SOLVERS[loss]().path(LinearRows(X[train] * factors, *given), [option])
    monkeypatch.setattr("autogenome_tf.core.chunked.VALUES", 1 << 12)
    rows = LinearRows(X, *given, *own)
    (found,) = SOLVERS[loss]().path(rows, [option])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 * np.abs(other).max())
    kernel, bias = expected
    outputs = (X * factors) @ kernel + bias
    scale = np.abs(outputs).max()
    np.testing.assert_allclose(rows.outputs_of(*found) / scale, outputs / scale, atol=1e-5)
    most, _ = peak(lambda: LinearRows(X, *given, *own).mean)
    assert most < 0.5 * X.nbytes
