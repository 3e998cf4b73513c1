"""What the readers promise: every format gives the same table, every bad input one clear error."""

import bz2
import gzip
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse
from tables import dense

from autogenome_tf.core.errors import InputError
from autogenome_tf.core.growing import LIMIT
from autogenome_tf.data import _text_table
from autogenome_tf.data._layout import find_layout
from autogenome_tf.data._memory import table_of
from autogenome_tf.data._read import read_table, readers
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._scan import scan_rows
from autogenome_tf.data._targets import read_columns

SHARED = pathlib.Path(__file__).parents[3] / "shared" / "data"

SAMPLES = ["s1", "s2", "s3"]
GENES = ["TP53", "MYC", "EGFR", "KRAS"]
VALUES = np.array([[0, 1.5, -2, 3e4], [0, 0, 1e-3, 7], [5, 0, 0, 0.1]], np.float32)
FRAME = pd.DataFrame(VALUES, SAMPLES, GENES).rename_axis("sample")


def written(folder, name, content):
    """Write text or bytes and return the path as a user would type it."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def message(call, *arguments, **options):
    """The one line that a refused input is answered with."""
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_is_the_frame(table):
    """Check a table against FRAME."""
    assert table.samples == SAMPLES and table.features == GENES
    np.testing.assert_array_equal(dense(table), VALUES)


# Writers of one matrix in every format ----------------------------------------------------


def write_text(folder, suffix=".tsv", separator="\t"):
    """Write FRAME as text, compressed as the suffix says (pandas knows the same suffixes)."""
    path = folder / f"x{suffix}"
    FRAME.to_csv(path, sep=separator)
    return str(path)


def write_parquet(folder):
    """Write FRAME as Parquet, the index in pandas' way."""
    FRAME.astype(np.float64).to_parquet(folder / "x.parquet")
    return str(folder / "x.parquet")


def write_dense_npz(folder):
    """Write FRAME as the file that runs from a notebook leave behind."""
    np.savez(folder / "x.npz", values=VALUES, samples=SAMPLES, features=GENES)
    return str(folder / "x.npz")


def write_sparse_npz(folder, **more):
    """Write FRAME as `scipy.sparse.save_npz` does, with names beside it."""
    csr = scipy.sparse.csr_matrix(VALUES)
    parts = {"data": csr.data, "indices": csr.indices, "indptr": csr.indptr}
    about = {"format": b"csr", "shape": csr.shape, "samples": SAMPLES, "genes": GENES}
    np.savez(folder / "sparse.npz", **{**parts, **about, **more})
    return str(folder / "sparse.npz")


def annotated():
    """FRAME as an AnnData with a column of cell types."""
    anndata = pytest.importorskip("anndata")
    obs = pd.DataFrame({"type": pd.Categorical(["T", "B", "T"])}, SAMPLES)
    return anndata.AnnData(scipy.sparse.csr_matrix(VALUES), obs, pd.DataFrame(index=GENES))


def write_h5ad(folder):
    """Write the AnnData."""
    annotated().write_h5ad(folder / "x.h5ad")
    return str(folder / "x.h5ad")


def write_tenx_folder(folder, zipped=True):
    """Write FRAME as Cell Ranger does: genes in rows."""
    folder = folder / "tenx"
    folder.mkdir()
    scipy.io.mmwrite(folder / "matrix.mtx", scipy.sparse.coo_matrix(VALUES.T))
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in SAMPLES))
    rows = [f"ENSG{n}\t{name}\tGene Expression\n" for n, name in enumerate(GENES)]
    (folder / "features.tsv").write_text("".join(rows))
    for file in list(folder.iterdir()) if zipped else []:
        (folder / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    return str(folder)


def write_tenx_h5(folder, symbols=GENES, types=("Gene Expression",) * 4):
    """Write FRAME as Cell Ranger 3 does: compressed by barcode."""
    h5py = pytest.importorskip("h5py")
    csr = scipy.sparse.csr_matrix(VALUES)
    with h5py.File(folder / "x.h5", "w") as file:
        for name in ("data", "indices", "indptr"):
            file[f"matrix/{name}"] = getattr(csr, name)
        file["matrix/shape"] = VALUES.shape[::-1]
        file["matrix/barcodes"] = np.array(SAMPLES, "S")
        file["matrix/features/id"] = np.array([f"ENSG{n}" for n in range(4)], "S")
        file["matrix/features/name"] = np.array(symbols, "S")
        file["matrix/features/feature_type"] = np.array(types, "S")
    return str(folder / "x.h5")


WRITERS = [write_text, write_parquet, write_dense_npz, write_sparse_npz, write_h5ad]
WRITERS += [write_tenx_folder, write_tenx_h5]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_back_what_was_written(tmp_path, write):
    source = write(tmp_path)
    table = read_table(source)
    assert_is_the_frame(table)
    assert table.said.startswith(f"{pathlib.Path(source).name}: ")
    assert "3 samples x 4 features" in table.said and "\n" not in table.said


@pytest.mark.parametrize("write", [write_sparse_npz, write_h5ad, write_tenx_folder, write_tenx_h5])
def test_sparse_stays_sparse(tmp_path, write):
    assert scipy.sparse.isspmatrix_csr(read_table(write(tmp_path)).values)


@pytest.mark.parametrize("write", WRITERS)
def test_a_column_that_is_no_feature_is_set_aside(tmp_path, write):
    table = read_table(write(tmp_path), columns=["MYC", "absent"])
    assert table.features == ["TP53", "EGFR", "KRAS"]
    np.testing.assert_array_equal(dense(table), VALUES[:, [0, 2, 3]])
    assert list(table.extra["MYC"].astype(float)) == [1.5, 0, 0]
    assert "absent" not in table.extra


# Text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".zst"])
@pytest.mark.parametrize("kind", [".tsv", ".csv", ".txt"])
def test_compressed_text_is_read(tmp_path, kind, packed):
    assert_is_the_frame(read_table(write_text(tmp_path, kind + packed)))


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|", " "])
def test_the_delimiter_is_detected_and_can_be_given(tmp_path, separator):
    source = write_text(tmp_path, ".txt", separator)
    assert_is_the_frame(read_table(source))
    assert_is_the_frame(read_table(source, delimiter=separator))


def test_what_was_detected_is_said(tmp_path):
    said = "tab-separated, 3 samples x 4 features, first column is the sample id, header found"
    assert read_table(write_text(tmp_path)).said == f"x.tsv: {said}"


def test_text_equals_pandas(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 60)) * 10.0 ** rng.integers(-8, 8, 60))
    frame = frame.mask(rng.random(frame.shape) < 0.1).rename(str, axis=1).rename("s{}".format)
    frame.to_csv(tmp_path / "x.csv", na_rep="NA")
    expected = pd.read_csv(tmp_path / "x.csv", index_col=0)
    table = read_table(str(tmp_path / "x.csv"))
    assert table.samples == list(expected.index) and table.features == list(expected.columns)
    np.testing.assert_array_equal(table.values, expected.to_numpy(np.float32))


