"""Weights of rows: two is twice, nearly none is not there, and metrics are scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import sksurv.metrics
import sksurv.util
import tensorflow as tf
from folds import config_of

import autogenome_tf as ag
from autogenome_tf import metrics
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.tasks import Classification, Regression, Survival, _cox_loss
from autogenome_tf.tasks.hazards import Baseline, censoring
from autogenome_tf.tasks.partial_likelihood import RiskSets
from autogenome_tf.tasks.value_metrics import regression
from autogenome_tf.training import Configuration, Plan, TrainingSettings
from autogenome_tf.training._networks import NetworkCrossValidation

RANDOM = np.random.default_rng(7)
ROWS, GENES = 60, 30
VALUES = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
SIGNAL = VALUES[:, 0] - VALUES[:, 1] + 0.5 * RANDOM.normal(size=ROWS)
CLASSES = (SIGNAL > 0).astype("int32")
WEIGHTS = np.where(np.arange(ROWS) % 4 == 1, 2.0, 1.0)
TWICE = np.repeat(np.arange(ROWS), WEIGHTS.astype(int))
TIMES = np.exp(-SIGNAL) + np.arange(ROWS) * 1e-3
EVENTS = (RANDOM.random(ROWS) < 0.7).astype(float)
# Rows twice are no ties of events, as in R's survival: only censored rows are the same twice.
CENSORED = np.where((EVENTS == 0) & (np.arange(ROWS) % 2 > 0), 2.0, 1.0)
SURVIVAL = np.stack([TIMES, EVENTS], axis=1)
OF_KIND = {
    "classification": (Classification(["a", "b"]), CLASSES, WEIGHTS),
    "regression": (Regression(["y"]), SIGNAL[:, None].astype("float32"), WEIGHTS),
    "survival": (Survival(["time", "event"]), SURVIVAL, CENSORED),
}


def model_of(kind, values, rows, weights):
    """Return a linear model that is solved exactly for some rows, each with its weight."""
    name, task, targets = kind
    family = values.pop("family", "linear")
    # Penalties on coordinates of rows are in units of the spread of all rows.
    settings = TrainingSettings.of(config_of(task.type, training={"space": "genes"}))
    every = np.arange(len(rows)), np.zeros(0, int)
    folds = NetworkCrossValidation(
        VALUES[rows], targets[rows], task, settings, splits=[every], row_weights=weights
    )
    fit = folds.fit(Configuration(family, values), Plan.of(settings.training, 1), 1)
    assert name
    return folds.final_model(Configuration(family, values), fit, 1.0)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("classification", {"l2": 1.0, "loss": "logistic"}),
        ("classification", {"l2": 1.0, "loss": "logistic", "gene_power": 1.0}),
        ("classification", {"l2": 0.01, "loss": "hinge"}),
        ("classification", {"shrinkage": 0.3, "loss": "discriminant"}),
        ("classification", {"components": 2, "loss": "pls"}),
        ("regression", {"l2": 0.01, "loss": "ridge"}),
        ("regression", {"components": 2, "loss": "pls"}),
        ("survival", {"l2": 0.1, "loss": "cox"}),
    ],
    ids=str,
)
def test_a_weight_of_two_is_the_row_twice_and_of_nearly_zero_none(kind, values):
    task, targets, weights = OF_KIND[kind]
    known = kind, task, targets
    twice = np.repeat(np.arange(ROWS), weights.astype(int))
    own = model_of(known, dict(values), np.arange(ROWS), weights).outputs(VALUES)
    repeated = model_of(known, dict(values), twice, None).outputs(VALUES)
    plain = model_of(known, dict(values), np.arange(ROWS), None).outputs(VALUES)
    # Numbers of rows are in the statistic of a gene, and in the scale of logits of discriminants.
    is_exact = "gene_power" not in values
    # L-BFGS of the two takes other steps, and ends where values of float32 tell no more.
    np.testing.assert_allclose(own, repeated, atol=5e-4 if is_exact else 0.05)
    assert np.abs(own - plain).max() > 3e-3
    few = np.where(weights > 1, 1.0, 1e-7)
    kept = np.flatnonzero(weights > 1)
    if kind == "survival":
        few, kept = np.where(np.arange(ROWS) < 40, 1.0, 1e-7), np.arange(40)
    nearly = model_of(known, dict(values), np.arange(ROWS), few).outputs(VALUES)
    without = model_of(known, dict(values), kept, None).outputs(VALUES)
    np.testing.assert_allclose(nearly, without, atol=2e-3 if is_exact else 0.2)


def test_losses_of_networks_are_weighed(few_learners):
    """A row of nearly no weight is not learned, whatever its class."""
    wrong = CLASSES.copy()
    wrong[::3] = 1 - wrong[::3]
    weights = np.where(np.arange(ROWS) % 3 == 0, 1e-6, 1.0)
    settings = TrainingSettings.of(config_of("classification"))
    every = np.arange(ROWS), np.zeros(0, int)
    values = {"layers": 1, "units": 8, "dropout": 0.0, "normalization": "none"}
    plan = Plan.of(settings.training, 30)
    scores = []
    for given in (weights, None):
        folds = NetworkCrossValidation(
            VALUES, wrong, Classification(["a", "b"]), settings, splits=[every], row_weights=given
        )
        fit = folds.fit(Configuration("mlp", values), plan, 1, 1)
        logits = folds.final_model(Configuration("mlp", values), fit, 1.0).outputs(VALUES)
        scores.append((logits.argmax(1) == CLASSES).mean())
    assert scores[0] > scores[1] + 0.15


def test_forests_are_weighed():
    values = {"trees": 50, "min_leaf": 3, "family": "forest"}
    wrong = CLASSES.copy()
    wrong[::3] = 1 - wrong[::3]
    kind = "forest", Classification(["a", "b"]), wrong
    weights = np.where(np.arange(ROWS) % 3 == 0, 1e-6, 1.0)
    own, plain = (
        model_of(kind, dict(values), np.arange(ROWS), given).outputs(VALUES).argmax(1)
        for given in (weights, None)
    )
    assert (own == CLASSES).mean() > (plain == CLASSES).mean() + 0.05


@pytest.mark.parametrize(
    ("kind", "configuration"),
    [
        ("survival", Configuration("forest", {"trees": 10})),
        ("classification", Configuration("linear", {"loss": "centroid", "threshold": 1.0})),
    ],
)
def test_what_counts_rows_does_not_see_the_weights_of_those_that_validate(kind, configuration):
    task, targets, _ = OF_KIND[kind]
    train, held = np.arange(0, ROWS, 2), np.arange(1, ROWS, 2)
    settings, outputs = TrainingSettings.of(config_of(kind)), []
    # With 3 the training rows weigh half as much in the mean of all, which is exact in float32.
    for weight in (1.0, 3.0):
        weights = np.where(np.arange(ROWS) % 2, weight, 1.0)
        folds = NetworkCrossValidation(
            VALUES, targets, task, settings, splits=[(train, held)], row_weights=weights
        )
        fit = folds.fit(configuration, Plan.of(settings.training, 1), 1)
        outputs.append(fit.validation[0])
    np.testing.assert_array_equal(*outputs)


# Metrics -------------------------------------------------------------------------------------


def test_metrics_of_classes_are_scikit_learns():
    logits = np.stack([-SIGNAL, SIGNAL], axis=1) + RANDOM.normal(size=(ROWS, 2))
    weights = RANDOM.random(ROWS) + 0.1
    found = Classification(["a", "b"]).metrics(CLASSES, logits, weights=weights)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    own, options = (CLASSES, p.argmax(1)), {"sample_weight": weights}
    expected = {
        "accuracy": sklearn.metrics.accuracy_score(*own, **options),
        "balanced_accuracy": sklearn.metrics.balanced_accuracy_score(*own, **options),
        "f1_macro": sklearn.metrics.f1_score(*own, average="macro", **options),
        "mcc": sklearn.metrics.matthews_corrcoef(*own, **options),
        "roc_auc": sklearn.metrics.roc_auc_score(CLASSES, p[:, 1], **options),
        "log_loss": sklearn.metrics.log_loss(CLASSES, p, **options),
    }
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name][0], value, atol=1e-9, err_msg=name)


def test_metrics_of_values_are_scikit_learns_and_ranks_those_of_repeated_rows():
    targets = np.round(SIGNAL[:, None], 1)
    values = np.round(targets + RANDOM.normal(size=(ROWS, 1)), 1)
    weights = RANDOM.random(ROWS) + 0.1
    found = regression(targets, values, weights=weights)
    options = {"sample_weight": weights}
    expected = {
        "r2": sklearn.metrics.r2_score(targets, values, **options),
        "rmse": sklearn.metrics.root_mean_squared_error(targets, values, **options),
        "mae": sklearn.metrics.mean_absolute_error(targets, values, **options),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name][0], value, atol=1e-9, err_msg=name)
    weighed, repeated = (
        regression(targets, values, weights=WEIGHTS),
        regression(targets[TWICE], values[TWICE]),
    )
    for name, value in repeated.items():
        np.testing.assert_allclose(weighed[name], value, atol=1e-9, err_msg=name)


def test_metrics_of_times_are_those_of_repeated_rows():
    task, risks = Survival(["time", "event"]), (SIGNAL + RANDOM.normal(size=ROWS))[:, None]
    task = task.with_baseline(SURVIVAL, risks)
    weighed = task.metrics(SURVIVAL, risks, weights=WEIGHTS)
    repeated = task.metrics(SURVIVAL[TWICE], risks[TWICE])
    for name in ("concordance", "concordance_uno", "auc_median", "d_calibration"):
        np.testing.assert_allclose(weighed[name], repeated[name], atol=1e-9, err_msg=name)
    own = sksurv.util.Surv.from_arrays(EVENTS[TWICE] > 0, TIMES[TWICE])
    expected = sksurv.metrics.concordance_index_ipcw(own, own, risks[TWICE, 0])[0]
    np.testing.assert_allclose(weighed["concordance_uno"][0], expected, atol=1e-6)
    curves, same = (
        Baseline.of(SURVIVAL, risks[:, 0], WEIGHTS),
        Baseline.of(SURVIVAL[TWICE], risks[TWICE, 0]),
    )
    np.testing.assert_allclose(curves.hazard, same.hazard, rtol=1e-9)
    np.testing.assert_allclose(curves.kaplan_meier, same.kaplan_meier, rtol=1e-9)
    np.testing.assert_allclose(
        censoring(SURVIVAL, TIMES, WEIGHTS), censoring(SURVIVAL[TWICE], TIMES), rtol=1e-9
    )


def test_the_partial_likelihood_of_weighted_rows_is_that_of_r():
    """Events at the same time share their mean weight (R's survival, Efron)."""
    times, risks = np.ceil(TIMES * 3), SIGNAL / 2
    weights, total = RANDOM.random(ROWS) + 0.5, 0.0
    for time in np.unique(times[EVENTS > 0]):
        at_risk = (weights * np.exp(risks))[times >= time].sum()
        tied = np.flatnonzero((times == time) & (EVENTS > 0))
        of_tied = (weights * np.exp(risks))[tied].sum()
        shares = np.arange(len(tied)) / len(tied)
        logs = np.log(at_risk - shares * of_tied).sum()
        total += weights[tied].mean() * logs - (weights * risks)[tied].sum()
    sets = RiskSets(times, EVENTS, weights)
    np.testing.assert_allclose((weights * sets.losses(risks)).sum(), total, rtol=1e-10)
    targets = tf.constant(np.stack([times, EVENTS], axis=1)[None])
    losses = _cox_loss.losses(
        targets, tf.constant(risks[None].astype("float32")), tf.constant(weights[None])
    )
    np.testing.assert_allclose((weights * np.asarray(losses[0])).sum(), total, rtol=1e-4)
    value, slopes = sets.losses_and_slopes(risks)
    np.testing.assert_allclose(value, total, rtol=1e-10)
    step = 1e-5 * np.eye(ROWS)[3]
    apart = (weights * (sets.losses(risks + step) - sets.losses(risks - step))).sum()
    np.testing.assert_allclose(slopes[3], apart / 2e-5, atol=1e-6)


def test_intervals_and_differences_are_weighed():
    task, values = Regression(["y"]), SIGNAL[:, None]
    outputs = values + RANDOM.normal(size=(ROWS, 1))
    weights = np.where(np.abs(outputs - values)[:, 0] > 0.5, 1e-9, 1.0)
    found = metrics.with_intervals(task, values, outputs, 1, 50, weights=weights)["mae"]
    assert found["value"] < 0.5 and found["high"] < 0.5
    apart = metrics.differences(task, values, outputs, values, 1, 50, weights=weights)["mae"]
    np.testing.assert_allclose(apart["value"], found["value"])


# Runs ----------------------------------------------------------------------------------------


def files(folder, weights):
    """Write a matrix and its targets with a column of weights; return the config's section."""
    samples = [f"s{row}" for row in range(ROWS)]
    frame = pd.DataFrame(VALUES, samples, [f"g{gene}" for gene in range(GENES)])
    frame.to_csv(folder / "x.tsv", sep="\t", index_label="sample")
    table = pd.DataFrame({"y": SIGNAL, "weight": weights}, samples)
    table.to_csv(folder / "y.tsv", sep="\t", index_label="sample")
    paths = {"features": str(folder / "x.tsv"), "targets": str(folder / "y.tsv")}
    return paths | {"weight": "weight", "transform": "none"}


@pytest.fixture(scope="module")
def weighed_run(tmp_path_factory, few_learners):
    """A finished run of a regression with weights, in whose file the weight is no target."""
    folder = tmp_path_factory.mktemp("weights")
    automl = ag.AutoGenome({
        "name": "w", "output_dir": str(folder), "data": files(folder, WEIGHTS),
        "task": {"type": "regression"}, "families": {"linear": {"l2": 0.1, "gene_power": 0}},
        "search": {"max_trials": 1, "folds": 2}, "output": {"figures": False},
    })  # fmt: skip
    automl.train()
    return automl


def test_a_run_scores_weighted_rows_and_no_gene_is_a_weight(weighed_run):
    found, frame = weighed_run.evaluate(), weighed_run.predict()
    own = frame["part"] == "test"
    weights = WEIGHTS[frame["sample"].str[1:].astype(int)]
    expected = sklearn.metrics.root_mean_squared_error(
        frame["target"][own], frame["prediction"][own], sample_weight=weights[own]
    )
    np.testing.assert_allclose(found["test"]["rmse"]["value"], expected, rtol=1e-6)
    log = (weighed_run.folder / "log.txt").read_text()
    assert "weights: weight, from 1 to 2; 60 rows count as" in log
    assert "weight" not in weighed_run._session.model().features


def test_the_report_of_weighted_rows_says_what_counts_them_alike(weighed_run):
    if not (weighed_run.folder / "metrics.json").is_file():
        weighed_run.evaluate()
    text = " ".join(weighed_run.report().read_text().split())
    assert "Metrics count samples by their weights, the column weight; figures, and" in text


@pytest.mark.parametrize(
    ("wrong", "received"),
    [(0, "'0'"), (-1, "'-1'"), (np.inf, "'inf'"), ("big", "'big'"), ("", "none")],
)
def test_a_weight_is_a_finite_number_above_0(tmp_path, wrong, received):
    weights = WEIGHTS.astype(object)
    weights[3] = wrong
    config = {"name": "w", "output_dir": str(tmp_path), "data": files(tmp_path, weights)}
    with pytest.raises(InputError, match=f"sample s3: expected a fin.* received {received}"):
        ag.AutoGenome(config | {"task": {"type": "regression"}}).train()


def test_a_column_of_weights_that_is_not_there_is_named(tmp_path):
    data = files(tmp_path, WEIGHTS) | {"weight": "wieght", "target": "y"}
    config = {"name": "w", "output_dir": str(tmp_path), "data": data}
    with pytest.raises(InputError, match="data.weight.*wieght.*weight"):
        ag.AutoGenome(config | {"task": {"type": "regression"}}).train()


@pytest.mark.parametrize(
    ("task", "data", "expected"),
    [
        ("representation", {}, "data.weight: rows of a representation count alike"),
        ("regression", {"target": "w"}, "data.weight: w is a target"),
    ],
)
def test_what_has_no_weights_is_refused(task, data, expected):
    data = {"features": "x.tsv", "weight": "w"} | data
    with pytest.raises(InputError, match=expected):
        Config.of({"name": "t", "data": data, "task": {"type": task}})


def test_estimators_take_weights(few_learners):
    config = {"search": {"folds": 2}, "data": {"transform": "none"}}
    options = {"max_trials": 1, "config": config}
    linear = {"linear": {"l2": 0.1, "gene_power": 0, "loss": "ridge"}}
    of_values = ag.AutoGenomeRegressor(linear, **options)
    weights = np.where(np.arange(ROWS) < 40, 1.0, 0.0)
    found = of_values.fit(VALUES, SIGNAL, sample_weight=weights).predict(VALUES)
    expected = ag.AutoGenomeRegressor(linear, **options).fit(VALUES[:40], SIGNAL[:40])
    np.testing.assert_allclose(found, expected.predict(VALUES), atol=1e-5)
    y = sksurv.util.Surv.from_arrays(EVENTS > 0, TIMES)
    of_times = ag.AutoGenomeSurvival({"linear": {"l2": 0.1, "gene_power": 0}}, **options)
    assert of_times.fit(VALUES, y, sample_weight=WEIGHTS).score(VALUES, y) > 0.7
    with pytest.raises(ValueError, match="at least one non-zero"):
        of_values.fit(VALUES, SIGNAL, sample_weight=np.zeros(ROWS))
