"""Tables with what programs and spreadsheets of the field leave in them: right, or a warning."""

import gzip

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import RunData, audit, read_table
from autogenome_tf.data._new_rows import load_new

COUNT, GENES = 24, ["TP53", "MYC", "EGFR", "KRAS", "PTEN", "ESR1"]
IDS = [f"S{number:02d}" for number in range(COUNT)]
LABELS = pd.Series(
    ["tumour" if number % 2 else "normal" for number in range(COUNT)],
    index=pd.Index(IDS, name="sample"), name="type",
)  # fmt: skip
VALUES = pd.DataFrame(
    np.random.default_rng(0).integers(200, 900, (COUNT, len(GENES))), LABELS.index, GENES
)
MATRIX, TARGETS = VALUES.to_csv(), LABELS.to_csv()
HTSEQ = ["__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned",
         "__alignment_not_unique"]  # fmt: skip
STAR = ["N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"]
BARCODES = [
    f"TCGA-A1-A{number // 2:03d}-{'01' if number % 2 else '11'}A-11R-A115-07"
    for number in range(COUNT)
]


def config_of(folder, matrix, targets=None, task="classification", **data):
    """The config of a matrix and its targets, given as text or bytes."""
    for name, content in (("x.csv", matrix), ("y.csv", targets)):
        if content is not None:
            content = content if isinstance(content, bytes) else content.encode()
            (folder / name).write_bytes(content)
    named = {"features": str(folder / "x.csv"), "target": "type", **data}
    if targets is not None:
        named["targets"] = str(folder / "y.csv")
    return Config.of({"name": "t", "data": named, "task": {"type": task}})


def loaded(folder, *files, **options):
    """The rows of a matrix and its targets, their split, and what is doubted of them."""
    config = config_of(folder, *files, **options)
    dataset, parts = RunData(config.data, config.task).labelled
    return dataset, audit(dataset, parts, config.task.type, config.data.group)


def texts(found, about):
    """The texts of the warnings about a subject."""
    return [one["text"] for one in found if one["about"] == about]


def beside(names, count=9000):
    """Rows of counts for names, each of another size."""
    sizes = np.arange(count, count + len(names) * COUNT).reshape(len(names), COUNT)
    return pd.DataFrame(sizes, names, IDS)


# Programs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("names", [HTSEQ, STAR])
def test_counts_of_reads_without_a_gene_are_no_genes(tmp_path, names, is_turned):
    table = pd.concat([beside(names), VALUES.T]).rename_axis("gene_id")
    text = table.T.to_csv(index_label="sample") if is_turned else table.to_csv()
    dataset, found = loaded(tmp_path, text, TARGETS)
    assert dataset.features == GENES
    np.testing.assert_array_equal(dataset.values, VALUES)
    (said,) = texts(found, "names")
    assert f"{len(names)} columns count reads without a gene" in said and names[0] in said


def test_a_model_that_has_learned_such_counts_keeps_them(tmp_path):
    new = pd.concat([VALUES, beside(STAR).T], axis=1)
    new.to_csv(tmp_path / "x.csv", index_label="sample")
    data = Config.of({"name": "t", "data": {"features": "x.csv"}}).data
    assert load_new(data, str(tmp_path / "x.csv"), [*GENES, "N_unmapped"]).features[-1] == STAR[0]


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_total_is_no_gene(tmp_path, is_turned):
    table = VALUES.assign(Total=VALUES.sum(axis=1))
    text = table.T.to_csv(index_label="gene") if is_turned else table.to_csv()
    _, found = loaded(tmp_path, text, TARGETS)
    (said,) = texts(found, "columns")
    assert "'Total' (the sum of all others)" in said and 'data.exclude ["Total"]' in said


def test_a_row_of_means_is_no_sample(tmp_path):
    means = VALUES.mean().round(1).rename("Average").to_frame().T
    labels = pd.concat([LABELS, pd.Series({"Average": "normal"})])
    _, found = loaded(
        tmp_path, pd.concat([VALUES, means]).to_csv(),
        labels.rename("type").to_csv(index_label="sample"),
    )  # fmt: skip
    assert any("'Average' is the mean of all others" in text for text in texts(found, "columns"))


def test_a_row_of_totals_is_no_sample(tmp_path):
    table = pd.concat([VALUES, VALUES.sum().to_frame("All").T]).rename_axis("sample")
    dataset, _ = loaded(tmp_path, table.to_csv(), TARGETS)
    assert list(dataset.samples) == IDS
    config = config_of(tmp_path, table.to_csv(), task="representation", target=None)
    dataset, parts = RunData(config.data, config.task).labelled
    (said,) = texts(audit(dataset, parts, "representation"), "columns")
    assert "The sample 'All' is the sum of all others" in said


