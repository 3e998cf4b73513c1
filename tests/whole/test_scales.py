"""Scales of values through whole runs: training, new rows, the report."""

import json

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.report._doubts import doubts
from autogenome_tf.run import Run

ROWS, GENES = 80, 20
GENE_NAMES = [f"gene_{gene}" for gene in range(GENES)]
LABELS = pd.Series(np.where(np.arange(ROWS) % 2, "Basal", "LumA"), [f"s{i}" for i in range(ROWS)])


def z_scores(seed=0):
    """Z-scores of two classes that three genes tell apart."""
    values = np.random.default_rng(seed).normal(size=(ROWS, GENES))
    values[:, :3] += np.where(np.arange(ROWS) % 2, 2.0, -2.0)[:, None]
    return pd.DataFrame(values / values.std(axis=0), LABELS.index, GENE_NAMES)


def trained(folder, features, **data):
    """A linear model, trained; figures are not the subject."""
    config = {
        "name": "scales", "output_dir": str(folder), "data": data,
        "families": {"linear": {"l2": 0.1}}, "search": {"folds": 2},
        "output": {"figures": False}, "explanation": {"samples": 3},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(features, LABELS))
    automl.train()
    return automl


def warnings_of(automl):
    """The warnings of a run: what each is about, its stage and text."""
    return json.loads((automl.folder / "warnings.json").read_text("utf-8"))


# Training ----------------------------------------------------------------------------------


def test_z_scores_with_outliers_score_as_those_without(tmp_path):
    features = z_scores()
    features.iloc[4, 5], features.iloc[30, 9] = 75.0, 120.0
    automl = trained(tmp_path, features)
    assert automl.evaluate()["test"]["accuracy"]["value"] == 1.0
    assert "transform: none (z-scores" in (automl.folder / "log.txt").read_text()


def test_an_age_among_z_scores_leaves_them_as_they_are(tmp_path):
    features = z_scores().assign(age=np.random.default_rng(3).integers(20, 90, ROWS))
    assert trained(tmp_path, features).evaluate()["test"]["accuracy"]["value"] == 1.0


def test_a_floor_above_nearly_all_values_is_refused_before_a_folder_is_made(tmp_path):
    with pytest.raises(InputError, match="makes 20 of 20 genes constant"):
        trained(tmp_path, z_scores(), transform="log2", log2_floor=20.0)
    assert not (tmp_path / "scales").exists()


def test_a_floor_above_a_part_of_the_genes_is_a_warning_once(tmp_path):
    features = np.exp(z_scores() * 0.5 + 5)
    features.iloc[:, 10:] = np.exp(z_scores(1).iloc[:, 10:] * 0.3)
    automl = trained(tmp_path, features, transform="log2", log2_floor=20.0)
    automl.explain()
    (found,) = [one for one in warnings_of(automl) if one["about"] == "transform"]
    assert "makes 10 of 20 genes constant" in found["text"] and found["stage"] == "train"
    assert found["text"] in (automl.folder / "log.txt").read_text()
    assert found["text"] in doubts(Run.existing(automl.folder))
    again = ag.load(automl.folder)
    again.explain()
    assert warnings_of(again) == warnings_of(automl)
