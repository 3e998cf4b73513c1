"""A run whose config fixes a linear learner: from its files to predictions and attributions."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError

RANDOM = np.random.default_rng(5)
ROWS, GENES = 60, 90
GENE_NAMES = [f"g{gene}" for gene in range(GENES)]
SIGNAL = RANDOM.normal(size=ROWS)
VALUES = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
# Genes that the targets go with.
INFORMATIVE = GENE_NAMES[:6]
VALUES[:, :6] += 1.5 * SIGNAL[:, None]
TARGETS = {
    "classification": np.array(["low", "middle", "high"])[np.digitize(SIGNAL, [-0.7, 0.7])],
    "regression": SIGNAL * 3 + 10,
}
CASES = [
    ("classification", {"loss": "discriminant", "shrinkage": [0.5, 0.1]}),
    ("classification", {"loss": "hinge", "l2": [1.0, 0.1]}),
    ("classification", {"loss": "centroid", "threshold": [2.0, 1.0]}),
    ("classification", {"loss": "pls", "components": [1, 2]}),
    ("regression", {"loss": "pls", "components": [1, 2]}),
    ("regression", {"loss": "ridge", "l2": [1.0, 0.1]}),
]


def config_of(folder, kind, linear, **changes):
    """Return a config of linear learners."""
    return {
        "name": "t", "output_dir": str(folder), "task": {"type": kind},
        "data": {"split": {"test": 0.25}, "transform": "none"},
        "families": {"linear": {"gene_power": 0.0} | linear},
        "search": {"folds": 2, "max_trials": 1}, "explanation": {"samples": 5, "background": 10},
        "output": {"figures": False}, **changes,
    }  # fmt: skip


def automl_of(folder, kind, linear, **changes):
    """Return a run, not begun, on rows of this file."""
    frame = pd.DataFrame(VALUES, [f"s{row}" for row in range(ROWS)], GENE_NAMES)
    targets = pd.Series(TARGETS[kind], frame.index, name="target")
    return ag.AutoGenome(config_of(folder, kind, linear, **changes), data=(frame, targets))


@pytest.mark.parametrize("size", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("kind", "linear"), CASES, ids=str)
def test_a_config_fixes_each_learner_and_no_file_knows_which_it_was(tmp_path, kind, linear, size):
    automl = automl_of(tmp_path, kind, linear, ensemble={"size": size})
    board = automl.train()
    losses = [json.loads(values)["loss"] for values in board["hyperparameters"]]
    assert linear["loss"] in losses and len(losses) == (1 if linear["loss"] == "ridge" else 2)
    automl.evaluate()
    automl.predict()
    explained = automl.explain()
    folder = automl.export()
    run = tmp_path / "t"
    members = pd.read_csv(run / "history.tsv", sep="\t")
    asked = board.set_index("trial")["hyperparameters"].map(json.loads)
    if "trial" in members:
        assert {asked[trial]["loss"] for trial in members["trial"]} == {linear["loss"]}
    model = keras.models.load_model(run / "model.keras")
    outputs = np.asarray(model(VALUES))
    predicted = pd.read_csv(run / "predictions.tsv", sep="\t", index_col="sample")
    if kind == "classification":
        names = sorted(set(TARGETS[kind]))
        found = predicted[[f"p_{name}" for name in names]]
        np.testing.assert_allclose(tf.nn.softmax(outputs), found, atol=1e-4)
        assert (predicted["prediction"] == predicted["target"]).mean() > 0.6
    else:
        np.testing.assert_allclose(outputs[:, 0], predicted["prediction"], rtol=1e-4)
    served = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answers = served(tf.constant(VALUES)).values()
    expected = tf.nn.softmax(outputs) if kind == "classification" else outputs
    shown = [np.asarray(answer) for answer in answers if answer.shape == outputs.shape]
    assert any(np.allclose(answer, expected, atol=1e-4) for answer in shown)
    assert len(set(explained["feature"][:6]) & set(INFORMATIVE)) >= 3
    arrays = np.load(run / "attributions.npz", allow_pickle=False)
    rows = [int(str(sample)[1:]) for sample in arrays["samples"]]
    added = arrays["base_values"] + arrays["values"].sum(axis=1)
    np.testing.assert_allclose(added, outputs[rows], atol=1e-3)


def test_a_loss_of_another_task_is_refused(tmp_path):
    for kind, loss in (("regression", "hinge"), ("classification", "ridge")):
        with pytest.raises(InputError, match="families.linear.loss: expected one of"):
            automl_of(tmp_path, kind, {"loss": loss})
    with pytest.raises(InputError, match="shrinkage"):
        automl_of(tmp_path, "regression", {"shrinkage": 0.1})


def test_all_learners_stand_beside_the_baseline_and_join_the_ensemble(tmp_path):
    automl = automl_of(tmp_path, "classification", {}, ensemble={"size": 5})
    board = automl.train()
    losses = [json.loads(values)["loss"] for values in board["hyperparameters"]]
    assert sorted(losses) == ["centroid", "discriminant", "hinge", "logistic", "pls"]
    assert (board["status"] == "done").all() and (board["family"] == "linear").all()
    # Logits are in a range in which one temperature calibrates them.
    assert board["score"].max() < np.log(3)


def test_centroids_of_few_rows_pass_the_thresholds_that_leave_no_gene(tmp_path):
    linear = {"loss": "centroid"}
    board = automl_of(tmp_path, "classification", linear).train()
    best = board.loc[[json.loads(one)["loss"] == "centroid" for one in board["hyperparameters"]]]
    (values,) = best["hyperparameters"]
    # Ten standard errors leave no gene of 45 rows, and so does the next threshold, and the next.
    assert json.loads(values)["threshold"] < 5
    assert best["score"].item() < 0.8 < np.log(3)