def test_genes_alone_are_no_totals(tmp_path):
    assert texts(loaded(tmp_path, MATRIX, TARGETS)[1], "columns") == []
    shares = VALUES.div(VALUES.sum(axis=1), axis=0)
    assert texts(loaded(tmp_path, shares.to_csv(), TARGETS)[1], "columns") == []


QUANTITIES = {
    "quant.sf": "Name\tLength\tTPM\tNumReads\nTP53\t9\t1.5\t1\nMYC\t9\t2\t3\n",
    "s1_quant.sf": "Name\tLength\tTPM\nTP53\t9\t1.5\nMYC\t9\t2\n",
    "s1.ReadsPerGene.out.tab": "N_unmapped\t5\t5\t5\nTP53\t1.5\t1\t0\nMYC\t2\t1\t0\n",
}  # fmt: skip


@pytest.mark.parametrize("name", QUANTITIES)
def test_the_file_of_one_sample_is_a_matrix_of_one_row(tmp_path, name):
    folder = tmp_path / "s1"
    folder.mkdir()
    (folder / name).write_text(QUANTITIES[name])
    table = read_table(folder / name)
    assert table.samples == ["s1"] and table.features == ["TP53", "MYC"]
    np.testing.assert_array_equal(table.values, [[1.5, 2]])


def test_reads_without_a_gene_are_no_id_of_new_rows(tmp_path):
    lines = [f"{gene}\t{place}" for place, gene in enumerate(GENES)]
    (tmp_path / "s1.counts.txt").write_text("\n".join([*lines, "__no_feature\t99"]))
    data = Config.of({"name": "t", "data": {"features": "x.csv"}}).data
    new = load_new(data, str(tmp_path / "s1.counts.txt"), GENES)
    assert list(new.samples) != ["99"]
    np.testing.assert_array_equal(new.values, [range(6)])


# Spreadsheets ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["1-Mar", "2-Sep", "Dec-01", "2021-03-01 00:00:00", "2.31E+13", "1,00E+05"]
)
def test_a_gene_that_a_spreadsheet_has_renamed_is_named(tmp_path, name):
    text = VALUES.rename(columns={"MYC": name}).to_csv()
    (said,) = texts(loaded(tmp_path, text, TARGETS)[1], "names")
    assert f"made of names such as MARCH1 or 2310009E13: '{name}'" in said


def test_columns_that_are_all_dates_are_what_they_are(tmp_path):
    months = VALUES.set_axis([f"{number}-Mar" for number in range(1, 7)], axis=1)
    assert texts(loaded(tmp_path, months.to_csv(), TARGETS)[1], "names") == []


@pytest.mark.parametrize(
    ("first", "second"),
    [("TRUE", "1"), ("True", "true"), ("1", "1.0"), ("'a'", "a"), ("A", "a "),
     ("caf\u00e9", "cafe\u0301"), ("\uff21", "a"), ("a", "a\u200b"), ("T-cell", "T cell"),
     ("T_1", "T\u20131"), ("Y", "yes"), ("male", "M"), ("neg", "-"), ("Stage IIA", "stage 2a")],
)  # fmt: skip
def test_classes_that_are_written_in_two_ways_are_named(tmp_path, first, second):
    labels = LABELS.where(np.arange(COUNT) < 10, LABELS.replace("tumour", second))
    labels = labels.replace("tumour", first)
    (said,) = [
        text for text in texts(loaded(tmp_path, MATRIX, labels.to_csv())[1], "classes")
        if "differ only by" in text
    ]  # fmt: skip
    assert repr(first) in said and repr(second.strip()) in said


@pytest.mark.parametrize("word", ["?", "-", "UNKNOWN", "n.d.", "Missing"])
def test_a_class_that_may_stand_for_a_missing_label_is_named(tmp_path, word):
    labels = LABELS.where(np.arange(COUNT) < 20, word)
    (said,) = [
        text for text in texts(loaded(tmp_path, MATRIX, labels.to_csv())[1], "classes")
        if "missing label" in text
    ]  # fmt: skip
    assert f"Class {word!r} (4 rows)" in said and f'data.missing_words ["{word}"]' in said


