"""All rows a config names are checked before anything is trained."""

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.errors import InputError
from autogenome_tf.rows import ConfiguredRows

ROWS = 40


@pytest.fixture
def made(tmp_path):
    """A function that writes a small data set and returns its `ConfiguredRows`."""
    random = np.random.default_rng(0)

    def make(labels=None, groups=None, evaluate=None, **changes):
        values = random.normal(size=(ROWS, 5))
        frame = pd.DataFrame(values, columns=list("abcde"), index=[f"s{i}" for i in range(ROWS)])
        frame["label"] = labels or ["x", "y"] * (ROWS // 2)
        frame["patient"] = groups or [f"p{i // 4}" for i in range(ROWS)]
        if isinstance(changes.get("data", {}).get("split"), str):
            frame = frame.drop(columns="patient")
        frame.rename_axis("sample").to_csv(tmp_path / "m.tsv", sep="\t")
        data = {"features": "m.tsv", "target": "label", **changes.pop("data", {})}
        if evaluate is not None:
            new = frame.head(len(evaluate)).assign(label=evaluate)
            new.rename_axis("sample").to_csv(tmp_path / "e.tsv", sep="\t")
            data["evaluate"] = "e.tsv"
        if not isinstance(data.get("split"), str):
            data["split"] = {"group": "patient", **data.get("split", {})}
        config = Config.of({"name": "t", "data": data, **changes})
        return ConfiguredRows(config.resolved(tmp_path))

    return make


def test_folds_none_and_validation_none_leave_nothing_to_rank_by(made):
    rows = made(data={"split": {"validation": 0.0}}, search={"folds": 1})
    with pytest.raises(InputError, match="no rows are left to rank trials by"):
        _ = rows.labelled


def test_a_class_that_is_in_the_test_part_alone_is_refused(made, tmp_path):
    parts = pd.Series(["test"] * 4 + ["train"] * (ROWS - 4), name="part")
    parts.set_axis([f"s{i}" for i in range(ROWS)]).rename_axis("sample").to_csv(
        tmp_path / "split.tsv", sep="\t"
    )
    labels = ["rare"] * 4 + ["x", "y"] * (ROWS // 2 - 2)
    with pytest.raises(InputError, match="all rows of 'rare' fell into the test part"):
        _ = made(labels=labels, data={"split": "split.tsv"}).labelled


def test_a_new_class_in_the_evaluate_file_is_refused_by_name(made):
    with pytest.raises(InputError, match="e.tsv: classes that training does not have: 'z'"):
        _ = made(evaluate=["x", "y", "z"]).scored


def test_a_few_rows_of_one_class_may_be_evaluated(made):
    scored = made(evaluate=["x"]).scored
    assert list(scored.targets) == ["x"] and scored.features == list("abcde")


def test_folds_are_no_more_than_groups(made):
    groups = [f"p{i // 10}" for i in range(ROWS)]
    _, parts = made(groups=groups).labelled
    assert set(parts.fold[parts.part != "test"]) == {1, 2, 3}


def test_space_and_transform_of_the_search_are_those_of_the_final_fit(made):
    _, folds = made(training={"space": "rows"}).folds()
    assert folds.space == "rows"
