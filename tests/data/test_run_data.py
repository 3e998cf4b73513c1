"""All rows a config names are checked before anything is trained."""

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.automl._rows import prepared, rows_of
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import audit

ROWS = 40


@pytest.fixture
def made(tmp_path):
    """A function that writes a small data set and returns its `RunData`."""
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
        make.config = Config.of({"name": "t", "data": data, **changes}).resolved(tmp_path)
        return rows_of(make.config)

    return make


def test_folds_none_and_validation_none_leave_nothing_to_rank_by(made):
    rows = made(data={"split": {"validation": 0.0}}, search={"folds": 1})
    with pytest.raises(InputError, match="no rows are left to rank trials by"):
        _ = rows.labelled


def test_one_row_to_train_on_is_refused(made, tmp_path):
    parts = pd.Series([1, 2, *[0] * (ROWS - 2)], name="fold").to_frame()
    parts.insert(0, "part", np.where(parts["fold"] > 0, "train", "test"))
    parts.index = [f"s{i}" for i in range(ROWS)]
    parts.rename_axis("sample").to_csv(tmp_path / "split.tsv", sep="\t")
    rows = made(data={"split": "split.tsv"}, search={"folds": 2})
    with pytest.raises(InputError, match="1 rows to train on in a fold; expected at least 2"):
        _ = rows.labelled


