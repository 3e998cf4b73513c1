"""Columns that are no genes: set aside where a config says so, else warned of before training."""

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset, audit, load_labelled, read_table, split, table_of
from autogenome_tf.data._new_rows import load_new
from autogenome_tf.data._no_genes import gives_away, no_genes, some_values

ROWS = 60
RANDOM = np.random.default_rng(0)
GENES = ["TP53", "MYC", "EGFR", "KRAS", "OS9", "HLA-A", "ID2", "MET", "TIMP1", "AGER"]
VALUES = pd.DataFrame(RANDOM.normal(6, 1, (ROWS, len(GENES))).round(3), columns=GENES)
LABELS = np.array(["case", "control"] * (ROWS // 2))


def cohort(folder, name="x.csv", **columns):
    """Write the genes with further columns before them."""
    frame = pd.DataFrame(columns).join(VALUES).assign(dx=LABELS)
    frame.to_csv(folder / name, index=False)
    return folder / name


def settings(folder, **data):
    """The `data` section of a config."""
    given = {"features": "x.csv", "target": "dx"} | data
    return Config.of({"name": "t", "data": given}).resolved(folder).data


def loaded(folder, **data):
    """Read what a config names."""
    return load_labelled(settings(folder, **data), "classification")


# data.exclude -------------------------------------------------------------------------------


def test_columns_that_are_no_genes_are_excluded_by_name_and_pattern(tmp_path):
    clinic = {"sex": ["m", "f"] * 30, "age": range(ROWS), "clin_a": range(ROWS), "clin_b": "x"}
    cohort(tmp_path, sample=[f"P{n}" for n in range(ROWS)], **clinic)
    dataset = loaded(tmp_path, exclude=["sex", "age", "clin_*"])
    assert dataset.features == GENES
    np.testing.assert_allclose(dataset.values, VALUES, rtol=1e-6)


def test_an_excluded_column_may_be_the_group(tmp_path):
    cohort(
        tmp_path, sample=[f"P{n}" for n in range(ROWS)], donor=[f"d{n // 3}" for n in range(ROWS)]
    )
    dataset = loaded(tmp_path, exclude=["do*"], split={"group": "donor"})
    assert list(dataset.groups[:4]) == ["d0", "d0", "d0", "d1"]


def test_an_excluded_column_that_is_not_there_is_refused(tmp_path):
    cohort(tmp_path, sample=[f"P{n}" for n in range(ROWS)], age=range(ROWS))
    with pytest.raises(InputError, match="data.exclude: unknown name 'agee'.*mean 'age'"):
        loaded(tmp_path, exclude=["agee"])


@pytest.mark.parametrize("kind", ["text", "parquet", "memory"])
def test_the_error_about_text_names_the_key(tmp_path, kind):
    path = cohort(tmp_path, sample=[f"P{n}" for n in range(ROWS)], sex=["m", "f"] * 30)
    frame = pd.read_csv(path, index_col=0).drop(columns="dx")
    if kind == "parquet":
        frame.to_parquet(path := tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"'sex'.*data.exclude: \[\"sex\"\]"):
        table_of(frame) if kind == "memory" else read_table(path, columns=["dx"])


# Ids that are numbers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "numbers"),
    [
        ("Sample no", range(101, 101 + ROWS)),
        ("Case No.", [7 * n + 3 for n in range(ROWS)]),
        ("what", range(ROWS, 0, -1)),
        ("MRN number", [123456789 + n for n in range(ROWS)]),
    ],
)
def test_a_first_column_of_numbers_for_rows_is_the_sample_id(tmp_path, heading, numbers):
    cohort(tmp_path, **{heading: numbers})
    dataset = loaded(tmp_path)
    assert list(dataset.samples) == [str(number) for number in numbers]
    assert dataset.features == GENES
    ((about, text),) = dataset.warnings
    assert about == "ids" and f"the first column {heading!r}" in text


def test_numbers_in_memory_are_sample_ids_too():
    numbers = [123456789 + n for n in range(ROWS)]
    table = table_of(VALUES.assign(Subject=numbers)[["Subject", *GENES]])
    assert table.samples == [str(number) for number in numbers] and table.features == GENES


@pytest.mark.parametrize("form", ["{}/60", "0.{:03}", "{:03}", "{}e3"])
def test_text_of_digits_in_memory_is_ids_as_in_a_file(tmp_path, form):
    ids = [form.format(n) for n in range(1, ROWS + 1)]
    frame = VALUES.assign(Subject=ids)[["Subject", *GENES]]
    frame.to_csv(tmp_path / "x.csv", index=False)
    for table in (table_of(frame), read_table(tmp_path / "x.csv")):
        assert table.samples == ids and table.features == GENES and not table.warnings


def test_numbers_without_a_header_are_sample_ids_too(tmp_path):
    counted = VALUES.assign(n=range(1, ROWS + 1))[["n", *GENES]]
    counted.to_csv(tmp_path / "x.txt", sep=" ", header=False, index=False)
    table = read_table(tmp_path / "x.txt")
    assert table.samples[:3] == ["1", "2", "3"] and table.features[0] == "feature_1"
    np.testing.assert_allclose(table.values, VALUES, rtol=1e-6)


def test_ranks_are_no_sample_ids():
    ranks = VALUES.rank().astype(int)
    assert table_of(ranks).samples is None


def test_counts_are_no_sample_ids():
    counts = pd.DataFrame(RANDOM.poisson(500, (ROWS, 4)), columns=list("ABCD"))
    assert table_of(counts).samples is None


# Warnings -----------------------------------------------------------------------------------


def found(values):
    """The texts on columns of a frame."""
    return list(no_genes(some_values(rows(values)), list(values.columns)))


def rows(values, targets=LABELS, names=("dx",)):
    """A `Dataset` of a frame."""
    samples = np.array([f"s{n}" for n in range(len(values))], object)
    targets = targets.astype(object) if targets.dtype.kind == "U" else targets
    return Dataset(values.to_numpy("float32"), samples, list(values.columns), targets, list(names))


def test_genes_alone_give_no_warning():
    counts = pd.DataFrame(RANDOM.negative_binomial(2, 0.01, (ROWS, 10)), columns=GENES)
    for values in (VALUES, counts, VALUES - 6, counts * 0 + (counts > 100)):
        assert found(values) == []
        assert list(gives_away(rows(values), np.arange(ROWS))) == []


WHOLE = RANDOM.integers(20, 90, ROWS)
ODD = {
    "by its heading": {"OS_days": VALUES["MYC"] + 1},
    "a heading in one word": {"daysToDeath": VALUES["MYC"]},
    "whole numbers": {"q1": WHOLE},
    "yes or no": {"q2": WHOLE % 2},
    "a scale of its own": {"q3": WHOLE * 11.5},
}


@pytest.mark.parametrize("case", ODD)
def test_columns_that_may_be_no_genes_are_named(case):
    column = ODD[case]
    (text,) = found(VALUES.assign(**column))
    (name,) = column
    assert text.startswith(f"1 columns may not be genes: {name!r}")
    assert f'data.exclude ["{name}"]' in text


def test_a_column_that_alone_predicts_the_target_is_named():
    told = rows(VALUES.assign(q=np.where(LABELS == "case", 5.5, 6.5)))
    (text,) = gives_away(told, np.arange(ROWS))
    assert "The column 'q' alone predicts the target (area under the curve 1.00" in text
    values = VALUES[["MYC"]].to_numpy() * 2.0
    told = rows(VALUES, values)
    (text,) = gives_away(told, np.arange(ROWS))
    assert "'MYC' alone predicts the target (rank correlation 1.00" in text


def test_each_of_several_targets_may_be_given_away():
    told = rows(VALUES, VALUES[["MYC", "EGFR"]].to_numpy() * 2.0, names=["myc", "egfr"])
    (text,) = gives_away(told, np.arange(ROWS))
    assert "'MYC' alone predicts 'myc' (rank correlation 1.00" in text
    assert "'EGFR' alone predicts 'egfr' (rank correlation 1.00" in text
    assert 'data.exclude ["MYC", "EGFR"]' in text


def test_several_telling_genes_are_no_reason_for_a_warning():
    high = (LABELS == "case") * 4
    both = rows(VALUES.assign(MYC=VALUES["MYC"] + high, EGFR=VALUES["EGFR"] + high))
    assert list(gives_away(both, np.arange(ROWS))) == []


def test_the_audit_warns_of_columns_before_training(tmp_path):
    cohort(
        tmp_path, sample=[f"P{n}" for n in range(ROWS)], OS_days=np.where(LABELS == "case", 2, 9)
    )
    data = settings(tmp_path)
    dataset = load_labelled(data, "classification")
    found = audit(dataset, split(dataset, data.split, 1, 7), "classification")
    texts = [one["text"] for one in found if one["about"] == "columns"]
    assert "'OS_days' (by its heading)" in texts[0] and "'OS_days' alone predicts" in texts[1]


# New rows -----------------------------------------------------------------------------------

NAMES = [f"N{n:03d}" for n in range(ROWS)]
HEADINGS = {
    "text first": {"sample": NAMES},
    "text below any heading": {"our code": NAMES},
    "numbers below any heading": {"what": [17 * n + 5 for n in range(ROWS)]},
    "behind other text": {"sex": ["m", "f"] * 30, "stage": ["I", "II", "I"] * 20, "who": NAMES},
    "behind numbers": {"age": [30.5 + n for n in range(ROWS)], "id": NAMES},
}


@pytest.mark.parametrize("case", HEADINGS)
@pytest.mark.parametrize("place", ["file", "memory"])
def test_new_rows_keep_their_ids_below_any_heading(tmp_path, case, place):
    columns = HEADINGS[case]
    path = cohort(tmp_path, "new.csv", **columns)
    new = str(path) if place == "file" else pd.read_csv(path)
    dataset = load_new(settings(tmp_path), new, GENES[::-1])
    *_, ids = columns.values()
    assert list(dataset.samples) == [str(one) for one in ids]
    np.testing.assert_allclose(dataset.values, VALUES[GENES[::-1]], rtol=1e-6)


@pytest.mark.parametrize("place", ["file", "memory"])
@pytest.mark.parametrize("form", [str.lower, "{}|17".format], ids=["case", "symbol"])
def test_text_is_passed_over_beside_genes_that_a_rule_finds(tmp_path, form, place):
    frame = VALUES.rename(columns=form).assign(sex=["F", "M"] * (len(VALUES) // 2), age=50)
    frame.to_csv(tmp_path / "new.csv")
    new = str(tmp_path / "new.csv") if place == "file" else frame
    dataset = load_new(settings(tmp_path), new, GENES[::-1])
    assert dataset.features == GENES[::-1]
    np.testing.assert_allclose(dataset.values, VALUES[GENES[::-1]], rtol=1e-6)


def test_new_rows_of_genes_by_samples_are_turned(tmp_path):
    VALUES.set_axis(NAMES).T.to_csv(tmp_path / "new.csv")
    dataset = load_new(settings(tmp_path), str(tmp_path / "new.csv"), GENES)
    assert list(dataset.samples) == NAMES and dataset.features == GENES


def test_a_gene_is_no_id_of_new_rows(tmp_path):
    counted = VALUES.assign(TP53=range(ROWS))
    counted.to_csv(tmp_path / "new.csv", index=False)
    dataset = load_new(settings(tmp_path), str(tmp_path / "new.csv"), GENES)
    assert dataset.samples[0] == "row_1" and dataset.values[5, 0] == 5


def test_errors_about_new_rows_name_what_can_be_done_without_another_model(tmp_path):
    data = settings(tmp_path)
    with pytest.raises(InputError, match="sample 'row_3', gene 'MYC'.*Fill the values, leave out"):
        load_new(data, VALUES.mask(VALUES == VALUES.iloc[2, 1]), GENES)
    again = VALUES.set_axis([*VALUES.columns[:-1], VALUES.columns[0]], axis=1)
    again.to_csv(tmp_path / "new.csv")
    for new in (again, str(tmp_path / "new.csv")):
        with pytest.raises(InputError, match="duplicate gene name.*Leave one column of each"):
            load_new(data, new, GENES)
    twice = VALUES.set_axis([NAMES[1], *NAMES[1:]])
    with pytest.raises(InputError, match="duplicate sample id.*Leave one row of each"):
        load_new(data, twice, GENES)


def test_one_sample_is_a_table_of_one_row(tmp_path):
    with pytest.raises(InputError, match=r"Series: .*samples x genes. .*to_frame\(\).T"):
        load_new(settings(tmp_path), VALUES.iloc[0], GENES)
    found = load_new(settings(tmp_path), VALUES.iloc[0].to_frame().T, GENES)
    np.testing.assert_allclose(found.values, VALUES[GENES].iloc[:1], rtol=1e-6)


@pytest.mark.parametrize("is_file", [True, False])
def test_columns_of_a_file_without_names_are_taken_by_order_with_a_warning(
    tmp_path, caplog, is_file
):
    VALUES.to_csv(tmp_path / "new.csv", header=False, index=False)
    new = str(tmp_path / "new.csv") if is_file else VALUES.to_numpy()
    found = load_new(settings(tmp_path), new, GENES)
    np.testing.assert_allclose(found.values, VALUES, rtol=1e-6)
    warnings = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert [("no names of genes" in text) for text in warnings] == [True] * is_file


@pytest.mark.parametrize("cell", ["n.d.", "?"])
def test_text_in_a_gene_of_new_rows_is_nothing_to_exclude(tmp_path, cell):
    VALUES.astype(object).mask(VALUES == VALUES.iloc[2, 1], cell).to_csv(tmp_path / "new.csv")
    with pytest.raises(InputError, match="column 'MYC': received") as caught:
        load_new(settings(tmp_path), str(tmp_path / "new.csv"), GENES)
    assert "data." not in str(caught.value).split("received")[1]
