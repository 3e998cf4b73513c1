"""Names that repeat are refused with the way out, made distinct, or averaged."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from tables import dense

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import load_labelled, read_table, table_of, write_rows

VALUES = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, np.nan]], "float32")
GENES = ["TP53", "MYC", "TP53", "TP53"]
MEANS = [[np.mean([1, 3, 4]), 2], [np.mean([5, 7, 8]), 6], [10, 10]]


def frame(index=("a", "b", "c"), columns=GENES):
    """The values below names."""
    return pd.DataFrame(VALUES, index=list(index), columns=list(columns))


def text(folder, **names):
    """Write the values as text."""
    frame(**names).to_csv(folder / "x.csv", index_label="sample")
    return folder / "x.csv"


def cells(**names):
    """The values as an AnnData, sparse."""
    anndata = pytest.importorskip("anndata")
    with pytest.warns(UserWarning, match="not unique"):
        whole = frame(**names)
        return anndata.AnnData(
            scipy.sparse.csr_matrix(np.nan_to_num(whole.to_numpy(), nan=11)),
            obs=pd.DataFrame({"type": ["T", "T", "B"]}, index=whole.index),
            var=pd.DataFrame(index=whole.columns),
        )


def test_repeated_genes_of_text_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(InputError, match='gene name: \'TP53\'; .*"suffix" makes them dist.*"mean"'):
        read_table(text(tmp_path))
    with pytest.raises(InputError, match="duplicate gene name: 'TP53'"):
        table_of(frame())


@pytest.mark.parametrize("date", ["1-Mar", "Sep-02"])
def test_a_spreadsheets_dates_are_called_so(tmp_path, date):
    with pytest.raises(InputError, match=f"such as MARCH1 to '{date}': restore it"):
        read_table(text(tmp_path, columns=[date, "MYC", date, "A"]))


def test_repeated_genes_get_numbers_behind_them(tmp_path):
    table = read_table(text(tmp_path), duplicates="suffix")
    assert table.features == ["TP53", "MYC", "TP53-1", "TP53-2"]
    np.testing.assert_array_equal(table.values, VALUES)
    ((about, said),) = table.warnings
    assert about == "names" and "1 of the gene names are repeated ('TP53')" in said


def test_repeated_genes_are_averaged_over_what_is_known(tmp_path):
    table = read_table(text(tmp_path), duplicates="mean")
    assert table.features == ["TP53", "MYC"]
    np.testing.assert_allclose(table.values, MEANS)


def test_averages_are_the_same_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr("autogenome_tf.core.chunked.BLOCK", 2)
    monkeypatch.setattr("autogenome_tf.core.chunked.blocks.__defaults__", (2,))
    table = read_table(text(tmp_path), duplicates="mean", limit=8)
    assert isinstance(table.values, np.memmap)
    np.testing.assert_allclose(table.values, MEANS)


def test_cells_and_genes_of_anndata_are_made_distinct_and_it_is_said(tmp_path):
    data = cells(index=("a", "b", "a"))
    data.write_h5ad(tmp_path / "x.h5ad")
    for table in (read_table(tmp_path / "x.h5ad"), table_of(data)):
        assert table.samples == ["a", "b", "a-1"] and list(table.extra.index) == table.samples
        assert table.features == ["TP53", "MYC", "TP53-1", "TP53-2"]
        assert [about for about, _ in table.warnings] == ["names", "names"]
    with pytest.raises(InputError, match="duplicate sample id: 'a'"):
        read_table(tmp_path / "x.h5ad", duplicates="error")


def test_sparse_genes_are_averaged(tmp_path):
    data = cells()
    table = table_of(data, options=None)
    assert table.features[2] == "TP53-1"
    data.write_h5ad(tmp_path / "x.h5ad")
    table = read_table(tmp_path / "x.h5ad", duplicates="mean")
    assert scipy.sparse.isspmatrix_csr(table.values)
    np.testing.assert_allclose(dense(table), [*MEANS[:2], [(9 + 11 + 11) / 3, 10]], rtol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_rows_of_one_sample_are_averaged(tmp_path, kind):
    names = {"index": ("a", "a", "b"), "columns": list("ABCD")}
    if kind == "dense":
        source = text(tmp_path, **names)
    else:
        cells(**names).write_h5ad(source := tmp_path / "x.h5ad")
    table = read_table(source, duplicates="mean")
    assert table.samples == ["a", "b"]
    np.testing.assert_allclose(dense(table)[0], [3, 4, 5, 6])


def test_rows_of_one_sample_must_agree_in_what_is_asked_for(tmp_path):
    cells(index=("a", "b", "a"), columns=list("ABCD")).write_h5ad(tmp_path / "x.h5ad")
    with pytest.raises(InputError, match="sample 'a' has several values of 'type'"):
        read_table(tmp_path / "x.h5ad", columns=["type"], duplicates="mean")


def test_genes_that_repeat_in_rows_are_made_distinct_behind_the_turn(tmp_path):
    turned = pd.DataFrame(VALUES.T, index=GENES, columns=["a", "b", "c"])
    turned.to_csv(tmp_path / "x.csv", index_label="name")
    (tmp_path / "y.csv").write_text("sample,dx\na,T\nb,B\nc,T\n")
    given = {"features": "x.csv", "targets": "y.csv", "target": "dx", "duplicates": "suffix"}
    config = Config.of({"name": "t", "data": given}).resolved(tmp_path)
    dataset = load_labelled(config.data, "classification")
    assert dataset.features == ["TP53", "MYC", "TP53-1", "TP53-2"]
    assert dataset.warnings[0][0] == "names"


def test_rows_from_memory_are_written_distinct(tmp_path):
    data = cells(index=("a", "b", "a"))
    assert write_rows(tmp_path / "x.npz", data, "type") == ["type"]
    table = read_table(tmp_path / "x.npz")
    assert table.samples == ["a", "b", "a-1"] and list(table.extra["type"]) == ["T", "T", "B"]
    assert table.features[2] == "TP53-1" and len(table.warnings) == 2
    with pytest.raises(InputError, match="data: X: duplicate gene name: 'TP53'"):
        write_rows(tmp_path / "x.npz", frame(), ["T", "T", "B"])