def test_a_class_that_is_in_the_test_part_alone_is_refused(made, tmp_path):
    parts = pd.Series(["test"] * 4 + ["train"] * (ROWS - 4), name="part")
    parts.set_axis([f"s{i}" for i in range(ROWS)]).rename_axis("sample").to_csv(
        tmp_path / "split.tsv", sep="\t"
    )
    labels = ["rare"] * 4 + ["x", "y"] * (ROWS // 2 - 2)
    with pytest.raises(InputError, match="all rows of 'rare' fell into the test part"):
        _ = made(labels=labels, data={"split": "split.tsv"}).labelled


@pytest.mark.parametrize("folds", ["auto", 1, 3])
def test_groups_that_are_the_classes_are_refused_as_such(made, folds):
    labels = list("xyz") * (ROWS // 3) + ["x"] * (ROWS % 3)
    rows = made(labels=labels, groups=labels, search={"folds": folds})
    with pytest.raises(InputError, match="data.split.group: patient: all rows of each class are"):
        _ = rows.labelled


def test_text_beside_the_genes_of_the_evaluate_file_is_passed_over(made, tmp_path):
    rows = made(evaluate=["x", "y"] * 5)
    frame = pd.read_csv(tmp_path / "e.tsv", sep="\t").rename(columns={"a": "A"})
    frame.assign(hospital="A").to_csv(tmp_path / "e.tsv", sep="\t", index=False)
    learned, further = rows.labelled[0], rows.to_evaluate
    assert further.features == learned.features == list("abcde")
    np.testing.assert_allclose(further.values, learned.values[:10], rtol=1e-6)


def test_rows_to_evaluate_without_targets_of_their_own_are_refused_with_the_key(made, tmp_path):
    rows = made(evaluate=["x", "y"])
    frame = pd.read_csv(tmp_path / "m.tsv", sep="\t", index_col=0)
    frame[["label"]].to_csv(tmp_path / "y.tsv", sep="\t")
    further = pd.read_csv(tmp_path / "e.tsv", sep="\t", index_col=0)
    further.set_axis(["north", "south"]).rename_axis("sample").to_csv(tmp_path / "e.tsv", sep="\t")
    given = made.config.data.model_dump() | {"targets": str(tmp_path / "y.tsv")}
    for own in (None, str(tmp_path / "e.tsv")):
        data = made.config.data.model_validate(given | {"evaluate_targets": own})
        rows = rows_of(made.config.model_copy(update={"data": data}))
        if own:
            assert list(rows.to_evaluate.targets) == ["x", "y"]
        else:
            with pytest.raises(InputError, match="no sample id.*data.evaluate_targets names"):
                _ = rows.to_evaluate


def test_a_new_class_in_the_evaluate_file_is_refused_by_name(made):
    with pytest.raises(
        InputError, match="e.tsv: classes that the training data does not have: 'z'"
    ):
        _ = made(evaluate=["x", "y", "z"]).to_evaluate


def test_a_few_rows_of_one_class_may_be_evaluated(made):
    scored = made(evaluate=["x"]).to_evaluate
    assert list(scored.targets) == ["x"] and scored.features == list("abcde")


def test_folds_are_no_more_than_groups(made):
    groups = [f"p{i // 10}" for i in range(ROWS)]
    _, parts = made(groups=groups).labelled
    assert set(parts.fold[parts.part != "test"]) == {1, 2, 3}


def test_space_and_transform_of_the_search_are_those_of_the_final_fit(made):
    rows = made(training={"space": "rows"})
    _, folds = prepared(rows, made.config)
    assert folds.space == "rows"


def test_rows_that_are_all_learned_from_are_not_copied(made):
    rows = made(data={"split": {"test": 0.0}})
    assert rows.learnable[0] is rows.labelled[0]
    assert len(made().learnable[0]) < ROWS


def test_rows_whose_file_moves_are_not_read_again(made, tmp_path):
    rows = made()
    known, _ = rows.labelled
    (tmp_path / "m.tsv").rename(tmp_path / "moved.tsv")
    data = made.config.data.model_copy(update={"features": str(tmp_path / "moved.tsv")})
    assert rows.moved(data).labelled[0] is known


# Names and targets in files of their own ----------------------------------------------------


@pytest.fixture
def bare(tmp_path):
    """A function that makes `RunData` of matrices without header and files beside them."""
    random = np.random.default_rng(0)
    for name, rows in (("x", 30), ("v", 10), ("e", 8)):
        values = pd.DataFrame(random.normal(size=(rows, 4)).round(3))
        values.to_csv(tmp_path / f"{name}.txt", sep=" ", header=False, index=False)
        labels = pd.DataFrame({0: np.arange(rows) % 2, 1: random.normal(size=rows).round(3)})
        labels[[0]].to_csv(tmp_path / f"{name}_labels.txt", header=False, index=False)
        labels[[1, 1]].to_csv(tmp_path / f"{name}_values.txt", sep=" ", header=False, index=False)
    (tmp_path / "names.txt").write_text("TP53\nMYC\nEGFR\nKRAS\n")

    def make(task="classification", search=None, **data):
        of = "labels" if task == "classification" else "values"
        data = {"features": "x.txt", "targets": f"x_{of}.txt"} | data
        given = {"name": "t", "data": data, "task": {"type": task}, "search": search or {}}
        return rows_of(Config.of(given).resolved(tmp_path))

    return make


def test_names_of_genes_may_stand_in_a_file_of_their_own(bare):
    rows = bare(feature_names="names.txt", evaluate="e.txt", evaluate_targets="e_labels.txt")
    assert rows.labelled[0].features == ["TP53", "MYC", "EGFR", "KRAS"]
    assert rows.to_evaluate.features == rows.labelled[0].features
    assert list(rows.to_evaluate.targets) == ["0", "1"] * 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TP53\nMYC\n", "names.txt: 2 names; .*x.txt has 4 columns"),
        ("TP53\nMYC\nEGFR\nTP53\n", "names.txt: duplicate gene name: 'TP53'"),
        ("TP53\n\nEGFR\nKRAS\n", "names.txt: gene name 2 of 4 is empty"),
    ],
)
def test_wrong_names_of_genes_are_refused(bare, tmp_path, text, said):
    (tmp_path / "names.txt").write_text(text)
    with pytest.raises(InputError, match=said):
        _ = bare(feature_names="names.txt").labelled


def test_names_twice_are_refused(bare, tmp_path):
    (tmp_path / "x.tsv").write_text("a\tb\tc\td\n1\t2\t3\t4\n" + "5\t6\t7\t9\n" * 29)
    with pytest.raises(InputError, match="has gene names"):
        _ = bare(features="x.tsv", feature_names="names.txt").labelled


def test_genes_called_as_made_up_ones_go_by_their_names(tmp_path):
    names = ["feature_1", "feature_2", "feature_3"]
    values = pd.DataFrame(np.arange(60.0).reshape(20, 3), columns=names)
    values.assign(dx=["a", "b"] * 10).to_csv(tmp_path / "x.csv", index=False)
    given = {"features": "x.csv", "target": "dx"}
    rows = rows_of(Config.of({"name": "t", "data": given}).resolved(tmp_path))
    again = rows.new(values[names[::-1]], names)
    np.testing.assert_array_equal(again.values, values)
    with pytest.raises(InputError, match="lacks 2 of the 3 genes of training: 'feature_2'"):
        rows.new(values[["feature_1"]].assign(x=1.0), names)


