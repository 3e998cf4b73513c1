"""Containers of several matrices, spreadsheets, and folders with a file a sample."""

import datetime
import gzip
import json
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from tables import dense

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import (
    ReadOptions,
    find_reader,
    load_labelled,
    read_columns,
    read_table,
    table_of,
)
from autogenome_tf.data._optional import optional

CELLS, GENES = ["c1", "c2", "c3"], ["TP53", "MYC", "EGFR", "KRAS"]
VALUES = np.array([[0, 1.5, -2, 3e4], [0, 0, 1e-3, 7], [5, 0, 0, 0]], np.float32)


def refused(source, call=read_table, **options):
    """The message that a source is refused with; it names the source."""
    with pytest.raises(InputError) as caught:
        call(str(source), **options)
    assert str(source) in str(caught.value)
    return str(caught.value)


def loaded(data):
    """The labelled rows of a config's `data` section."""
    return load_labelled(Config.of({"name": "t", "data": data}).data, "classification")


def annotated(sparse=False):
    """VALUES as an AnnData with a layer of ones and cell types."""
    anndata = pytest.importorskip("anndata")
    obs = pd.DataFrame({"type": pd.Categorical(["T", "B", "nan"])}, CELLS)
    x = scipy.sparse.csr_matrix(VALUES) if sparse else VALUES
    ones = np.ones_like(VALUES)
    return anndata.AnnData(x, obs, pd.DataFrame(index=GENES), layers={"ones": ones})


def assert_is_annotated(table):
    """Check a table against `annotated`."""
    assert table.samples == CELLS and table.features == GENES
    np.testing.assert_array_equal(dense(table), VALUES)
    assert list(table.extra["type"]) == ["T", "B", None]


def written_zarr(folder, version=2, sparse=False):
    """Write the AnnData as a folder of zarr."""
    anndata = pytest.importorskip("anndata")
    pytest.importorskip("zarr", minversion="3")
    with anndata.settings.override(zarr_write_format=version), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of formats to come
        annotated(sparse).write_zarr(folder / "x.zarr")
    return folder / "x.zarr"


# h5ad, zarr -------------------------------------------------------------------------------------


def test_a_layer_of_h5ad_is_the_matrix_where_it_is_named(tmp_path):
    annotated().write_h5ad(tmp_path / "x.h5ad")
    assert_is_annotated(read_table(tmp_path / "x.h5ad"))
    assert (dense(read_table(tmp_path / "x.h5ad", matrix="ones")) == 1).all()
    said = refused(tmp_path / "x.h5ad", matrix="one")
    assert "data.matrix: unknown name 'one'" in said and "Did you mean 'ones'?" in said


def test_numbered_genes_that_have_names_beside_are_a_warning(tmp_path):
    data = annotated()
    names = list(data.var_names)
    data.var["length"], data.var["symbol"] = 7.5, names
    assert not table_of(data).warnings
    data.var_names = [str(number) for number in range(data.n_vars)]
    data.write_h5ad(tmp_path / "x.h5ad")
    for table in (table_of(data), read_table(tmp_path / "x.h5ad")):
        ((about, said),) = table.warnings
        assert about == "names" and "data.var_names = data.var['symbol']" in said
    del data.var["symbol"]
    assert not table_of(data).warnings


def with_raw():
    """`annotated` whose X has two genes, and which keeps all of them as `raw`."""
    whole = annotated()
    chosen = whole[:, :2].copy()
    chosen.X, chosen.raw = np.zeros((3, 2), np.float32), whole
    return chosen


def test_raw_is_the_matrix_of_all_genes(tmp_path):
    pytest.importorskip("zarr", minversion="3")
    with_raw().write_h5ad(tmp_path / "x.h5ad")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of formats to come
        with_raw().write_zarr(tmp_path / "x.zarr")
    for path in (tmp_path / "x.h5ad", tmp_path / "x.zarr"):
        assert read_table(path).features == GENES[:2]
        assert_is_annotated(read_table(path, matrix="raw"))
        assert "expected one of: ones, raw" in refused(path, matrix="x")
    assert "(data.matrix: 'raw', 'ones')" in read_table(tmp_path / "x.h5ad").said
    annotated().write_h5ad(tmp_path / "x.h5ad")
    assert "unknown name 'raw'" in refused(tmp_path / "x.h5ad", matrix="raw")


