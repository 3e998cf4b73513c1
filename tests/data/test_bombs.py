"""Small files that unpack to much, or claim to: one clear refusal, and little memory meanwhile."""

import bz2
import gzip
import json
import os
import resource
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest

from autogenome_tf.core.errors import InputError
from autogenome_tf.data import _files, _hdf5, _walk, read_columns, read_table
from autogenome_tf.data._hdf5 import WALK

MIB = 1 << 20
ROWS, GENES = 2000, 1500
NAMES = [f"g{number}" for number in range(GENES)]
ZEROS = "sample," + ",".join(NAMES) + "\n" + "".join(f"s{n}{',0' * GENES}\n" for n in range(ROWS))


def write_gz(path):
    path.write_bytes(gzip.compress(ZEROS.encode()))


def write_bz2(path):
    path.write_bytes(bz2.compress(ZEROS.encode()))


def write_zst(path):
    zstandard = pytest.importorskip("zstandard")
    path.write_bytes(zstandard.compress(ZEROS.encode()))


def write_npz(path):
    np.savez_compressed(path, values=np.zeros((ROWS, GENES), "float32"))


def write_parquet(path):
    pd.DataFrame(np.zeros((100 * ROWS, 15)), columns=NAMES[:15]).to_parquet(path)


def write_h5ad(path):
    anndata = pytest.importorskip("anndata")
    cells = anndata.AnnData(np.zeros((ROWS, GENES), "float32"))
    cells.write_h5ad(path, compression="gzip")


def write_tenx(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["barcodes"], group["shape"] = np.array(["a", "b"], "S"), [GENES, 2]
        for name in ("data", "indices", "indptr"):
            group.create_dataset(name, (4 * MIB,), "int32", compression="gzip", chunks=True)
            group[name][:] = 0
        for name in ("id", "name", "feature_type"):
            group[f"features/{name}"] = np.array(NAMES, "S")


BOMBS = {
    "x.csv.gz": write_gz, "x.csv.bz2": write_bz2, "x.csv.zst": write_zst,
    "x.npz": write_npz, "x.parquet": write_parquet, "x.h5ad": write_h5ad, "x.h5": write_tenx,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_read_where_that_is_allowed(tmp_path, name):
    path = tmp_path / name
    BOMBS[name](path)
    with pytest.raises(InputError, match="unpacks to") as refused:
        read_table(path, limit=MIB, expansion=20)
    assert str(path) in str(refused.value) and "data.expansion" in str(refused.value)
    # What fits into memory is read, however small its file.
    for allowed in ({"limit": MIB, "expansion": 1e9}, {"limit": 100 * MIB, "expansion": 1}):
        if name != "x.h5":
            assert read_table(path, **allowed).values.size == ROWS * GENES


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "MOST_LINE", 4 * MIB)
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"0" * 9 * MIB))
    with pytest.raises(InputError, match="line 1: longer than 4 MiB"):
        read_table(path)


CLAIMS = {
    "shape.npz": {"shape": (10**12, 10**12), "data": [], "indices": [], "indptr": [0]},
    "wide.npz": {"shape": (1, 10**12), "data": [], "indices": [], "indptr": [0, 0]},
}


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_a_matrix_that_claims_any_shape_is_refused(tmp_path, name, form):
    parts = {key: np.array(value, "int64") for key, value in CLAIMS[name].items()}
    parts |= {"row": parts["data"], "col": parts["data"]}
    np.savez(tmp_path / name, format=np.array(form.encode()), **parts)
    with pytest.raises(InputError, match="unpacks to"):
        read_table(tmp_path / name)


def test_counts_that_claim_any_shape_are_refused(tmp_path):
    folder = tmp_path / "tenx"
    folder.mkdir()
    head = "%%MatrixMarket matrix coordinate integer general\n"
    (folder / "matrix.mtx").write_text(f"{head}{10**13} {10**13} 1\n1 1 1\n")
    (folder / "barcodes.tsv").write_text("a\n")
    (folder / "genes.tsv").write_text("g\n")
    with pytest.raises(InputError, match="unpacks to"):
        read_table(folder)


def test_targets_that_unpack_to_much_are_refused(tmp_path):
    path = tmp_path / "y.tsv.gz"
    path.write_bytes(gzip.compress(b"sample\tkind\n" + b"a\tb\n" * MIB))
    with pytest.raises(InputError, match="unpacks to"):
        read_columns(str(path), limit=MIB, expansion=1)


MEASURED = """
import resource, sys
from autogenome_tf.data import read_table
from autogenome_tf.core.errors import InputError
import h5py, pyarrow.csv, pyarrow.parquet
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        read_table(path, limit=1 << 20, expansion=20)
    except InputError as error:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_refused_bombs_take_little_memory(tmp_path):
    """Arrow's blocks of 24 MiB, some of them at a time, are the most."""
    paths = [tmp_path / name for name in ("x.npz", "x.h5", "x.csv.gz")]
    for path in paths:
        BOMBS[path.name](path)
    told = subprocess.run([sys.executable, "-c", MEASURED, *paths], capture_output=True, text=True)
    grown = [1024 * int(line) for line in told.stdout.split()]
    assert len(grown) == 3 and max(grown) < 100 * MIB, told.stderr


