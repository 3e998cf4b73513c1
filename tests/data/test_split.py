"""What splits promise: every row has one place, groups and classes as asked, the same each time."""

import numpy as np
import pytest

from autogenome_tf.config._sections import SplitSection
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset, split
from autogenome_tf.data._outer import outer_splits

ROWS = 120


def dataset(targets=None, groups=None, rows=ROWS):
    """Rows that are only names; targets are labels where they are text."""
    names = np.array([f"s{i}" for i in range(rows)], dtype=object)
    if targets is None:
        targets = np.array(["a"] * (rows // 2) + ["b"] * (rows // 3) + ["c"] * (rows // 6))
    targets = np.array(targets, dtype=object if isinstance(targets[0], str) else float)
    groups = None if groups is None else np.array(groups, dtype=object)
    return Dataset(np.zeros((rows, 2), "float32"), names, ["g", "h"], targets, ["y"], groups)


def counts(parts, part):
    """How many rows of each class are in a part."""
    labels = dataset().targets[parts.part == part]
    return {str(name): int((labels == name).sum()) for name in "abc"}


# Fractions -------------------------------------------------------------------------------------


def test_every_part_has_the_proportions_of_the_whole():
    parts = split(dataset(), SplitSection(test=0.2, validation=0.3), 1, 7)
    assert counts(parts, "test") == {"a": 12, "b": 8, "c": 4}
    assert counts(parts, "validation") == {"a": 18, "b": 12, "c": 6}
    assert counts(parts, "train") == {"a": 30, "b": 20, "c": 10}
    assert not parts.fold.any()


def test_folds_have_the_proportions_of_the_whole():
    parts = split(dataset(), SplitSection(test=0.0), 5, 7)
    for _, held in parts.pairs():
        labels = dataset().targets[held]
        assert [(labels == name).sum() for name in "abc"] == [12, 8, 4]


@pytest.mark.parametrize("folds", [2, 5])
def test_folds_hold_out_each_training_row_exactly_once_and_no_test_row(folds):
    parts = split(dataset(), SplitSection(test=0.25), folds, 7)
    assert set(parts.part) == {"train", "test"}
    pairs = parts.pairs()
    held = np.concatenate([rows for _, rows in pairs])
    np.testing.assert_array_equal(np.sort(held), np.flatnonzero(parts.part == "train"))
    assert len(pairs) == folds and (parts.fold > 0).sum() == len(held) == 90
    for train, out in pairs:
        np.testing.assert_array_equal(np.union1d(train, out), np.sort(held))
        assert not np.intersect1d(train, out).size


def test_one_fold_learns_from_train_and_is_judged_on_validation():
    parts = split(dataset(), SplitSection(), 1, 7)
    ((train, held),) = parts.pairs()
    assert set(parts.part[train]) == {"train"} and set(parts.part[held]) == {"validation"}
    assert (len(train), len(held)) == (72, 24)


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    def drawn(folds, seed):
        parts = split(dataset(), SplitSection(), folds, seed)
        return [*parts.part, *parts.fold]

    for folds in (1, 5):
        assert drawn(folds, 7) == drawn(folds, 7) != drawn(folds, 8)


def test_the_test_rows_do_not_depend_on_the_number_of_folds():
    one, five = (split(dataset(), SplitSection(), folds, 7).part == "test" for folds in (1, 5))
    np.testing.assert_array_equal(one, five)


@pytest.mark.parametrize("folds", [1, 3])
def test_no_test_rows_where_none_are_asked_for(folds):
    assert "test" not in split(dataset(), SplitSection(test=0.0), folds, 7).part


def test_numbers_are_split_without_strata():
    targets = np.linspace(0, 1, ROWS)[:, None]
    parts = split(dataset(targets), SplitSection(), 4, 7)
    assert (parts.part == "test").sum() == 24
    assert sorted(np.bincount(parts.fold)[1:]) == [24, 24, 24, 24]


def test_classes_of_two_members_are_split_somehow():
    labels = ["many"] * 36 + ["x", "x", "y", "y"]
    for folds in (1, 5):
        parts = split(dataset(labels, rows=40), SplitSection(), folds, 7)
        assert (parts.part == "test").sum() == 8
        assert all(len(train) and len(held) for train, held in parts.pairs())


# Groups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["labels", "numbers"])
@pytest.mark.parametrize("folds", [1, 3])
def test_a_group_stays_on_one_side(folds, kind):
    patients = [f"p{i % 30}" for i in range(ROWS)]
    targets = None if kind == "labels" else np.linspace(0, 1, ROWS)[:, None]
    rows = dataset(targets, patients)
    parts = split(rows, SplitSection(group="patient"), folds, 7)
    place = np.array([f"{part}/{fold}" for part, fold in zip(parts.part, parts.fold, strict=True)])
    for patient in np.unique(rows.groups):
        assert len(np.unique(place[rows.groups == patient])) == 1
    shares = {part: (parts.part == part).mean() for part in np.unique(parts.part)}
    assert shares.pop("test") == pytest.approx(0.2, abs=0.07)
    assert folds > 1 or shares["validation"] == pytest.approx(0.2, abs=0.07)


def test_without_a_group_patients_are_torn():
    patients = np.array([f"p{i % 30}" for i in range(ROWS)])
    part = split(dataset(), SplitSection(), 1, 7).part
    assert any(len(set(part[patients == name])) > 1 for name in patients)  # the check can fail


@pytest.mark.parametrize(
    ("groups", "folds", "said"),
    [
        (1, 1, "all samples are of one group"),
        (3, 5, "there are 2"),
        (2, 1, "one of 2 groups is the test part.*left are of one group.*data.split.test to 0"),
    ],
)
def test_too_few_groups_are_an_error(groups, folds, said):
    rows = dataset(groups=[f"p{i % groups}" for i in range(ROWS)])
    with pytest.raises(InputError, match=said):
        split(rows, SplitSection(group="patient"), folds, 7, is_exact=True)


@pytest.mark.parametrize("donors", [3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_there_are_no_more_folds_than_groups_left_beside_the_test_part(donors, kind):
    groups = np.array([f"p{i % donors}" for i in range(ROWS)])
    targets = None if kind == "labels" else np.arange(float(ROWS))
    rows = dataset(targets, groups=groups)
    for seed in range(5):
        parts = split(rows, SplitSection(group="donor"), 5, seed)
        left = len(set(groups[parts.part == "train"]))
        assert parts.fold.max() == min(5, left) and 0 < left < donors


# Too few rows ----------------------------------------------------------------------------------


def test_more_folds_than_rows_are_an_error():
    few = dataset(["a", "b"] * 3, rows=6)
    with pytest.raises(InputError, match="search.folds: 9 folds .* there are 6"):
        split(few, SplitSection(test=0.0), 9, 7, is_exact=True)
    assert split(few, SplitSection(test=0.0), 9, 7).fold.max() == 6


# From a file -----------------------------------------------------------------------------------


def written(folder, lines):
    """A split file."""
    path = folder / "split.tsv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


PARTS = ["train", "train", "validation", "test"]
GIVEN = ["sample\tpart"] + [f"s{i}\t{PARTS[i % 4]}" for i in range(8)]


def eight(**changes):
    """Eight rows of two classes."""
    return dataset(["a", "b"] * 4, rows=8, **changes)


def test_a_split_file_is_taken_over_by_sample(tmp_path):
    path = written(tmp_path, [GIVEN[0], *GIVEN[:0:-1], "stranger\ttest"])
    parts = split(eight(), path, 1, 7)
    assert list(parts.part) == PARTS * 2
    assert not parts.fold.any()


@pytest.mark.parametrize(
    "change",
    [str.upper, "{}-1".format, "'{}'".format, "{} ".format],
    ids=["case", "ending", "quotes", "blank"],
)
def test_ids_of_a_split_file_may_differ_by_one_rule(tmp_path, change):
    cells = [line.split("\t") for line in GIVEN[:0:-1]]
    lines = ["part\tsample", *(f"{part}\t{change(name)}" for name, part in cells)]
    parts = split(eight(), written(tmp_path, lines), 1, 7)
    assert list(parts.part) == PARTS * 2


def test_a_split_file_is_never_taken_by_order(tmp_path):
    lines = ["part\tage", *(f"{PARTS[i % 4]}\t{50.5 + i}" for i in range(8))]
    with pytest.raises(InputError, match="columns sample and part"):
        split(eight(), written(tmp_path, lines), 1, 7)


def test_with_folds_the_validation_rows_of_a_file_train(tmp_path):
    parts = split(eight(), written(tmp_path, GIVEN), 2, 7)
    assert list(parts.part) == ["train", "train", "train", "test"] * 2
    np.testing.assert_array_equal(parts.fold > 0, parts.part == "train")


def test_folds_of_a_file_are_taken_over(tmp_path):
    lines = (
        ["sample\tpart\tfold"] + [f"s{i}\ttrain\t{1 + i % 3}" for i in range(7)] + ["s7\ttest\t0"]
    )
    parts = split(eight(), written(tmp_path, lines), 3, 7)
    assert list(parts.fold) == [1, 2, 3, 1, 2, 3, 1, 0]


def test_outer_folds_are_made_of_the_folds_of_a_file(tmp_path):
    given = np.arange(ROWS) % 6 + 1
    lines = [f"s{row}\ttrain\t{fold}" for row, fold in enumerate(given)]
    parts = split(dataset(), written(tmp_path, ["sample\tpart\tfold", *lines]), 5, 7)
    outer = outer_splits(dataset(), parts, 3, 7)
    assert sorted(row for one in outer for row in np.flatnonzero(one.part == "test")) == [
        *range(ROWS)
    ]
    for one in outer:
        held = set(given[one.part == "test"])
        assert len(held) == 2 and not held & set(given[one.part == "train"])
        for train, validation in one.pairs():
            assert not set(given[train]) & set(given[validation]), "inner folds keep them too"
    with pytest.raises(InputError, match="7 outer folds need .* there are 6"):
        outer_splits(dataset(), parts, 7, 7)


@pytest.mark.parametrize("folds", [1, 3])
def test_the_written_split_gives_the_same_split_again(tmp_path, folds):
    first = split(dataset(), SplitSection(), folds, 7)
    path = tmp_path / "split.tsv"
    first.frame(dataset().samples).to_csv(path, sep="\t", index=False)
    again = split(dataset(), str(path), folds, 99)
    np.testing.assert_array_equal(again.part, first.part)
    np.testing.assert_array_equal(again.fold, first.fold)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (GIVEN[:-2], "no part given for 2 samples: 's6', 's7'"),
        ([*GIVEN[:-1], "s7\ttst"], "s7: part: unknown name 'tst'.*Did you mean 'test'"),
        (["sample\tside", *GIVEN[1:]], "columns sample and part .*received 'sample', 'side'"),
        ([*GIVEN, GIVEN[1]], "duplicate"),
    ],
    ids=["lacking", "misspelt", "column", "twice"],
)
def test_a_wrong_split_file_is_an_error_with_its_place(tmp_path, lines, said):
    path = written(tmp_path, lines)
    with pytest.raises(InputError, match=said) as caught:
        split(eight(), path, 1, 7)
    assert path in str(caught.value)


def test_a_training_row_without_fold_is_an_error(tmp_path):
    lines = ["sample\tpart\tfold"] + [f"s{i}\ttrain\t{i % 3}" for i in range(8)]
    with pytest.raises(InputError, match="fold: .*from 1 on; received '0' for sample s0"):
        split(eight(), written(tmp_path, lines), 3, 7)