def test_a_layer_named_raw_is_that_layer(tmp_path):
    data = with_raw()
    data.layers["raw"] = np.full((3, 2), 7, np.float32)
    data.write_h5ad(tmp_path / "x.h5ad")
    assert (dense(read_table(tmp_path / "x.h5ad", matrix="raw")) == 7).all()


def test_new_rows_in_memory_are_read_from_the_layer_of_training():
    ones = table_of(annotated(), options=ReadOptions(matrix="ones"))
    assert (dense(ones) == 1).all() and "layer 'ones'" in ones.said and not ones.warnings
    raw = table_of(with_raw(), options=ReadOptions(matrix="raw"))
    other = table_of(annotated(), options=ReadOptions(matrix="counts"))
    for table in (raw, other):
        assert table.samples == CELLS and table.features == GENES
        np.testing.assert_array_equal(dense(table), VALUES)
    ((about, text),) = other.warnings
    assert about == "values" and "no layer 'counts'" in text and "X is read" in text


@pytest.mark.parametrize("limit", [10, 1 << 20])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("version", [2, 3])
def test_an_annotated_matrix_in_zarr_is_read(tmp_path, sparse, version, limit):
    path = written_zarr(tmp_path, version, sparse)
    for source in (str(path), f"{path}/"):
        table = read_table(source, limit=limit)
        assert_is_annotated(table)
        assert scipy.sparse.issparse(table.values) == sparse and "zarr" in table.said
    assert (dense(read_table(path, matrix="ones")) == 1).all()


def test_zarr_that_unpickles_is_refused(tmp_path):
    path = written_zarr(tmp_path)
    about = path / "X" / ".zarray"
    found = json.loads(about.read_text()) | {"filters": [{"id": "pickle"}]}
    about.write_text(json.dumps(found))
    assert "packed by 'pickle'" in refused(path)


def test_zarr_that_claims_much_or_is_damaged_is_refused(tmp_path):
    path = written_zarr(tmp_path)
    about = path / "X" / ".zarray"
    whole = json.loads(about.read_text())
    about.write_text(json.dumps(whole | {"shape": [10**7, 10**7]}))
    assert "unpacks to" in refused(path)
    for text in ("[]", "{", json.dumps(whole | {"shape": ["x"]})):
        about.write_text(text)
        assert "not the description of an array" in refused(path)
    about.unlink()
    about.symlink_to(path / "obs")
    assert "a link" in refused(path)


def test_a_folder_of_zarr_without_names_is_refused(tmp_path):
    (tmp_path / "x.zarr").mkdir()
    assert "x.zarr" in refused(tmp_path / "x.zarr")
    assert "no such file" in refused(tmp_path / "y.zarr")
    (tmp_path / "z.zarr").write_text("x")
    assert "expected a folder of zarr" in refused(tmp_path / "z.zarr")


# h5mu -------------------------------------------------------------------------------------------


def write_h5mu(path, *modalities):
    """Write modalities as MuData does, with a column of all cells beside them."""
    h5py, anndata = pytest.importorskip("h5py"), pytest.importorskip("anndata")
    with h5py.File(path, "w") as file:
        for name in modalities:
            anndata.io.write_elem(file, f"mod/{name}", annotated(sparse=name == "rna"))
        every = pd.DataFrame({"donor": ["d1", "d2", "d3", "d4"]}, [*CELLS[::-1], "c4"])
        anndata.io.write_elem(file, "obs", every)
    return path


def test_a_named_modality_of_h5mu_is_read_with_what_is_said_of_all_cells(tmp_path):
    path = write_h5mu(tmp_path / "x.h5mu", "rna", "prot")
    table = read_table(path, matrix="rna")
    assert_is_annotated(table)
    assert scipy.sparse.issparse(table.values) and "modality 'rna'" in table.said
    assert list(table.extra["donor"]) == ["d3", "d2", "d1"]


