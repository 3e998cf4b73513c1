"""Files that nobody would call wrong and that are easily read wrong: right, or refused."""

import bz2
import gzip

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import RunData, audit, read_table, table_of, write_rows
from autogenome_tf.data._codes import codes
from autogenome_tf.data._load import load_labelled
from autogenome_tf.data._new_rows import load_new

COUNT, GENES = 24, ["TP53", "MYC", "EGFR", "KRAS", "PTEN", "ESR1"]
RANDOM = np.random.default_rng(0)
IDS = [f"S{number:02d}" for number in range(COUNT)]
LABELS = pd.Series(
    ["tumour" if number % 2 else "normal" for number in range(COUNT)],
    index=pd.Index(IDS, name="sample"),
    name="type",
)
VALUES = pd.DataFrame(
    RANDOM.normal(7, 1, (COUNT, len(GENES))).round(3), index=LABELS.index, columns=GENES
)
SHUFFLED = LABELS.sample(frac=1, random_state=1)


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


def loaded(folder, matrix, targets=None, name="x.csv", **data):
    """The rows and the split of a matrix and its targets, given as text or bytes."""
    (folder / name).write_bytes(as_bytes(matrix))
    config = {"features": str(folder / name), "target": "type", **data}
    if targets is not None:
        (folder / "y.csv").write_bytes(as_bytes(targets))
        config["targets"] = str(folder / "y.csv")
    config = Config.of({"name": "t", "data": config})
    return RunData(config.data, config.task).labelled


def numbered(frame, start=1):
    """A frame as R's write.csv gives it: rows numbered before the sample ids."""
    frame = frame.reset_index()
    return frame.set_axis(range(start, start + len(frame))).to_csv()


