"""Forests are scikit-learn's, fitted fold by fold, and predict no shuffled labels."""

import time
import warnings

import numpy as np
import pytest
from folds import cross_validation, thirds
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from autogenome_tf import families
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.models import Predictor
from autogenome_tf.tasks import Classification, Regression, Survival
from autogenome_tf.tasks.hazards import Baseline
from autogenome_tf.training import Configuration, Plan, Trial, _forests, left_out

RANDOM = np.random.default_rng(2)
ROWS, GENES = 90, 40
X = RANDOM.gamma(2.0, 3.0, size=(ROWS, GENES)).astype("float32")
X[RANDOM.uniform(size=X.shape) < 0.02] = np.nan
FILLED = np.nan_to_num(X, nan=6.0)
CLASSES = (FILLED[:, 0] > 5) * 1 + (FILLED[:, 1] > 8)
VALUES = np.stack([FILLED[:, 0] - 5, np.abs(FILLED[:, 1] - 6)], axis=1).astype("float32")
# The earlier the higher the first gene is; the last rows are censored before any event.
TIMES = np.exp(RANDOM.normal(size=ROWS) - FILLED[:, 0] / 2) + 1
ENDS = np.where(np.arange(ROWS) < ROWS - 6, np.quantile(TIMES, 0.7), 0.5)
SURVIVAL = np.stack([np.minimum(TIMES, ENDS), TIMES <= ENDS], axis=1)
TASKS = {
    "classification": (Classification(["a", "b", "c"], class_weight="balanced"), CLASSES),
    "regression": (Regression(["x", "y"], mean=np.zeros(2), scale=np.ones(2)), VALUES),
    "survival": (Survival(["time", "event"]), SURVIVAL),
}
TREES = {"trees": 60, "max_features": "sqrt", "min_leaf": 1}


def in_folds(kind, targets=None, splits=None, **sections):
    """Return the `NetworkCrossValidation` of the rows, mean in the place of missing values."""
    task, own = TASKS[kind]
    targets = own if targets is None else targets
    sections["data"] = {"missing": "mean"} | sections.get("data", {})
    return cross_validation(X, targets, task, splits or thirds(ROWS), **sections)


def theirs(kind, rows, targets, weights, seed=1):
    """Return scikit-learn's forest fitted to rows, and its outputs as a function."""
    settings = {"max_features": "sqrt", "random_state": derive(seed, "repeat/0")}
    if kind == "classification":
        model = ExtraTreesClassifier(60, **settings).fit(rows, targets, weights)
        return model.predict_proba
    if kind == "survival":
        return relative_risk(
            ExtraTreesRegressor(60, criterion="poisson", **settings), rows, targets
        )
    return ExtraTreesRegressor(60, **settings).fit(rows, targets, weights).predict


def relative_risk(model, rows, targets):
    """Return the mean over trees of log((events + 1) / (expected + 1)), counted in the leaves."""
    expected = Baseline.of(targets, np.zeros(len(targets))).hazard_at(targets[:, 0])
    known = expected > 0
    rows, events, expected = rows[known], targets[known, 1], expected[known]
    model.fit(rows, events / expected, expected)

    def outputs(other):
        found = np.zeros((len(other), len(model.estimators_)))
        for tree, (own, asked) in enumerate(
            zip(model.apply(rows).T, model.apply(other).T, strict=True)
        ):
            size = max(own.max(), asked.max()) + 1
            seen, due = (np.bincount(own, part, size) for part in (events, expected))
            found[:, tree] = np.log((seen + 1) / (due + 1))[asked]
        return found.mean(axis=1, keepdims=True)

    return outputs


@pytest.mark.parametrize("transform", ["none", "rank"])
@pytest.mark.parametrize("kind", TASKS)
def test_each_fold_is_the_forest_of_scikit_learn(kind, transform, tmp_path):
    folds = in_folds(kind, data={"transform": transform})
    fit = folds.fit(Configuration("forest", TREES), Plan(1), 1)
    inputs = folds.fold_inputs(Configuration("forest", TREES))
    for fold, (train, validation) in enumerate(folds.splits):
        rows = inputs.preprocessed(fold)
        expected = theirs(kind, rows[train], folds.targets[train], folds.weights[train])
        np.testing.assert_allclose(fit.validation[fold], expected(rows[validation]), atol=1e-6)
        # The model from raw values, missing ones among them, saved and loaded.
        folds.final_model(Configuration("forest", TREES), fit, 0.5, fold).save(
            tmp_path / "model.keras"
        )
        model = Predictor.load(tmp_path / "model.keras")
        scale, offset = folds.task.output_scale(0.5)
        outputs = (model.outputs(X) - offset) / scale
        np.testing.assert_allclose(outputs, expected(rows), rtol=2e-6, atol=1e-6)


def test_genes_are_chosen_by_each_fold():
    folds = in_folds("classification", data={"top_variable": 10})
    fit = folds.fit(Configuration("forest", TREES), Plan(1), 1)
    for fold in range(3):
        model = folds.final_model(Configuration("forest", TREES), fit, 1.0, fold)
        (branch,) = model.branches
        assert len(branch.kept) == 10
        unseen = folds.splits[fold][1]
        np.testing.assert_allclose(model.outputs(X[unseen]), fit.validation[fold], atol=1e-6)


