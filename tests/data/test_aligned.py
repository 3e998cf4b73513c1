"""Rows and targets in memory are brought together by the labels of both, or refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autogenome_tf.core.errors import InputError
from autogenome_tf.data import read_table, table_of, write_rows

ROWS = 30
RANDOM = np.random.default_rng(0)
# Each label is a function of the gene A of its own row.
VALUES = pd.DataFrame(RANDOM.normal(size=(ROWS, 3)), columns=list("ABC"))
Y = pd.Series(np.where(VALUES["A"] > 0, "high", "low"), name="level")
NAMES = [f"S{number:02d}" for number in range(ROWS)]
X_NAMED, Y_NAMED = VALUES.set_axis(NAMES), Y.set_axis(NAMES)


def read_back(folder, x, y):
    """Write rows and targets and return the table that is read."""
    write_rows(folder / "x.npz", x, y)
    return read_table(folder / "x.npz")


def is_right(table):
    """Whether every row has its own label."""
    labels = np.where(table.values[:, 0] > 0, "high", "low")
    return list(table.extra.iloc[:, 0]) == list(labels)


ALIGNED = {
    "names in the same order": lambda: (X_NAMED, Y_NAMED),
    "names in another order": lambda: (X_NAMED, Y_NAMED.sample(frac=1, random_state=1)),
    "a frame in another order": lambda: (X_NAMED, Y_NAMED[::-1].to_frame()),
    "counted labels in another order": lambda: (VALUES, Y.sample(frac=1, random_state=1)),
    "a matrix turned round": lambda: (VALUES[::-1], Y),
    "every third row of the matrix": lambda: (VALUES[::3], Y),
    "a filtered matrix": lambda: (VALUES[VALUES["B"] > 0], Y),
    "labels of a larger cohort": lambda: (X_NAMED[5:], Y_NAMED.sample(frac=1, random_state=2)),
    "numbers and their texts": lambda: (VALUES.set_axis(map(str, range(ROWS))), Y[::-1]),
    "two levels of names": lambda: (
        VALUES.set_axis(pd.MultiIndex.from_arrays([NAMES, NAMES])),
        Y.set_axis(pd.MultiIndex.from_arrays([NAMES, NAMES]))[::-1],
    ),
    "ids in a column beside names": lambda: (
        X_NAMED.rename_axis("sample").reset_index(),
        Y_NAMED.sample(frac=1, random_state=1),
    ),
    "a column of ids in both": lambda: (
        X_NAMED.rename_axis("sample").reset_index(),
        Y_NAMED.rename_axis("id")
        .reset_index()[["level", "id"]]
        .sample(frac=1, random_state=1, ignore_index=True),
    ),
    "names, and a column of ids": lambda: (
        X_NAMED,
        Y_NAMED.rename_axis("id").reset_index()[["level", "id"]][::-1].reset_index(drop=True),
    ),
    "ids in a column beside counted labels": lambda: (
        X_NAMED.rename_axis("sample").reset_index(),
        Y,
    ),
    "an array beside a frame": lambda: (X_NAMED, Y.to_numpy()),
    "a list beside a frame": lambda: (X_NAMED, list(Y)),
    "a Series beside an array": lambda: (VALUES.to_numpy(), Y_NAMED),
}


@pytest.mark.parametrize("case", ALIGNED)
def test_rows_have_their_own_labels(tmp_path, case):
    x, y = ALIGNED[case]()
    table = read_back(tmp_path, x, y)
    assert is_right(table) and len(table.values) == len(x) and not table.warnings


def test_numbers_that_name_samples_in_both_align_them(tmp_path):
    count = range(1, ROWS + 1)
    x, y = (one.set_axis(count).rename_axis("subject").reset_index() for one in (VALUES, Y))
    y = y.sample(frac=1, random_state=1, ignore_index=True)[["level", "subject"]]
    assert is_right(read_back(tmp_path, x, y))


@pytest.mark.parametrize("name", ["sample", "subject"])
def test_a_column_of_ids_is_no_target(tmp_path, name):
    numbers = range(101, 101 + ROWS)
    x, y = (one.set_axis(numbers) for one in (VALUES, Y))
    y = y.rename_axis(name).reset_index()[::-1].reset_index(drop=True)
    assert write_rows(tmp_path / "x.npz", x, y) == ["level"]
    own = y.set_index(name, drop=False)
    assert write_rows(tmp_path / "x.npz", x, own) == ["level"]
    assert write_rows(tmp_path / "x.npz", x, own[["level"]].rename_axis("level")) == ["level"]


@pytest.mark.parametrize("ids", [[name.lower() for name in NAMES], ["new", *NAMES[1:]]])
def test_a_column_of_ids_aligns_as_an_index_does(tmp_path, ids):
    frame = pd.DataFrame({"sample": ids, "level": Y}).sample(frac=1, random_state=1)
    table = read_back(tmp_path, X_NAMED, frame.reset_index(drop=True))
    labels = np.where(table.values[:, 0] > 0, "high", "low")
    assert list(table.extra["level"]) == list(labels)
    assert table.values.shape[0] == sum(name.upper() in NAMES for name in ids)


def test_cells_have_their_own_labels(tmp_path):
    anndata = pytest.importorskip("anndata")
    cells = anndata.AnnData(X_NAMED.to_numpy("float32"), obs=pd.DataFrame(index=NAMES))
    assert is_right(read_back(tmp_path, cells, Y_NAMED[::-1]))


def test_rows_without_a_label_are_left_out_and_counted(tmp_path):
    for x, y in ((VALUES, Y[::3]), (X_NAMED, Y_NAMED[::3])):
        table = read_back(tmp_path, x, y)
        assert is_right(table) and table.samples == [str(name) for name in x.index[::3]]
        ((about, text),) = table.warnings
        assert about == "matching" and "20 of 30 samples of X have no value in y" in text


def test_labels_that_differ_by_a_rule_match_and_it_is_said(tmp_path):
    table = read_back(tmp_path, X_NAMED, Y_NAMED.rename(str.lower)[::-1])
    assert is_right(table) and "upper and lower case ('S00' and 's00')" in table.warnings[0][1]


@pytest.mark.parametrize("named", ["X", "y"])
def test_rows_of_which_one_side_is_only_counted_match_by_order_with_a_warning(tmp_path, named):
    x, y = (X_NAMED, Y) if named == "X" else (VALUES, Y_NAMED)
    table = read_back(tmp_path, x, y)
    assert is_right(table) and "matched by their order" in table.warnings[0][1]


REFUSED = {
    "filtered, and reset": (
        lambda: (VALUES[VALUES["B"] > 0], Y[VALUES["B"] > 0].reset_index(drop=True)),
        "labels in the index of X are in that of y, so the order of the rows differs.*to_numpy",
    ),
    "other names": (lambda: (X_NAMED, Y_NAMED.rename(lambda name: f"P{ord(name[-1]) * 7}x{name}")),
                    "y has no value for any sample: X has 'S00'.*; y has 'P"),
    "a label twice": (lambda: (X_NAMED, pd.concat([Y_NAMED, Y_NAMED[:1]])),
                      "duplicate label in its index: 'S00'"),
    "counted, of other lengths": (lambda: (VALUES, Y[:-1]), "X has 30 rows, y has 29"),
    "names beside counts of another length": (lambda: (X_NAMED, Y[:-1]), "X has 30 rows, y has 29"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_labels_that_contradict_each_other_are_refused(tmp_path, case):
    make, said = REFUSED[case]
    with pytest.raises(InputError, match=said):
        write_rows(tmp_path / "x.npz", *make())


@pytest.mark.parametrize("time_is_first", [False, True])
def test_a_field_of_logicals_is_the_event_in_any_place(tmp_path, time_is_first):
    fields = [("died", bool), ("days", float)][:: -1 if time_is_first else 1]
    y = np.zeros(ROWS, fields)
    y["died"], y["days"] = VALUES["A"] > 0, np.arange(1, ROWS + 1)
    assert write_rows(tmp_path / "x.npz", VALUES, y) == ["days", "died"]


def test_durations_are_refused_with_a_way_to_numbers(tmp_path):
    days = pd.Series(pd.to_timedelta(np.arange(ROWS), "D"), name="time")
    with pytest.raises(InputError, match="data: time: received durations .*dt.days"):
        write_rows(tmp_path / "x.npz", VALUES, days)


def test_a_table_of_arrow_keeps_its_names(tmp_path):
    order = ["C", "A", "B"]
    table = pa.Table.from_pandas(X_NAMED[order])
    write_rows(tmp_path / "x.npz", table, pa.array(Y.tolist()))
    found = read_table(tmp_path / "x.npz")
    assert found.features == order and found.samples == NAMES and not found.warnings
    new = table_of(pa.Table.from_pandas(X_NAMED))
    assert new.features == list("ABC")


def test_missing_labels_stay_missing(tmp_path):
    labels = Y_NAMED.astype(object).mask(VALUES["C"].set_axis(NAMES) > 1)
    table = read_back(tmp_path, X_NAMED, labels)
    assert list(table.extra["level"].isna()) == list(VALUES["C"] > 1)
    values = VALUES["C"].set_axis(NAMES).mask(labels.isna()).rename("value")
    table = read_back(tmp_path, X_NAMED, values)
    assert list(table.extra["value"].isna()) == list(VALUES["C"] > 1)


# Rows that a run wrote ---------------------------------------------------------------------------


def is_mapped(values):
    """Return whether an array lies on pages of a file."""
    while values is not None and not isinstance(values, np.memmap):
        values = getattr(values, "base", None)
    return values is not None


@pytest.mark.parametrize("kind", ["float32", "float64", "int16"])
def test_rows_that_a_run_wrote_are_read_without_a_copy(kind, tmp_path):
    x = np.arange(60).reshape(12, 5).astype(kind)
    write_rows(tmp_path / "x.npz", x, np.arange(12) % 3)
    table = read_table(tmp_path / "x.npz")
    assert is_mapped(table.values) and table.values.dtype == np.float32
    np.testing.assert_array_equal(table.values, x)
    assert table.values.flags.aligned and not table.values.flags.writeable
    # A user may write other files again while they are used.
    np.savez(tmp_path / "y.npz", values=x.astype("float32"))
    assert not is_mapped(read_table(tmp_path / "y.npz").values)


def test_rows_that_are_laid_out_otherwise_are_read(tmp_path):
    x = np.asfortranarray(np.arange(60, dtype="float32").reshape(12, 5))
    arrays = {"values": x, "written_by": np.array("autogenome_tf")}
    np.savez(tmp_path / "columns.npz", **arrays)
    np.savez_compressed(tmp_path / "packed.npz", **arrays | {"values": x.copy("C")})
    np.savez(tmp_path / "behind.npz", a=np.zeros(2, "uint8"), **arrays | {"values": x.copy("C")})
    for name in ("columns", "packed", "behind"):
        values = read_table(tmp_path / f"{name}.npz").values
        assert not is_mapped(values)
        np.testing.assert_array_equal(values, x)


@pytest.mark.parametrize("make", [pd.Series.copy, pd.Series.to_frame])
def test_a_target_of_the_name_of_a_gene_is_refused(tmp_path, make):
    with pytest.raises(InputError, match="data: y: 'C': also a gene of X, .* or rename y"):
        write_rows(tmp_path / "x.npz", X_NAMED, make(X_NAMED["C"]))
    write_rows(tmp_path / "x.npz", X_NAMED.drop(columns="C"), make(X_NAMED["C"]))
    write_rows(tmp_path / "x.npz", X_NAMED, make(X_NAMED["C"].rename("level")))


@pytest.mark.parametrize("y", ["level", ["level"], ["level", "batch"]])
def test_columns_of_a_frame_may_be_named(tmp_path, y):
    columns = {"level": [f"L{value:.0f}" for value in VALUES["A"]], "batch": 1.0}
    x = X_NAMED.assign(**{name: columns[name] for name in ([y] if isinstance(y, str) else y)})
    assert write_rows(tmp_path / "x.npz", x, y) == ([y] if isinstance(y, str) else y)
    table = read_table(tmp_path / "x.npz")
    assert table.features == list(X_NAMED) and list(table.extra["level"]) == columns["level"]
    with pytest.raises(InputError, match="'levels' is not a column of X"):
        write_rows(tmp_path / "x.npz", x, "levels")
    with pytest.raises(InputError, match="X has 30 rows, y has 2"):
        write_rows(tmp_path / "x.npz", X_NAMED, ["A", "L1"])