@pytest.mark.parametrize("separator", ["\t", " "])
def test_the_careful_reader_agrees_with_arrow(tmp_path, separator):
    source = write_text(tmp_path, ".txt", separator)
    layout = find_layout(source, ReadOptions())
    values, lists = scan_rows(source, layout, LIMIT)
    np.testing.assert_array_equal(values, read_table(source).values)
    assert lists == {0: SAMPLES}


def test_rows_longer_than_a_block_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(_text_table, "_BLOCK", 8)
    assert_is_the_frame(read_table(write_text(tmp_path)))


LAYOUTS = {
    "bare numbers": ("1.5 2\n3 4\n", None, ["feature_1", "feature_2"], [[1.5, 2], [3, 4]]),
    "an integer matrix that counts": ("0,1,2\n3,4,5\n", None, None, [[0, 1, 2], [3, 4, 5]]),
    "runs of blanks": (" 1  2 \n3 \t 4\n", None, ["feature_1", "feature_2"], [[1, 2], [3, 4]]),
    "one column": ("1\n2\n", None, ["feature_1"], [[1], [2]]),
    "one row": ("s1\t1\t2\n", ["s1"], ["feature_1", "feature_2"], [[1, 2]]),
    "ids without header": ("a,1\nb,2\n", ["a", "b"], ["feature_1"], [[1], [2]]),
    "R's write.table": (
        '"A" "B"\n"x y" 1 2\n"z" NA 4\n',
        ["x y", "z"],
        ["A", "B"],
        [[1, 2], [np.nan, 4]],
    ),
    "R's write.csv": ('"","A"\n"x",1\n"y",2\n', ["x", "y"], ["A"], [[1], [2]]),
    "pandas with a counted index": (
        ",A,B\n0,1,2\n1,3,4\n",
        ["0", "1"],
        ["A", "B"],
        [[1, 2], [3, 4]],
    ),
    "pandas with counted columns": ("0,1,2\n.5,7,8\n", None, ["0", "1", "2"], [[0.5, 7, 8]]),
    "Entrez ids": ("sample,7157,4609\n1001,.5,2\n", ["1001"], ["7157", "4609"], [[0.5, 2]]),
    "a missing first value": (
        ",1.5\n2,3\n",
        None,
        ["feature_1", "feature_2"],
        [[np.nan, 1.5], [2, 3]],
    ),
    "numbers under a gene's name": ("A,B\n1001,2\n", None, ["A", "B"], [[1001, 2]]),
    "Windows and a byte order mark": ("\ufeffid,A\r\n7,1\r\n\r\n", ["7"], ["A"], [[1]]),
    "a comma inside quotes": ('id,"A,1"\n"x, y",1\n', ["x, y"], ["A,1"], [[1]]),
    "a line end inside quotes": ('id,A\n"x\ny",1\nz,2\n', ["x\ny", "z"], ["A"], [[1], [2]]),
    "no line end": ("id\tA\nx\t1", ["x"], ["A"], [[1]]),
    "numbers below a name of ids": ("PatientID,A\n7,1\n9,2\n", ["7", "9"], ["A"], [[1], [2]]),
    "groups below donor": ("donor,A\n7,1\n9,2\n", None, ["donor", "A"], [[7, 1], [9, 2]]),
    "groups below an id": ("batchID,A\n1,1\n1,2\n", None, ["batchID", "A"], [[1, 1], [1, 2]]),
    "R's header with a blank in a name": ("lactic acid\tB\tC\nx\t1\t2\t3\ny\t4\t5\t6\n",
                                          ["x", "y"], ["lactic acid", "B", "C"],
                                          [[1, 2, 3], [4, 5, 6]]),
    "ids behind a number": ("age,sample,A\n31,x,1\n45,y,2\n", ["x", "y"], ["age", "A"],
                            [[31, 1], [45, 2]]),
    "empty rows without ids": ("A,B\n1,2\n,\n", None, ["A", "B"], [[1, 2], [np.nan, np.nan]]),
    "a spreadsheet's empty rows": ("id,A,B\nx,1,2\ny,,\n,,\n,,\n", ["x", "y"], ["A", "B"],
                                   [[1, 2], [np.nan, np.nan]]),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_layouts_are_recognised(tmp_path, case):
    content, samples, features, values = LAYOUTS[case]
    table = read_table(written(tmp_path, "x.txt", content))
    assert table.samples == samples
    assert features is None or table.features == features
    np.testing.assert_array_equal(table.values, np.array(values, np.float32))


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "null", "N/A", "None", ".", " NA "])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_missing_cells_become_nan(tmp_path, cell, separator):
    content = f"id,A,B\nx,{cell},1\ny,2,{cell}\n".replace(",", separator)
    expected = [[np.nan, 1], [2, np.nan]]
    np.testing.assert_array_equal(read_table(written(tmp_path, "x.tsv", content)).values, expected)