def test_a_modality_need_not_be_named_where_there_is_one(tmp_path):
    assert_is_annotated(read_table(write_h5mu(tmp_path / "x.h5mu", "rna")))
    several = write_h5mu(tmp_path / "y.h5mu", "rna", "prot")
    said = refused(several)
    assert "'prot', 'rna'" in said and "data.matrix" in said
    assert "unknown name 'rma'" in refused(several, matrix="rma")


@pytest.mark.parametrize("suffix", [".h5mu", ".loom"])
def test_other_and_damaged_hdf5_is_refused(tmp_path, suffix):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / f"x{suffix}"
    with h5py.File(path, "w") as file:
        file["weights"] = VALUES
    assert f"not a readable {suffix} file" in refused(path)
    path.write_bytes(path.read_bytes()[:300])
    assert "not a readable HDF5 file" in refused(path)


# loom -------------------------------------------------------------------------------------------


def write_loom(path, values=VALUES, genes="Gene", cells="CellID"):
    """Write a matrix as loompy does: genes in rows, attributes beside them."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.create_dataset("matrix", data=values.T, chunks=(2, 2), compression="gzip")
        file.create_dataset("layers/ones", data=np.ones_like(values.T))
        file[f"row_attrs/{genes}"] = np.array(GENES, object)
        file[f"col_attrs/{cells}"] = np.array(CELLS, object)
        file["col_attrs/type"] = np.array(["T", "B", "Unknown"], "S")
        file["col_attrs/age"] = np.array([1, 2, 3])
        file["col_attrs/pca"] = np.zeros((3, 2))
    return path


@pytest.mark.parametrize("limit", [10, 1 << 20])
def test_a_loom_file_is_read_with_attributes_of_cells(tmp_path, limit, monkeypatch):
    monkeypatch.setattr("autogenome_tf.data.readers.loom._BAND", 8)
    path = write_loom(tmp_path / "x.loom")
    table = read_table(path, limit=limit)
    assert table.samples == CELLS and table.features == GENES
    np.testing.assert_array_equal(dense(table), VALUES)
    assert list(table.extra["type"]) == ["T", "B", None] and list(table.extra["age"]) == [1, 2, 3]
    assert "pca" not in table.extra and table.orientation == "genes_by_samples"
    assert (dense(read_table(path, matrix="ones")) == 1).all()
    assert "expected one of: ones" in refused(path, matrix="twos")


def test_a_loom_of_zeros_is_sparse_and_one_of_numbers_is_not(tmp_path):
    assert not scipy.sparse.issparse(read_table(write_loom(tmp_path / "x.loom", VALUES + 1)).values)
    few = read_table(write_loom(tmp_path / "y.loom", VALUES * (VALUES > 6)))
    assert scipy.sparse.isspmatrix_csr(few.values)


def test_a_loom_without_usual_names_has_none(tmp_path):
    table = read_table(write_loom(tmp_path / "x.loom", genes="what", cells="who"))
    assert table.samples is None and table.features[0] == "feature_1"
    assert list(table.extra["who"]) == CELLS


# parquet ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", ["index", "named index", "column", "chosen rows"])
def test_parquet_is_a_file_of_targets(tmp_path, ids):
    frame = pd.DataFrame({"stage": pd.Categorical(["II ", None]), "dead": [True, False],
                          "days": [12.0, np.nan], "2020": [1, 2]}, ["x", "y"])  # fmt: skip
    if ids != "index":
        frame = frame.rename_axis("patient")
    if ids in ("column", "chosen rows"):
        frame = frame.reset_index()
    if ids == "chosen rows":
        frame.index = [7, 9]
    frame.to_parquet(tmp_path / "y.parquet")
    found = read_columns(tmp_path / "y.parquet")
    found = found if ids != "chosen rows" else found.set_index("patient")
    assert list(found.index) == ["x", "y"]
    assert found[["stage", "dead", "days", "2020"]].to_numpy().tolist() == [
        ["II", "True", "12", "1"], [None, "False", None, "2"],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["y.npz", "y.h5ad", "y.loom"])
def test_a_matrix_is_no_file_of_targets(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\r\x01")
    said = refused(tmp_path / name, read_columns)
    assert "not read as targets" in said and "name one in data.target" in said


# xlsx -------------------------------------------------------------------------------------------


def write_xlsx(path, *sheets):
    """Write sheets of rows of cells, named A, B, C ..."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in zip("ABC", sheets, strict=False):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