OWN = """
import sys, threading, time
from autogenome_tf.data import read_table
import pyarrow.parquet
def own():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
before, most = own(), 0
def watch():
    global most
    while True:
        most = max(most, own())
        time.sleep(0.005)
threading.Thread(target=watch, daemon=True).start()
read_table(sys.argv[1], limit=1 << 20)
print(1024 * (max(most, own()) - before))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux tells of memory there")
def test_rows_of_parquet_do_not_gather_in_memory(tmp_path):
    """But for a page of each column, however much a row group holds: pandas writes large ones."""
    path = tmp_path / "x.parquet"
    values = np.random.default_rng(0).normal(size=(800_000, 10))
    pd.DataFrame(values, columns=NAMES[:10]).to_parquet(path)
    assert os.path.getsize(path) > 60 * MIB
    told = subprocess.run([sys.executable, "-c", OWN, path], capture_output=True, text=True)
    assert int(told.stdout) < 64 * MIB, told.stderr


# HDF5 ---------------------------------------------------------------------------------------


WALKED = """
import itertools, sys, time
sys.path.insert(0, {folder!r})
import _walk
own = _walk.walk
def walk(*arguments):
    {before}
    return own(*arguments)
_walk.walk = walk
_walk.main(*sys.argv[1:])
"""


def walked_after(folder, monkeypatch, before):
    """Look through files after a statement."""
    script = folder / "walk.py"
    script.write_text(WALKED.format(folder=str(_hdf5.WALK.parent), before=before))
    monkeypatch.setattr(_hdf5, "WALK", script)
    write_tenx(folder / "x.h5")


def test_a_file_that_sends_the_library_round_in_circles_is_refused(tmp_path, monkeypatch):
    walked_after(tmp_path, monkeypatch, "any(itertools.repeat(0))")
    monkeypatch.setattr(_hdf5, "SECONDS", 2)
    with pytest.raises(InputError, match="did not finish within 2 s of the processor"):
        read_table(tmp_path / "x.h5")


def test_a_busy_machine_is_no_fault_of_a_file(tmp_path, monkeypatch):
    walked_after(tmp_path, monkeypatch, "time.sleep(3)")
    monkeypatch.setattr(_hdf5, "SECONDS", 2)
    monkeypatch.setattr(_hdf5, "PATIENCE", 100)
    _hdf5.check_hdf5(str(tmp_path / "x.h5"))
    monkeypatch.setattr(_hdf5, "PATIENCE", 1)
    with pytest.raises(InputError, match="the HDF5 library did not finish within 2 s"):
        _hdf5.check_hdf5(str(tmp_path / "x.h5"))


def test_a_file_that_crashes_the_library_is_refused(tmp_path, monkeypatch):
    crashing = tmp_path / "crashing.py"
    crashing.write_text("import os; os.abort()")
    monkeypatch.setattr(_hdf5, "WALK", crashing)
    write_tenx(tmp_path / "x.h5")
    with pytest.raises(InputError, match="ended with status -6"):
        read_table(tmp_path / "x.h5")


def test_a_group_in_itself_is_walked_once(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/values"] = np.zeros(1000)
        file["a/again"] = file["a"]
    assert _walk.walk(tmp_path / "x.h5", (), MIB) == 8000


@pytest.mark.parametrize("how", ["link", "external", "virtual"])
def test_values_of_other_files_are_refused(tmp_path, how):
    write_tenx(tmp_path / "x.h5")
    (tmp_path / "secret").write_bytes(os.urandom(8 * MIB))
    with h5py.File(tmp_path / "x.h5", "a") as file:
        del file["matrix/data"]
        if how == "link":
            file["matrix/data"] = h5py.ExternalLink("other.h5", "/data")
        elif how == "external":
            file.create_dataset(
                "matrix/data", (MIB,), "int32", external=[(tmp_path / "secret", 0, 4 * MIB)]
            )
        else:
            layout = h5py.VirtualLayout((MIB,), "int32")
            layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "data", (MIB,))
            file.create_virtual_dataset("matrix/data", layout)
    with pytest.raises(InputError, match="another file; expected all values in this file"):
        read_table(tmp_path / "x.h5")


def test_a_limit_of_memory_that_is_there_already_is_kept(tmp_path):
    path = tmp_path / "x.h5ad"
    write_h5ad(path)
    command = [sys.executable, "-P", str(WALK), str(path), str(64 << 30), "60", "X", "obs", "var"]
    allowed = 3 << 30

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))

    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    told = subprocess.run(command, capture_output=True, preexec_fn=limited, env=environment)
    assert json.loads(told.stdout)["unpacked"] > 1 << 20, told.stderr
