"""Matrices larger than memory: the same values, in a file that nobody has to remove."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.growing import Growing, GrowingRows
from autogenome_tf.data import read_table

RANDOM = np.random.default_rng(0)
DENSE = RANDOM.poisson(0.3, (2500, 7)).astype("float32")
TINY = 1000


def matrices():
    """The same values as an array and as CSR."""
    return {"dense": DENSE, "sparse": scipy.sparse.csr_matrix(DENSE)}


def dense(values):
    """As an array."""
    return values.toarray() if scipy.sparse.issparse(values) else np.asarray(values)


def lies_in_a_file(values):
    """Whether an array, or the values of a CSR matrix, are a map of a file."""
    array = values.data if scipy.sparse.issparse(values) else values
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


@pytest.mark.parametrize("limit", [TINY, 1 << 20])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_rows_and_columns_are_exchanged(kind, limit):
    values = chunked.transposed(matrices()[kind], limit)
    assert (dense(values) == DENSE.T).all() and values.dtype == np.float32
    assert lies_in_a_file(values) == (limit == TINY)
    assert scipy.sparse.issparse(values) == (kind == "sparse")


@pytest.mark.parametrize("limit", [TINY, 1 << 20])
def test_what_grows_holds_what_was_appended(limit):
    whole, flat, rows = (
        Growing(7, limit=limit),
        Growing(kind="int64", limit=limit),
        GrowingRows(7, limit),
    )
    for start in range(0, 2500, 130):
        block = DENSE[start : start + 130]
        whole.add(block.astype("float64"))
        flat.add(np.arange(start, start + len(block)))
        rows.add(scipy.sparse.csr_matrix(block))
    assert (whole.array == DENSE).all() and whole.array.dtype == np.float32
    assert (flat.array == np.arange(2500)).all()
    assert (rows.matrix.toarray() == DENSE).all() and rows.matrix.dtype == np.float32
    found = {lies_in_a_file(values) for values in (whole.array, flat.array, rows.matrix)}
    assert found == {limit == TINY}


@pytest.mark.parametrize("kind", matrices())
@pytest.mark.parametrize("limit", [TINY, 1 << 30])
def test_rows_and_columns_are_numpys(kind, limit):
    values, index = matrices()[kind], RANDOM.permutation(2500)[:2000]
    assert (dense(chunked.rows(values, index, limit)) == DENSE[index]).all()
    assert (dense(chunked.columns(values, [5, 0, 3], limit)) == DENSE[:, [5, 0, 3]]).all()
    further = RANDOM.normal(size=(2500, 2)).astype("float32")
    assert (dense(chunked.beside(values, further, limit)) == np.hstack([DENSE, further])).all()
    both = dense(chunked.below(values, values[:10], limit))
    assert (both == np.vstack([DENSE, DENSE[:10]])).all()
    assert lies_in_a_file(chunked.rows(values, index, limit)) == (limit == TINY)


def test_a_sparse_matrix_above_a_dense_one_is_sparse():
    both = chunked.below(matrices()["sparse"], DENSE[:3])
    assert scipy.sparse.issparse(both) and (both.toarray()[-3:] == DENSE[:3]).all()


@pytest.mark.parametrize("kind", matrices())
def test_batches_are_all_rows_and_known_values_all_but_the_missing(kind):
    values = matrices()[kind].copy()
    whole = np.concatenate(list(chunked.batches(values, 999)))
    assert (whole == DENSE).all() and whole.dtype == np.float32
    (values.data if kind == "sparse" else values[0])[:2] = np.nan
    found = np.concatenate(list(chunked.known(values)))
    stored = values.data if kind == "sparse" else values.ravel()
    assert len(found) == len(stored) - 2 and found.sum() == np.nansum(stored)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    whole = Growing(7, limit=TINY)
    whole.add(DENSE)
    array = whole.array
    assert os.listdir(tmp_path) == [] and (array == DENSE).all()
    del whole
    gc.collect()
    assert (array == DENSE).all()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with the same matrix in every kind of file that is read block by block."""
    folder = tmp_path_factory.mktemp("kinds")
    h5py = pytest.importorskip("h5py")
    anndata = pytest.importorskip("anndata")
    genes = [f"g{number}" for number in range(7)]
    samples = [f"s{number}" for number in range(2500)]
    frame = pd.DataFrame(DENSE, samples, genes)
    sparse = scipy.sparse.csr_matrix(DENSE.astype("int64"))
    frame.to_csv(folder / "x.csv")
    frame.to_csv(folder / "x.txt.gz", sep=" ")
    frame.to_parquet(folder / "x.parquet")
    names = {"samples": np.array(samples), "features": np.array(genes)}
    np.savez_compressed(folder / "dense.npz", values=DENSE.astype("float64"), **names)
    parts = {"data": sparse.data, "indices": sparse.indices, "indptr": sparse.indptr}
    form = {"shape": np.array(sparse.shape), "format": np.array(b"csr")}
    np.savez_compressed(folder / "sparse.npz", **parts, **form, **names)
    scipy.sparse.save_npz(folder / "scipy.npz", sparse)
    scipy.sparse.save_npz(folder / "columns.npz", sparse.tocsc())
    anndata.AnnData(frame).write_h5ad(folder / "dense.h5ad")
    cells = anndata.AnnData(sparse, obs=frame[[]], var=frame[[]].T.reindex(genes))
    cells.write_h5ad(folder / "sparse.h5ad")
    cells.X = sparse.tocsc()
    cells.write_h5ad(folder / "columns.h5ad")
    with h5py.File(folder / "tenx.h5", "w") as file:
        group = file.create_group("matrix")
        group["barcodes"], group["shape"] = np.array(samples, "S"), [7, 2500]
        for name, part in parts.items():
            group[name] = part
        group["features/id"] = group["features/name"] = np.array(genes, "S")
        group["features/feature_type"] = np.array(["Gene Expression"] * 7, "S")
    return folder


