"""Rows of the matrix meet the rows of the targets by their ids, wherever those stand."""

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Split, audit, load_labelled
from autogenome_tf.tasks import UNLABELLED

IDS = [f"SRR{number}" for number in range(100, 112)]
ROWS = len(IDS)
# The order of the targets: no row stays in its place.
ORDER = np.roll(np.random.default_rng(0).permutation(ROWS), 1)
LABELS = np.array([f"class{number % 3}" for number in range(ROWS)])
VALUES = np.random.default_rng(1).normal(6, 1, (ROWS, 4)).round(3)


def matrix(folder, ids=IDS, heading="sample", name="x.csv", **columns):
    """Write the matrix, with ids in its first column unless they are None."""
    frame = pd.DataFrame(VALUES, columns=["TP53", "MYC", "EGFR", "KRAS"]).assign(**columns)
    if ids is not None:
        frame.insert(0, heading, list(ids))
    frame.to_csv(folder / name, index=False)
    return name


def targets(folder, name="y.csv", order=ORDER, **columns):
    """Write columns of the samples, in an order of their own."""
    frame = pd.DataFrame({key: np.asarray(cells, object) for key, cells in columns.items()})
    frame.iloc[order].to_csv(folder / name, index=False)
    return name


def loaded(folder, task="classification", **data):
    """Read what a config of these files names."""
    given = {"features": "x.csv", "targets": "y.csv", "target": "dx"} | data
    config = Config.of({"name": "t", "data": given, "task": {"type": task}}).resolved(folder)
    return load_labelled(config.data, task)


def is_right(dataset):
    """Whether every sample has its own label and its own values."""
    rows = [list(IDS).index(name) for name in dataset.samples]
    own = list(dataset.targets) == list(LABELS[rows])
    return own and np.allclose(dataset.values[:, :4], VALUES[rows])


# Ids in any column --------------------------------------------------------------------------