def test_a_minus_beside_a_plus_is_no_missing_label(tmp_path):
    labels = LABELS.where(np.arange(COUNT) < 16, np.where(np.arange(COUNT) % 2, "+", "-"))
    said = texts(loaded(tmp_path, MATRIX, labels.to_csv())[1], "classes")
    assert not any("missing label" in text for text in said)


def test_classes_of_signs_alone_stand_for_themselves(tmp_path):
    labels = LABELS.replace({"tumour": "+", "normal": "-"})
    said = texts(loaded(tmp_path, MATRIX, labels.to_csv())[1], "classes")
    assert not any("missing label" in text for text in said)


@pytest.mark.parametrize("blank", ["  ", "\u00a0", "\t"])
def test_blanks_behind_labels_and_ids_are_none(tmp_path, blank):
    targets = TARGETS.replace("normal", f"normal{blank}", 5).replace("S03", f"S03{blank}")
    dataset, _ = loaded(tmp_path, MATRIX, targets)
    assert list(dataset.targets) == list(LABELS)


@pytest.mark.parametrize(
    "value", ["85%", ">90", "3.1 mg", "2019-03-01", "Inf", "-Infinity", "1.#INF", "1e999"]
)
def test_values_that_are_no_numbers_are_refused_with_their_sample(tmp_path, value):
    numbers = "".join(f"{name},{value if name == 'S04' else 1.5}\n" for name in IDS)
    with pytest.raises(InputError, match="y.csv: type: sample S04: expected a number; received"):
        loaded(tmp_path, MATRIX, "sample,type\n" + numbers, task="regression")


@pytest.mark.parametrize(
    ("value", "plain"),
    [("85%", 85), (">90", 90), ("3.1 mg", 3.1), ("7 346", 7346), ("\u22120.5", -0.5),
     ("7'346", 7346), ("7.3D+00", 7.3)],
)  # fmt: skip
def test_numbers_with_other_signs_are_refused_with_the_number(tmp_path, value, plain):
    numbers = "".join(f"{name},{value if name == 'S04' else 1.5}\n" for name in IDS)
    with pytest.raises(InputError) as of_target:
        loaded(tmp_path, MATRIX, "sample,type\n" + numbers, task="regression")
    cells = VALUES.astype(object)
    cells.iloc[4, 2] = value
    with pytest.raises(InputError, match='data.exclude: \\["EGFR"\\]. In genes write') as of_gene:
        loaded(tmp_path, cells.to_csv(), TARGETS)
    cells.iloc[:] = value
    with pytest.raises(InputError) as of_all:
        loaded(tmp_path, cells.to_csv(), TARGETS)
    for error in (of_target, of_gene, of_all):
        assert float(str(error.value).split("such as ")[-1].rstrip(".")) == plain


@pytest.mark.parametrize("word", ["ND", "<LOD", "n.a."])
def test_a_word_in_several_genes_may_stand_for_a_missing_value(tmp_path, word):
    cells = VALUES.astype(object).mask(VALUES < 400, word)
    with pytest.raises(InputError, match=f'set data.missing_words ."{word}"'):
        loaded(tmp_path, cells.to_csv(), TARGETS)
    data = {"missing": "mean", "missing_words": [word]}
    assert np.isnan(loaded(tmp_path, cells.to_csv(), TARGETS, **data)[0].values).any()


@pytest.mark.parametrize(
    ("cells", "way"),
    [(["7,345"], "a point before decimals and nothing between thousands"),
     (["high", "low"], "set task.type classification"),
     (["n.d.", 2, 3], r'leave the cell empty, or set data.missing_words \["n.d."\]')],
)  # fmt: skip
def test_targets_that_are_no_numbers_are_refused_with_a_way_out(tmp_path, cells, way):
    numbers = "".join(
        f'{name},"{value}"\n' for name, value in zip(IDS, cells * COUNT, strict=False)
    )
    numbers += 'S99,"1.5"\n' if cells == ["7,345"] else ""
    with pytest.raises(InputError, match=f"type: sample S00: expected a number; .*{way}"):
        loaded(tmp_path, MATRIX, "sample,type\n" + numbers, task="regression")


@pytest.mark.parametrize("value", ["Infinity", "-Inf", "1.#INF", "1e999"])
def test_infinite_values_are_refused_with_their_place(tmp_path, value):
    cells = MATRIX.splitlines()
    cells[4] = ",".join([*cells[4].split(",")[:3], value, *cells[4].split(",")[4:]])
    with pytest.raises(InputError, match="x.csv line 5, column 'EGFR': received"):
        loaded(tmp_path, "\n".join(cells), TARGETS)


