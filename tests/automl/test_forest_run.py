"""A whole run of a config that names forests, from search to report and SavedModel."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import autogenome_tf as ag
from autogenome_tf.run.artifacts import STAGES

RANDOM = np.random.default_rng(4)
ROWS = 70
VALUES = RANDOM.gamma(2.0, size=(ROWS, 8)).astype("float32")
LABELS = np.where(np.abs(VALUES[:, 0] - 1.8) < 0.8, "middle", "end")


# Where the gene is near its middle, events come early.
TIMES = RANDOM.exponential(size=ROWS) * np.where(LABELS == "middle", 1.0, 20.0)
SURVIVAL = pd.DataFrame({"days": np.minimum(TIMES, 6.0), "died": TIMES < 6.0})


def run_of(folder, targets, stages=STAGES, **changes):
    """A run of two forests, averaged."""
    config = {
        "name": "trees", "output_dir": str(folder),
        "families": {"forest": {"trees": 20, "max_features": ["third", "all"], "min_leaf": 1}},
        "search": {"method": "grid", "max_trials": 2}, "ensemble": {"size": 2},
        "explanation": {"samples": 5, "background": 10}, "output": {"figures": False}, **changes,
    }  # fmt: skip
    names = [f"s{row}" for row in range(ROWS)]
    frame = pd.DataFrame(VALUES, names, [f"g{gene}" for gene in range(8)])
    automl = ag.AutoGenome(config, data=(frame, targets.set_axis(names)))
    automl.run(stages)
    return automl


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of classes."""
    return run_of(tmp_path_factory.mktemp("runs"), pd.Series(LABELS, name="level"))


def test_forests_are_trials_and_make_the_model(finished):
    board = pd.read_csv(finished.folder / "leaderboard.tsv", sep="\t")
    assert set(board["family"]) == {"linear", "forest"}
    assert (board["status"] == "done").all() and board["family"][0] == "forest"
    assert "forest" in (finished.folder / "report.html").read_text("utf-8")
    scores = json.loads((finished.folder / "metrics.json").read_text("utf-8"))
    assert scores["test"]["accuracy"]["value"] > 0.6


def check_contributions(automl):
    """Check that the gene that decides comes first, and that contributions add up."""
    table = pd.read_csv(automl.folder / "attributions.tsv", sep="\t")
    assert table["feature"][0] == "g0"
    with np.load(automl.folder / "attributions.npz") as found:
        total = found["values"].sum(axis=1) + found["base_values"]
        outputs = automl._session.model().outputs(found["data"])
    np.testing.assert_allclose(total, outputs, atol=1e-4)


def test_the_gene_that_decides_comes_first_and_contributions_add_up(finished):
    check_contributions(finished)


@pytest.mark.slow
def test_forests_of_survival_find_what_no_linear_model_does(tmp_path):
    stages = ["train", "explain", "predict", "export"]
    automl = run_of(tmp_path, SURVIVAL, stages, task={"type": "survival"})
    scores = pd.read_csv(automl.folder / "leaderboard.tsv", sep="\t").set_index("family")["score"]
    assert scores["forest"].max() > scores["linear"] + 0.05
    check_contributions(automl)
    frame = pd.read_csv(automl.folder / "predictions.tsv", sep="\t")
    served = tf.saved_model.load(str(automl.folder / "saved_model" / "1"))
    found = served.signatures["serving_default"](tf.constant(VALUES))
    np.testing.assert_allclose(found["risk"][:, 0], frame["risk"], atol=1e-5)
    columns = frame.filter(regex="^survival_")
    np.testing.assert_allclose(found["survival"], columns, atol=1e-5)


def test_the_served_model_is_the_same(finished):
    served = tf.saved_model.load(str(finished.folder / "saved_model" / "1"))
    logits = served.signatures["logits"](tf.constant(VALUES))["logits"]
    np.testing.assert_allclose(logits, finished._session.model().outputs(VALUES), atol=1e-5)
    assert "explain" not in served.signatures
