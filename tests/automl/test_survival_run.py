"""A run of task.type survival, from a clinical table to predictions, report and SavedModel."""

import json
import pickle

import keras
import numpy as np
import pandas as pd
import pytest
import sksurv.metrics
import sksurv.util
import tensorflow as tf
from figures import drawn

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.models import Predictor

ROWS, GENES, PLANTED = 200, 300, 5
NAMES = [f"g{gene}" for gene in range(GENES)]
SAMPLES = [f"p{row}" for row in range(ROWS)]


def clinical(seed=0):
    """Genes, of which some raise the hazard, and a clinical table with gaps."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(ROWS, GENES)).astype("float32")
    risks = 1.2 * values[:, :PLANTED].sum(axis=1)
    times = 1000 * random.exponential(size=ROWS) / np.exp(risks)
    ends = 3000 * random.exponential(size=ROWS)
    status = np.where(times <= ends, "1:DECEASED", "0:LIVING").astype(object)
    table = pd.DataFrame({"OS_DAYS": np.minimum(times, ends), "OS_STATUS": status}, SAMPLES)
    return pd.DataFrame(values, SAMPLES, NAMES), table


def config_of(folder, **changes):
    """A config with a small network beside the baseline."""
    return {
        "name": "survival", "output_dir": str(folder), "task": {"type": "survival"},
        "data": {
            "features": str(folder / "x.tsv"), "targets": str(folder / "y.tsv"),
            "target": ["OS_DAYS", "OS_STATUS"], "transform": "none",
        },
        "families": {"linear": {"gene_power": 1.0}, "mlp": {"layers": 1, "units": 8}},
        "search": {"max_trials": 1, "epochs": 5, "folds": 3}, "training": {"epochs": 10},
        "explanation": {"samples": 20, "background": 40}, **changes,
    }  # fmt: skip


def written(folder, values, table):
    """Write the files that `config_of` names."""
    values.to_csv(folder / "x.tsv", sep="\t", index_label="sample")
    table.to_csv(folder / "y.tsv", sep="\t", index_label="sample")


@pytest.fixture(scope="module")
def automl(tmp_path_factory):
    """A finished run; three patients have no time or no status."""
    folder = tmp_path_factory.mktemp("survival")
    values, table = clinical()
    table.iloc[0, 0] = table.iloc[1, 1] = np.nan
    table.iloc[2] = np.nan
    written(folder, values, table)
    found = ag.AutoGenome(config_of(folder))
    with drawn():
        found.run()
    return found


def test_patients_without_time_or_status_are_left_out(automl):
    split = pd.read_csv(automl.folder / "split.tsv", sep="\t")
    assert len(split) == ROWS - 3 and not set(SAMPLES[:3]) & set(split["sample"])
    warnings = json.loads((automl.folder / "warnings.json").read_text())
    assert any("3 of 200 samples have no label" in one["text"] for one in warnings)
    assert "'1:DECEASED' is an event" in (automl.folder / "log.txt").read_text()


def test_parts_and_folds_have_the_same_share_of_events(automl):
    frame = pd.read_csv(automl.folder / "predictions.tsv", sep="\t")
    split = pd.read_csv(automl.folder / "split.tsv", sep="\t")
    events = frame.set_index("sample")["target_OS_STATUS"].loc[split["sample"]].to_numpy()
    for group in (split["part"], split["fold"]):
        shares = pd.Series(events).groupby(group.to_numpy()).mean()
        assert np.ptp(shares) < 0.03


def test_metrics_are_those_of_the_predictions(automl):
    metrics = json.loads((automl.folder / "metrics.json").read_text())
    frame = pd.read_csv(automl.folder / "predictions.tsv", sep="\t")
    rows = frame[frame["part"] == "test"]
    events, times = rows["target_OS_STATUS"] > 0, rows["target_OS_DAYS"]
    expected = sksurv.metrics.concordance_index_censored(events, times, rows["risk"])[0]
    np.testing.assert_allclose(metrics["test"]["concordance"]["value"], expected, atol=1e-6)
    assert metrics["validation"]["concordance"]["low"] > 0.6
    # Out of fold, log-risks are calibrated: a Cox model of them alone has slope 1.
    assert metrics["test"]["brier_ratio"]["value"] < 0.95
    board = pd.read_csv(automl.folder / "leaderboard.tsv", sep="\t")
    assert {"linear", "mlp"} == set(board["family"]) and board["score"].notna().all()


def test_the_file_of_the_model_alone_predicts_survival(automl):
    model = Predictor.load(automl.folder / "model.keras")
    frame = pd.read_csv(automl.folder / "predictions.tsv", sep="\t")
    risks = frame["risk"].to_numpy()
    baseline = model.task.baseline
    found = baseline.survival(risks, baseline.quartiles)
    columns = [name for name in frame if name.startswith("survival_")]
    np.testing.assert_allclose(frame[columns], found, atol=1e-6)
    assert (np.diff(found, axis=1) <= 0).all()
    is_low = frame["median"] < frame["median"].median()
    assert risks[is_low].min() >= risks[~is_low & frame["median"].notna()].max()
    plain = keras.models.load_model(automl.folder / "model.keras")
    values, _ = clinical()
    raw = values.loc[frame["sample"]].to_numpy("float32")
    np.testing.assert_allclose(np.asarray(plain(raw))[:, 0], risks, atol=1e-4)
    # The level of risks is that of the baseline hazard: their mean is 0 on the training rows.
    assert abs(risks[frame["part"] == "train"].mean()) < 1e-4


def test_new_patients_are_predicted_on_another_day(automl):
    values, _ = clinical(seed=1)
    found = ag.load(automl.folder).predict(values)
    assert list(found.columns[:4]) == ["sample", "part", "target_OS_DAYS", "target_OS_STATUS"]
    assert found["target_OS_DAYS"].isna().all() and found["risk"].notna().all()
    truth = values.to_numpy()[:, :PLANTED].sum(axis=1)
    assert np.corrcoef(found["risk"], truth)[0, 1] > 0.5


def test_planted_genes_are_found(automl):
    table = pd.read_csv(automl.folder / "attributions.tsv", sep="\t")
    assert set(table["feature"][:PLANTED]) == set(NAMES[:PLANTED])
    assert "risk" in table
    effects = pd.read_csv(automl.folder / "effects.tsv", sep="\t")
    assert (effects.loc[effects["feature"].isin(NAMES[:PLANTED]), "correlation"] > 0.9).all()


def test_the_saved_model_returns_risk_and_survival(automl):
    served = json.loads((automl.folder / "serving.json").read_text())
    loaded = tf.saved_model.load(str(automl.folder / served["path"]))
    values, _ = clinical()
    given = tf.constant(values.to_numpy("float32")[3:6])
    found = loaded.signatures["serving_default"](values=given)
    frame = pd.read_csv(automl.folder / "predictions.tsv", sep="\t").set_index("sample")
    own = frame.loc[SAMPLES[3:6]]
    columns = [f"survival_{time}" for time in served["times"]]
    np.testing.assert_allclose(found["risk"][:, 0], own["risk"], atol=1e-4)
    np.testing.assert_allclose(found["survival"], own[columns], atol=1e-4)


def test_the_report_shows_curves(automl):
    page = (automl.folder / "report.html").read_text("utf-8")
    for text in ("How long until the event (OS_STATUS)?", "samples at risk", "log-rank p",
                 "Kaplan-Meier estimate", "D-calibration", "concordance (Harrell"):  # fmt: skip
        assert text in page
    for name in ("kaplan_meier_curves", "brier_curve", "survival_calibration"):
        assert (automl.folder / "plots" / f"{name}.png").stat().st_size > 5000


@pytest.mark.slow
@pytest.mark.parametrize("families", [{"linear": {}}, {"mlp": {"layers": 1, "units": 8}}])
def test_shuffled_times_score_half(tmp_path, families):
    values, table = clinical()
    order = np.random.default_rng(2).permutation(ROWS)
    written(tmp_path, values, table.iloc[order].set_axis(table.index))
    given = config_of(tmp_path, families=families, output={"figures": False})
    automl = ag.AutoGenome(given | {"ensemble": {"size": 1}})
    automl.train()
    found = automl.evaluate()["validation"]["concordance"]
    assert found["low"] < 0.5 < found["high"]


def test_structured_targets_of_scikit_survival_are_taken(tmp_path):
    values, table = clinical()
    is_event = (table["OS_STATUS"] == "1:DECEASED").to_numpy()
    targets = sksurv.util.Surv.from_arrays(is_event, table["OS_DAYS"].to_numpy())
    given = config_of(tmp_path, families={"linear": {"l2": 0.1}}, output={"figures": False})
    given["data"] = {"transform": "none"}
    automl = ag.AutoGenome(given, data=(values, targets))
    automl.train()
    frame = automl.predict()
    np.testing.assert_allclose(frame["target_time"], table["OS_DAYS"], rtol=1e-6)
    assert (frame["target_event"] == is_event).all()


def test_rows_that_do_not_fit_memory_are_refused(tmp_path):
    written(tmp_path, *clinical())
    given = config_of(tmp_path, search={"folds": 1, "max_trials": 1})
    given["data"] |= {"memory": 1e-4}
    with pytest.raises(InputError, match="task.loss cox: the loss compares all rows of a fold"):
        ag.AutoGenome(given).train()


@pytest.mark.slow
def test_shared_weights_learn_log_risks(tmp_path, few_learners):
    written(tmp_path, *clinical())
    # Of four finalists two have a wiring of their own.
    search = {"method": "enas", "folds": 2, "epochs": 20, "max_trials": 4, "top_k": 4}
    search["enas"] = {"controller": "uniform", "updates": 1, "candidates": 16}
    given = config_of(tmp_path, families={"wired": {"layers": 2, "max_width": 8}}, search=search)
    automl = ag.AutoGenome(given)
    board = automl.train()
    assert board.loc[board["family"] == "wired", "score"].notna().all()
    curves = pd.read_csv(automl.folder / "search" / "enas" / "curves.tsv", sep="\t")
    # The mean log partial likelihood of children rises while the bank learns.
    assert curves["reward"].iloc[-1] > curves["reward"].iloc[0] + 0.1
    assert automl.evaluate()["test"]["concordance"]["value"] > 0.6
    automl.export()
    served = json.loads((automl.folder / "serving.json").read_text())
    loaded = tf.saved_model.load(str(automl.folder / served["path"]))
    values = np.ones((3, len(served["features"])), "float32")
    found = loaded.signatures["serving_default"](values=tf.constant(values))
    own = automl._session.model().outputs(values)
    np.testing.assert_allclose(found["risk"], own, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 3])
def test_an_ensemble_is_calibrated_like_a_single_model(tmp_path, size):
    written(tmp_path, *clinical())
    network = {"mlp": {"layers": 1, "units": 8, "gene_power": 1.0, "dropout": 0.0}}
    given = config_of(tmp_path, families=network, output={"figures": False})
    automl = ag.AutoGenome(given | {"ensemble": {"size": size}})
    automl.train()
    found = automl.evaluate()
    frame = automl.predict()
    assert abs(frame.loc[frame["part"] == "train", "risk"].mean()) < 1e-4
    assert found["test"]["concordance"]["value"] > 0.6
    beside = json.loads((automl.folder / "baseline.json").read_text())
    assert set(beside["test"]) == set(found["test"])
    assert found["validation"]["d_calibration"]["value"] < 0.15


def test_the_estimator_keeps_scikit_survivals_conventions(tmp_path):
    values, table = clinical()
    is_event = (table["OS_STATUS"] == "1:DECEASED").to_numpy()
    y = sksurv.util.Surv.from_arrays(is_event, table["OS_DAYS"].to_numpy())
    config = {"search": {"folds": 2}, "data": {"transform": "none"}}
    estimator = ag.AutoGenomeSurvival({"linear": {"l2": 0.1}}, max_trials=1, config=config)
    estimator = pickle.loads(pickle.dumps(estimator.fit(values, y)))
    risks = estimator.predict(values)
    expected = sksurv.metrics.concordance_index_censored(y["event"], y["time"], risks)[0]
    np.testing.assert_allclose(estimator.score(values, y), expected, atol=1e-6)
    curves = estimator.predict_survival_function(values, return_array=True)
    assert curves.shape == (ROWS, len(estimator.unique_times_)) and (np.diff(curves) <= 0).all()
    first = estimator.predict_survival_function(values)[0]
    np.testing.assert_allclose(first(estimator.unique_times_), curves[0])
    assert first(0) == 1
    with pytest.raises(InputError, match="y: expected a structured array of a field of booleans"):
        estimator.fit(values, table["OS_DAYS"])
    y["time"][3] = np.nan
    with pytest.raises(InputError, match="y: row 3: received no time"):
        estimator.fit(values, y)