def test_scientific_numbers_with_decimal_commas_are_read(tmp_path):
    text = VALUES.map(lambda value: f"{value:.3e}".replace(".", ",")).to_csv(sep=";")
    dataset, _ = loaded(tmp_path, text, TARGETS)
    np.testing.assert_array_equal(dataset.values, VALUES)


def test_a_header_in_the_middle_is_refused_in_a_matrix_and_passed_over_in_targets(tmp_path):
    lines, labels = MATRIX.splitlines(), TARGETS.splitlines()
    with pytest.raises(InputError, match="x.csv line 11.*a second header"):
        loaded(tmp_path, "\n".join([*lines[:10], lines[0], *lines[10:]]), TARGETS)
    dataset, _ = loaded(tmp_path, MATRIX, "\n".join([*labels[:10], labels[0], *labels[10:]]))
    assert list(dataset.targets) == list(LABELS)


@pytest.mark.parametrize("name", ["S00, replicate", '5" S00', "S00; left"])
def test_quoted_ids_may_hold_delimiters_and_quotes(tmp_path, name):
    names = [name.replace("S00", own) for own in IDS]
    text = VALUES.set_axis(names).to_csv(index_label="sample")
    targets = LABELS.set_axis(names).sample(frac=1, random_state=1).to_csv(index_label="sample")
    dataset, _ = loaded(tmp_path, text, targets)
    assert list(dataset.samples) == names and list(dataset.targets) == list(LABELS)