def test_named_columns_of_text_are_kept_as_they_stand(tmp_path):
    source = written(tmp_path, "x.csv", "id,A,type,B,grade\nx,1,tumour,2,01\ny,3,NA,4,02\n")
    table = read_table(source, columns=["type", "grade"])
    assert table.features == ["A", "B"] and list(table.extra.index) == ["x", "y"]
    assert table.extra.to_dict("list") == {"type": ["tumour", None], "grade": ["01", "02"]}


def test_a_target_in_the_first_column_is_no_sample_id(tmp_path):
    table = read_table(written(tmp_path, "x.csv", "type,A\nT,1\nT,2\n"), columns=["type"])
    assert table.samples is None and list(table.extra["type"]) == ["T", "T"]


BAD_TEXT = {
    "empty": ("", ["is empty"]),
    "blank": ("\n \n", ["is empty"]),
    "a quoted nothing": ('""', ["empty cells only"]),
    "empty cells": (",,\n,,\n", ["empty cells only"]),
    "old Macintosh": ("id,A\rx,1\r", ["line 1", "carriage returns"]),
    "an empty row between": ("id,A,B\nx,1,2\n,,\ny,1,2\n", ["sample id 2 of 3", "empty"]),
    "the named column twice": ("id,type,A,type\nx,T,1,B\n", ["duplicate column name", "'type'"]),
    "header only": ("sample,A,B\n", ["only a header"]),
    "ragged": ("id,A,B\nx,1,2\n\ny,3\n", ["line 4", "2 cells", "expected 3"]),
    "ragged far down": ("id,A\n" + "x,1\n" * 99 + "y,1,2\n", ["line 101", "3 cells", "expected 2"]),
    "two blanks in place of a value": ("id A B\nx 1 2\ny  3\n", ["line 3", "2 cells"]),
    "text": ("id,A,MYC\nx,1,2\ny,3,high\n", ["line 3", "'MYC'", "'high'", "number"]),
    "underscore": ("id,A\nx,1_000\n", ["line 2", "'A'", "'1_000'"]),
    "a decimal comma among points": (
        "id;A;B\nx;1.5;2\ny;1,5;2\n",
        ["line 2", "'A'", "'1.5'", "decimal comma"],
    ),
    "a point among decimal commas": ("id;A\n" + "x;1,5\n" * 9 + "y;1.5\n", ["line 11", "'1.5'"]),
    "thousands": ("id;A;B\nx;1,500;2\n", ["'1,500'", "1500 or 1.500", "thousands"]),
    "thousands far down": ("id;A\n" + "x;7\n" * 9 + "y;1,500\n", ["line 11", "'1,500'"]),
    "a cell behind the last name": ("id,A,\n" + "x,1,\n" * 9 + "y,2,3\n", ["column 3", "'3'"]),
    "a column of text": ("id,A,sex\nx,1,male\n", ["line 2", "'sex'", "'male'"]),
    "inf": ("id,A\nx,1\ny,inf\n", ["line 3", "'A'", "inf", "finite"]),
    "-inf": ("id,A\nx,1\ny,-Infinity\n", ["line 3", "'A'", "-Infinity", "finite"]),
    "beyond float32": ("id,A\nx,1e39\n", ["line 2", "'A'", "1e39", "finite"]),
    "same sample": ("id,A\nx,1\ny,2\nx,3\n", ["duplicate sample id", "'x'"]),
    "same gene": ("id,A,B,A\nx,1,2,3\n", ["duplicate gene name", "'A'"]),
    "nameless gene": ("id,A,,B\nx,1,2,3\n", ["gene name 2 of 3", "empty"]),
    "nameless sample": ("id,A\nx,1\n,2\n", ["sample id 2 of 2", "empty"]),
    "Latin-1": (b"id,A\nx,1\n\xe9,2\n", ["line 3", "byte 1", "0xe9", "UTF-8", "iconv"]),
    "UTF-16, cut": ("id,A\nx,1\n".encode("utf-16")[:-1], ["line", "damaged or cut short"]),
    "UTF-16, packed and cut": (
        gzip.compress("id,A\nx,1\n".encode("utf-16")[:-1]),
        ["line", "damaged or cut short"],
    ),
    "open quotes": ('id,A\nx,"' + "1\n" * 99999, ["line", "field larger"]),
    "no gene": ("id,type\nx,T\n", ["received no genes"]),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_bad_text_is_refused_with_its_place(tmp_path, case):
    content, parts = BAD_TEXT[case]
    source = written(tmp_path, "x.csv", content)
    said = message(read_table, source, columns=["type"])
    assert [part for part in [source, *parts] if part not in said] == []


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, "zst"])
@pytest.mark.parametrize("damage", ["cut", "nonsense"])
def test_damaged_compression_is_refused(tmp_path, pack, damage):
    suffix = {gzip.compress: ".gz", bz2.compress: ".bz2"}.get(pack, ".zst")
    pack = pytest.importorskip("zstandard").compress if pack == "zst" else pack
    rows = "".join(f"s{n},{n * 7919 % 1009}\n" for n in range(2000))
    packed = pack(f"id,A\n{rows}".encode())
    content = {"cut": packed[: len(packed) // 2], "nonsense": b"not packed at all"}[damage]
    source = written(tmp_path, f"x.csv{suffix}", content)
    said = message(read_table, source)
    assert source in said and "damaged or cut short" in said and "line" in said


# Other kinds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".tsv", ".parquet", ".npz", ".h5ad", ".h5"])
def test_a_missing_file_is_named_with_its_neighbour(tmp_path, suffix):
    written(tmp_path, f"expression{suffix}", "x")
    source = str(tmp_path / f"expresion{suffix}")
    said = message(read_table, source)
    assert source in said and "no such file" in said and f"'expression{suffix}'" in said


def test_a_missing_folder_is_said(tmp_path):
    assert "does not exist" in message(read_table, str(tmp_path / "nowhere" / "x.tsv"))
    assert "no such file" in message(read_table, str(tmp_path / "nowhere"))


@pytest.mark.parametrize("suffix", [".tsv", ".parquet", ".npz", ".h5ad"])
def test_a_folder_in_place_of_a_file_is_refused(tmp_path, suffix):
    (tmp_path / f"x{suffix}").mkdir()
    assert "folder" in message(read_table, str(tmp_path / f"x{suffix}"))


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".h5ad", ".h5"])
@pytest.mark.parametrize("content", ["", "this is text"])
def test_a_file_of_another_kind_is_refused(tmp_path, suffix, content):
    source = written(tmp_path, f"x{suffix}", content)
    said = message(read_table, source)
    assert source in said and ("not a readable" in said or "is empty" in said)


