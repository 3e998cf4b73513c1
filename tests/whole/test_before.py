"""Runs, models, SavedModels, pickles and configs of version 0.1.0 open with the same answers."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.run import Run

BEFORE = Path(__file__).parent / "before"
TABLES = {"classes": "predictions.tsv", "doses": "predictions.tsv", "latent": "latent.tsv"}


@pytest.fixture
def before(tmp_path):
    """Return a copy of the folder with data, configs and runs of version 0.1.0."""
    return Path(shutil.copytree(BEFORE, tmp_path / "before"))


def assert_same(found, expected):
    """Compare two tables: text exactly, numbers to rounding."""
    assert list(found.columns) == list(expected.columns)
    for name in expected:
        numbers = pd.to_numeric(expected[name], errors="coerce")
        if numbers.isna().any():
            assert list(found[name].astype(str)) == list(expected[name].astype(str))
        else:
            np.testing.assert_allclose(found[name].astype(float), numbers, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", TABLES)
def test_a_run_predicts_as_on_the_day_of_its_training(before, name):
    folder = before / "finished" / name
    expected = Run(folder).read_table(TABLES[name])
    automl = ag.load(folder)
    assert_same(automl.predict(), expected)
    new = automl.predict(pd.read_csv(before / "matrix.tsv", sep="\t", index_col=0))
    assert len(new) == len(expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_every_later_stage_of_a_run_goes_on(before, name):
    automl = ag.load(before / "finished" / name)
    kept = automl._session.opened().read_json("metrics.json")
    found = automl.evaluate()
    assert found.keys() == kept.keys()
    for part, scores in kept.items():
        for metric, score in scores.items():
            if score["value"] is not None and not metric.startswith(("hdbscan", "importance")):
                assert found[part][metric]["value"] == pytest.approx(score["value"], abs=1e-3)
    assert automl.export().name == "2"
    assert automl.report().is_file()


def test_attributions_are_those_of_before(before):
    folder = before / "finished" / "classes"
    expected = Run(folder).read_table("attributions.tsv")
    assert_same(ag.load(folder).explain(), expected)


@pytest.mark.parametrize("name", TABLES)
def test_a_saved_model_answers_as_before(before, name):
    import tensorflow as tf

    folder = before / "finished" / name
    example = Run(folder).read_json("serving.json")["example"]
    served = tf.saved_model.load(str(folder / "saved_model" / "1"))
    values = tf.constant(example["request"]["instances"], tf.float32)
    answer = served.signatures["serving_default"](values)
    (expected,) = example["response"]["predictions"]
    for key, value in answer.items():
        own = expected[key] if isinstance(expected, dict) else expected
        found = value.numpy()[0]
        if isinstance(found, bytes):
            assert found.decode() == own
        else:
            np.testing.assert_allclose(found, own, rtol=1e-3, atol=1e-4)


def test_a_run_has_one_seed_as_it_began_and_its_config_may_have_comments(before):
    run = Run(before / "finished" / "classes")
    assert run.config().ensemble.seeds == 1
    path = run.path("config.json")
    path.write_text(f"// as it ran\n{path.read_text()}")
    assert run.config().ensemble.seeds == 1


def test_an_unfinished_run_is_resumed_to_the_leaderboard_of_a_whole_one(before):
    automl = ag.AutoGenome(
        ag.Config.load(before / "unfinished.json", [f"output_dir={before / 'finished'}"])
    )
    board = automl.train()
    assert automl.folder == before / "finished" / "unfinished"
    assert "resuming" in (automl.folder / "log.txt").read_text()
    expected = pd.read_csv(before / "unfinished_leaderboard.tsv", sep="\t")
    # Trials that were trained today are calibrated by another temperature than those on record.
    apart, scores = ["seconds"], ["score", "error"]
    np.testing.assert_allclose(board[scores], expected[scores], rtol=0.05)
    assert_same(board.drop(columns=apart + scores), expected.drop(columns=apart + scores))


def test_a_pickled_estimator_predicts_as_before(before):
    estimator = pickle.loads((before / "estimator.pickle").read_bytes())
    frame = pd.read_csv(before / "matrix.tsv", sep="\t", index_col=0).astype("float32")
    expected = np.load(before / "estimator_probabilities.npy")
    np.testing.assert_allclose(estimator.predict_proba(frame), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", [*TABLES, "unfinished"])
def test_a_config_says_the_same(before, name):
    kept = Run(before / "finished" / name).read_json("config.json")
    config = ag.Config.load(before / f"{name}.json")
    for key in ("families", "search", "training", "ensemble", "explanation", "task"):
        found = getattr(config, key)
        found = found if isinstance(found, dict) else found.model_dump()
        if key == "training":
            # As large as "auto" for so few rows.
            assert (kept[key].pop("batch_size"), found["batch_size"]) == (64, "auto")
        assert found.items() >= kept[key].items()
