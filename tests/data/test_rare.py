"""Classes of too few rows are refused, left out or merged, as a config asks."""

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import RunData

LABELS = ["a"] * 12 + ["b"] * 10 + ["c"] * 3 + ["d"]
VALUES = np.random.default_rng(0).normal(size=(len(LABELS), 3))


def rows(folder, labels=LABELS, evaluate=None, **data):
    """`RunData` of a matrix with these labels, and of further rows with others."""
    for name, own in (("x.csv", labels), ("e.csv", evaluate or ())):
        frame = pd.DataFrame(VALUES[: len(own)], columns=list("ABC")).assign(dx=list(own))
        frame.index = [f"{name[0]}{n}" for n in range(len(own))]
        frame.to_csv(folder / name, index_label="sample")
    given = {"features": "x.csv", "target": "dx"} | ({"evaluate": "e.csv"} if evaluate else {})
    config = Config.of({"name": "t", "data": given | data}).resolved(folder)
    return RunData(config.data, config.task)


def warnings(dataset):
    """Texts about classes."""
    return [text for about, text in dataset.warnings if about == "classes"]


def test_a_class_of_one_row_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(InputError, match="have one: 'd'. Set data.rare_classes \"leave_out\" or"):
        _ = rows(tmp_path).labelled


def test_rare_classes_are_left_out_and_counted(tmp_path):
    dataset, _ = rows(tmp_path, rare_classes="leave_out").labelled
    assert len(dataset) == 22 and set(dataset.targets) == {"a", "b"}
    (text,) = warnings(dataset)
    assert "fewer than 6 rows are left out: 'c (3)', 'd (1)'; 22 samples remain" in text


def test_rare_classes_are_merged(tmp_path):
    dataset, parts = rows(tmp_path, rare_classes="merge").labelled
    assert list(dataset.targets[-4:]) == ["other"] * 4 and len(dataset) == 26
    assert "merged into 'other': 'c (3)', 'd (1)'" in warnings(dataset)[0]
    assert "other" in dataset.targets[parts.part != "test"]


def test_enough_rows_are_no_rare_class(tmp_path):
    dataset, _ = rows(tmp_path, ["a"] * 6 + ["b"] * 20, rare_classes="leave_out").labelled
    assert len(dataset) == 26 and not warnings(dataset)


@pytest.mark.parametrize(("how", "expected"), [("leave_out", ["a", "b"]),
                                               ("merge", ["a", "b", "other"])])  # fmt: skip
def test_rare_classes_of_further_rows_are_those_of_training(tmp_path, how, expected):
    scored = rows(tmp_path, evaluate=["a", "b", "c"], rare_classes=how).to_evaluate
    assert list(scored.targets) == expected
    with pytest.raises(InputError, match="classes that the training data does not have: 'z'"):
        _ = rows(tmp_path, evaluate=["a", "b", "z"], rare_classes=how).to_evaluate


def test_two_classes_must_remain(tmp_path):
    with pytest.raises(InputError, match="fewer than 2 classes remain: 'b \\(3\\)'"):
        _ = rows(tmp_path, ["a"] * 20 + ["b"] * 3, rare_classes="leave_out").labelled
