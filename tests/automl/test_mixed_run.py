"""A run of targets of three kinds with gaps, from its files to predictions of new rows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import sksurv.metrics

import autogenome_tf as ag
from autogenome_tf import plots
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import RunData
from autogenome_tf.plots import _figures
from autogenome_tf.plots._target import TargetRun
from autogenome_tf.run import Run

ROWS = 160
RANDOM = np.random.default_rng(0)
GENES = pd.DataFrame(
    RANDOM.normal(6, 1, (ROWS, 8)), [f"S{n}" for n in range(ROWS)], [f"G{n}" for n in range(8)]
).round(3)
NOISE = RANDOM.normal(0, 0.3, ROWS)
TARGETS = pd.DataFrame({
    "type": np.where(GENES["G0"] + NOISE > 6, "LUAD", "LUSC"),
    "age": (60 + 5 * (GENES["G1"] - 6) + NOISE).round(2),
    "grade": RANDOM.permutation(np.where(GENES["G2"] > 6, 2, 1)),
})  # fmt: skip
GAPS = TARGETS.astype(object).mask(RANDOM.random(TARGETS.shape) < 0.2)
# Deaths come earlier where the fourth gene is high; times of some are unknown, of others the event.
TIMES = np.exp(5 - 1.5 * (GENES["G3"] - 6) + RANDOM.normal(0, 0.2, ROWS))
ENDS = RANDOM.uniform(100, 2000, ROWS)
GAPS["days"] = np.minimum(TIMES, ENDS).round(2).where(RANDOM.random(ROWS) > 0.1)
GAPS["death"] = pd.Series(np.where(TIMES <= ENDS, "Dead", "Alive"), GENES.index).where(
    RANDOM.random(ROWS) > 0.1
)


CLASSES = ["type:LUAD", "type:LUSC", "age", "grade:1", "grade:2"]


def given(folder, **sections):
    """Write genes and targets, and return the sections of a config of them."""
    GENES.to_csv(folder / "x.csv", index_label="sample")
    GAPS.to_csv(folder / "y.csv", index_label="sample")
    target = [*TARGETS, ["days", "death"]]
    data = {"features": "x.csv", "targets": "y.csv", "target": target, "predict": "x.csv"}
    config = {
        "name": "t", "output_dir": "runs", "data": data,
        "task": {"type": "mixed", "kinds": {"grade": "classification"}},
        "families": {
            "mlp": {"layers": 1, "units": 8, "dropout": 0.0, "input_dropout": 0.0},
        },
        "output": {"figures": False}, "ensemble": {"size": 2},
        "search": {"method": "random", "folds": 2, "epochs": 30, "max_trials": 2},
        "training": {"epochs": 30, "learning_rate": 0.03},
        "explanation": {"samples": 20, "background": 40},
    }  # fmt: skip
    for name, section in sections.items():
        config[name] = config.get(name, {}) | section
    return config


@pytest.fixture(scope="module")
def automl(tmp_path_factory, few_learners):
    """Return a run that is done."""
    folder = tmp_path_factory.mktemp("mixed")
    automl = ag.AutoGenome(Config.of(given(folder)).resolved(folder))
    automl.run()
    return automl


@pytest.fixture(scope="module")
def frame(automl):
    """Return its predictions, classes as text."""
    text = dict.fromkeys(("target_grade", "prediction_grade"), str)
    return pd.read_csv(automl.folder / "predictions.tsv", sep="\t", dtype=text)


def test_each_target_is_scored_where_it_is_known(automl, frame):
    scores = json.loads((automl.folder / "metrics.json").read_text())["test"]
    test = frame[frame["part"] == "test"]
    for name in ("type", "grade"):
        known = test.dropna(subset=f"target_{name}")
        pair = known[f"target_{name}"], known[f"prediction_{name}"]
        mcc = sklearn.metrics.matthews_corrcoef(*pair)
        assert scores[f"{name}.mcc"]["value"] == pytest.approx(mcc)
    known = test.dropna(subset="target_age")
    r2 = sklearn.metrics.r2_score(known["target_age"], known["prediction_age"])
    assert scores["age.r2"]["value"] == pytest.approx(r2, abs=1e-5)
    assert len(known) < len(test)


def test_times_are_scored_and_predicted_beside_the_others(automl, frame):
    scores = json.loads((automl.folder / "metrics.json").read_text())["test"]
    known = frame[frame["part"] == "test"].dropna(subset=["target_days", "target_death"])
    own = known["target_death"] > 0, known["target_days"], known["risk_days"]
    c = sksurv.metrics.concordance_index_censored(*own)[0]
    assert scores["days.concordance"]["value"] == pytest.approx(c, abs=1e-6)
    written = frame[frame["part"] != "predict"].set_index("sample")
    has_both = GAPS[["days", "death"]].notna().all(axis=1)[written.index]
    assert (written[["target_days", "target_death"]].notna().all(axis=1) == has_both).all()
    assert (written[["target_days", "target_death"]].isna().all(axis=1) == ~has_both).all()
    columns = [name for name in frame if name.startswith("survival_days:")]
    assert len(columns) == 3 and (frame[columns].diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    assert frame["median_days"].corr(frame["risk_days"], "spearman") < -0.9


def test_a_target_of_chance_does_not_spoil_the_others(automl):
    scores = json.loads((automl.folder / "metrics.json").read_text())["validation"]
    assert scores["type.roc_auc"]["low"] > 0.7 and scores["age.r2"]["low"] > 0.5
    assert scores["days.concordance"]["low"] > 0.7
    assert scores["grade.roc_auc"]["low"] < 0.5 < scores["grade.roc_auc"]["high"]


def test_the_leaderboard_ranks_by_the_skill_of_all_targets(automl):
    board = pd.read_csv(automl.folder / "leaderboard.tsv", sep="\t")
    assert set(board["family"]) == {"linear", "mlp"} and board["score"].is_monotonic_decreasing
    baseline = json.loads((automl.folder / "baseline.json").read_text())
    assert {"skill", "type.mcc", "age.r2"} <= set(baseline["test"])
    linear = json.loads(board.set_index("family").loc["linear", "hyperparameters"])
    assert set(linear["l2"]) == {"type", "age", "grade", "days"}
    page = (automl.folder / "report.html").read_text()
    assert f"l2 (type {linear['l2']['type']:.3g}, age" in page


def test_the_report_asks_for_all_targets(automl):
    page = (automl.folder / "report.html").read_text()
    assert "What are type, age, grade and days?" in page and "type: balanced accuracy" in page
    assert "age: samples of the test part that have it." in page
    # Of the card, which names what each figure is of.
    card = page[: page.index("The data: ")]
    assert "days: concordance (Harrell" in card.replace("&#39;", "'")


def test_contributions_are_those_of_each_class_number_and_risk(automl):
    found = pd.read_csv(automl.folder / "attributions.tsv", sep="\t", index_col="feature")
    assert list(found)[2:] == [*CLASSES, "days"]
    assert found["age"].idxmax() == "G1" and found["type:LUAD"].idxmax() == "G0"
    assert found["days"].idxmax() == "G3"


def test_a_saved_model_predicts_new_rows_and_is_served(automl, frame):
    model = ag.load(automl.folder)
    again = model.predict(GENES)
    own = frame[frame["part"] == "predict"].reset_index(drop=True)
    assert (again["prediction_type"] == own["prediction_type"]).all()
    assert (again["prediction_grade"].astype(str) == own["prediction_grade"]).all()
    np.testing.assert_allclose(again["prediction_age"], own["prediction_age"], rtol=1e-5)
    served = json.loads((automl.folder / "serving.json").read_text())
    answer = served["example"]["response"]["predictions"][0]
    assert set(answer) == {
        "type_probabilities", "type_prediction", "age_prediction", "grade_probabilities",
        "grade_prediction", "days_risk", "days_survival",
    }  # fmt: skip
    assert served["outputs"][:5] == CLASSES
    (instance,) = served["example"]["request"]["instances"]
    row = np.isclose(GENES, instance).all(axis=1).argmax()
    assert answer["days_risk"] == pytest.approx([own["risk_days"][row]], rel=1e-4)
    times = [f"survival_days:{time}" for time in served["days_times"]]
    assert answer["days_survival"] == pytest.approx(own[times].loc[row].tolist(), rel=1e-4)


def test_each_target_has_the_figures_of_its_kind(automl, frame):
    run = Run.existing(automl.folder)
    told = {Path(path).name for path, _ in plots.figures(run, "predict")}
    of_classes = {"roc_curves", "precision_recall_curves", "calibration"}
    of_times = {"kaplan_meier_curves", "brier_curve", "survival_calibration"}
    assert told == {
        *(f"{name}_{target}" for name in of_classes for target in ("type", "grade")),
        *(f"{name}_days" for name in of_times), "predicted_vs_true_age",
    }  # fmt: skip
    drawn = {name: (drawing, caption) for name, drawing, caption in _figures.placed(run, "scores")}
    drawing, caption = drawn["confusion_matrix_grade"]
    assert drawing.axes[0].get_title() == "grade" and caption.startswith("grade: Rows are true")
    with pytest.raises(InputError, match="target: unknown name 'age'; expected one of: .*type"):
        plots.roc_curves(automl.folder, target="age")


def test_figures_of_a_target_show_the_rows_that_have_it(automl, frame):
    run = Run.existing(automl.folder)
    test = frame[frame["part"] == "test"]
    for target in ("type", "grade"):
        own = test.dropna(subset=f"target_{target}")
        found = plots.member("confusion_matrix").read(TargetRun(run, target))["counts"]
        pair = own[f"target_{target}"].to_numpy(), own[f"prediction_{target}"].to_numpy()
        labels = list(found.index)
        expected = sklearn.metrics.confusion_matrix(*pair, labels=labels)
        np.testing.assert_array_equal(found.to_numpy(), expected)
        read = plots.member("roc_curves").read(TargetRun(run, target))
        assert list(read["probabilities"]) == labels and len(read["targets"]) == len(own)
        np.testing.assert_array_equal(
            read["probabilities"], own[[f"p_{target}:{x}" for x in labels]]
        )
    read = plots.member("predicted_vs_true").read(TargetRun(run, "age"))
    assert read["target"] == "age" and not read["predictions"]["target"].isna().any()
    read = plots.member("kaplan_meier_curves").read(TargetRun(run, "days"))
    learned = frame[frame["part"] == "train"].dropna(subset=["target_days", "target_death"])
    columns = ["target_days", "target_death"]
    validation = TargetRun(run, "days").read_arrays("validation.npz")
    rows = learned.set_index("sample").loc[validation["samples"]]
    np.testing.assert_array_equal(read["targets"], rows[columns])
    assert len(read["risks"]) == len(learned) and read["time"] == "days"


REFUSED = {
    "search.outer": {"search": {"outer": 3}},
    "search.method": {"search": {"method": "enas"}},
    "data.sites": {"data": {"sites": ["hospital"]}},
    "evaluation.permutations": {"evaluation": {"permutations": 9}},
    "evaluation.learning_curve": {"evaluation": {"learning_curve": True}},
    "data.rare_classes": {"data": {"rare_classes": "merge"}},
    "forest": {"families": {"forest": {}}},
    "output_nonlinearity": {"families": {"mlp": {"output_nonlinearity": "relu"}}},
    "class_weight": {"task": {"class_weight": "balanced"}},
    "cox": {"task": {"loss": "cox"}},
    "task.kinds": {"task": {"kinds": {"days": "regression"}}},
}


@pytest.mark.parametrize("key", REFUSED)
def test_what_does_not_go_with_several_kinds_is_refused(tmp_path, key):
    config = given(tmp_path, **REFUSED[key])
    if key == "search.method":
        config["families"] = {"wired": {}}
    with pytest.raises(InputError, match=f"({key}.*(mixed|numbers|pair)|mixed.*{key})"):
        ag.AutoGenome(Config.of(config).resolved(tmp_path)).check()


def refused(folder, **sections):
    """Return the error of data that are read."""
    config = Config.of(given(folder)).resolved(folder)
    data = config.data.model_copy(update=sections.get("data", {}))
    task = config.task.model_copy(update=sections.get("task", {}))
    with pytest.raises(InputError) as error:
        found = RunData(data, task)
        assert found.labelled and found.to_evaluate
    return str(error.value)


def test_kinds_of_unknown_targets_are_refused(tmp_path):
    said = refused(tmp_path, task={"kinds": {"grad": "classification"}})
    assert "task.kinds" in said and "'grad'" in said and "grade" in said
    with pytest.raises(InputError, match="kinds is for mixed; the type is 'regression'"):
        Config.of(given(tmp_path, task={"type": "regression"}))


def test_further_rows_have_targets_of_the_same_kinds(tmp_path):
    GENES.iloc[:3].to_csv(tmp_path / "z.csv", index_label="sample")
    other = {
        "type": ["LUAD", "LUSC", None], "age": [50, 60, None], "grade": [1, 2, 1],
        "days": [10, None, 30], "death": ["Dead", None, "Alive"],
    }  # fmt: skip
    for name, value, text in (
        ("age", "old", "age: sample S2: expected a number; received 'old'"),
        ("type", "3", "classes that the training data does not have: 'type: 3'"),
        ("days", 0, "days: sample S2: expected a time above 0; received '0'"),
        ("death", "maybe", "death: sample S2: expected an event as 1 or 0"),
        ("grade", 3, "classes that the training data does not have: 'grade: 3'"),
    ):
        frame = pd.DataFrame(other, GENES.index[:3]).astype(object)
        frame.loc["S2", name] = value
        frame.to_csv(tmp_path / "t.csv", index_label="sample")
        paths = {"evaluate": str(tmp_path / "z.csv"), "evaluate_targets": str(tmp_path / "t.csv")}
        assert text in refused(tmp_path, data=paths)


def test_a_pair_is_one_of_several_targets_of_type_mixed(tmp_path):
    for task in ({"type": "survival"}, {"type": "regression"}):
        config = given(tmp_path) | {"task": task}
        with pytest.raises(InputError, match=r"data.target: \['days', 'death'\].*type mixed"):
            Config.of(config)
    for target in (["type", ["days"]], ["type", ["days", "death", "age"]]):
        with pytest.raises(InputError, match="data.target"):
            Config.of(given(tmp_path, data={"target": target}))
    with pytest.raises(InputError, match="target: expected names, each once"):
        Config.of(given(tmp_path, data={"target": ["days", ["days", "death"]]}))


PAIR = ["type", "age", ["days", "death"]]
IN_MEMORY = {
    "a frame of targets": lambda: (GENES, GAPS, PAIR),
    "columns of X": lambda: (GENES.join(GAPS.drop(columns="grade")), None, PAIR),
    "columns of X by name": lambda: (GENES.join(GAPS.drop(columns="grade")), PAIR, None),
    "columns of obs": lambda: (annotated(), None, PAIR),
    "columns of obs by name": lambda: (annotated(), PAIR, None),
}


def annotated():
    """Return genes and targets as AnnData."""
    return pytest.importorskip("anndata").AnnData(GENES, obs=GAPS)


def begun(folder, x, y, target, **sections):
    """Return the session of a run of rows in memory."""
    config = {"name": "t", "output_dir": str(folder), "data": {"target": target}}
    session = ag.AutoGenome(config | {"task": {"type": "mixed"}} | sections, data=(x, y))._session
    session.begun(["train"])
    return session


@pytest.mark.parametrize("case", IN_MEMORY)
def test_rows_in_memory_have_the_targets_of_files(case, tmp_path):
    config = Config.of(given(tmp_path, data={"target": PAIR})).resolved(tmp_path)
    expected = RunData(config.data, config.task.model_copy(update={"kinds": {}})).labelled[0]
    session = begun(tmp_path, *IN_MEMORY[case]())
    found = session.rows.labelled[0]
    assert found.target_names == expected.target_names and found.features == expected.features
    np.testing.assert_array_equal(found.targets, expected.targets)
    assert session.config.data.target == PAIR


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (lambda: (annotated(), ["type", ["day", "death"]], None), "'day' is not a column of obs"),
        (lambda: (GENES, ["type", ["day", "death"]], None), "'type' is not a column of X"),
        (lambda: (GENES.to_numpy(), None, PAIR), "'type' is not a column of X"),
        (lambda: (GENES, GAPS.drop(columns="death"), PAIR), "data.target: unknown name 'death'"),
        (lambda: (GENES, GAPS, ["age", ["death", "days"]]), "death: sample S.: expected a time"),
    ],
)
def test_targets_in_memory_that_are_not_there_are_refused(case, said, tmp_path):
    with pytest.raises(InputError, match=said):
        begun(tmp_path, *case())
    assert not list(tmp_path.iterdir())


def test_names_of_targets_fit_the_task_in_memory_too(tmp_path):
    with pytest.raises(InputError, match=r"\['days', 'death'\] is a pair .*type mixed"):
        begun(tmp_path, annotated(), PAIR, None, task={"type": "regression"})


def test_targets_without_an_event_among_the_training_rows_are_refused(tmp_path):
    config = Config.of(given(tmp_path)).resolved(tmp_path)
    targets = pd.read_csv(tmp_path / "y.csv", index_col="sample")
    split = pd.DataFrame({"sample": GENES.index, "part": "train"})
    split.loc[(targets["death"] == "Dead").to_numpy(), "part"] = "test"
    split.to_csv(tmp_path / "split.csv", index=False)
    data = config.data.model_copy(update={"split": str(tmp_path / "split.csv")})
    with pytest.raises(InputError, match="data.split: death: no training row has the event"):
        ag.AutoGenome(config.model_copy(update={"data": data})).train()