def test_every_row_has_a_group(made):
    groups = [None, *(f"p{i // 4}" for i in range(1, ROWS))]
    with pytest.raises(InputError, match=r"patient: missing for 1 samples, first 's0'"):
        _ = made(groups=groups).labelled


def test_a_target_that_is_not_there_is_told_with_its_neighbours(made):
    grades = [str(row) for row in range(ROWS)]
    with pytest.raises(InputError, match=r"data.target: unknown name 'labl'.*mean 'label'"):
        _ = made(grades, grades, data={"target": "labl"}).labelled


def test_rows_to_predict_may_have_their_labels_with_them(made):
    rows = made()
    frame = pd.read_csv(made.config.data.features, sep="\t", index_col=0)
    again = rows.new(frame, list("abcde"))
    np.testing.assert_array_equal(again.values, rows.labelled[0].values)


def test_rows_of_another_file_validate(bare):
    rows = bare(
        validation="v.txt", validation_targets="v_labels.txt", split={"test": 0.2},
        evaluate="e.txt", evaluate_targets="e_labels.txt",
    )  # fmt: skip
    dataset, parts = rows.labelled
    assert len(dataset) == 40 and len(set(dataset.samples)) == 40
    assert list(parts.part[30:]) == ["validation"] * 10
    assert (parts.part[:30] == "test").sum() == 6 and "validation" not in parts.part[:30]
    assert dataset.samples[30] == "validation/row_1"
    assert list(dataset.targets[30:]) == ["0", "1"] * 5
    ((train, held),) = parts.pairs()
    assert set(held) == set(range(30, 40)) and len(train) == 24


def test_groups_of_further_rows_are_known_and_those_that_are_learned_too_are_said(made):
    rows = made(evaluate=["x", "y"] * 6, data={"validation": "e.tsv", "split": {"test": 0.2}})
    dataset, parts = rows.labelled
    assert list(dataset.groups[ROWS:]) == [f"p{row // 4}" for row in range(12)]
    texts = [one["text"] for one in audit(dataset, parts, "classification", "patient",
                                          rows.to_evaluate)]  # fmt: skip
    for name in ("validation part", "rows of data.evaluate"):
        assert any("data.split.group: groups of" in one and name in one for one in texts)
    others = made(evaluate=["x", "y"] * 6)
    frame = pd.read_csv(made.config.data.evaluate, sep="\t").assign(patient="new")
    frame.to_csv(made.config.data.evaluate, sep="\t", index=False)
    texts = [one["text"] for one in audit(*others.labelled, "classification", "patient",
                                          others.to_evaluate)]  # fmt: skip
    assert not any("data.split.group: groups of" in one for one in texts)


def test_further_rows_without_the_column_are_a_group_each(made):
    rows = made(evaluate=["x", "y"] * 6, data={"validation": "e.tsv"})
    frame = pd.read_csv(made.config.data.validation, sep="\t").drop(columns="patient")
    frame.to_csv(made.config.data.validation, sep="\t", index=False)
    groups = rows.labelled[0].groups
    assert len(set(groups[ROWS:])) == 12 and not set(groups[ROWS:]) & set(groups[:ROWS])


def test_all_columns_of_the_targets_may_be_asked_for(bare):
    dataset, _ = bare("regression", target="*").labelled
    assert dataset.targets.shape == (30, 2) and dataset.target_names == ["target_1", "target_2"]


@pytest.mark.parametrize(
    ("data", "search", "said"),
    [
        ({"validation": "v.txt"}, {"folds": 3}, "search.folds: .*expected 1 or auto"),
        ({"validation": "v.txt", "split": "s.tsv"}, {}, "a split file says which rows validate"),
        ({"evaluate_targets": "e.txt"}, {}, "evaluate_targets: expected data.evaluate"),
    ],
)
def test_what_contradicts_rows_that_validate_is_refused(bare, data, search, said):
    with pytest.raises(InputError, match=said):
        bare(search=search, **data)


def test_a_weight_for_no_class_is_refused_with_the_nearest_one(made):
    labels = ["tumour", "healthy"] * (ROWS // 2)
    task = {"class_weight": {"tumor": 2.0}}
    with pytest.raises(InputError, match="task.class_weight: unknown name 'tumor'.*'tumour'"):
        _ = made(labels, task=task).labelled
    assert made(labels, task={"class_weight": {"tumour": 2.0}}).labelled