MATRIX, TARGETS = VALUES.to_csv(), SHUFFLED.to_csv()
RIGHT = {
    "Excel's Unicode text": (MATRIX.replace(",", "\t").encode("utf-16"), TARGETS.encode("utf-16")),
    "big-endian, Windows line ends": (
        b"\xfe\xff" + MATRIX.replace("\n", "\r\n").encode("utf-16-be"), TARGETS),
    "UTF-16 without a mark": (MATRIX.encode("utf-16-le"), TARGETS.encode("utf-16-be")),
    "UTF-16, packed": (
        gzip.compress(MATRIX.encode("utf-16")), bz2.compress(TARGETS.encode("utf-16-be"))),
    "packed without saying so": (gzip.compress(MATRIX.encode()), gzip.compress(TARGETS.encode())),
    "Excel's sep=": ("sep=;\n" + VALUES.to_csv(sep=";"), "sep=,\r\n" + TARGETS),
    "R's numbers before ids in both": (numbered(VALUES[::-1]), numbered(SHUFFLED)),
    "pandas' numbers in the matrix alone": (numbered(VALUES, 0), TARGETS),
    "shuffled numbers before ids": (
        VALUES.reset_index().sample(frac=1, random_state=2).to_csv(), numbered(SHUFFLED)),
    "numbers before ids of another heading": (
        numbered(VALUES[::-1].rename_axis("Run")), numbered(SHUFFLED.rename_axis("Run"))),
    "numbers before genes": (numbered(VALUES.T.rename_axis("symbol")), TARGETS),
    "targets in the matrix, rows numbered": (numbered(VALUES.assign(type=LABELS)), None),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_odd_files_are_read_right(tmp_path, case):
    matrix, targets = RIGHT[case]
    dataset, _ = loaded(tmp_path, matrix, targets)
    assert sorted(dataset.samples) == IDS and dataset.features == GENES
    assert list(dataset.targets) == list(LABELS[dataset.samples])
    np.testing.assert_array_equal(dataset.values, VALUES.loc[dataset.samples].astype("float32"))


def test_a_file_that_a_browser_has_unpacked_is_read(tmp_path):
    dataset, _ = loaded(tmp_path, MATRIX, TARGETS, name="x.csv.gz")
    assert list(dataset.targets) == list(LABELS)


def test_numbers_of_rows_are_no_ids_where_ids_are_numbers(tmp_path):
    numbers = pd.Index([1000 + 7 * number for number in range(COUNT)], name="sample_id")
    matrix = numbered(VALUES.set_axis(numbers).sample(frac=1, random_state=3))
    dataset, _ = loaded(tmp_path, matrix, numbered(LABELS.set_axis(numbers)))
    right = LABELS.set_axis(numbers.astype(str))
    assert list(dataset.targets) == list(right[dataset.samples]) and len(dataset) == COUNT


def test_a_column_of_text_behind_numbers_is_no_id(tmp_path):
    values = VALUES.assign(sex=["m", "f"] * (COUNT // 2)).set_axis(range(COUNT))[["sex", *GENES]]
    with pytest.raises(InputError, match=r'\'sex\'.*data.exclude: \["sex"\]'):
        loaded(tmp_path, values.to_csv(), LABELS.reset_index(drop=True).to_csv())


WHOLE = pd.DataFrame(
    RANDOM.integers(1000, 900_000, (COUNT, len(GENES))), index=LABELS.index, columns=GENES
)


def with_thousands(**cells):
    """Whole numbers with commas between thousands; the last row has other ones."""
    frame = WHOLE.copy()
    frame.loc[IDS[-1], list(cells)] = list(cells.values())
    return frame.map("{:,}".format).to_csv()


COUNTED = LABELS.reset_index(drop=True)
REFUSED = {
    "thousands and a small number far down": (
        with_thousands(KRAS=512), TARGETS, ["line 2", "'TP53'", "commas between thousands"]),
    "thousands and millions far down": (
        with_thousands(KRAS=5_120_000), TARGETS, ["line 25", "'5,120,000'", "between thousands"]),
    "ids from 0 and from 1": (
        VALUES.set_axis(range(1, COUNT + 1)).to_csv(index_label="sample"),
        COUNTED.to_csv(index_label="sample"), ["from 1 in the first and from 0 in the second"]),
    "numbers in another order beside no ids": (
        VALUES.to_csv(index=False), COUNTED.sample(frac=1, random_state=3).to_csv(),
        ["y.csv", "not in the order that they stand in"]),
    "targets with a column a sample": (
        MATRIX, LABELS.to_frame().T.to_csv(), ["are in the header of", "transpose"]),
    "two headers": (
        MATRIX.split("\n", 1)[0] + "\n" + MATRIX.replace("sample", "id").replace("TP53", "P53"),
        TARGETS, ["line 2", "a second header"]),
    "ids that hardly overlap": (
        MATRIX, LABELS.rename(lambda s: s if s in IDS[:2] else f"Q{s}").to_csv(),
        ["a class needs", "22 of 24 samples have no row"]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_odd_files_that_cannot_be_right_are_refused(tmp_path, case):
    matrix, targets, parts = REFUSED[case]
    with pytest.raises(InputError) as refused:
        loaded(tmp_path, matrix, targets)
    assert [part for part in parts if part not in str(refused.value)] == []


def test_rows_by_order_may_be_numbered_in_one_file(tmp_path):
    dataset, _ = loaded(tmp_path, VALUES.to_csv(index=False), COUNTED.to_csv())
    assert list(dataset.targets) == list(LABELS)
    assert [about for about, _ in dataset.warnings] == ["matching"]


def test_commas_that_may_all_part_thousands_are_a_warning(tmp_path):
    (tmp_path / "x.csv").write_text(with_thousands())
    ((about, text),) = read_table(tmp_path / "x.csv").warnings
    assert about == "commas" and "taken for a decimal comma" in text
    (tmp_path / "y.csv").write_text("id;A\nx;1,234\ny;0,5\n")
    assert read_table(tmp_path / "y.csv").warnings == ()


def doubts(folder, matrix, targets, about, **data):
    """The warnings about a subject before training."""
    dataset, parts = loaded(folder, matrix, targets, **data)
    return [one["text"] for one in audit(dataset, parts, "classification") if one["about"] == about]


@pytest.mark.parametrize(("code", "shift"), [(-999, 0), (-9, 0), (-99, -7), (9999, 0)])
def test_numbers_that_stand_for_missing_values_are_named(tmp_path, code, shift):
    values = VALUES + shift
    (text,) = doubts(tmp_path, values.mask(values < 6 + shift, code).to_csv(), TARGETS, "values")
    assert f'data.missing_words ["{code}"]' in text
    assert doubts(tmp_path, values.to_csv(), TARGETS, "values") == []


def test_several_codes_are_named_and_in_targets_a_single_one(tmp_path):
    values = VALUES.mask(VALUES < 6, -99).mask(VALUES > 8, -88)
    texts = doubts(tmp_path, values.to_csv(), TARGETS, "values")
    assert ["values are -99," in texts[0], "values are -88," in texts[1]] == [True, True]
    values = np.linspace(7, 88, 30)
    assert list(codes(np.r_[values, -9])) == list(codes(np.r_[values, 99], fewest=1)) == []
    assert "1 values are -9, apart" in next(codes(np.r_[values, -9], fewest=1))
    assert "1 values are 888, apart" in next(codes(np.r_[values, 888], fewest=1))


def test_two_scales_in_one_matrix_are_named(tmp_path):
    mixed = VALUES.copy()
    mixed.iloc[::4] = 2 ** mixed.iloc[::4]
    (said,) = doubts(tmp_path, mixed.to_csv(), TARGETS, "values")
    assert said.startswith("6 of 24 rows are of another scale than most, such as 'S00'")


def test_a_nine_among_doses_is_named():
    doses = np.resize([0.0, 1, 2, 0, 1], 40)
    coded = np.where(np.arange(40) % 9 == 0, 9, doses)
    assert "5 values are 9, apart from all others (0 to 2)" in next(codes(coded))
    assert not list(codes(doses)) and not list(codes(np.where(doses == 2, 4, coded)))


def test_the_floor_of_a_logarithm_stands_for_no_missing_value(tmp_path):
    counts = RANDOM.negative_binomial(1, 0.2, VALUES.shape)
    values = pd.DataFrame(np.log2(counts + 0.5), index=VALUES.index, columns=GENES)
    assert values.to_numpy().min() == -1
    assert doubts(tmp_path, values.to_csv(), TARGETS, "values") == []


def test_classes_that_differ_by_case_are_named(tmp_path):
    labels = SHUFFLED.where(np.arange(COUNT) > 7, SHUFFLED.str.capitalize() + " ")
    texts = doubts(tmp_path, MATRIX, labels.to_csv(), "classes")
    assert [text for text in texts if "'normal', 'Normal'" in text or "'Normal', 'normal'" in text]
    assert not [t for t in doubts(tmp_path, MATRIX, TARGETS, "classes") if "case" in t]


@pytest.mark.parametrize("form", [str, str.lower])
@pytest.mark.parametrize("is_file", [True, False])
def test_new_rows_of_genes_by_samples_are_turned_also_in_memory(tmp_path, form, is_file):
    new = VALUES.T.rename(index=form).rename_axis("")
    if is_file:
        new.to_csv(tmp_path / "x.csv")
    config = Config.of({"name": "t", "data": {"features": "x.csv"}})
    dataset = load_new(config.data, str(tmp_path / "x.csv") if is_file else new, GENES)
    assert list(dataset.samples) == IDS and dataset.features == GENES
    np.testing.assert_array_equal(dataset.values, VALUES.astype("float32"))


def test_numbers_of_picked_rows_in_parquet_are_no_ids(tmp_path):
    picked = VALUES.reset_index().sample(frac=1, random_state=1)
    picked.to_parquet(tmp_path / "x.parquet")
    table = read_table(tmp_path / "x.parquet")
    assert table.samples == list(picked["sample"]) and table.features == GENES
    picked.drop(columns="sample").to_parquet(tmp_path / "y.parquet")
    assert read_table(tmp_path / "y.parquet").samples == [str(number) for number in picked.index]


def test_numbers_that_parquet_stores_as_a_range_are_ids(tmp_path):
    ids = [str(number) for number in range(1000, 1000 + COUNT)]
    VALUES.set_axis(range(1000, 1000 + COUNT)).to_parquet(tmp_path / "x.parquet")
    assert read_table(tmp_path / "x.parquet").samples == ids
    VALUES.set_axis(np.arange(1000.0, 1000 + COUNT)).to_parquet(tmp_path / "x.parquet")
    assert read_table(tmp_path / "x.parquet").samples == ids
    VALUES.reset_index(drop=True).to_parquet(tmp_path / "y.parquet")
    assert read_table(tmp_path / "y.parquet").samples is None
    targets = pd.DataFrame({"type": LABELS.to_numpy()}, index=range(1000, 1000 + COUNT))
    targets.to_parquet(tmp_path / "y.parquet")
    shuffled = VALUES.set_axis(ids).sample(frac=1, random_state=1)
    files = {"features": str(tmp_path / "x.csv"), "targets": str(tmp_path / "y.parquet")}
    shuffled.to_csv(files["features"])
    config = Config.of({"name": "t", "data": files | {"target": "type"}})
    dataset = load_labelled(config.data, "classification")
    assert dict(zip(dataset.samples, dataset.targets, strict=True)) == dict(
        zip(ids, LABELS, strict=True)
    )
    assert not dataset.warnings


@pytest.mark.parametrize("words", [("True", "False"), ("TRUE", "FALSE")])
def test_mutations_may_be_true_or_false(tmp_path, words):
    mutated = (VALUES > 7).mask(VALUES < 6)
    text = mutated.replace({True: words[0], False: words[1]}).to_csv(na_rep="NA")
    (tmp_path / "x.csv").write_text(text)
    table = read_table(tmp_path / "x.csv")
    np.testing.assert_array_equal(table.values, mutated.astype("float32"))
    assert table.samples == IDS and table.features == GENES
    (tmp_path / "y.csv").write_text(VALUES.assign(smoker=VALUES["TP53"] > 7).to_csv())
    with pytest.raises(InputError, match=r'"smoker"'):
        read_table(tmp_path / "y.csv")


def test_labels_of_the_matrix_that_contradict_the_targets_are_named(tmp_path):
    for labels, count in ((LABELS, None), (LABELS[::-1].to_numpy(), COUNT)):
        dataset, _ = loaded(tmp_path, VALUES.assign(type=labels).to_csv(), TARGETS)
        assert list(dataset.targets) == list(LABELS)
        texts = [text for about, text in dataset.warnings if about == "matching"]
        assert [f"{count} of {COUNT} samples" in text for text in texts] == [True] * bool(count)


def test_a_number_written_otherwise_contradicts_nothing(tmp_path):
    numbers = pd.Series(np.arange(COUNT) % 3, index=LABELS.index, name="type")
    matrix = VALUES.assign(type=numbers.astype(float)).to_csv()
    dataset, _ = loaded(tmp_path, matrix, numbers.to_csv())
    assert not dataset.warnings and set(dataset.targets) == {"0", "1", "2"}


def test_targets_are_looked_at_for_codes_and_commas_too(tmp_path):
    values = [1.5 + number / 7 for number in range(COUNT)]
    coded = [-999 if number % 5 == 2 else value for number, value in enumerate(values)]
    commas = [f'"{1000 + 37 * number:,}"' for number in range(COUNT)]
    for given, about in ((values, set()), (coded, {"values"}), (commas, {"commas"})):
        lines = "".join(f"{name},{value}\n" for name, value in zip(IDS, given, strict=True))
        (tmp_path / "x.csv").write_text(MATRIX)
        (tmp_path / "y.csv").write_text("sample,dose\n" + lines)
        paths = {"features": str(tmp_path / "x.csv"), "targets": str(tmp_path / "y.csv")}
        config = Config.of({"name": "t", "data": paths | {"target": "dose"}})
        task = config.task.model_copy(update={"type": "regression"})
        dataset, parts = RunData(config.data, task).labelled
        found = audit(dataset, parts, "regression")
        assert {one["about"] for one in found} & {"values", "commas"} == about


@pytest.mark.parametrize("name", ["TP53", "2.31E+13"])
def test_names_below_a_blank_corner_are_a_header_whatever_became_of_one(tmp_path, name):
    path = tmp_path / "x.csv"
    path.write_text(f",TP53,MYC,EGFR,{name}\n1,0.5,2,3,4\n2,1.5,6,7,8\n")
    table = read_table(path, duplicates="suffix")
    assert table.features[:3] == ["TP53", "MYC", "EGFR"] and table.values.shape == (2, 4)
    if name == "TP53":
        with pytest.raises(InputError, match="duplicate gene name: 'TP53'"):
            read_table(path)


def test_what_a_mask_covers_is_missing(tmp_path):
    covered = np.zeros(VALUES.shape, bool)
    covered[3, 2] = True
    masked = np.ma.masked_array(VALUES.to_numpy(), covered)
    table = table_of(masked)
    np.testing.assert_array_equal(np.isnan(table.values), covered)
    np.testing.assert_allclose(table.values[~covered], VALUES.to_numpy()[~covered], rtol=1e-6)
    labels = np.ma.masked_array(LABELS.to_numpy(), np.arange(COUNT) < 2)
    write_rows(tmp_path / "x.npz", VALUES, labels)
    column = read_table(tmp_path / "x.npz", columns=["target"]).extra["target"]
    assert column.isna().sum() == 2 and list(column[2:]) == list(LABELS[2:])


@pytest.mark.parametrize("address", ["https://example.org/x.csv", "/work/https:/example.org/x.csv"])
def test_an_address_is_no_path(address):
    with pytest.raises(InputError, match="an address; expected a path: download the file first"):
        read_table(address)


@pytest.mark.parametrize("task", ["classification", "regression", "mixed"])
def test_all_columns_are_no_target_without_a_file_of_targets(tmp_path, task):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 4)), columns=[*"abcd"])
    frame.to_csv(tmp_path / "x.csv")
    data = Config.of({"name": "t", "data": {"features": "x.csv", "target": "*"}})
    with pytest.raises(InputError, match=r"x\.csv: data\.target: '\*' stands for every column"):
        load_labelled(data.resolved(tmp_path).data, task)
