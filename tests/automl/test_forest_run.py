"""A whole run of a config that names forests, from search to report and SavedModel."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import autogenome_tf as ag

RANDOM = np.random.default_rng(4)
ROWS = 70
VALUES = RANDOM.gamma(2.0, size=(ROWS, 8)).astype("float32")
LABELS = np.where(np.abs(VALUES[:, 0] - 1.8) < 0.8, "middle", "end")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of two forests and a network, averaged."""
    config = {
        "name": "trees", "output_dir": str(tmp_path_factory.mktemp("runs")),
        "families": {"forest": {"trees": 20, "max_features": ["third", "all"], "min_leaf": 1}},
        "search": {"method": "grid", "max_trials": 2}, "ensemble": {"size": 2},
        "explanation": {"samples": 5, "background": 10}, "output": {"figures": False},
    }  # fmt: skip
    names = [f"s{row}" for row in range(ROWS)]
    frame = pd.DataFrame(VALUES, names, [f"g{gene}" for gene in range(8)])
    automl = ag.AutoGenome(config, data=(frame, pd.Series(LABELS, names, name="level")))
    automl.run()
    return automl


def test_forests_are_trials_and_make_the_model(finished):
    board = pd.read_csv(finished.folder / "leaderboard.tsv", sep="\t")
    assert set(board["family"]) == {"linear", "forest"}
    assert (board["status"] == "done").all() and board["family"][0] == "forest"
    assert "forest" in (finished.folder / "report.html").read_text("utf-8")
    scores = json.loads((finished.folder / "metrics.json").read_text("utf-8"))
    assert scores["test"]["accuracy"]["value"] > 0.6


def test_the_gene_that_decides_comes_first_and_contributions_add_up(finished):
    table = pd.read_csv(finished.folder / "attributions.tsv", sep="\t")
    assert table["feature"][0] == "g0"
    with np.load(finished.folder / "attributions.npz") as found:
        total = found["values"].sum(axis=1) + found["base_values"]
        outputs = finished._session.model().outputs(found["data"])
    np.testing.assert_allclose(total, outputs, atol=1e-4)


def test_the_served_model_is_the_same(finished):
    served = tf.saved_model.load(str(finished.folder / "saved_model" / "1"))
    logits = served.signatures["logits"](tf.constant(VALUES))["logits"]
    np.testing.assert_allclose(logits, finished._session.model().outputs(VALUES), atol=1e-5)
    assert "explain" not in served.signatures