def test_shuffled_labels_score_chance():
    scores = []
    for number in range(3):
        shuffled = np.random.default_rng(number).permutation(CLASSES)
        folds = in_folds("classification", shuffled, search={"objective": "balanced_accuracy"})
        fit = folds.fit(Configuration("forest", TREES), Plan(1), 1)
        scores.append(folds.judge(Trial(1, "forest", TREES), fit).trial.score)
    assert np.mean(scores) < 0.45
    folds = in_folds("classification", search={"objective": "balanced_accuracy"})
    every = TREES | {"max_features": "all"}
    fit = folds.fit(Configuration("forest", every), Plan(1), 1)
    assert folds.judge(Trial(1, "forest", every), fit).trial.score > 0.7


def test_a_class_that_a_fold_lacks_has_no_share():
    first = np.flatnonzero(CLASSES < 2)
    splits = [(first, np.flatnonzero(CLASSES == 2)), *thirds(ROWS)[1:]]
    fit = in_folds("classification", splits=splits).fit(Configuration("forest", TREES), Plan(1), 1)
    assert not fit.validation[0][:, 2].any()
    np.testing.assert_allclose(fit.validation[0].sum(axis=1), 1, atol=1e-6)


def test_seeds_decide_and_repeats_are_averaged():
    folds = in_folds("classification")
    one, same, other = (
        folds.fit(Configuration("forest", TREES), Plan(1), seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.validation[0], same.validation[0])
    assert not np.array_equal(one.validation[0], other.validation[0])
    several = folds.fit(Configuration("forest", TREES), Plan(1), 1, repeats=2)
    assert len(several.weights[0]) == 6
    models = [
        folds.final_model(Configuration("forest", TREES), several, 1.0, replica)
        for replica in (1, 4)
    ]
    rows = X[folds.splits[1][1]]
    mean = np.mean([model.outputs(rows) for model in models], axis=0)
    np.testing.assert_allclose(mean, several.validation[1], atol=1e-6)


def test_a_deadline_leaves_fewer_trees_alike_in_all_folds():
    plan = Plan(1, deadline=time.monotonic())
    fit = in_folds("classification").fit(Configuration("forest", TREES), plan, 1)
    assert {len(trees.roots) for trees in fit.weights[0]} == {_forests.STEP}


@pytest.mark.parametrize("name", ["fit", "predict_proba"])
def test_filters_of_warnings_outlive_the_threads_of_scikit_learn(name, monkeypatch):
    plain = getattr(ExtraTreesClassifier, name)

    def as_threads_may_leave_it(*arguments, **options):
        found = plain(*arguments, **options)
        warnings.resetwarnings()
        return found

    monkeypatch.setattr(ExtraTreesClassifier, name, as_threads_may_leave_it)
    with warnings.catch_warnings():
        before = list(warnings.filters)
        in_folds("classification").fit(Configuration("forest", TREES), Plan(1), 1)
        assert warnings.filters == before


def test_rows_without_a_target_are_refused():
    targets = VALUES.copy()
    targets[3, 1] = np.nan
    with pytest.raises(ValueError, match="forest: rows lack some of the targets"):
        in_folds("regression", targets).fit(Configuration("forest", TREES), Plan(1), 1)


def test_forests_of_the_default_config_are_left_out_where_they_are_slow_or_cannot_be():
    asked = Config.of({"name": "demo"}).families
    (most,) = asked["forest"].values()
    assert ROWS * GENES < most and left_out(in_folds("regression", families=asked), "forest") == ""
    few = {"linear": {}, "forest": {"most_values": ROWS * GENES - 1}, "mlp": {}}
    folds = in_folds("regression", families=few)
    assert "3,600 values are more than families.forest.most_values, 3,599" in left_out(
        folds, "forest"
    )
    assert left_out(folds, "mlp") == left_out(folds, "linear") == ""
    gaps = np.where(np.arange(ROWS)[:, None] == 5, np.nan, VALUES)
    assert "lack" in left_out(in_folds("regression", gaps, families=asked), "forest")
    # What a config names without a limit is tried, and says itself what is wrong.
    assert left_out(in_folds("regression", gaps, families={"forest": {}}), "forest") == ""


def test_streamed_rows_are_refused():
    sections = {"families": {"forest": {}}, "search": {"folds": 1}}
    with pytest.raises(InputError, match=r"families\.forest: trees .* do not fit data\.memory"):
        in_folds("classification", data={"memory": 1e-7}, splits=thirds(ROWS)[:1], **sections)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"type": "representation"}, "representation; expected resvae"),
        ({"type": "mixed"}, "mixed; expected densenet"),
        ({"type": "survival", "loss": "hazard"}, "survival with .* hazard; .*, or task.loss cox"),
    ],
)
def test_other_tasks_have_no_forest(task, said):
    config = {"name": "t", "data": {"features": "x.tsv", "target": ["time", "event"]}}
    config |= {"task": task, "families": {"forest": {}}}
    with pytest.raises(InputError, match=f"forest is not for task.type {said}"):
        families.spaces(Config.of(config))
    assert "forest" not in families.names(task["type"], task.get("loss"))


def test_leaves_of_many_rows_are_few():
    member = families.member("forest")
    assert member.estimator(TREES, Classification, 499).min_samples_leaf == 1
    assert member.estimator(TREES, Classification, 5000).min_samples_leaf == 10
