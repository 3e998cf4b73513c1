"""A run of survival in discrete time, and what proportional hazards cannot: batches and ENAS."""

import json

import numpy as np
import pandas as pd
import pytest
import sksurv.metrics
import sksurv.util
import tensorflow as tf
from figures import drawn

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError

ROWS, GENES, PLANTED = 160, 40, 4
NAMES = [f"g{gene}" for gene in range(GENES)]
SAMPLES = [f"p{row}" for row in range(ROWS)]
RANDOM = np.random.default_rng(3)
VALUES = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
RISKS = 1.2 * VALUES[:, :PLANTED].sum(axis=1)
TIMES = 1000 * RANDOM.exponential(size=ROWS) / np.exp(RISKS) + 0.1
ENDS = 3000 * RANDOM.exponential(size=ROWS) + 0.1
Y = sksurv.util.Surv.from_arrays(TIMES <= ENDS, np.minimum(TIMES, ENDS))
SMALL = {"mlp": {"layers": 1, "units": 8, "dropout": 0.0}}


def config_of(folder, families, **sections):
    """A config of the loss `hazard`."""
    return {
        "name": "hazard", "output_dir": str(folder), "task": {"type": "survival", "loss": "hazard"},
        "data": {"transform": "none"}, "families": families,
        "search": {"max_trials": 1, "epochs": 5, "folds": 2}, "training": {"epochs": 20},
        "explanation": {"samples": 20, "background": 40}, "output": {"figures": False}, **sections,
    }  # fmt: skip


@pytest.fixture(scope="module")
def automl(tmp_path_factory, few_learners):
    """A finished run of the linear model beside a network."""
    folder = tmp_path_factory.mktemp("hazard")
    families = {"linear": {"gene_power": 0}} | SMALL
    given = config_of(folder, families, output={"figures": True})
    found = ag.AutoGenome(given, data=(pd.DataFrame(VALUES, SAMPLES, NAMES), Y))
    with drawn():
        found.run()
    return found


def test_metrics_are_those_of_the_predictions(automl):
    metrics = json.loads((automl.folder / "metrics.json").read_text())
    frame = pd.read_csv(automl.folder / "predictions.tsv", sep="\t")
    rows = frame[frame["part"] == "test"]
    expected = sksurv.metrics.concordance_index_censored(
        rows["target_event"] > 0, rows["target_time"], rows["risk"]
    )[0]
    np.testing.assert_allclose(metrics["test"]["concordance"]["value"], expected, atol=1e-6)
    assert metrics["validation"]["hazard_log_likelihood"]["low"] > 0
    assert metrics["validation"]["brier_ratio"]["value"] < 0.9
    board = pd.read_csv(automl.folder / "leaderboard.tsv", sep="\t")
    assert {"linear", "mlp"} == set(board["family"]) and board["score"].notna().all()


def test_planted_genes_explain_the_mean_log_odds(automl):
    table = pd.read_csv(automl.folder / "attributions.tsv", sep="\t")
    assert set(table["feature"][:PLANTED]) == set(NAMES[:PLANTED])
    assert list(table.columns) == ["feature", "rank", "total", "risk"]


def test_the_saved_model_returns_risk_and_survival(automl):
    served = json.loads((automl.folder / "serving.json").read_text())
    loaded = tf.saved_model.load(str(automl.folder / served["path"]))
    found = loaded.signatures["serving_default"](values=tf.constant(VALUES[3:6]))
    own = pd.read_csv(automl.folder / "predictions.tsv", sep="\t").set_index("sample")
    own = own.loc[SAMPLES[3:6]]
    columns = [f"survival_{time}" for time in served["times"]]
    np.testing.assert_allclose(found["risk"][:, 0], own["risk"], atol=1e-4)
    np.testing.assert_allclose(found["survival"], own[columns], atol=1e-4)


def test_the_saved_model_explains_the_mean_log_odds(automl):
    served = json.loads((automl.folder / "serving.json").read_text())
    loaded = tf.saved_model.load(str(automl.folder / served["path"]))
    found = loaded.signatures["explain"](values=tf.constant(VALUES[3:6]))
    assert found["attributions"].shape == (3, GENES, 1)
    outputs = automl._session.model().outputs(VALUES[3:6])
    added = found["base_values"][:, 0] + tf.reduce_sum(found["attributions"][:, :, 0], axis=1)
    np.testing.assert_allclose(added, outputs.mean(axis=1), atol=1e-4)


def test_pairs_are_ranked_by_the_mean_log_odds(automl):
    automl.explain(interactions=3)
    table = pd.read_csv(automl.folder / "interactions.tsv", sep="\t")
    assert len(table) == 3 and list(table.columns)[-1] == "risk"
    assert "strength" in table and table["strength"].notna().all()


def test_figures_and_report_are_drawn(automl):
    page = (automl.folder / "report.html").read_text("utf-8")
    assert "hazard log-likelihood" in page
    for name in ("kaplan_meier_curves", "brier_curve", "survival_calibration"):
        assert (automl.folder / "plots" / f"{name}.png").stat().st_size > 5000


def test_rows_beyond_memory_are_learned_batch_by_batch(tmp_path, few_learners):
    given = config_of(tmp_path, SMALL, search={"folds": 1, "max_trials": 1, "epochs": 5})
    given["data"] |= {"memory": 1e-5}
    automl = ag.AutoGenome(given, data=(pd.DataFrame(VALUES, SAMPLES, NAMES), Y))
    board = automl.train()
    assert board["score"].notna().all()
    assert automl.evaluate()["test"]["concordance"]["value"] > 0.6


@pytest.mark.slow
def test_shared_weights_learn_hazards(tmp_path, few_learners):
    search = {"method": "enas", "folds": 2, "epochs": 2, "max_trials": 2, "top_k": 2}
    given = config_of(tmp_path, {"wired": {"layers": 2, "max_width": 8}}, search=search)
    automl = ag.AutoGenome(given, data=(pd.DataFrame(VALUES, SAMPLES, NAMES), Y))
    board = automl.train()
    assert board.loc[board["family"] == "wired", "score"].notna().any()


def test_the_estimator_predicts_survival(few_learners):
    config = {"task": {"loss": "hazard"}, "search": {"folds": 2}, "data": {"transform": "none"}}
    estimator = ag.AutoGenomeSurvival(
        {"linear": {"l2": 0.1, "gene_power": 0}}, max_trials=1, config=config
    ).fit(VALUES, Y)
    curves = estimator.predict_survival_function(VALUES, return_array=True)
    assert curves.shape == (ROWS, len(estimator.unique_times_))
    assert (np.diff(curves) <= 1e-12).all() and estimator.score(VALUES, Y) > 0.8


def test_a_metric_of_the_other_loss_is_refused(tmp_path):
    given = config_of(tmp_path, SMALL, task={"type": "survival"})
    given["search"] = {"objective": "hazard_log_likelihood"}
    with pytest.raises(InputError, match="search.objective"):
        ag.AutoGenome(given)