SHEET = [["sample", "TP53", "MYC", "type"], ["x", 1, 2.5, "T"], ["y", "NA", 3.0, "#N/A"]]


def test_the_first_sheet_or_a_named_one_is_the_matrix(tmp_path):
    other = [["gene_id", "S1", "S2"], ["ENSG1", 1, 2], ["ENSG2", 3, None]]
    path = write_xlsx(tmp_path / "x.xlsx", SHEET, other)
    table = read_table(path, columns=["type"])
    assert table.samples == ["x", "y"] and table.features == ["TP53", "MYC"]
    np.testing.assert_array_equal(table.values, [[1, 2.5], [np.nan, 3]])
    assert list(table.extra["type"]) == ["T", None] and "sheet 'A' of 2" in table.said
    table = read_table(path, matrix="B")
    assert table.samples == ["S1", "S2"] and table.features == ["ENSG1", "ENSG2"]
    np.testing.assert_array_equal(table.values, [[1, 3], [2, np.nan]])
    assert "unknown name 'C'" in refused(path, matrix="C")


def test_titles_above_a_sheet_and_empty_rows_below_are_passed_over(tmp_path):
    rows = [["Table S1. Expression"], [], *SHEET, [], [None, None]]
    table = read_table(write_xlsx(tmp_path / "x.xlsx", rows), columns=["type"])
    assert table.samples == ["x", "y"] and table.features == ["TP53", "MYC"]


def test_a_sheet_is_a_file_of_targets(tmp_path):
    rows = [["patient", "stage", "seen"], [101.0, "II", datetime.date(2024, 3, 1)], [102, None, 7]]
    frame = read_columns(str(write_xlsx(tmp_path / "y.xlsx", rows)))
    assert list(frame.index) == ["101", "102"] and list(frame["stage"]) == ["II", None]
    assert (
        frame["seen"].iloc[0].startswith("2024-03-01") and "sheet 'A' of 1" in frame.attrs["said"]
    )


LABELS = [["sample", "stage", "age"], ["x", "II", 40], ["y", "I", 50]]


def test_the_sheet_with_the_columns_is_that_of_the_targets(tmp_path):
    path = str(write_xlsx(tmp_path / "y.xlsx", SHEET, [["Table S2"], *LABELS]))
    frame = read_columns(path, columns=("stage", "age"))
    assert list(frame["stage"]) == ["II", "I"] and list(frame.index) == ["x", "y"]
    assert "sheet 'B' of 2 (beside 'A')" in frame.attrs["said"]
    assert list(read_columns(path)["type"]) == ["T", None]  # no columns are named
    frame = read_columns(path, columns=("stage",), targets_sheet="A")
    assert list(frame["type"]) == ["T", None]
    with pytest.raises(InputError, match="data.targets_sheet: unknown name 'b'.*A, B"):
        read_columns(path, targets_sheet="b")


def test_several_sheets_with_the_columns_are_a_warning(tmp_path):
    path = str(write_xlsx(tmp_path / "y.xlsx", SHEET, LABELS, LABELS[:1] + LABELS[:0:-1]))
    data = {"features": path, "targets": path, "target": "stage", "exclude": ["type"]}
    doubts = [text for about, text in loaded(data).warnings if about == "columns"]
    assert len(doubts) == 1 and "'B' is read; 'C' could be meant" in doubts[0]
    assert not loaded(data | {"targets_sheet": "C"}).warnings


def test_an_error_in_the_first_of_several_sheets_names_the_others(tmp_path):
    path = write_xlsx(tmp_path / "x.xlsx", [["about"], ["our data"]], SHEET)
    said = refused(path, columns=["type"])
    assert "sheet 'A' of 2 (beside 'B'); data.matrix names another" in said
    said = refused(path, options=ReadOptions(genes=frozenset(["TP53", "MYC"])))
    assert "place the matrix first" in said and "data.matrix" not in said
    assert "This was read" not in refused(path, columns=["type"], matrix="A")