# Column by column, a matrix is turned in memory.
WHOLE = ("columns.npz", "columns.h5ad")


@pytest.mark.slow
def test_readers_keep_large_matrices_in_files(files):
    paths = sorted(files.iterdir())
    assert len(paths) == 11
    for path in paths:
        small, large = read_table(path), read_table(path, limit=TINY)
        assert (dense(large.values) == DENSE).all(), path
        assert (dense(small.values) == DENSE).all(), path
        assert large.samples == small.samples and large.features == small.features
        assert scipy.sparse.issparse(large.values) == scipy.sparse.issparse(small.values)
        assert lies_in_a_file(large.values) == (path.name not in WHOLE), path
        assert not lies_in_a_file(small.values)


KINDS = ["x.csv", "x.parquet", "dense.npz", "sparse.h5ad", "tenx.h5"]


@pytest.mark.parametrize("name", KINDS)
def test_a_folder_for_files_that_is_not_there_is_said(files, tmp_path, monkeypatch, name):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    with pytest.raises(InputError) as caught:
        read_table(files / name, limit=TINY)
    assert str(caught.value).startswith(f"{tmp_path / 'gone'}: No such file or directory; expected")


def test_more_values_than_32_bits_count_have_indices_in_their_file():
    sparse = scipy.sparse.csr_matrix(DENSE)
    for asked, kind in ((2**31 + 5, np.int64), (99, np.int32)):
        whole = GrowingRows(7, limit=1000, count=asked)
        whole.add(sparse)
        found = whole.matrix
        assert found.indices.dtype == found.indptr.dtype == kind
        # However few come in the end.
        assert lies_in_a_file(found.indices) and lies_in_a_file(found.data)
        found.check_format(full_check=True)
        for rows in (slice(3, 900), [5, 2, 2400]):
            assert (found[rows].toarray() == DENSE[rows]).all()
            assert (chunked.rows(found, np.arange(2500)[rows], 100).toarray() == DENSE[rows]).all()


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))
from autogenome_tf.data import read_table
from autogenome_tf.core.errors import InputError
for path in sys.argv[1:]:
    try:
        read_table(path, limit=1000)
    except InputError as error:
        print(error)