@pytest.mark.parametrize("write", WRITERS[1:5] + [write_tenx_h5])
def test_a_truncated_file_is_refused(tmp_path, write):
    path = pathlib.Path(write(tmp_path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert str(path) in message(read_table, str(path))


def test_an_unknown_kind_lists_the_known_ones(tmp_path):
    said = message(read_table, written(tmp_path, "x.docx", "x"))
    assert "x.docx" in said and all(reader.kinds in said for reader in readers())


def test_a_name_that_is_no_utf_8_is_refused(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    with open(path, "w") as file:
        file.write("id,A\nx,1\n")
    assert "not UTF-8" in message(read_table, os.fsdecode(path))


def test_a_delimiter_is_only_for_text(tmp_path):
    assert "delimiter" in message(read_table, write_parquet(tmp_path), delimiter=",")
    assert "'#'" in message(read_table, write_text(tmp_path), delimiter="#")


def test_a_suffix_may_be_in_capitals(tmp_path):
    assert_is_the_frame(read_table(write_text(tmp_path, ".TSV")))


def test_targets_in_an_archive_go_along(tmp_path):
    table = read_table(write_sparse_npz(tmp_path, target_type=["T", "B", "T"]))
    assert table.extra["type"].tolist() == ["T", "B", "T"]


@pytest.mark.parametrize("count", [2, 4])
def test_targets_in_an_archive_have_a_value_a_row(tmp_path, count):
    path = tmp_path / "x.npz"
    np.savez(path, values=VALUES, target_y=np.arange(count))
    assert f"target_y has the shape ({count},), not (3,)" in message(read_table, str(path))


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", values=VALUES, samples=np.array(SAMPLES, object))
    said = message(read_table, str(tmp_path / "x.npz"))
    assert "x.npz" in said and "pickled" in said


def test_an_archive_without_a_matrix_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", expression=VALUES)
    said = message(read_table, str(tmp_path / "x.npz"))
    assert "x.npz" in said and "'expression'" in said and "'values'" in said


def test_names_that_do_not_fit_the_matrix_are_refused(tmp_path):
    said = message(read_table, write_sparse_npz(tmp_path, samples=SAMPLES[:2]))
    assert "sparse.npz" in said and "2 sample ids" in said and "expected 3" in said


@pytest.mark.parametrize("kind", [np.int64, np.uint8, bool])
def test_whole_numbers_become_float32(tmp_path, kind):
    scipy.sparse.save_npz(tmp_path / "x.npz", scipy.sparse.csc_matrix(np.eye(2, dtype=kind)))
    table = read_table(str(tmp_path / "x.npz"))
    assert table.samples is None and table.features == ["feature_1", "feature_2"]
    np.testing.assert_array_equal(dense(table), np.eye(2))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_an_infinite_value_is_refused_with_its_place(tmp_path, value):
    frame = FRAME.astype(np.float64)
    frame.loc["s2", "EGFR"] = value
    frame.to_parquet(tmp_path / "x.parquet")
    said = message(read_table, str(tmp_path / "x.parquet"))
    assert "x.parquet" in said and "'s2'" in said and "'EGFR'" in said and "inf" in said
    assert "'EGFR'" in message(table_of, scipy_frame(frame))


def scipy_frame(frame):
    """A frame of sparse columns."""
    return frame.astype(pd.SparseDtype(np.float64, 0.0))


def test_parquet_takes_all_numeric_types_and_text_ids(tmp_path):
    frame = pd.DataFrame({"id": ["x", "y"], "A": [True, False], "B": [1, 2], "C": [0.5, None]})
    frame.to_parquet(tmp_path / "x.parquet", index=False)
    table = read_table(str(tmp_path / "x.parquet"))
    assert table.samples == ["x", "y"] and table.features == ["A", "B", "C"]
    np.testing.assert_array_equal(table.values, [[1, 1, 0.5], [0, 2, np.nan]])


def test_parquet_ids_may_have_no_name(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table([pa.array(["s1", "s2"]), pa.array([2.0, 3.0])], names=["", "A"])
    parquet.write_table(table, tmp_path / "x.parquet")
    assert read_table(str(tmp_path / "x.parquet")).samples == ["s1", "s2"]


def test_parquet_names_a_column_that_comes_twice(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table([pa.array([1.0]), pa.array([2.0])], names=["A", "A"])
    parquet.write_table(table, tmp_path / "x.parquet")
    said = message(read_table, str(tmp_path / "x.parquet"))
    assert "duplicate column name: 'A'" in said


def test_parquet_names_the_column_that_is_no_number(tmp_path):
    FRAME.assign(sex="male").to_parquet(tmp_path / "x.parquet")
    said = message(read_table, str(tmp_path / "x.parquet"))
    assert "x.parquet" in said and "'sex'" in said and "string" in said
    assert list(read_table(str(tmp_path / "x.parquet"), ["sex"]).extra["sex"]) == ["male"] * 3


def test_obs_goes_along(tmp_path):
    table = read_table(write_h5ad(tmp_path))
    assert list(table.extra["type"]) == ["T", "B", "T"] and list(table.extra.index) == SAMPLES


def test_obs_comes_before_a_gene_of_the_same_name(tmp_path):
    data = annotated()
    data.obs["MYC"] = ["high", "low", "low"]
    table = table_of(data, ReadOptions(columns=("MYC",)))
    assert table.features == GENES and list(table.extra["MYC"]) == ["high", "low", "low"]


def test_h5ad_without_x_is_refused(tmp_path):
    data = annotated()
    data.X = None
    data.write_h5ad(tmp_path / "x.h5ad")
    said = message(read_table, str(tmp_path / "x.h5ad"))
    assert "x.h5ad" in said and "X is empty" in said


@pytest.mark.parametrize("package", ["anndata", "scanpy"])
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    source = {"anndata": written(tmp_path, "x.h5ad", "x"), "scanpy": "scanpy:pbmc68k_reduced"}
    said = message(read_table, source[package])
    assert f"'{package}'" in said and 'pip install "autogenome_tf[singlecell]"' in said


def test_a_10x_folder_that_is_not_packed_is_read(tmp_path):
    counts = np.random.default_rng(0).poisson(3, (9, 30))
    scipy.io.mmwrite(tmp_path / "matrix.mtx", scipy.sparse.coo_matrix(counts.T))
    names = {"barcodes": [f"c{n}" for n in range(9)], "features": [f"g{n}" for n in range(30)]}
    for file, one in names.items():
        (tmp_path / f"{file}.tsv").write_text("".join(f"{name}\n" for name in one))
    table = read_table(tmp_path)
    assert table.samples == names["barcodes"] and table.features == names["features"]
    np.testing.assert_array_equal(dense(table), counts)


def test_a_10x_folder_of_geo_has_a_prefix(tmp_path):
    folder = pathlib.Path(write_tenx_folder(tmp_path))
    plain = read_table(folder)
    for path in list(folder.iterdir()):
        path.rename(folder / f"GSM123_s1_{path.name}")
    table = read_table(folder)
    assert table.samples == plain.samples and table.features == plain.features
    assert (table.values != plain.values).nnz == 0
    (folder / "GSM124_s2_matrix.mtx.gz").write_bytes(b"")
    assert "several 10x matrices, 'GSM123_s1_', 'GSM124_s2_'" in message(read_table, folder)


@pytest.mark.parametrize("missing", ["matrix.mtx", "barcodes.tsv", "features.tsv"])
def test_a_10x_folder_that_lacks_a_file_is_refused(tmp_path, missing):
    source = write_tenx_folder(tmp_path)
    (pathlib.Path(source) / f"{missing}.gz").unlink()
    said = message(read_table, source)
    assert source in said and f"needs {missing}" in said


@pytest.mark.parametrize("file", ["barcodes.tsv", "features.tsv"])
def test_10x_counts_that_disagree_are_refused(tmp_path, file):
    source = write_tenx_folder(tmp_path, zipped=False)
    with open(pathlib.Path(source) / file, "a") as stream:
        stream.write("one\tmore\n")
    said = message(read_table, source)
    assert source in said and "4 features x 3 barcodes" in said and "expected" in said


def test_a_damaged_10x_matrix_is_refused(tmp_path):
    path = pathlib.Path(write_tenx_folder(tmp_path)) / "matrix.mtx.gz"
    path.write_bytes(path.read_bytes()[:-20])
    assert str(path) in message(read_table, str(path.parent))


def test_10x_symbols_that_are_shared_get_their_id(tmp_path):
    source = write_tenx_h5(tmp_path, symbols=["A", "B", "A", "C"])
    assert read_table(source).features == ["A_ENSG0", "B", "A_ENSG2", "C"]


def test_10x_antibodies_are_left_out_and_that_is_said(tmp_path):
    table = read_table(
        write_tenx_h5(tmp_path, types=["Gene Expression"] * 3 + ["Antibody Capture"])
    )
    assert table.features == GENES[:3] and "3 of 4 features are genes" in table.said
    np.testing.assert_array_equal(dense(table), VALUES[:, :3])


def test_an_h5_file_that_is_not_from_10x_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["model_weights/w"] = VALUES
    assert message(read_table, str(tmp_path / "x.h5")).endswith("expected one 10x matrix.")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["obs/index"] = file["var/index"] = file["X"] = VALUES
    assert "must end in .h5ad" in message(read_table, str(tmp_path / "x.h5"))


def test_scanpy_data_sets_are_read_as_stored():
    scanpy = pytest.importorskip("scanpy")
    table, data = read_table("scanpy:pbmc68k_reduced"), scanpy.datasets.pbmc68k_reduced()
    np.testing.assert_array_equal(dense(table), data.X)
    assert table.samples == list(data.obs_names) and "bulk_labels" in table.extra
    assert dense(read_table("scanpy:krumsiek11")).shape == (640, 11)


def test_scanpy_data_sets_that_need_the_network_are_unknown():
    pytest.importorskip("scanpy")
    said = message(read_table, "scanpy:pbmc68k")
    assert "'pbmc68k'" in said and "Did you mean 'pbmc68k_reduced'?" in said
    assert "unknown name" in message(read_table, "scanpy:paul15")


# Target files ------------------------------------------------------------------------------------

TARGETS = {
    "AutoGenome's labels": ("0\n1\n1\n", None, {"target": ["0", "1", "1"]}),
    "labels below a header": ("class\n0\n1\n", None, {"class": ["0", "1"]}),
    "text labels": ("T\nB\nT\n", None, {"target": ["T", "B", "T"]}),
    "text labels below a header": ("type\nT\nB\nT\n", None, {"type": ["T", "B", "T"]}),
    "labels of two words": (
        "T cell\nB cell\nT cell\n",
        None,
        {"target": ["T cell", "B cell", "T cell"]},
    ),
    "labels with a comma": (
        "Lung, NOS\nSkin\nSkin\nLung, NOS\n",
        None,
        {"target": ["Lung, NOS", "Skin", "Skin", "Lung, NOS"]},
    ),
    "a missing label": ("0\n\n1\n\n", None, {"target": ["0", None, "1"]}),
    "ids and header": ("sample,type\nx,T\ny,NA\n", ["x", "y"], {"type": ["T", None]}),
    "number ids": ("sample\ty\n775\t1.5\n776\t2\n", ["775", "776"], {"y": ["1.5", "2"]}),
    "ids of another name": ("patient code,type\nx,T\ny,T\n", ["x", "y"], {"type": ["T", "T"]}),
    "R's row names": ("type\nx T\ny B\n", ["x", "y"], {"type": ["T", "B"]}),
    "ids without header": ("x 0\ny 1\n", ["x", "y"], {"target": ["0", "1"]}),
    "ids and text without header": (
        "x,T\ny,B\nz,T\n",
        ["x", "y", "z"],
        {"target": ["T", "B", "T"]},
    ),
    "ids and words": (
        "x\tT cell\ny\tB cell\nz\tT cell\n",
        ["x", "y", "z"],
        {"target": ["T cell", "B cell", "T cell"]},
    ),
    "one-hot": (
        "0 1\n1 0\n0 1\n",
        None,
        {"target_1": ["0", "1", "0"], "target_2": ["1", "0", "1"]},
    ),
    "two numbers": (
        "age,bmi\n23,21.5\n24,20\n",
        None,
        {"age": ["23", "24"], "bmi": ["21.5", "20"]},
    ),
    "a sign inside a label": (
        "sample,type\nx,CD4;naive\ny,CD8;naive\nz,CD4;memory\n",
        ["x", "y", "z"],
        {"type": ["CD4;naive", "CD8;naive", "CD4;memory"]},
    ),
    "number ids below another name": ("SubjectID,y\n7,1\n9,2\n", ["7", "9"], {"y": ["1", "2"]}),
    "groups below an id": ("plateID,y\n7,1\n7,2\n", None,
                           {"plateID": ["7", "7"], "y": ["1", "2"]}),
    "a first label that is a word for samples": (
        "case,male\ncontrol,female\ncase,female\ncontrol,male\n", None,
        {"target_1": ["case", "control", "case", "control"],
         "target_2": ["male", "female", "female", "male"]},
    ),
    "R's header with a blank": ("tumor stage\nx\tII\ny\tIV\n", ["x", "y"],
                                {"tumor stage": ["II", "IV"]}),
    "blanks inside cells": ("cell type;sex\nS1;T cell;m\nS2;B cell;f\n", ["S1", "S2"],
                            {"cell type": ["T cell", "B cell"], "sex": ["m", "f"]}),
    "a spreadsheet's empty rows": (
        "sample,type\nx,T\ny,B\n,\n,\n",
        ["x", "y"],
        {"type": ["T", "B"]},
    ),
    "labels and a number": ("type,age\nT,1\nT,2\n", None, {"type": ["T", "T"], "age": ["1", "2"]}),
}  # fmt: skip


@pytest.mark.parametrize("case", TARGETS)
def test_target_files_are_recognised(tmp_path, case):
    content, ids, columns = TARGETS[case]
    frame = read_columns(written(tmp_path, "y.txt", content))
    assert frame.to_dict("list") == columns
    assert frame.attrs["has_ids"] == (ids is not None)
    assert list(frame.index) == (ids or list(range(len(frame))))
    assert frame.attrs["said"].startswith("y.txt: ")


BAD_TARGETS = {
    "empty": ("", ["is empty"]),
    "a quoted nothing": ('""\n', ["empty cells only"]),
    "header only": ("sample,type\n", ["only a header"]),
    "same sample": ("sample,type\nx,T\nx,B\n", ["duplicate sample id", "'x'"]),
    "nameless sample": ("sample,type\nx,T\n,B\n", ["sample id 2 of 2", "empty"]),
    "same column": ("sample,a,a\nx,1,2\n", ["duplicate column name", "'a'"]),
    "nameless column": ("sample,a,\nx,1,2\n", ["column name 2 of 2", "empty"]),
    "ragged": ("sample,type\nx,T\ny\n", ["line 3", "1 cells", "expected 2"]),
    "Latin-1": (b"sample,type\nx,\xe9\n", ["line 2", "byte 3", "0xe9"]),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_are_refused(tmp_path, case):
    content, parts = BAD_TARGETS[case]
    source = written(tmp_path, "y.csv", content)
    said = message(read_columns, source)
    assert [part for part in [source, *parts] if part not in said] == []


def test_a_column_that_is_asked_for_is_no_sample_id(tmp_path):
    source = written(tmp_path, "y.csv", "donor_id,label\n1,x\n2,y\n")
    assert read_columns(source).attrs["has_ids"]
    frame = read_columns(source, columns=["donor_id"])
    assert not frame.attrs["has_ids"] and list(frame["donor_id"]) == ["1", "2"]


# In memory -------------------------------------------------------------------------------------


def in_memory(kind):
    """FRAME as each thing a notebook may hold."""
    return {
        "frame": lambda: FRAME,
        "objects": lambda: FRAME.astype(object),
        "nullable": lambda: FRAME.astype("Float64"),
        "sparse frame": lambda: scipy_frame(FRAME),
        "annotated": annotated,
        "array": lambda: VALUES,
        "integers of Fortran": lambda: np.asfortranarray(VALUES.astype(np.float64)),
        "sparse": lambda: scipy.sparse.coo_matrix(VALUES),
        "lists": lambda: VALUES.tolist(),
        "text": lambda: VALUES.astype(str),
    }[kind]()


@pytest.mark.parametrize("kind", ["frame", "objects", "nullable", "sparse frame", "annotated"])
def test_named_objects_in_memory_are_tables(kind):
    assert_is_the_frame(table_of(in_memory(kind)))


@pytest.mark.parametrize("kind", ["array", "integers of Fortran", "sparse", "lists", "text"])
def test_bare_objects_in_memory_are_tables(kind):
    table = table_of(in_memory(kind))
    assert table.samples is None and table.features == [f"feature_{n}" for n in range(1, 5)]
    np.testing.assert_array_equal(dense(table), VALUES)


def test_a_counted_index_is_no_sample_id():
    assert table_of(FRAME.reset_index(drop=True)).samples is None
    assert table_of(FRAME.set_axis([7, 8, 9])).samples == ["7", "8", "9"]


def test_a_table_is_its_own_table():
    table = table_of(FRAME)
    assert table_of(table) is table


def test_named_columns_of_a_frame_are_set_aside():
    table = table_of(FRAME.assign(type=["T", "B", "T"]), ReadOptions(columns=("type",)))
    assert_is_the_frame(table)
    assert list(table.extra["type"]) == ["T", "B", "T"]


def test_columns_of_logicals_beside_numbers_are_1_and_0():
    frame = pd.DataFrame({"TP53": [True, False], "MYC": [0.5, 2.0]}, index=["s1", "s2"])
    assert table_of(frame).values.tolist() == [[1, 0.5], [0, 2]]


def test_sparse_columns_of_a_frame_may_leave_out_what_is_missing():
    frame = FRAME.astype(pd.SparseDtype("float32", np.nan))
    assert_is_the_frame(table_of(frame))
    gaps = FRAME.mask(FRAME == 0).astype(pd.SparseDtype("float32", np.nan))
    assert np.isnan(dense(table_of(gaps))).sum() == (VALUES == 0).sum()


def test_an_annotated_matrix_that_lies_in_a_file_is_not_taken_for_one_in_memory(tmp_path):
    anndata = pytest.importorskip("anndata")
    path = tmp_path / "x.h5ad"
    anndata.AnnData(scipy.sparse.csr_matrix(VALUES)).write_h5ad(path)
    backed = anndata.read_h5ad(path, backed="r")
    assert "to_memory()" in message(table_of, backed)
    backed.file.close()


BAD_OBJECTS = {
    "one dimension": (lambda: VALUES[0], ["ndarray", "1 dimension", "(4,)", "two"]),
    "three dimensions": (lambda: VALUES[None], ["ndarray", "3 dimension", "two"]),
    "two tables": (lambda: [FRAME, FRAME], ["list: received 2 tables", "join", "concat"]),
    "two tables of unlike width": (lambda: (VALUES, VALUES[:, :2]), ["received 2 tables", "join"]),
    "ragged lists": (lambda: [[1, 2], [3]], ["list", "equal length"]),
    "text in a frame": (
        lambda: FRAME.assign(sex="male"),
        ["DataFrame", "'sex'", "row 1", "'male'"],
    ),
    "text in lists": (lambda: [[1, "high"]], ["list", "'1'", "row 1", "'high'"]),
    "dates": (lambda: FRAME.assign(day=pd.Timestamp(0)), ["DataFrame", "'day'", "datetime64"]),
    "complex": (lambda: VALUES * 1j, ["ndarray", "complex"]),
    "inf": (lambda: FRAME / 0, ["DataFrame", "'s1'", "'MYC'", "inf"]),
    "inf without ids": (lambda: [[0, 1], [2, np.inf]], ["list", "row 2", "'feature_2'", "inf"]),
    "same sample": (lambda: FRAME.set_axis(["a", "a", "b"]), ["duplicate sample id", "'a'"]),
    "same gene": (lambda: FRAME.set_axis(list("aabc"), axis=1), ["duplicate gene name", "'a'"]),
    "no rows": (lambda: FRAME.iloc[:0], ["0 samples x 4 genes"]),
    "no columns": (lambda: FRAME.iloc[:, :0], ["received no genes"]),
    "a number": (lambda: 5, ["int", "0 dimension"]),
}


@pytest.mark.parametrize("case", BAD_OBJECTS)
def test_bad_objects_are_refused(case):
    make, parts = BAD_OBJECTS[case]
    said = message(table_of, make())
    assert [part for part in parts if part not in said] == []


# The room --------------------------------------------------------------------------------------


def test_reading_needs_no_tensorflow_and_no_single_cell_packages(tmp_path):
    source = write_text(tmp_path, ".tsv.gz")
    code = (
        "import json, sys\n"
        "from autogenome_tf.data._read import read_table\n"
        f"read_table({source!r})\n"
        "print(json.dumps([name for name in sys.modules if name in "
        "('tensorflow', 'keras', 'anndata', 'scanpy')]))"
    )
    root = str(pathlib.Path(__file__).parents[2])
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=root, check=True)
    assert json.loads(out.stdout) == []


# Real data ---------------------------------------------------------------------------------------

SETS = sorted(
    path.parent for path in SHARED.glob("*/meta.json") if (path.parent / "target.tsv").exists()
)


@pytest.mark.skipif(not SETS, reason=f"no real data sets in {SHARED}")
@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_real_data_sets_are_read(folder):
    source = next(path for path in sorted(folder.glob("features.*")))
    table, targets = read_table(str(source)), read_columns(str(folder / "target.tsv"))
    assert list(targets.columns) == ["target"] and targets.notna().all(None)
    assert set(table.samples) == set(targets.index)
    assert table.values.shape == (len(table.samples), len(table.features))
