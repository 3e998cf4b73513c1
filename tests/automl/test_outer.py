"""Nested cross-validation: every row is predicted by a run that never saw it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.automl import AutoGenome, _outer
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.run import Run

ROWS, GENES, FOLDS = 60, 30, 3
SAMPLES = [f"s{row}" for row in range(ROWS)]
pytestmark = pytest.mark.usefixtures("few_learners")


def values(seed=0):
    """Return random genes."""
    x = np.random.default_rng(seed).normal(size=(ROWS, GENES))
    return pd.DataFrame(x, SAMPLES, [f"g{gene}" for gene in range(GENES)])


def config_of(folder, target="kind", **sections):
    """Return a config of linear learners with outer folds."""
    given = {
        "name": "t", "output_dir": str(folder), "families": {"linear": {}},
        "data": {"split": {"test": 0}, "target": target, "transform": "none"},
        "search": {"folds": 2, "outer": FOLDS}, "output": {"figures": False},
    }  # fmt: skip
    return given | sections


def labels(x):
    return pd.DataFrame({"kind": np.where(x["g0"] + x["g1"] > 0, "high", "low")}, x.index)


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """A classification with patients of four samples each, some held out."""
    x = values()
    y = labels(x).assign(patient=[f"p{row // 4}" for row in range(ROWS)])
    split = {"test": 0.2, "group": "patient"}
    config = config_of(
        tmp_path_factory.mktemp("runs"),
        data={"split": split, "target": "kind", "transform": "none"},
    )
    automl = AutoGenome(config, data=(x, y))
    automl.run(("train", "evaluate", "report"))
    return automl


def table(automl, name):
    return Run(automl.folder).read_table(name)


def test_every_row_to_learn_from_is_predicted_once(nested):
    split, found = table(nested, "split.tsv"), table(nested, "outer.tsv")
    assert list(found["sample"]) == list(split.loc[split["part"] == "train", "sample"])
    assert {"fold", "target", "prediction", "p_high", "p_low"} <= set(found)
    assert set(found["fold"]) == {1, 2, 3}


def test_no_run_of_a_fold_learned_from_its_rows_or_their_patients(nested):
    found, tested = table(nested, "outer.tsv"), table(nested, "split.tsv")
    tested = set(tested.loc[tested["part"] == "test", "sample"])
    owner = {sample: f"p{row // 4}" for row, sample in enumerate(SAMPLES)}
    for number, own in found.groupby("fold"):
        split = pd.read_csv(nested.folder / f"outer/fold_{number}/split.tsv", sep="\t")
        learned = set(split.loc[split["part"] == "train", "sample"])
        assert learned.isdisjoint(own["sample"]) and learned.isdisjoint(tested)
        assert {owner[one] for one in learned}.isdisjoint(owner[one] for one in own["sample"])
        folds = split[split["fold"] > 0].groupby("fold")["sample"].apply(set)
        first, second = ({owner[one] for one in own} for own in folds)
        assert first.isdisjoint(second)


def test_metrics_are_means_over_folds_beside_the_baseline(nested):
    found, folds = table(nested, "outer.tsv"), table(nested, "outer_folds.tsv")
    is_right = (found["target"] == found["prediction"]).groupby(found["fold"]).mean()
    np.testing.assert_allclose(folds["accuracy"], is_right, atol=1e-6)
    metrics = json.loads((nested.folder / "metrics.json").read_text())
    own = metrics["outer"]["accuracy"]
    assert own["value"] == pytest.approx(is_right.mean())
    assert own["low"] <= own["value"] <= own["high"] <= 1
    assert list(metrics) == ["validation", "validation_corrected", "outer", "test"]
    beside = json.loads((nested.folder / "baseline.json").read_text())["outer"]["accuracy"]
    assert beside["value"] == pytest.approx(folds["baseline_accuracy"].mean())
    apart = (folds["accuracy"] - folds["baseline_accuracy"]).mean()
    assert beside["difference"]["value"] == pytest.approx(apart)


def test_genes_and_families_of_folds_are_counted(nested):
    genes, folds = table(nested, "outer_genes.tsv"), table(nested, "outer_folds.tsv")
    assert set(genes["feature"][:2]) == {"g0", "g1"} and genes["folds"][0] == FOLDS
    assert folds["overlap"].between(0.3, 1).all() and set(folds["family"]) == {"linear"}


def test_the_report_shows_the_folds(nested):
    page = (nested.folder / "report.html").read_text()
    for text in ("Nested cross-validation", "linear (3)", "outer_genes.tsv"):
        assert text in page


def test_a_run_that_was_cut_off_goes_on_with_the_fold_that_is_missing(nested, monkeypatch):
    folder, kept = nested.folder, table(nested, "outer.tsv")
    shutil.rmtree(folder / "outer" / "fold_2")
    environment = json.loads((folder / "environment.json").read_text())
    del environment["stages"]["outer"]
    (folder / "environment.json").write_text(json.dumps(environment))
    before = [(folder / f"outer/fold_{n}/model.keras").stat().st_mtime_ns for n in (1, 3)]
    again = AutoGenome.load(folder)
    again.run(("train",))
    assert again.folder == folder
    after = [(folder / f"outer/fold_{n}/model.keras").stat().st_mtime_ns for n in (1, 3)]
    assert before == after and (folder / "outer/fold_2/model.keras").exists()
    pd.testing.assert_frame_equal(table(nested, "outer.tsv"), kept)


def test_the_run_of_a_fold_is_an_ordinary_run(nested):
    fold = AutoGenome.load(nested.folder / "outer" / "fold_1")
    found = fold.predict()
    own = found[found["part"] == "test"].set_index("sample")
    known = table(nested, "outer.tsv").query("fold == 1").set_index("sample")
    np.testing.assert_allclose(own.loc[known.index, "p_high"], known["p_high"], atol=1e-6)


@pytest.mark.parametrize("kind", ["regression", "survival"])
def test_values_and_times_are_predicted_too(tmp_path, kind):
    x = values()
    y = pd.DataFrame({"value": x["g0"] + x["g1"]})
    if kind == "survival":
        y = pd.DataFrame({"time": np.exp(-2 * (x["g0"] + x["g1"])), "event": 1})
        y.iloc[::5, 1] = 0
    config = config_of(tmp_path, list(y), task={"type": kind})
    automl = AutoGenome(config, data=(x, y))
    automl.train()
    found = automl.evaluate()["outer"]
    name = {"regression": "r2", "survival": "concordance"}[kind]
    assert found[name]["value"] > 0.6 and len(table(automl, "outer.tsv")) == ROWS


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"task": {"type": "representation"}}, "search.outer: a representation"),
        ({"data": {"features": "x.tsv", "validation": "v.tsv"}}, "search.outer: outer folds are"),
        ({"search": {"outer": 1}}, "search.outer"),
    ],
)
def test_what_has_no_meaning_is_refused(keys, expected):
    with pytest.raises(InputError, match=expected):
        Config.of({"name": "t", "data": {"features": "x.tsv"}, "search": {"outer": 3}} | keys)


def test_rare_classes_and_rows_beyond_memory_are_refused(tmp_path):
    x = values()
    y = labels(x)
    y.iloc[:2] = "rare"
    with pytest.raises(InputError, match=r"need at least as many rows of each class.*rare \(2\)"):
        AutoGenome(config_of(tmp_path), data=(x, y)).train()
    data = {"split": {"test": 0}, "target": "kind", "memory": 1e-7}
    given = config_of(tmp_path, data=data, search={"outer": 3, "folds": 1})
    given["families"] = {"mlp": {}}
    with pytest.raises(InputError, match=r"search.outer: needs the rows in memory"):
        AutoGenome(given, data=(x, labels(x))).train()
    assert not (tmp_path / "t").exists()


def test_the_interval_over_folds_widens_with_their_spread():
    even, uneven = (
        _outer.over_folds(np.array(own), "accuracy") for own in ([0.8] * 4, [0.6, 0.7, 0.9, 1])
    )
    assert even == {
        "value": pytest.approx(0.8),
        "low": pytest.approx(0.8),
        "high": pytest.approx(0.8),
    }
    assert uneven["low"] < 0.6 and uneven["high"] == 1
    assert _outer.over_folds(np.array([0.8, np.nan]), "accuracy")["value"] is None
    assert _outer.over_folds(np.array([0.1, 0.9]), "rmse")["low"] == 0


@pytest.mark.parametrize("name", ["partial_log_likelihood", "hazard_log_likelihood"])
def test_the_interval_of_a_gain_in_log_likelihood_may_lie_above_one(name):
    found = _outer.over_folds(np.array([1.4, 1.5, 1.6]), name)
    assert found["value"] == pytest.approx(1.5)
    assert found["high"] - 1.5 == pytest.approx(1.5 - found["low"])


def test_outer_folds_train_by_the_steps_of_the_first(tmp_path, steps, monkeypatch):
    made, counts = [], []
    lent, is_done = type(steps).lent, _outer._is_done

    def counted(self, key, make):
        return lent(self, key, lambda: made.append(key) or make())

    def begun(session):
        counts.append(len(made))
        return is_done(session)

    monkeypatch.setattr(type(steps), "lent", counted)
    monkeypatch.setattr(_outer, "_is_done", begun)
    search = {"folds": 2, "outer": FOLDS, "max_trials": 1, "epochs": 1}
    training = {"epochs": 1, "space": "rows"}
    config = config_of(tmp_path, search=search, training=training, families={"mlp": {}})
    x = values()
    AutoGenome(config, data=(x, labels(x))).train()
    # Of all rows, two thirds are those of an outer fold, and have fewer coordinates.
    assert 0 < counts[0] < counts[1] == counts[2] == len(made)