def test_a_sheet_is_asked_for_of_files_that_have_sheets(tmp_path):
    matrix = write_xlsx(tmp_path / "x.xlsx", SHEET)
    (tmp_path / "y.csv").write_text("sample,stage\nx,II\ny,I\n")
    data = {"features": str(matrix), "targets": str(tmp_path / "y.csv"), "target": "stage"}
    with pytest.raises(InputError, match="data.targets_sheet: received 'A'.*no file.*sheets"):
        loaded(data | {"targets_sheet": "A"})


def test_labels_that_are_elsewhere_are_a_matter_of_targets(tmp_path):
    path = str(write_xlsx(tmp_path / "x.xlsx", SHEET, LABELS))
    with pytest.raises(InputError, match="'stage'.*another sheet, need data.targets"):
        loaded({"features": path, "target": "stage", "exclude": ["type"]})


def test_genes_that_a_spreadsheet_made_dates_of_are_refused(tmp_path):
    date = datetime.datetime(2024, 3, 1)
    said = refused(write_xlsx(tmp_path / "x.xlsx", [["gene", "S1"], ["TP53", 1], [date, 2]]))
    assert "row 3, column 1" in said and "2024-03-01" in said and "MARCH1" in said
    assert "row 1, column 2" in refused(write_xlsx(tmp_path / "y.xlsx", [["id", date], ["x", 1]]))


def test_wrong_and_damaged_spreadsheets_are_refused(tmp_path):
    path = write_xlsx(tmp_path / "x.xlsx", [*SHEET, ["z", "high", 1, "T"]])
    assert "line 4, column 'TP53': received 'high'" in refused(path, columns=["type"])
    assert "empty" in refused(write_xlsx(tmp_path / "y.xlsx", []))
    path.write_bytes(path.read_bytes()[:900])
    assert "not a readable .xlsx file" in refused(path)
    with zipfile.ZipFile(tmp_path / "z.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (9 << 20))
    assert "unpacks to" in refused(tmp_path / "z.xlsx", limit=1 << 20, expansion=20)


# Folders of quantities --------------------------------------------------------------------------

SALMON = "Name\tLength\tEffectiveLength\tTPM\tNumReads\nT1\t9\t8\t{0}\t1{0}\nT2\t9\t8\t{1}\t1{1}\n"
KALLISTO = (
    "target_id\tlength\teff_length\test_counts\ttpm\nT1\t9\t8\t1{0}\t{0}\nT2\t9\t8\t1{1}\t{1}\n"
)
RSEM = (
    "gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM\n"
    "T1\ta,b\t9\t8\t1{0}\t{0}\t0\nT2\tc\t9\t8\t1{1}\t{1}\t0\n"
)
STAR = "N_unmapped\t5\t5\t5\nN_ambiguous\t1\t1\t1\nT1\t{0}\t1{0}\t0\nT2\t{1}\t1{1}\t0\n"
HTSEQ = "T1\t{0}\nT2\t{1}\n__no_feature\t99\n__ambiguous\t9\n"
GDC = (
    "# gene-model: GENCODE v36\ngene_id\tgene_name\tgene_type\tunstranded\ttpm_unstranded\n"
    "N_unmapped\t\t\t5\t\nT1\tA\tx\t{0}\t1{0}\nT2\tB\tx\t{1}\t1{1}\n"
)
# Text of a file, a place of the file of a sample, another column of it.
FOLDERS = {
    "Salmon": (SALMON, "{}/quant.sf", "NumReads"),
    "Salmon, packed": (SALMON, "{}/quant.sf.gz", "NumReads"),
    "Salmon, genes": (SALMON, "{}/quant.genes.sf", "NumReads"),
    "Salmon, side by side": (SALMON, "{}_quant.sf", "NumReads"),
    "kallisto": (KALLISTO, "{}/abundance.tsv", "est_counts"),
    "RSEM": (RSEM, "{}.genes.results", "expected_count"),
    "STAR": (STAR, "{}.ReadsPerGene.out.tab", "forward"),
    "STAR, nothing between": (STAR, "{}ReadsPerGene.out.tab", "forward"),
    "STAR in folders": (STAR, "{}/ReadsPerGene.out.tab", "forward"),
    "HTSeq as text": (HTSEQ, "{}_counts.txt.gz", None),
    "HTSeq": (HTSEQ, "{}.htseq.counts.gz", None),
    "GDC": (GDC, "{}/other-uuid.rna_seq.augmented_star_gene_counts.tsv", "tpm_unstranded"),
}


def write_folder(folder, text, place):
    """Write the files of two samples."""
    for sample, values in (("s1", (1, 2)), ("s2", (3, 4))):
        path = folder / place.format(sample)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = text.format(*values).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return folder


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_with_a_file_a_sample_is_a_matrix(tmp_path, case):
    text, place, other = FOLDERS[case]
    folder = write_folder(tmp_path / "run", text, place)
    (folder / "logs").mkdir()
    table = read_table(folder)
    assert type(find_reader(str(folder))).__name__ == "Quantities"
    assert table.samples == ["s1", "s2"] and table.features == ["T1", "T2"]
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])
    assert table.said.startswith("run: ")
    if other:
        np.testing.assert_array_equal(read_table(folder, matrix=other).values, [[11, 12], [13, 14]])
    assert "data.matrix: unknown name 'x'" in str(
        pytest.raises(InputError, read_table, folder, matrix="x").value
    )