"""


def test_a_full_disk_is_said(files):
    """A limit on the size of a file stands for the end of the disk."""
    command = [sys.executable, "-c", FULL, *(files / name for name in KINDS)]
    told = subprocess.run(command, capture_output=True, text=True)
    message = "expected disk space for a matrix larger than data.memory: set"
    assert told.stdout.count(message) == len(KINDS), told.stderr


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Counts of two cell types in an .h5ad file, sparse, with a batch."""
    anndata = pytest.importorskip("anndata")
    random = np.random.default_rng(0)
    types = np.array(["a", "b"])[np.arange(300) % 2]
    means = np.where(types[:, None] == "a", random.gamma(1, 1, 30), random.gamma(1, 1, 30))
    obs = pd.DataFrame({"type": types, "batch": ["one", "two", "three"] * 100})
    obs.index = [f"s{number}" for number in range(300)]
    counts = scipy.sparse.csr_matrix(random.poisson(means).astype("float32"))
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    anndata.AnnData(counts, obs=obs).write_h5ad(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classification", "representation"])
def test_all_stages_work_beyond_memory(cells, tmp_path, kind):
    from autogenome_tf import AutoGenome

    config = {
        "name": "t", "output_dir": str(tmp_path), "task": {"type": kind},
        "data": {"features": str(cells), "target": "type", "memory": 1e-6},
        "families": {"mlp": {"layers": 1, "units": 8}},
        "search": {"max_trials": 1, "epochs": 4}, "training": {"epochs": 6},
        "explanation": {"samples": 5, "background": 10, "top": 3}, "output": {"figures": False},
    }  # fmt: skip
    if kind == "representation":
        config["families"] = {"resvae": {"layers": 1, "latent": 2, "start_width": 8}}
        config["data"] |= {"covariates": ["batch"]}
    automl = AutoGenome(config)
    automl.run()
    assert (automl.folder / "report.html").exists()
    if kind == "classification":
        assert automl.evaluate()["test"]["accuracy"]["value"] > 0.9
    again = automl.predict(cells).iloc[:, 2:].select_dtypes("number")
    known = automl.predict().iloc[:, 2:].select_dtypes("number")
    np.testing.assert_allclose(again[known.columns], known, rtol=1e-4, atol=1e-5)


def mapped():
    """MiB of files that this process has in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssFile")).split()[1]) / 1024


@pytest.mark.parametrize("read", [
    lambda values: [None for _ in chunked.batches(values)],
    lambda values: [None for _ in chunked.known(values)],
    lambda values: [chunked.taken(values, block) for block in np.split(np.arange(4096), 4)],
])  # fmt: skip
def test_what_was_read_of_a_file_does_not_stay_in_memory(read):
    values = Growing(4096, limit=1)
    for _ in range(4):
        values.add(np.ones((1024, 4096), "float32"))
    values = values.array
    before = mapped()
    read(values)
    assert mapped() - before < 8  # of 64
    assert values[::1024, 0].sum() == 4


def test_slices_of_rows_cover_each_row_once(monkeypatch):
    monkeypatch.setattr(chunked, "VALUES", 30)
    for width, most, step in ((10, 1024, 3), (100, 1024, 1), (1, 4, 4)):
        parts = list(chunked.parts(10, width, most))
        assert [part.stop - part.start for part in parts] == [step] * len(parts)
        assert np.concatenate([np.arange(10)[part] for part in parts]).tolist() == list(range(10))
    assert not list(chunked.parts(0, 10))
