"""Several targets with gaps: each is learned and scored where it is measured."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

import autogenome_tf as ag
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import load_labelled, split
from autogenome_tf.data._usable import check_learnable, check_measured
from autogenome_tf.tasks import Regression, value_metrics

ROWS = 80
RANDOM = np.random.default_rng(0)
GENES = pd.DataFrame(RANDOM.normal(6, 1, (ROWS, 6)), columns=[f"G{n}" for n in range(6)],
                     index=[f"S{n}" for n in range(ROWS)]).round(3)  # fmt: skip
DRUGS = pd.DataFrame({"a": 2 * GENES["G0"], "b": 5 - GENES["G1"], "c": GENES["G2"] * 30})
GAPS = DRUGS.mask(RANDOM.random(DRUGS.shape) < 0.3)
GAPS.loc["S7"] = np.nan


def written(folder, drugs, **data):
    """Write genes and drugs, and return a config of them."""
    GENES.to_csv(folder / "x.csv", index_label="sample")
    drugs.to_csv(folder / "y.csv", index_label="sample")
    given = {"features": "x.csv", "targets": "y.csv", "target": "*"} | data
    config = {
        "name": "t", "output_dir": "runs", "data": given, "task": {"type": "regression"},
        "families": {"linear": {"l2": [1e-4]}}, "output": {"figures": False},
        "search": {"folds": 3, "epochs": 60}, "training": {"epochs": 100, "learning_rate": 0.05},
    }  # fmt: skip
    return Config.of(config).resolved(folder)


def test_gaps_are_read_and_counted(tmp_path):
    config = written(tmp_path, GAPS)
    dataset = load_labelled(config.data, "regression")
    assert len(dataset) == ROWS - 1 and dataset.target_names == list("abc")
    np.testing.assert_allclose(dataset.targets, GAPS.drop(index="S7"))
    texts = [text for about, text in dataset.warnings if about == "labels"]
    assert "1 of 80 samples have no label" in texts[0]
    assert f"(a: {GAPS['a'].isna().sum() - 1}, b: " in texts[1] and "measured values" in texts[1]


def test_text_among_gaps_is_still_refused(tmp_path):
    text = GAPS.astype(object)
    text.loc["S3"] = "high"
    config = written(tmp_path, text)
    with pytest.raises(InputError, match="a: sample S3: expected a number; received 'high'"):
        load_labelled(config.data, "regression")


def test_targets_that_are_hardly_measured_are_refused(tmp_path):
    rare = GAPS.assign(d=GAPS["a"].where(GAPS.index == "S1", np.nan))
    config = written(tmp_path, rare)
    dataset = load_labelled(config.data, "regression")
    with pytest.raises(InputError, match="d: measured for 1 samples; expected at least 2"):
        check_learnable(dataset, config.data, "regression")
    constant = written(tmp_path, GAPS.assign(d=GAPS["a"] * 0 + 3))
    dataset = load_labelled(constant.data, "regression")
    with pytest.raises(InputError, match=r"d: constant \(3\)"):
        check_learnable(dataset, constant.data, "regression")


def test_a_target_that_no_training_row_has_is_refused(tmp_path):
    config = written(tmp_path, GAPS)
    dataset = load_labelled(config.data, "regression")
    train = split(dataset, config.data.split, 1, 7).part == "train"
    check_measured(dataset, train)
    dataset.targets[train, 1] = np.nan
    with pytest.raises(InputError, match="b has no measured value"):
        check_measured(dataset, train)


def test_metrics_are_those_of_what_is_measured():
    targets = GAPS.to_numpy()
    values = targets + RANDOM.normal(size=targets.shape)
    values = np.where(np.isnan(values), RANDOM.normal(size=targets.shape), values)
    index = RANDOM.integers(0, ROWS, (5, ROWS))
    found = value_metrics.regression(targets, values, index)
    for resample, rows in enumerate(index):
        expected = []
        for one, other in zip(targets[rows].T, values[rows].T, strict=True):
            known = ~np.isnan(one)
            r2 = sklearn.metrics.r2_score(one[known], other[known])
            rank = pd.Series(one[known]).corr(pd.Series(other[known]), "spearman")
            rmse = sklearn.metrics.root_mean_squared_error(one[known], other[known])
            expected.append([r2, rank, rmse])
        got = [found[name][resample] for name in ("r2", "spearman", "rmse")]
        np.testing.assert_allclose(got, np.mean(expected, axis=0), rtol=1e-9)


def test_a_target_without_a_value_in_a_part_leaves_the_metrics_of_the_others():
    targets = DRUGS.to_numpy().copy()
    complete = value_metrics.regression(targets[:, :2], targets[:, :2] + 1)
    targets[:, 2] = np.nan
    found = value_metrics.regression(targets, targets + 1)
    for name, value in complete.items():
        np.testing.assert_allclose(found[name], value)


def test_gaps_are_learned_around(tmp_path):
    automl = ag.AutoGenome(written(tmp_path, GAPS))
    automl.run()
    test = automl.evaluate()["test"]
    assert test["r2"]["value"] > 0.9
    frame = automl.predict()
    assert frame["target_a"].isna().any() and frame.filter(like="prediction").notna().all().all()
    # The values that were taken away are predicted from those that were left.
    hidden = GAPS.isna()
    hidden.loc["S7"] = False
    predicted = frame.set_index("sample")[[f"prediction_{name}" for name in DRUGS]]
    predicted = predicted.set_axis(list(DRUGS), axis=1).reindex(GAPS.index)
    for name in DRUGS:
        rows = hidden[name]
        assert np.corrcoef(predicted.loc[rows, name], DRUGS.loc[rows, name])[0, 1] > 0.9
    assert "have missing targets" in (automl.folder / "report.html").read_text()


def test_the_task_of_complete_targets_computes_as_ever():
    task = Regression(["a", "b"], "huber")
    assert not task.has_gaps and (task.row_weights(np.zeros((5, 2))) == 1).all()