def test_genes_of_quantities_may_come_in_another_order(tmp_path):
    folder = write_folder(tmp_path / "run", SALMON, "{}/quant.sf")
    lines = SALMON.format(3, 4).splitlines()
    (folder / "s2" / "quant.sf").write_text("\n".join([lines[0], lines[2], lines[1]]))
    np.testing.assert_array_equal(read_table(folder).values, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda text: text.replace("T2", "T3"), "different genes from the first file"),
        (lambda text: text.replace("TPM", "tpm"), "unknown name 'TPM'"),
        (lambda text: text.replace("\t14", ""), "line 3: received 4 cells; expected 5"),
        (lambda text: text.replace("\t4\t", "\thigh\t"), "line 3, column 'TPM': received 'high'"),
        (lambda text: text.splitlines()[0], "no quantity"),
        (lambda text: "", "is empty"),
    ],
)  # fmt: skip
def test_a_file_of_quantities_that_differs_is_named(tmp_path, change, part):
    folder = write_folder(tmp_path / "run", SALMON, "{}/quant.sf")
    path = folder / "s2" / "quant.sf"
    path.write_text(change(path.read_text()))
    said = str(pytest.raises(InputError, read_table, folder).value)
    assert str(path) in said and part in said


def test_two_files_of_one_sample_are_refused(tmp_path):
    folder = write_folder(tmp_path / "run", SALMON, "{}_quant.sf")
    write_folder(tmp_path / "run" / "more", SALMON, "{}_quant.sf")
    assert "both belong to the sample 's1'" in refused(folder)


def test_quantities_meet_a_sample_sheet_of_gdc(tmp_path):
    folder = write_folder(tmp_path / "run", GDC, "{}/x.rna_seq.augmented_star_gene_counts.tsv")
    sheet = "File ID\tFile Name\tCase ID\tSample Type\ns2\tb\tP1\tNormal\ns1\ta\tP1\tTumor\n"
    (tmp_path / "sheet.tsv").write_text(sheet)
    asked = {
        "features": str(folder),
        "targets": str(tmp_path / "sheet.tsv"),
        "target": "Sample Type",
    }
    dataset = load_labelled(Config.of({"name": "t", "data": asked}).data, "classification")
    assert list(dataset.samples) == ["s1", "s2"] and list(dataset.targets) == ["Tumor", "Normal"]


# All kinds --------------------------------------------------------------------------------------


def test_a_matrix_that_a_kind_cannot_have_is_refused(tmp_path):
    (tmp_path / "x.tsv").write_text("sample\tA\nx\t1\n")
    said = refused(tmp_path / "x.tsv", matrix="rna")
    assert "data.matrix: received 'rna'" in said and ".h5mu" in said and "expected null" in said


@pytest.mark.parametrize(("package", "extra"), [("openpyxl", "excel"), ("zarr", "singlecell")])
def test_a_package_that_lacks_is_named_with_its_extra(monkeypatch, package, extra):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(InputError, match=rf"x\.y: needs the package '{package}'.*\[{extra}\]"):
        optional(package, extra, "x.y")
