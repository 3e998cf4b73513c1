"""Imputation of counts, scored by molecules that were left out, against a planted truth."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import autogenome_tf as ag
from autogenome_tf.models import _imputation
from autogenome_tf.models._imputation import Imputation, deviance

ROWS, GENES, LIBRARY = 500, 60, 1500
RANDOM = np.random.default_rng(2)
LOGS = RANDOM.normal(size=(ROWS, 2)) @ RANDOM.normal(size=(2, GENES)) * 0.8 + RANDOM.normal(
    size=GENES
)
SHARES = np.exp(LOGS) / np.exp(LOGS).sum(axis=1, keepdims=True)
COUNTS = RANDOM.poisson(LIBRARY * SHARES)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on the planted counts."""
    config = {
        "name": "t", "output_dir": str(tmp_path_factory.mktemp("runs")),
        "task": {"type": "representation"},
        "families": {"resvae": {"latent": 2, "start_width": 32, "layers": 1}},
        "search": {"max_trials": 1, "epochs": 40}, "training": {"epochs": 40},
        "output": {"figures": False},
    }  # fmt: skip
    samples, genes = [f"s{i}" for i in range(ROWS)], [f"g{i}" for i in range(GENES)]
    automl = ag.AutoGenome(config, data=(pd.DataFrame(COUNTS, samples, genes), None))
    automl.train()
    automl.evaluate()
    return automl


def test_the_deviance_is_twice_the_lost_log_likelihood():
    counts, means = np.array([[0, 1, 7]]), np.array([[0.5, 2.0, 4.0]])
    best = scipy.stats.poisson.logpmf(counts, np.maximum(counts, 1e-300))
    expected = 2 * (best - scipy.stats.poisson.logpmf(counts, means))
    assert deviance(counts, means) == pytest.approx(expected)


def test_halves_are_independent_and_add_up():
    counts = np.full((20_000, 1), 1.0) * RANDOM.poisson(6, (20_000, 1))
    first, second = _imputation._halves(counts, np.random.default_rng(0))
    assert np.array_equal(first + second, counts)
    assert first.mean() == pytest.approx(3, abs=0.05)
    assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 0.03


def test_imputed_counts_are_nearly_as_good_as_the_truth(trained, monkeypatch):
    model, (dataset, split) = trained._session.model(), trained._session.rows.labelled
    rows = np.flatnonzero(split.part == "test")
    known = dataset.values, split.part == "train", rows, 5
    kept = []
    monkeypatch.setattr(_imputation, "deviance", lambda *both: kept.append(both) or deviance(*both))
    found = Imputation.of(model, *known)
    observed, seen = kept[0][0], COUNTS[rows] - kept[0][0]
    truth = deviance(observed, seen.sum(axis=1, keepdims=True) * SHARES[rows]).sum()
    means, own = found.deviances["mean"].sum(), found.deviances["latent"].sum()
    assert truth < own < means
    # Of what the truth explains beyond the means.
    assert (means - own) / (means - truth) > 0.85
    assert own < found.deviances["pca"].sum()
    measures, index = found.measures(), np.arange(len(rows))
    assert measures["imputed_deviance"](index) == pytest.approx(own / means)
    assert measures["imputed_error"](index) < 0.9 > measures["pca_imputed_error"](index)


def test_the_run_has_scores_a_table_and_a_figure(trained):
    found = trained.evaluate()["test"]
    assert found["imputed_deviance"]["low"] < found["imputed_deviance"]["high"] < 1
    assert found["pca_imputed_deviance"]["value"] < 1
    genes = pd.read_csv(trained.folder / "imputation.tsv", sep="\t")
    assert len(genes) == GENES and (genes["deviance"] < 1.2).all()
    assert genes["molecules"].sum() == pytest.approx(LIBRARY / 2, rel=0.05)
    panel = ag.plots.imputation(trained).axes[0]
    assert len(panel.collections[0].get_offsets()) == GENES
    assert "deviance of imputed counts" in trained.report().read_text()


def test_values_that_are_no_counts_are_not_imputed(tmp_path):
    config = {
        "name": "t", "output_dir": str(tmp_path), "task": {"type": "representation"},
        "families": {"resvae": {"latent": 2, "start_width": 8, "layers": 1}},
        "search": {"max_trials": 1, "epochs": 2}, "training": {"epochs": 2},
        "output": {"figures": False},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(np.log1p(COUNTS[:100]), None))
    automl.train()
    assert "imputed_deviance" not in automl.evaluate()["test"]
    assert not (automl.folder / "imputation.tsv").exists()
