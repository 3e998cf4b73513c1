"""Words for a missing value: one list for matrix and labels, and a config's own words."""

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import ReadOptions, audit, load_labelled, read_columns, read_table, split
from autogenome_tf.data._cells import MISSING

WORDS = sorted(MISSING - {""})
LABELS = ["yes", "no"] * 6


def written(folder, name, text):
    """Write text and return its path as a user would type it."""
    (folder / name).write_text(text)
    return str(folder / name)


def asked(folder, labels, **data):
    """A config of ten genes in `x.csv` and labels in `y.tsv`, both with ids."""
    values = np.random.default_rng(0).normal(size=(len(labels), 10))
    frame = pd.DataFrame(values, [f"s{n}" for n in range(len(labels))]).rename("g{}".format, axis=1)
    frame.to_csv(folder / "x.csv", index_label="sample")
    rows = "".join(f"s{n}\t{label}\n" for n, label in enumerate(labels))
    paths = {
        "features": str(folder / "x.csv"),
        "targets": written(folder, "y.tsv", "id\tc\n" + rows),
    }
    return Config.of({"name": "t", "data": paths | data}).data


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_missing_in_matrix_and_labels(tmp_path, word):
    source = written(tmp_path, "x.tsv", f"id\tA\tB\tkind\nx\t{word}\t1\tT\ny\t2\t3\t{word}\n")
    table = read_table(source, columns=["kind"])
    np.testing.assert_array_equal(table.values, [[np.nan, 1], [2, 3]])
    assert list(table.extra["kind"]) == ["T", None]
    frame = read_columns(written(tmp_path, "y.tsv", f"id\tkind\nx\tT\ny\t {word} \n"))
    assert list(frame["kind"]) == ["T", None]


def test_further_words_are_missing_also_where_they_are_numbers(tmp_path):
    text = "id;A;B;kind\nx;-999;1;gone\ny;2;gone;T\nz;-998;-9990;T\n"
    options = ReadOptions.of(asked(tmp_path, LABELS, missing_words=["-999", "gone"]))
    for delimiter in ";", " ":  # what lies between blanks is read line by line
        source = written(tmp_path, "z.txt", text.replace(";", delimiter))
        table = read_table(source, ["kind"], options)
        expected = [[np.nan, 1], [2, np.nan], [-998, -9990]]
        np.testing.assert_array_equal(table.values, np.array(expected, "float32"))
        assert list(table.extra["kind"]) == [None, "T", "T"]


def test_rows_without_a_label_are_left_out_and_counted(tmp_path):
    labels = [*LABELS, "NA", "[Not Available]", "[Not Available]", ""]
    dataset = load_labelled(asked(tmp_path, labels), "classification")
    assert list(dataset.targets) == LABELS and list(dataset.samples)[-1] == "s11"
    (warning,) = dataset.warnings
    parts = ("'c': 4 of 16 samples have no label", "'[Not Available]' (2 times), 'NA' (1 times)",
             '["![Not Available]"]')  # fmt: skip
    assert [part for part in parts if part not in warning[1]] == []
    found = audit(
        dataset, split(dataset, Config.of({"name": "t"}).data.split, 2, 1), "classification"
    )
    assert found[0] == {"about": "labels", "text": warning[1]}


def test_blank_labels_alone_are_said_without_words(tmp_path):
    dataset = load_labelled(asked(tmp_path, [*LABELS, ""]), "classification")
    assert dataset.warnings[0][1].endswith("1 of 13 samples have no label and are left out.")


def test_a_class_of_such_a_name_is_kept_where_the_config_says_so(tmp_path):
    labels = ["None", "high"] * 6
    with_class = asked(tmp_path, labels, missing_words=["!None"])
    dataset = load_labelled(with_class, "classification")
    assert list(dataset.targets) == labels and not dataset.warnings
    assert set(load_labelled(asked(tmp_path, labels), "classification").targets) == {"high"}


def test_labels_that_are_all_missing_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"'c': expected labels; no sample has one. Read as.*'NA'"):
        load_labelled(asked(tmp_path, ["NA"] * 6, target="c"), "classification")


def test_a_word_that_is_none_cannot_be_taken_out(tmp_path):
    with pytest.raises(InputError, match="'!none'.*Did you mean 'None'"):
        ReadOptions.of(asked(tmp_path, LABELS, missing_words=["!none"]))


def test_labels_of_an_annotated_matrix_follow_the_same_list(tmp_path):
    anndata = pytest.importorskip("anndata")
    obs = pd.DataFrame({"kind": pd.Categorical(["T", "nan", "B", "Unknown"])}, list("abcd"))
    anndata.AnnData(np.eye(4, dtype="float32"), obs).write_h5ad(tmp_path / "x.h5ad")
    source = str(tmp_path / "x.h5ad")
    assert list(read_table(source).extra["kind"]) == ["T", None, "B", None]
    words = MISSING - {"Unknown"}
    assert read_table(source, missing_words=words).extra["kind"].iloc[3] == "Unknown"


def test_a_regression_leaves_rows_without_a_value_out(tmp_path):
    labels = ["1.5", "2", "n/a", "3", "'--"]
    dataset = load_labelled(asked(tmp_path, labels), "regression")
    assert dataset.targets.ravel().tolist() == [1.5, 2, 3] and len(dataset) == 3
