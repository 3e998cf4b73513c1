"""Genes meet those of training by their names, by those of a file, or by one rule that is said."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset, load_labelled, table_of, write_rows
from autogenome_tf.data._gene_names import aligned
from autogenome_tf.data._new_rows import load_new
from autogenome_tf.data._reader import ReadOptions

ROWS = 12
SYMBOLS = ["TP53", "HLA-A", "MYC", "NKX2-1"]
ENSEMBL = [f"ENSG{number:011d}.{number % 7}" for number in (141510, 206503, 136997, 136352)]
VALUES = np.random.default_rng(0).normal(6, 1, (ROWS, 4)).round(3)


def frame(names=SYMBOLS):
    """The values below names."""
    return pd.DataFrame(VALUES, columns=names, index=[f"S{n}" for n in range(ROWS)])


def rows(names):
    """The values as a `Dataset`."""
    samples = np.array([f"S{n}" for n in range(ROWS)], object)
    return Dataset(VALUES.astype("float32"), samples, list(names), source="new.csv")


NEAR = {
    "case": (SYMBOLS, ["Tp53", "Hla-a", "Myc", "Nkx2-1"], "upper and lower case"),
    "R's points": (SYMBOLS, [name.replace("-", ".") for name in SYMBOLS], "the signs between"),
    "another version": (ENSEMBL, [f"{name[:15]}.99" for name in ENSEMBL], "the version of Ensembl"),
    "without a version": (ENSEMBL, [name[:15] for name in ENSEMBL], "the version of Ensembl"),
    "TCGA's Entrez ids": (SYMBOLS, [f"{name}|{n}" for n, name in enumerate(SYMBOLS)],
                          "behind the symbol"),
    "DepMap's Entrez ids": (SYMBOLS, [f"{name} ({n})" for n, name in enumerate(SYMBOLS)],
                            "behind the symbol"),
}  # fmt: skip


@pytest.mark.parametrize("case", NEAR)
def test_genes_that_differ_by_one_rule_are_the_same_and_it_is_said(case):
    ours, theirs, rule = NEAR[case]
    order = [2, 0, 3, 1]
    new = rows([*np.array(theirs)[order]])
    found = aligned(new, ours)
    assert found.features == list(ours)
    np.testing.assert_array_equal(found.values[:, order], new.values)
    ((about, text),) = found.warnings
    assert about == "names" and rule in text and repr(str(theirs[2])) not in SYMBOLS


def test_genes_that_a_rule_explains_in_part_are_refused_with_a_hint():
    with pytest.raises(InputError, match="lacks 3 of the 4 .* case, 2 of them match"):
        aligned(rows(["TP53", "hla-a", "myc", "other"]), SYMBOLS)


Y = [f"ENSG{number:011d}.{number % 7}" for number in range(20)]
Y[1] = f"{Y[0]}_PAR_Y"


@pytest.mark.parametrize("on_y", ["ENSG00000000000_PAR_Y", "ENSG00000000000.9_PAR_Y",
                                  "ENSGR0000000000", "ENSGR0000000000.3"])  # fmt: skip
def test_genes_of_y_that_x_has_too_keep_apart_without_versions(on_y):
    names = [name.partition(".")[0] for name in Y]
    names[1] = on_y
    table = dataclasses.replace(rows(names), values=np.tile(VALUES.astype("float32"), 5))
    assert aligned(table, Y).features == Y
    np.testing.assert_array_equal(aligned(table, Y).values, table.values)


def test_genes_that_are_absent_do_not_keep_a_rule_from_the_others():
    names = [name.partition(".")[0] for name in Y]
    names[1] = f"{names[0]}_PAR_Y"
    kept = [place for place in range(20) if place != 7]
    values = np.tile(VALUES.astype("float32"), 5)
    table = dataclasses.replace(
        rows([names[place] for place in kept]), values=values[:, kept]
    )  # fmt: skip
    found = aligned(table, Y, may_lack=True)
    assert found.lacking == (Y[7],) and found.features == Y
    np.testing.assert_array_equal(found.values[:, kept], values[:, kept])
    assert np.isnan(found.values[:, 7]).all()
    with pytest.raises(InputError, match=f"lacks 1 of the 20 genes of training: '{Y[7]}'"):
        aligned(table, Y)


def test_names_that_come_in_place_of_all_are_named():
    with pytest.raises(
        InputError, match=r"'MYC'\. The rows have 'hg38_TP53', 'hg38_MYC' instead\."
    ):
        aligned(rows(["hg38_TP53", "hg38_MYC"]), ["TP53", "MYC"])


def test_new_rows_may_lie_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    frame(["TP53", "MYC", "KRAS", "EGFR"]).to_csv(tmp_path / "new.csv")
    data = Config.of({"name": "t", "data": {"features": "x.csv"}}).data
    assert load_new(data, "~/new.csv", ["MYC", "TP53"]).features == ["MYC", "TP53"]


def test_dates_in_place_of_a_gene_that_lacks_are_named(tmp_path, caplog):
    names = ["TP53", "MYC", "1-Mar", "KRAS"]
    wanted = ["TP53", "MYC", "MARCHF1", "KRAS"]
    found = aligned(
        dataclasses.replace(rows(names), values=np.ones((12, 4), "float32")), wanted, True
    )
    text = "A spreadsheet may have made '1-Mar' of a gene such as 'MARCHF1': restore it."
    assert text in found.warnings[0][1] and found.lacking == ("MARCHF1",)
    frame(names).to_csv(tmp_path / "new.csv")
    data = Config.of({"name": "t", "data": {"features": "x.csv"}}).data
    assert load_new(data, str(tmp_path / "new.csv"), wanted).lacking == ("MARCHF1",)
    assert text in caplog.text


def test_new_rows_of_one_value_are_named(tmp_path, caplog):
    names = [f"g{place}" for place in range(25)]
    values = np.random.default_rng(0).poisson(30, (ROWS, 25))
    values[3] = 0
    frame = pd.DataFrame(values, columns=names, index=[f"S{n}" for n in range(ROWS)])
    load_new(Config.of({"name": "t", "data": {"features": "x.csv"}}).data, frame, names)
    assert "1 samples have the same value in all genes, such as 'S3'" in caplog.text


def test_two_genes_that_a_rule_makes_one_are_refused():
    with pytest.raises(InputError, match="lacks 1 of the 2 genes of training: 'TP53'"):
        aligned(rows(["Tp53", "tp53", "MYC", "x"]), ["TP53", "MYC"])


# data.gene_names ----------------------------------------------------------------------------


def settings(folder, pairs=None, **data):
    """The `data` section of a config with a file of names."""
    pairs = pairs or ["gene,symbol", *map(",".join, zip(ENSEMBL, SYMBOLS, strict=True))]
    (folder / "names.csv").write_text("\n".join(pairs) + "\n")
    given = {"features": "x.csv", "target": "dx", "gene_names": "names.csv"} | data
    return Config.of({"name": "t", "data": given}).resolved(folder).data


def write(folder, names, name="x.csv"):
    """Write the values and labels below names."""
    path = folder / name
    frame(names).assign(dx=["a", "b"] * 6).to_csv(path, index_label="sample")
    return str(path)


def test_genes_are_renamed_by_a_file(tmp_path):
    write(tmp_path, ENSEMBL)
    assert load_labelled(settings(tmp_path), "classification").features == SYMBOLS


def test_a_file_without_versions_renames_genes_with_versions(tmp_path):
    pairs = [
        f"{name.split('.')[0]},{symbol}" for name, symbol in zip(ENSEMBL, SYMBOLS, strict=True)
    ]
    write(tmp_path, [f"{name.split('.')[0]}.{n}" for n, name in enumerate(ENSEMBL, 3)])
    dataset = load_labelled(settings(tmp_path, pairs), "classification")
    assert dataset.features == SYMBOLS
    ((about, text),) = dataset.warnings
    assert about == "names" and "but for the version of Ensembl ids" in text


@pytest.mark.parametrize("names", [ENSEMBL, SYMBOLS])
def test_new_rows_may_have_the_names_of_either_column(tmp_path, names):
    data = settings(tmp_path)
    for new in (write(tmp_path, names, "new.csv"), frame(names)):
        dataset = load_new(data, new, SYMBOLS[::-1])
        np.testing.assert_allclose(dataset.values, VALUES[:, ::-1], rtol=1e-6)


def test_genes_without_a_name_keep_theirs(tmp_path):
    write(tmp_path, ENSEMBL)
    pairs = [f"{ENSEMBL[0]}\tTP53", f"{ENSEMBL[1]}\t", "unknown\tX"]
    found = load_labelled(settings(tmp_path, pairs), "classification").features
    assert found == ["TP53", *ENSEMBL[1:]]


def test_two_genes_of_one_name_are_names_that_repeat(tmp_path):
    write(tmp_path, ENSEMBL)
    pairs = [f"{ENSEMBL[0]},TP53", f"{ENSEMBL[1]},TP53"]
    with pytest.raises(InputError, match="duplicate gene name: 'TP53'"):
        load_labelled(settings(tmp_path, pairs), "classification")
    data = settings(tmp_path, pairs, duplicates="mean")
    dataset = load_labelled(data, "classification")
    np.testing.assert_allclose(dataset.values[:, 0], VALUES[:, :2].mean(axis=1), rtol=1e-6)


def test_rows_in_memory_are_renamed(tmp_path):
    options = ReadOptions.of(settings(tmp_path))
    assert table_of(frame(ENSEMBL), options=options).features == SYMBOLS
    write_rows(tmp_path / "x.npz", frame(ENSEMBL), ["a", "b"] * 6, options=options)
    assert list(np.load(tmp_path / "x.npz")["features"]) == SYMBOLS


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["a,b,c"], "names.csv line 1: received 3 columns; expected two"),
        (["a,b", "a,c"], "names.csv line 2: its first name is on an earlier line"),
        (
            ["a,b", "c,d"],
            "none of the names in data.gene_names is one of its genes, such as 'TP53'",
        ),
    ],
)
def test_wrong_files_of_names_are_refused(tmp_path, pairs, said):
    write(tmp_path, SYMBOLS)
    with pytest.raises(InputError, match=said):
        load_labelled(settings(tmp_path, pairs), "classification")


@pytest.mark.parametrize("form", ["{}", "{}|1", "{} (1)"])
def test_new_rows_lie_the_other_way_though_genes_are_written_otherwise(tmp_path, form):
    frame = pd.DataFrame([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], ["s1", "s2"], SYMBOLS[:3])
    turned = frame.rename(columns=form.format).T
    turned.insert(0, "chr", [1, 2, 3])
    turned.to_csv(tmp_path / "new.csv")
    data = Config.of({"name": "t", "data": {"features": "x.csv"}}).data
    dataset = load_new(data, str(tmp_path / "new.csv"), SYMBOLS[:3])
    assert list(dataset.samples) == ["s1", "s2"]
    np.testing.assert_allclose(dataset.values, frame)


def test_a_header_of_entrez_ids_alone_is_one(tmp_path):
    genes = ["7157", "672", "4609"]
    pd.DataFrame([[1.0, 2.0, 3.0]], columns=genes).to_csv(tmp_path / "new.csv", index=False)
    data = Config.of({"name": "t", "data": {"features": "x.csv"}}).data
    dataset = load_new(data, str(tmp_path / "new.csv"), genes)
    np.testing.assert_allclose(dataset.values, [[1, 2, 3]])
