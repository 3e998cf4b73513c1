"""Files of a run that somebody has changed are refused by their name, with what is wrong."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.run import Run, artifacts

FINISHED = Path(__file__).parents[1] / "whole" / "before" / "finished"


@pytest.fixture
def run(tmp_path):
    """Return a finished run of classes."""
    return Run(shutil.copytree(FINISHED / "classes", tmp_path / "classes"))


def test_predictions_keep_names_of_classes_that_look_like_numbers(run):
    frame = pd.read_csv(run.path("predictions.tsv"), sep="\t")
    run.write_table("predictions.tsv", frame.assign(target=1, prediction=1))
    assert set(run.predictions()["target"]) == set(run.predictions()["prediction"]) == {"1"}


@pytest.mark.parametrize("column", ["sample", "part", "target", "prediction", "p_"])
def test_a_report_names_the_columns_that_predictions_lack(run, column):
    frame = run.predictions()
    missing = [name for name in frame if name.startswith(column)]
    run.write_table("predictions.tsv", frame.drop(columns=missing))
    with pytest.raises(
        InputError, match=r"predictions\.tsv: .*missing columns: .*the predict "
    ) as caught:
        ag.load(run.folder).report()
    assert all(repr(name) in str(caught.value) for name in missing)


def changed(run, name, change):
    """Write a table of a run again as a function of its frame returns it."""
    frame = pd.read_csv(run.path(name), sep="\t", dtype=str, keep_default_na=False)
    run.write_table(name, change(frame))


TABLES = [
    (artifact.name, column)
    for artifact in artifacts.ARTIFACTS
    for column in artifact.columns
    if (FINISHED / "classes" / artifact.name).is_file() and artifact.name != "predictions.tsv"
]


@pytest.mark.parametrize(("name", "column"), TABLES)
def test_a_report_names_the_column_that_a_table_lacks(run, name, column):
    changed(run, name, lambda frame: frame.drop(columns=column))
    if name in ("leaderboard.tsv", "history.tsv", "split.tsv", "effects.tsv"):
        with pytest.raises(
            InputError, match=f"{name}: not as a run .*'{column}'.* (Run the|run its) "
        ):
            ag.load(run.folder).report()
    with pytest.raises(InputError, match=f"{name}: not as a run .*'{column}'.* (Run the|run its) "):
        run.read_table(name)


@pytest.mark.parametrize(
    ("column", "text"),
    [*((name, "none") for name in ("rank", "trial", "score", "parameters", "hyperparameters")),
     ("trial", "1.5"), ("hyperparameters", "[1]")],
)  # fmt: skip
def test_a_row_of_text_is_named_by_line_and_column(run, column, text):
    def change(frame):
        frame.loc[2, column] = text
        return frame

    changed(run, "leaderboard.tsv", change)
    message = f"leaderboard.tsv: .* line 4, column '{column}': received .*; expected "
    with pytest.raises(InputError, match=message):
        ag.load(run.folder).report()


def test_a_missing_score_is_a_failed_trial_and_a_missing_number_is_not(run):
    def without(column):
        def change(frame):
            frame.loc[1, column] = ""
            return frame

        return change

    changed(run, "leaderboard.tsv", without("score"))
    assert run.read_table("leaderboard.tsv")["score"].isna().sum() == 1
    changed(run, "leaderboard.tsv", without("trial"))
    with pytest.raises(InputError, match="line 3, column 'trial': received nothing; expected"):
        run.read_table("leaderboard.tsv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", [], "received \\[\\]; expected an object"),
        ("metrics.json", {"test": {"accuracy": 0.9}}, "test.accuracy: received 0.9; expected an"),
        ("metrics.json", {"test": {"accuracy": {"value": 1}}}, "test.accuracy.low: missing"),
        ("metrics.json", {"test": {"accuracy": {"value": "1", "low": 1, "high": 1}}},
         "test.accuracy.value: received '1'; expected a number or null"),
        ("warnings.json", [{"about": "test"}], "item 1.text: missing"),
        ("environment.json", {"versions": {}}, "seed: missing"),
        ("serving.json", {"signatures": []}, "signatures: received"),
    ],
)  # fmt: skip
def test_a_changed_json_file_is_named_with_its_key(run, name, content, message):
    run.write_json(name, content)
    with pytest.raises(InputError, match=f"{name}: not as a run writes it: {message}"):
        ag.load(run.folder).report()


@pytest.mark.parametrize(
    ("name", "metric"),
    [("metrics.json", "mcc"), ("baseline.json", "mcc"), ("baseline.json", "f1_macro")],
)
def test_a_metric_that_is_shown_and_lacks_is_named(run, name, metric):
    found = run.read_json(name)
    del found["test"][metric]
    run.write_json(name, found)
    with pytest.raises(InputError, match=f"{name}: not as .*: test: missing metrics: '{metric}'"):
        ag.load(run.folder).report()


@pytest.mark.parametrize("name", ["validation.npz", "attributions.npz"])
def test_an_archive_without_an_array_is_named(run, name):
    arrays = run.read_arrays(name)
    del arrays["outputs"]
    run.write_arrays(name, **arrays)
    with pytest.raises(InputError, match=f"{name}: not as .* missing arrays: 'outputs'"):
        run.read_arrays(name)
    run.path(name).write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(InputError, match=f"{name}: not as .* not a zip file"):
        run.read_arrays(name)
    if name == "attributions.npz":
        with pytest.raises(InputError, match=f"{name}: not as .* not a zip file"):
            ag.load(run.folder).report()


def test_a_damaged_model_is_named(run):
    run.path("model.keras").write_bytes(b"no archive")
    with pytest.raises(InputError, match="model.keras: not as a run writes it: File is not a zip"):
        run.model_names()