PLACES = {
    "first": {"sample": IDS, "dx": LABELS},
    "last": {"dx": LABELS, "sample": IDS},
    "under a heading of its own": {"dx": LABELS, "our code": IDS},
    "behind numbers": {"age": range(30, 30 + ROWS), "batch": [1, 2] * 6, "run": IDS, "dx": LABELS},
    "behind ids of something else": {
        "File ID": [f"f{n:03d}" for n in range(ROWS)], "Sample ID": IDS, "dx": LABELS
    },
    "behind patients with two samples": {
        "PATIENT_ID": [f"P{n // 2}" for n in range(ROWS)], "SAMPLE_ID": IDS, "dx": LABELS
    },
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_rows_match_by_the_column_that_holds_the_ids(tmp_path, place):
    matrix(tmp_path)
    targets(tmp_path, **PLACES[place])
    dataset = loaded(tmp_path)
    assert is_right(dataset) and len(dataset) == ROWS and not dataset.warnings


def test_the_column_of_ids_is_said(tmp_path, caplog):
    matrix(tmp_path)
    targets(tmp_path, dx=LABELS, sample=IDS)
    with caplog.at_level("INFO", "autogenome_tf"):
        loaded(tmp_path)
    assert "matched by the sample ids of the first and the column 'sample'" in caplog.text


def test_ids_may_be_numbers_in_both(tmp_path):
    numbers = range(5001, 5001 + ROWS)
    matrix(tmp_path, numbers, "patient")
    targets(tmp_path, dx=LABELS, nr=[f"{number}.0" for number in numbers])
    dataset = loaded(tmp_path)
    assert list(dataset.targets) == list(LABELS)
    assert "how numbers are written (such as '5001' and '5001.0')" in dataset.warnings[0][1]


def test_a_column_of_whole_numbers_in_both_is_the_id(tmp_path):
    keys = np.random.default_rng(3).permutation(ROWS) * 7
    matrix(tmp_path, None, KEY=keys)
    targets(tmp_path, KEY=keys, dx=LABELS)
    dataset = loaded(tmp_path)
    assert list(dataset.samples) == [str(key) for key in keys]
    assert list(dataset.targets) == list(LABELS) and "KEY" not in dataset.features


def test_a_shared_column_of_fractions_contradicts_the_order(tmp_path):
    matrix(tmp_path, None)
    targets(tmp_path, TP53=VALUES[:, 0], dx=LABELS)
    with pytest.raises(InputError, match="both have the column 'TP53', .*set data.id \"TP53\""):
        loaded(tmp_path)


def test_a_first_column_that_repeats_is_refused_where_no_other_has_the_ids(tmp_path):
    matrix(tmp_path)
    targets(tmp_path, sample=[*IDS[:-1], IDS[0]], dx=LABELS)
    with pytest.raises(InputError, match="y.csv: duplicate sample id: 'SRR100'"):
        loaded(tmp_path)


def test_patients_of_samples_may_be_the_groups(tmp_path):
    matrix(tmp_path)
    patients = [f"P{n // 2}" for n in range(ROWS)]
    for sheet in (
        {"PATIENT_ID": patients, "SAMPLE_ID": IDS},
        {"SAMPLE_ID": IDS, "PATIENT_ID": patients},
    ):
        targets(tmp_path, **sheet, dx=LABELS)
        dataset = loaded(tmp_path, split={"group": "PATIENT_ID"})
        assert is_right(dataset) and list(dataset.groups) == patients


def test_all_columns_but_the_ids_are_targets(tmp_path):
    matrix(tmp_path)
    targets(tmp_path, a=VALUES[:, 0], sample=IDS, b=VALUES[:, 1])
    dataset = loaded(tmp_path, "regression", target="*")
    assert dataset.target_names == ["a", "b"]
    np.testing.assert_allclose(dataset.targets, VALUES[:, :2])


# data.id ------------------------------------------------------------------------------------


def test_the_id_column_can_be_named(tmp_path):
    first, second = IDS, IDS[::-1]
    matrix(tmp_path)
    targets(tmp_path, dx=LABELS, tumour=first, normal=second)
    with pytest.raises(
        InputError, match="'tumour' and the column 'normal' of the second both have ids .* data.id"
    ):
        loaded(tmp_path)
    assert is_right(loaded(tmp_path, id="tumour"))
    assert list(loaded(tmp_path, id="normal").targets) == list(LABELS[::-1])


def test_the_id_column_of_the_matrix_can_be_named(tmp_path):
    matrix(tmp_path, [f"file{n}" for n in range(ROWS)], "File Name", accession=IDS)
    targets(tmp_path, accession=IDS, dx=LABELS)
    dataset = loaded(tmp_path, id="accession")
    assert is_right(dataset) and dataset.features == ["TP53", "MYC", "EGFR", "KRAS"]


def test_an_id_column_that_is_nowhere_is_refused(tmp_path):
    matrix(tmp_path)
    targets(tmp_path, dx=LABELS, sample=IDS)
    with pytest.raises(InputError, match="data.id: unknown name 'sampel'.*mean 'sample'"):
        loaded(tmp_path, id="sampel")


def test_a_row_without_id_is_refused_where_the_column_is_named(tmp_path):
    matrix(tmp_path, None, code=[*IDS[:3], None, *IDS[4:]])
    targets(tmp_path, code=IDS, dx=LABELS)
    with pytest.raises(InputError, match="x.csv: code: missing in row 4; data.id needs"):
        loaded(tmp_path, id="code")


# Ids in part, and ids that nearly agree -----------------------------------------------------


def test_samples_without_a_row_are_left_out_and_counted(tmp_path):
    matrix(tmp_path)
    others = [name if n > 2 else f"other{n}" for n, name in enumerate(IDS)]
    targets(tmp_path, dx=LABELS, sample=others)
    dataset = loaded(tmp_path)
    assert is_right(dataset) and list(dataset.samples) == IDS[3:]
    ((about, text),) = dataset.warnings
    assert about == "matching" and "3 of 12 samples have no row in" in text
    assert "left out (such as 'SRR100'); 3 of its 12 rows have no sample." in text


def test_a_representation_keeps_samples_without_a_row(tmp_path):
    matrix(tmp_path)
    targets(tmp_path, dx=LABELS[:9], sample=IDS[:9], batch=list("ab" * 5)[:9], order=range(9))
    dataset = loaded(tmp_path, "representation")
    assert list(dataset.samples) == IDS and np.allclose(dataset.values[:, :4], VALUES)
    assert list(dataset.targets) == [*LABELS[:9], *[UNLABELLED] * 3]
    ((about, text),) = dataset.warnings
    assert about == "matching" and "3 of 12 samples have no row in" in text
    assert "y.csv and have no label (such as 'SRR109')" in text
    dataset = loaded(tmp_path, "representation", covariates=["batch"])
    assert list(dataset.samples) == IDS[:9], "a covariate is needed of every sample"


def test_a_larger_sheet_is_no_reason_for_a_warning(tmp_path):
    matrix(tmp_path)
    more = [*IDS, *(f"other{n}" for n in range(5))]
    targets(tmp_path, order=range(16, -1, -1), dx=[*LABELS, *["class9"] * 5], sample=more)
    dataset = loaded(tmp_path)
    assert is_right(dataset) and len(dataset) == ROWS and not dataset.warnings


def test_ids_that_are_all_others_are_refused(tmp_path):
    matrix(tmp_path)
    for heading in ("sample", "our code"):
        targets(tmp_path, dx=LABELS, **{heading: [f"P{n}" for n in range(ROWS)]})
        with pytest.raises(InputError, match="no sample id is in both files: .*'SRR100'.*'P"):
            loaded(tmp_path)


TCGA = [f"TCGA-A1-A{number:03d}-01A-11R-A115-07" for number in range(ROWS)]
NEAR = {
    "case": (IDS, [name.lower() for name in IDS], "upper and lower case"),
    "points for hyphens": (
        [name.replace("-", ".") for name in TCGA], TCGA, "the signs between their parts"
    ),
    "R's X": ([f"X{n}.T" for n in range(ROWS)], [f"{n}-T" for n in range(ROWS)], "the signs"),
    "leading zeros": ([f"S{n:03d}" for n in range(ROWS)], [f"S{n}" for n in range(ROWS)],
                      "leading zeros"),
    "numbers and zeros": ([f"{n:04d}" for n in range(ROWS)], range(ROWS),
                          "how numbers are written"),
    "several at once": ([f"s_{n:02d}" for n in range(ROWS)], [f"S-{n}" for n in range(ROWS)],
                        "case, signs and leading zeros"),
    "vials of other aliquots": (TCGA, [f"{name[:16]}-21D-A10Y-05" for name in TCGA],
                                "behind the vial in TCGA's barcodes"),
    "samples of aliquots": (TCGA, [name[:15] for name in TCGA],
                            "behind the sample in TCGA's barcodes"),
    "patients of aliquots": (TCGA, [name[:12] for name in TCGA],
                             "behind the patient in TCGA's barcodes"),
    "barcodes of lanes": ([f"ACGT{n:03d}T-1" for n in range(ROWS)],
                          [f"ACGT{n:03d}T" for n in range(ROWS)], "behind the shorter name"),
    "names of files": (IDS, [f"{name}.sorted.bam" for name in IDS], "behind the shorter name"),
    "a study before the sample": ([f"GSE1_{name}" for name in IDS], IDS,
                                  "before the shorter name"),
}  # fmt: skip


@pytest.mark.parametrize("case", NEAR)
def test_ids_that_differ_by_one_rule_match_and_it_is_said(tmp_path, case):
    ours, theirs, rule = NEAR[case]
    matrix(tmp_path, ours)
    targets(tmp_path, dx=LABELS, sample=list(theirs))
    dataset = loaded(tmp_path)
    assert list(dataset.targets) == list(LABELS) and list(dataset.samples) == list(ours)
    ((about, text),) = dataset.warnings
    assert about == "matching" and rule in text and repr(ours[0]) in text


def test_names_that_one_rule_makes_the_same_are_not_matched_but_diagnosed(tmp_path):
    matrix(tmp_path, [f"P{n // 2}-{n % 2}" for n in range(ROWS)])
    targets(tmp_path, order=range(6), dx=LABELS[:6], sample=[f"P{n}" for n in range(6)])
    with pytest.raises(InputError, match="behind the shorter name, 12 of 12 would match, but some"):
        loaded(tmp_path)


def test_a_rule_for_a_part_of_the_ids_is_a_hint(tmp_path):
    ours = [name.lower() if n > 5 else name for n, name in enumerate(IDS)]
    matrix(tmp_path, [*ours[:-1], "another"])
    targets(tmp_path, dx=LABELS, sample=IDS)
    dataset = loaded(tmp_path)
    assert list(dataset.samples) == IDS[:6]
    assert "Ignoring upper and lower case, 5 more would match." in dataset.warnings[0][1]


# Genes x samples ----------------------------------------------------------------------------


def turned(folder, ids=IDS, corner="sample"):
    """Write the matrix with genes in rows."""
    frame = pd.DataFrame(VALUES.T, index=["TP53", "MYC", "EGFR", "KRAS"], columns=list(ids))
    frame.to_csv(folder / "x.csv", index_label=corner)


@pytest.mark.parametrize("corner", ["", "sample", "gene"])
def test_ids_in_the_header_turn_the_matrix(tmp_path, caplog, corner):
    turned(tmp_path, corner=corner)
    targets(tmp_path, dx=LABELS, sample=IDS)
    with caplog.at_level("INFO", "autogenome_tf"):
        dataset = loaded(tmp_path)
    assert is_right(dataset) and dataset.features == ["TP53", "MYC", "EGFR", "KRAS"]
    assert "read as genes x samples" in caplog.text


def test_ids_that_nearly_stand_in_the_header_turn_the_matrix(tmp_path):
    turned(tmp_path, [name.replace("-", ".") for name in TCGA])
    targets(tmp_path, dx=LABELS, sample=TCGA)
    dataset = loaded(tmp_path)
    assert list(dataset.targets) == list(LABELS) and len(dataset.features) == 4


def test_ids_in_the_rows_go_before_a_heading_of_genes(tmp_path):
    matrix(tmp_path, heading="gene_id")
    targets(tmp_path, dx=LABELS, sample=IDS)
    assert is_right(loaded(tmp_path))


def test_the_config_goes_before_the_ids(tmp_path):
    turned(tmp_path)
    targets(tmp_path, dx=LABELS, sample=IDS)
    with pytest.raises(InputError, match="no sample id is in both files"):
        loaded(tmp_path, orientation="samples_by_genes")
    assert is_right(loaded(tmp_path, orientation="genes_by_samples"))


@pytest.mark.parametrize(
    ("genes", "ids"),
    [
        (["TP53", "MYC", "EGFR", "KRAS"], IDS),
        (["TP53", "MYC", "EGFR", "KRAS"], [f"P{n}" for n in range(ROWS)]),
        ([f"ENSG{n:011d}.1" for n in range(4)], [f"P{n}" for n in range(ROWS)]),
        (list("ABCD"), TCGA),
    ],
)
def test_usual_names_turn_a_matrix_without_targets_which_is_a_warning(tmp_path, genes, ids):
    frame = pd.DataFrame(VALUES.T, index=genes, columns=ids)
    frame.to_csv(tmp_path / "x.csv", index_label="sample")
    dataset = loaded(tmp_path, "representation", targets=None, target=None)
    assert list(dataset.samples) == list(ids) and dataset.features == genes
    assert dataset.warnings[0][0] == "orientation"
    asked = {"targets": None, "target": None, "orientation": "samples_by_genes"}
    assert loaded(tmp_path, "representation", **asked).features == list(ids)


@pytest.mark.parametrize("ids", [IDS, TCGA, [f"P{n}" for n in range(ROWS)]])
def test_usual_names_leave_samples_by_genes_as_they_are(tmp_path, ids):
    matrix(tmp_path, ids)
    dataset = loaded(tmp_path, "representation", targets=None, target=None)
    assert list(dataset.samples) == list(ids) and not dataset.warnings


def test_text_beside_known_samples_describes_genes_wherever_it_stands(tmp_path):
    frame = pd.DataFrame(VALUES.T, index=["TP53", "MYC", "EGFR", "KRAS"], columns=IDS)
    frame.insert(4, "note", ["a gene", "b", "c", "d"])
    frame = frame.assign(more=["x", "y", "z", "w"])
    frame.to_csv(tmp_path / "x.csv", index_label="what")
    targets(tmp_path, sample=IDS, dx=LABELS)
    dataset = loaded(tmp_path)
    assert is_right(dataset) and dataset.features == ["TP53", "MYC", "EGFR", "KRAS"]


def test_ids_in_rows_and_header_alike_are_a_warning(tmp_path):
    square = np.random.default_rng(4).normal(size=(ROWS, ROWS))
    pd.DataFrame(square, IDS, IDS).to_csv(tmp_path / "x.csv", index_label="sample")
    targets(tmp_path, sample=IDS, dx=LABELS)
    dataset = loaded(tmp_path)
    ((about, text),) = dataset.warnings
    assert about == "orientation" and "read as samples x genes; data.orientation" in text
    assert not loaded(tmp_path, orientation="samples_by_genes").warnings


# The order ----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["neither", "x.csv", "y.csv"])
def test_rows_without_ids_match_by_order_which_is_a_warning(tmp_path, who):
    matrix(tmp_path, IDS if who == "x.csv" else None)
    ids = {"sample": IDS} if who == "y.csv" else {}
    targets(tmp_path, order=range(ROWS), **ids, dx=LABELS)
    dataset = loaded(tmp_path)
    assert list(dataset.targets) == list(LABELS)
    ((about, text),) = dataset.warnings
    said = "neither has" if who == "neither" else f"{who} has"
    assert about == "matching" and said in text and "matched by their order" in text


def test_the_order_needs_as_many_rows(tmp_path):
    matrix(tmp_path, None)
    targets(tmp_path, order=range(4), dx=LABELS)
    with pytest.raises(InputError, match="4 rows, but .*x.csv has 12; .*set data.orientation"):
        loaded(tmp_path)


# Several files of targets -------------------------------------------------------------------


def test_files_of_targets_are_joined_by_sample(tmp_path):
    matrix(tmp_path)
    targets(tmp_path, "a.csv", sample=IDS[:-1], dx=LABELS[:-1], order=range(ROWS - 1))
    targets(tmp_path, "b.csv", patient=[f"P{n}" for n in range(ROWS)], sample=IDS)
    dataset = loaded(tmp_path, targets=["a.csv", "b.csv"], split={"group": "patient"})
    assert is_right(dataset) and len(dataset) == ROWS - 1
    assert list(dataset.groups[:2]) == ["P0", "P1"]


def test_samples_in_none_of_the_files_are_left_out(tmp_path):
    matrix(tmp_path)
    for name, column in (("a.csv", "dx"), ("b.csv", "age")):
        targets(tmp_path, name, order=range(10), sample=IDS, **{column: LABELS})
    dataset = loaded(tmp_path, targets=["a.csv", "b.csv"])
    assert list(dataset.samples) == IDS[:10]
    assert "2 samples have no row in any of the files" in dataset.warnings[-1][1]
    dataset = loaded(tmp_path, "representation", targets=["a.csv", "b.csv"])
    assert list(dataset.samples) == IDS
    assert dataset.warnings[-1][1].endswith("any of the files of targets and have no label.")


def test_files_of_targets_that_do_not_fit_are_refused(tmp_path):
    matrix(tmp_path)
    targets(tmp_path, "a.csv", sample=IDS, dx=LABELS)
    targets(tmp_path, "b.csv", age=range(ROWS))
    targets(tmp_path, "c.csv", sample=IDS, dx=LABELS[::-1])
    with pytest.raises(InputError, match="both have the column 'dx', with different values"):
        loaded(tmp_path, targets=["a.csv", "c.csv"])
    with pytest.raises(InputError, match="only one of them has sample ids"):
        loaded(tmp_path, targets=["a.csv", "b.csv"])


@pytest.mark.parametrize("files", [["a.csv", "b.csv"], ["b.csv", "a.csv"]])
def test_files_of_targets_may_have_ids_of_other_columns_of_the_matrix(tmp_path, files):
    patients = [f"P{n:02d}" for n in range(ROWS)]
    matrix(tmp_path, patient=patients)
    targets(tmp_path, "a.csv", patient=patients, dx=LABELS)
    targets(tmp_path, "b.csv", order=ORDER[::-1], sample=IDS, age=range(ROWS))
    dataset = loaded(tmp_path, targets=files, weight=None, exclude=["patient"])
    assert is_right(dataset) and list(dataset.samples) == IDS and not dataset.warnings


@pytest.mark.parametrize("files", [["a.csv", "b.csv"], ["b.csv", "a.csv"]])
def test_a_sheet_of_samples_and_patients_leads_to_a_file_of_patients(tmp_path, files):
    matrix(tmp_path)
    patients = [f"P{n:02d}" for n in range(ROWS)]
    targets(tmp_path, "a.csv", sample=IDS, PATIENT_ID=patients)
    targets(tmp_path, "b.csv", order=ORDER[::-1], PATIENT_ID=patients, dx=LABELS)
    assert is_right(loaded(tmp_path, targets=files))
    targets(tmp_path, "b.csv", PATIENT_ID=[name.lower() + "x" for name in patients], dx=LABELS)
    with pytest.raises(InputError, match="no sample id is in both files: .* with .*a.csv has"):
        loaded(tmp_path, targets=files)


def warned(dataset, test, group=None):
    """The texts about groups, for a split with these rows in its test part."""
    part = np.where(np.isin(np.arange(len(dataset)), test), "test", "train").astype(object)
    found = audit(dataset, Split(part, np.zeros(len(dataset), int)), "classification", group)
    return [one["text"] for one in found if one["about"] in ("group", "batch")]


@pytest.mark.parametrize("owner", ["case", "patient"])
@pytest.mark.parametrize("per_patient", [2, 3, ROWS])
def test_several_samples_may_share_the_row_of_their_patient(tmp_path, per_patient, owner):
    owners = [f"P{n // per_patient:02d}" for n in range(ROWS)]
    names = sorted(set(owners))
    dx = [f"class of {name}" for name in names] if len(names) > 1 else ["one"]
    by_name = dict(zip(names, dx, strict=True))
    targets(tmp_path, "sheet.csv", sample=IDS, **{owner: owners})
    targets(tmp_path, "patients.csv", order=range(len(names))[::-1], PATIENT_ID=names, dx=dx)
    expected = [by_name[name] for name in owners]

    matrix(tmp_path)
    files = ["sheet.csv", "patients.csv"]
    found = [loaded(tmp_path, targets=files), loaded(tmp_path, targets=files[::-1])]
    matrix(tmp_path, **{owner: owners})
    found.append(loaded(tmp_path, targets="patients.csv", exclude=[owner]))
    for dataset in found:
        assert list(dataset.samples) == IDS and list(dataset.targets) == expected
        assert not dataset.warnings
        whole, torn = warned(dataset, range(6)), warned(dataset, range(5, 7))
        assert not (whole and per_patient < ROWS)
        if per_patient < ROWS:
            (text,) = torn
            assert f"Rows of the same {owner} are in both" in text
            assert f'data.split.group to "{owner}"' in text
    kept = loaded(tmp_path, targets=files, split={"group": owner})
    assert list(kept.groups) == owners and not kept.warnings
    assert not any(f"same {name}" in text for text in warned(kept, range(5, 7), group=owner)
                   for name in (owner, "PATIENT_ID"))  # fmt: skip


def test_samples_of_no_patient_are_not_of_one(tmp_path):
    matrix(tmp_path)
    owners = [f"P{n // 2}" if n < 10 else None for n in range(ROWS)]
    targets(tmp_path, "sheet.csv", sample=IDS, case=owners, dx=LABELS)
    targets(tmp_path, "patients.csv", order=range(5), case=[f"P{n}" for n in range(5)], age=[1] * 5)
    dataset = loaded(tmp_path, targets=["sheet.csv", "patients.csv"])
    assert len(dataset) == ROWS and not warned(dataset, [8, 9, 10])
    assert "1 of them, such as 'P0'" in warned(dataset, [1, 8, 9])[0]


def test_samples_without_a_row_of_their_patient_are_counted(tmp_path):
    matrix(tmp_path)
    owners = [f"P{n // 2}" for n in range(ROWS)]
    targets(tmp_path, "sheet.csv", sample=IDS, case=owners)
    targets(tmp_path, "patients.csv", order=range(3), case=["P0", "P2", "P9"], dx=["a", "b", "c"])
    dataset = loaded(tmp_path, targets=["sheet.csv", "patients.csv"])
    assert list(dataset.samples) == [*IDS[:2], *IDS[4:6]]
    assert list(dataset.targets) == ["a", "a", "b", "b"]
    assert any("8 of 12 samples have no row" in text and "1 of its 3 rows" in text
               for _, text in dataset.warnings)  # fmt: skip


def test_numbers_that_come_several_times_are_no_patients(tmp_path):
    matrix(tmp_path, stage=[1, 2, 3, 4] * 3)
    targets(tmp_path, order=range(4), id=[1, 2, 3, 4], dx=list("abcd"))
    with pytest.raises(InputError, match="no sample id is in both files"):
        loaded(tmp_path)


def test_files_of_targets_may_share_a_column_of_the_same_values(tmp_path):
    matrix(tmp_path)
    ages = [*range(30, 30 + ROWS - 2), None, None]
    targets(tmp_path, "a.csv", sample=IDS, dx=LABELS, age=ages)
    targets(tmp_path, "b.csv", order=ORDER[::-1], sample=IDS, age=[*range(30, 30 + ROWS)])
    given = {"targets": ["a.csv", "b.csv"], "target": ["age"]}
    dataset = loaded(tmp_path, "regression", **given)
    assert dataset.targets[:, 0].tolist() == list(range(30, 30 + ROWS))


# Numbers of rows ----------------------------------------------------------------------------


def numbered(folder, name, first=1):
    """Put numbers of rows before a table, as R and pandas write them."""
    frame = pd.read_csv(folder / name)
    frame.set_axis(range(first, first + len(frame))).to_csv(folder / name)


COUNT = [str(number) for number in range(1, ROWS + 1)]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("heading", ["patient", "Subject"])
@pytest.mark.parametrize("which", [("x.csv",), ("y.csv",), ("x.csv", "y.csv")])
def test_numbers_of_rows_give_way_to_numbers_that_name_samples(tmp_path, first, heading, which):
    frame = pd.DataFrame(VALUES, columns=["TP53", "MYC", "EGFR", "KRAS"])
    frame.insert(0, heading, COUNT)
    frame.iloc[ORDER[::-1]].to_csv(tmp_path / "x.csv", index=False)
    targets(tmp_path, dx=LABELS, **{heading: COUNT})
    for name in which:
        numbered(tmp_path, name, first)
    dataset = loaded(tmp_path)
    rows = [COUNT.index(name) for name in dataset.samples]
    assert list(dataset.targets) == list(LABELS[rows]) and len(dataset.features) == 4
    np.testing.assert_allclose(dataset.values, VALUES[rows])
    assert not dataset.warnings


def test_numbers_of_rows_give_way_to_a_column_that_both_files_have(tmp_path):
    frame = pd.DataFrame(VALUES, columns=["TP53", "MYC", "EGFR", "KRAS"]).assign(key=COUNT)
    frame.iloc[ORDER[::-1]].to_csv(tmp_path / "x.csv", index=False)
    targets(tmp_path, dx=LABELS, key=COUNT)
    numbered(tmp_path, "x.csv")
    dataset = loaded(tmp_path)
    rows = [COUNT.index(name) for name in dataset.samples]
    assert list(dataset.targets) == list(LABELS[rows]) and "key" not in dataset.features


def test_numbers_of_rows_that_were_shuffled_in_one_file_give_way_too(tmp_path):
    frame = pd.DataFrame(VALUES, columns=["TP53", "MYC", "EGFR", "KRAS"]).assign(code=COUNT)
    frame.iloc[ORDER[::-1]].to_csv(tmp_path / "x.csv")
    targets(tmp_path, dx=LABELS, code=COUNT)
    numbered(tmp_path, "y.csv", 0)
    dataset = loaded(tmp_path)
    rows = [COUNT.index(name) for name in dataset.samples]
    assert list(dataset.targets) == list(LABELS[rows]) and "code" not in dataset.features
    frame.drop(columns="code").iloc[ORDER].to_csv(tmp_path / "x.csv")
    assert "matched by these numbers" in loaded(tmp_path).warnings[0][1]


def test_numbers_of_rows_alone_are_the_order_which_is_a_warning(tmp_path):
    matrix(tmp_path, None)
    targets(tmp_path, order=range(ROWS), dx=LABELS)
    for name in ("x.csv", "y.csv"):
        numbered(tmp_path, name)
    dataset = loaded(tmp_path)
    assert list(dataset.targets) == list(LABELS)
    ((about, text),) = dataset.warnings
    assert about == "matching" and "matched by these numbers, which cannot be checked" in text


COUNTED = {
    "before ids of which some have no sample": (
        {"": COUNT, "sample": [*COUNT[:-3], "70", "71", "72"]}, None
    ),
    "before ids that come twice": (
        {"": COUNT, "sample": ["001", *[f"{n:03d}" for n in range(1, ROWS)]]},
        "rows would be matched by the sample ids .* only count its rows, but the column 'sample'",
    ),
    "ranks beside ids below an unusual heading": (
        {"rank": COUNT, "run": [*COUNT[:-3], "70", "71", "72"]},
        "by the column 'rank' .*the column 'run' of it would match 9 of 12",
    ),
    "ranks beside ids with more before them": (
        {"rank": COUNT, "sample": [f"proj_{name}" for name in [*COUNT[:-1], "70"]]},
        "the column 'sample' of it would match 11 of 12 .*ignoring what stands before",
    ),
    "shuffled numbers of rows": ({"": COUNT[::-1], "sample": COUNT}, None),
    "before ids that count too": (
        {"": COUNT, "run": COUNT}, "the sample ids and the column 'run' of the second both have"
    ),
    "other persons beside ids with more behind some": (
        {"run": [*(f"{n}_T1" for n in COUNT[:-1]), "x"], "subject": [*COUNT[3:7], *range(50, 58)]},
        "the column 'subject' .* has 4 of 12 .*it would match 11, ignoring what stands behind",
    ),
    "other persons beside numbers that repeat": (
        {"run": [*COUNT[:-1], "3"], "subject": [*COUNT[3:7], *range(50, 58)]},
        "the column 'subject' .* has 4 of 12 .*'run' of it would match 10",
    ),
    "other persons beside ids that repeat": (
        {"sample": [*COUNT[:-1], "3"], "subject": [*COUNT[3:7], *map(str, range(50, 58))]},
        r"the column 'subject' .* has 4 of 12 .*'sample' of it would match 10 \(1 more are in"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COUNTED)
def test_numbers_that_count_rows_do_not_go_before_ids(tmp_path, case):
    columns, refusal = COUNTED[case]
    ids = [name.zfill(3) for name in COUNT] if "twice" in case else COUNT
    matrix(tmp_path, ids)
    targets(tmp_path, order=range(ROWS), dx=LABELS)
    # The ids are in another order than the numbers of the rows.
    frame = pd.read_csv(tmp_path / "y.csv")
    for place, (name, cells) in enumerate(columns.items()):
        is_count = name in ("", "rank")
        frame.insert(place, name, cells if is_count else np.asarray(cells, object)[ORDER])
    frame["dx"] = LABELS[ORDER]
    frame.to_csv(tmp_path / "y.csv", index=False)
    if refusal:
        with pytest.raises(InputError, match=f"{refusal}.*set data.id"):
            loaded(tmp_path)
        return
    dataset = loaded(tmp_path)
    rows = [ids.index(name) for name in dataset.samples]
    assert list(dataset.targets) == list(LABELS[rows])
    lost = sum(name not in ids for name in columns["sample"])
    assert len(rows) == ROWS - lost and len(dataset.warnings) == bool(lost)


@pytest.mark.parametrize("form", [str, str.lower])
def test_ids_in_a_later_column_that_come_twice_are_named(tmp_path, form):
    matrix(tmp_path)
    targets(tmp_path, age=[40] * ROWS, sample=[*map(form, [*IDS[:-1], IDS[0]])], dx=LABELS)
    with pytest.raises(InputError, match="y.csv: sample: duplicate sample id: 'SRR100'"):
        loaded(tmp_path)


def test_ids_that_come_twice_and_have_more_behind_them_are_not_matched_by_order(tmp_path):
    matrix(tmp_path)
    targets(tmp_path, age=[40] * ROWS, library=[f"{n}_T1" for n in [*IDS[:-1], IDS[0]]], dx=LABELS)
    with pytest.raises(InputError, match="no sample id is in both.*in the column 'library'"):
        loaded(tmp_path)


@pytest.mark.parametrize("heading", ["s", "dates"])
def test_ids_that_capitals_made_the_same_are_not_matched_by_order(tmp_path, heading):
    ids = [f"{'Ss'[number % 2]}{number // 2}" for number in range(ROWS)]
    matrix(tmp_path, ids=ids)
    targets(tmp_path, **{heading: [name.upper() for name in ids]}, dx=LABELS)
    with pytest.raises(InputError, match=f"y.csv: {heading}: duplicate sample id: 'S0'"):
        loaded(tmp_path)


def test_numbers_that_come_twice_are_no_ids_of_numbered_rows(tmp_path):
    matrix(tmp_path, ids=range(1, ROWS + 1))
    targets(tmp_path, order=np.arange(ROWS), stage=[1 + row // 3 for row in range(ROWS)], dx=LABELS)
    np.testing.assert_array_equal(loaded(tmp_path).targets, LABELS)