def test_levels_that_are_written_in_two_ways_are_named(tmp_path):
    targets = LABELS.to_frame().assign(site=["A", "a", "b"] * (COUNT // 3)).to_csv()
    _, found = loaded(tmp_path, MATRIX, targets, sites=["site"])
    assert "site: 1 levels are written in several ways" in texts(found, "sites")[0]
    config = config_of(tmp_path, MATRIX, targets, "representation", covariates=["site"])
    dataset, parts = RunData(config.data, config.task).labelled
    found = audit(dataset, parts, "representation")
    assert texts(found, "covariates") and not texts(found, "names")


def test_covariates_of_one_level_or_of_the_labels_are_warned_of(tmp_path):
    targets = LABELS.to_frame().assign(site="A", run=["x", "y"] * (COUNT // 2)).to_csv()
    covariates = ["site", "type", "run"]
    config = config_of(tmp_path, MATRIX, targets, "representation", covariates=covariates)
    dataset, parts = RunData(config.data, config.task).labelled
    one, labels = texts(audit(dataset, parts, "representation"), "covariates")
    assert "site has one level, 'site=A', and tells the decoder nothing" in one
    assert "type is data.target too. The decoder gets it" in labels


def test_columns_that_describe_genes_are_no_samples(tmp_path):
    beside = pd.DataFrame(
        {"chromosome_name": 1, "gc_content": 0.4, "adj.P.Val": 0.1, "Mean": 5.0}, GENES
    )
    pd.concat([beside, VALUES.T], axis=1).to_csv(tmp_path / "x.csv", index_label="gene_id")
    assert read_table(tmp_path / "x.csv").samples == IDS


# People ------------------------------------------------------------------------------------


def test_samples_of_one_patient_on_both_sides_are_named(tmp_path):
    files = (frame.set_axis(BARCODES).to_csv(index_label="sample") for frame in (VALUES, LABELS))
    dataset, found = loaded(tmp_path, *files)
    (said,) = texts(found, "group")
    assert "Samples of the same patient" in said and "data.split.group" in said
    owners = [name[:12] for name in dataset.samples]
    beside = LABELS.set_axis(BARCODES).to_frame().assign(patient=owners)
    _, found = loaded(tmp_path, VALUES.set_axis(BARCODES).to_csv(), beside.to_csv())
    (said,) = texts(found, "group")
    assert 'Set data.split.group to "patient"' in said
    grouped = VALUES.set_axis(BARCODES).assign(owner=owners, type=LABELS.to_numpy())
    _, found = loaded(
        tmp_path, grouped.to_csv(index_label="sample"), split={"group": "owner"}, target="type"
    )
    assert texts(found, "group") == []


def test_one_sample_a_patient_is_no_reason_for_a_warning(tmp_path):
    names = [f"TCGA-A1-A{number:03d}-01" for number in range(COUNT)]
    files = (frame.set_axis(names).to_csv(index_label="sample") for frame in (VALUES, LABELS))
    assert texts(loaded(tmp_path, *files)[1], "group") == []


def test_patients_do_not_stand_for_their_samples(tmp_path):
    owners = sorted({name[:12] for name in BARCODES})
    labels = pd.Series(["dead", "alive"] * (COUNT // 4), owners, name="type")
    with pytest.raises(InputError, match="in both.*would then be the same: give each sample a row"):
        loaded(
            tmp_path, VALUES.set_axis(BARCODES).to_csv(index_label="sample"),
            labels.to_csv(index_label="bcr_patient_barcode"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("form", "owner"),
    [
        ("GTEX-1A{:02d}-000{}-SM-5", "donor"),
        ("x{:02d}_rep{}", "sample"),
        ("P.{:02d}.Rep.{}", "sample"),
    ],
)
def test_donors_and_replicates_on_both_sides_are_named(tmp_path, form, owner):
    names = [form.format(number // 2, number % 2) for number in range(COUNT)]
    files = (frame.set_axis(names).to_csv(index_label="sample") for frame in (VALUES, LABELS))
    (said,) = texts(loaded(tmp_path, *files)[1], "group")
    assert f"Samples of the same {owner} are in both" in said and f"of {owner}s and name it" in said


def test_groups_of_one_row_each_are_named(tmp_path):
    files = (frame.set_axis(BARCODES) for frame in (VALUES, LABELS))
    values, labels = (frame.rename_axis("sample") for frame in files)
    targets = labels.reset_index().assign(aliquot=BARCODES).to_csv(index=False)
    one, patients = sorted(
        texts(loaded(tmp_path, values.to_csv(), targets, split={"group": "aliquot"})[1], "group"),
        reverse=True,
    )
    assert "each row is a group of its own" in one and "Samples of the same patient" in patients


def test_groups_that_are_written_in_two_ways_are_named(tmp_path):
    groups = [f"D{n // 3} " if n % 3 else f"d{n // 3}" for n in range(COUNT)]
    table = VALUES.assign(donor=groups, type=LABELS)
    _, found = loaded(tmp_path, table.to_csv(), split={"group": "donor"})
    (said,) = texts(found, "group")
    assert "8 groups are written in several ways, such as 'd0', 'D0'" in said


@pytest.mark.parametrize("blank", ["NA", " ", "[Not Available]"])
def test_a_row_without_a_group_is_refused(tmp_path, blank):
    groups = [blank if n == 3 else f"d{n // 3}" for n in range(COUNT)]
    table = VALUES.assign(donor=groups, type=LABELS)
    with pytest.raises(InputError, match="donor: missing for 1 samples, first 'S03'"):
        loaded(tmp_path, table.to_csv(), split={"group": "donor"})


# Single cells ------------------------------------------------------------------------------


def test_counts_beside_z_scores_are_named_and_can_be_asked_for(tmp_path):
    anndata = pytest.importorskip("anndata")
    z = ((VALUES - VALUES.mean()) / VALUES.std()).to_numpy("float32")
    data = anndata.AnnData(z, pd.DataFrame(index=IDS), pd.DataFrame(index=GENES))
    data.raw = anndata.AnnData(VALUES.to_numpy("float32"), data.obs, data.var)
    data.write_h5ad(tmp_path / "raw.h5ad")
    with pytest.raises(
        InputError, match="data.matrix: unknown name 'counts'; expected one of: raw"
    ):
        read_table(tmp_path / "raw.h5ad", matrix="counts")
    np.testing.assert_array_equal(read_table(tmp_path / "raw.h5ad", matrix="raw").values, VALUES)
    data.layers["counts"] = VALUES.to_numpy("float32")
    data.write_h5ad(tmp_path / "x.h5ad")
    table = read_table(tmp_path / "x.h5ad")
    np.testing.assert_array_equal(table.values, z)
    assert "h5ad, X (data.matrix: 'raw', 'counts'), 24 samples" in table.said
    np.testing.assert_array_equal(read_table(tmp_path / "x.h5ad", matrix="counts").values, VALUES)


# Files that are no tables --------------------------------------------------------------------

NO_TABLES = {
    "page": (b"\n<!DOCTYPE html>\n<html><body>404</body></html>\n", "a web page"),
    "pdf": (b"%PDF-1.7\n1 0 obj\n", "a PDF"),
    "zip": (b"PK\x03\x04\x14\x00\x00\x00x.csv", "a zip archive"),
    "parquet": (b"PAR1\x15\x04", r"must end in \.parquet"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"save it as \.xlsx"),
    "feather": (b"ARROW1\0\0", "read_feather"),
    "npy": (b"\x93NUMPY\x01\0", "numpy.savez"),
    "R": (gzip.compress(b"X\n\0\0\0\x03\0\4"), "write.csv"),
    "mtx": (b"%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 3\n", "name its folder"),
    "tar": (gzip.compress(b"x.csv".ljust(257, b"\0") + b"ustar\0".ljust(255)), "archive"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "git lfs"),
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_files_that_are_no_tables_are_named(tmp_path, name):
    content, said = NO_TABLES[name]
    with pytest.raises(InputError, match=f"x.csv: the file is .*{said}"):
        loaded(tmp_path, content, TARGETS)
    with pytest.raises(InputError, match=f"y.csv: the file is .*{said}"):
        loaded(tmp_path, MATRIX, content)
    (tmp_path / "x.unknown").write_bytes(content)
    with pytest.raises(InputError, match=f"x.unknown: the file is .*{said}"):
        read_table(tmp_path / "x.unknown")


def test_a_file_of_targets_in_place_of_the_matrix_is_named(tmp_path):
    with pytest.raises(InputError, match="x.csv: received no genes: .* Is it a file of targets?"):
        loaded(tmp_path, TARGETS, TARGETS)


@pytest.mark.parametrize("name", ["HiSeqV2", "HiSeqV2.gz", "expression.cct"])
def test_a_table_of_text_under_another_name_is_refused_with_the_names_of_such(tmp_path, name):
    is_packed = name.endswith(".gz")
    (tmp_path / name).write_bytes(gzip.compress(MATRIX.encode()) if is_packed else MATRIX.encode())
    with pytest.raises(InputError, match=r"unknown kind.* text needs a name that ends in \.tsv,"):
        read_table(tmp_path / name)


def test_a_title_above_targets_is_refused_by_its_line(tmp_path):
    given = LABELS.to_frame().assign(age=50)
    with pytest.raises(InputError, match="y.csv line 1: received 1 cells; expected 3"):
        loaded(tmp_path, MATRIX, "Cohort of 2020\n" + given.to_csv())


def test_patients_of_tumours_and_normal_tissue_are_named(tmp_path):
    names = [f"TCGA-A1-A{n:03d}-{'01' if n % 3 else '11'}A" for n in range(COUNT)]
    labels = LABELS.set_axis([name[:12] for name in names]).rename_axis("patient")
    _, found = loaded(tmp_path, VALUES.set_axis(names).to_csv(index_label="id"), labels.to_csv())
    (text,) = texts(found, "matching")
    assert "samples are of several kinds (01, 11: 01 is a tumour" in text


# Weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("heavy", [1e6, 1e29, 1e-24])
def test_rows_that_have_nearly_all_of_the_weight_are_named(tmp_path, heavy):
    given = pd.DataFrame({"type": LABELS, "w": 1.0 if heavy > 1 else 1e-29})
    given.loc["S03", "w"] = heavy
    _, found = loaded(tmp_path, MATRIX, given.to_csv(), weight="w")
    (text,) = texts(found, "weights")
    assert "24 rows count as 1 of equal weight; sample S03 alone has 100%" in text


@pytest.mark.parametrize("weight", [0, -1, "", "inf", 1e-300, 1e300])
def test_a_weight_that_is_none_in_single_precision_is_refused(tmp_path, weight):
    given = pd.DataFrame({"type": LABELS, "w": 1.0}).astype({"w": object})
    given.loc["S03", "w"] = weight
    with pytest.raises(InputError, match="sample S03: expected a finite number above 0 .1e-30 to"):
        loaded(tmp_path, MATRIX, given.to_csv(), weight="w")


@pytest.mark.parametrize("small", [1e-29, 0.01, 1.0])
def test_weights_of_classes_are_not_doubted(tmp_path, small):
    given = pd.DataFrame({"type": LABELS, "w": np.where(LABELS == "normal", 1.0, small)})
    _, found = loaded(tmp_path, MATRIX, given.to_csv(), weight="w")
    assert not texts(found, "weights")


@pytest.mark.parametrize("count", [COUNT, 6])
def test_a_covariate_that_names_single_samples_is_doubted(tmp_path, count):
    ages = VALUES.assign(age=[30.5 + number % count for number in range(COUNT)])
    dataset, found = loaded(
        tmp_path, ages.to_csv(), task="representation", target=None, covariates=["age"]
    )
    assert dataset.covariates == count
    assert any("age has 24 values in 24 samples" in one for one in texts(found, "covariates")) == (
        count == COUNT
    )
