"""Damaged files and wild configs: a table, a config, or one clear refusal; never anything else."""

import bz2
import gzip
import json
from pathlib import Path

import h5py
import json5
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autogenome_tf import families
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import _hdf5, read_columns, read_table

BASE = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
# Random ones are the same every time; the first of many are those that every run of the tests has.
FEW, MANY = 100, [pytest.mark.slow, pytest.mark.fuzz]
EXAMPLES = pytest.mark.parametrize("examples", [FEW, pytest.param(1200, marks=MANY)])
# Damage can send the library of HDF5 round in circles, for as long as it may.
OF_HDF5 = pytest.mark.parametrize("examples", [FEW, pytest.param(400, marks=MANY)])
SECONDS = 2
KINDS = (
    "x.csv", "x.tsv.bz2", "x.txt.gz", "x.parquet", "dense.npz", "sparse.npz", "x.gct", "series.txt",
    "counts.tab", "x.xlsx",
)  # fmt: skip
HDF5 = ("x.h5ad", "sparse.h5ad", "tenx.h5", "x.h5mu", "x.loom")
# Where a file is hurt (as a share of its length), how many bytes go, and what comes.
WOUNDS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=6
)


@pytest.fixture(autouse=True)
def _once(request, examples):
    """Leave few examples out where a run has the many that begin with them."""
    if examples == FEW and any(item.get_closest_marker("fuzz") for item in request.session.items):
        pytest.skip("the many examples begin with these")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Sound files, by their names."""
    anndata = pytest.importorskip("anndata")
    pytest.importorskip("openpyxl")
    folder = tmp_path_factory.mktemp("whole")
    values = np.random.default_rng(0).poisson(1.0, (30, 6))
    frame = pd.DataFrame(values, [f"s{n}" for n in range(30)], [f"g{n}" for n in range(6)])
    text = frame.to_csv()
    (folder / "x.csv").write_text(text)
    (folder / "x.tsv.bz2").write_bytes(bz2.compress(text.replace(",", "\t").encode()))
    (folder / "x.txt.gz").write_bytes(gzip.compress(text.replace(",", " ").encode(), mtime=0))
    genes = frame.T.to_csv(sep="\t", header=False)
    (folder / "x.gct").write_text(
        "#1.3\n6\t30\t0\t1\n"
        + "\t".join(["id", *frame.index])
        + "\nkind"
        + "\ta" * 30
        + "\n"
        + genes
    )
    (folder / "series.txt").write_text(
        '!Sample_geo_accession\t"' + '"\t"'.join(frame.index) + '"\n!series_matrix_table_begin\n'
        + "\t".join(["ID_REF", *frame.index]) + f"\n{genes}!series_matrix_table_end\n"
    )  # fmt: skip
    about = "Geneid Chr Start End Strand Length".split()
    (folder / "counts.tab").write_text(
        "# Program\n" + "\t".join([*about, *frame.index]) + "\n"
        + genes.replace("\t", "\t1;1\t2;3\t4;5\t+;+\t9\t", 1)
    )  # fmt: skip
    frame.astype("float64").to_parquet(folder / "x.parquet")
    np.savez(folder / "dense.npz", values=values, samples=np.array(frame.index, str))
    scipy.sparse.save_npz(folder / "sparse.npz", scipy.sparse.csr_matrix(values))
    sparse = scipy.sparse.csr_matrix(values)
    anndata.AnnData(frame.astype("float32")).write_h5ad(folder / "x.h5ad", compression="gzip")
    obs = pd.DataFrame({"kind": pd.Categorical(list("ab") * 15)}, frame.index)
    anndata.AnnData(sparse, obs, frame.T[[]]).write_h5ad(folder / "sparse.h5ad")
    with h5py.File(folder / "tenx.h5", "w") as file:
        group = file.create_group("matrix")
        group["barcodes"], group["shape"] = np.array(frame.index, "S"), [6, 30]
        for name in ("data", "indices", "indptr"):
            group.create_dataset(name, data=getattr(sparse, name), chunks=True, compression="gzip")
        group["features/id"] = group["features/name"] = np.array(frame.columns, "S")
        group["features/feature_type"] = np.array(["Gene Expression"] * 6, "S")
    with h5py.File(folder / "x.h5mu", "w") as file:
        anndata.io.write_elem(file, "mod/rna", anndata.AnnData(sparse, obs, frame.T[[]]))
        anndata.io.write_elem(file, "obs", obs)
    with h5py.File(folder / "x.loom", "w") as file:
        file.create_dataset("matrix", data=values.T, chunks=(3, 4), compression="gzip")
        file["row_attrs/Gene"], file["col_attrs/CellID"] = (
            np.array(names, "S") for names in (frame.columns, frame.index)
        )
    frame.to_excel(folder / "x.xlsx")
    return {name: (folder / name).read_bytes() for name in (*KINDS, *HDF5)}


def hurt(content, wounds):
    """A content with some bytes taken out and others put in."""
    content = bytearray(content)
    for share, gone, come in wounds:
        place = int(share * len(content))
        content[place : place + gone] = come
    return bytes(content)


def for_each(examples, check, **drawn):
    """Call a check with so many random examples."""
    settings(BASE, max_examples=examples)(given(**drawn)(check))()


@EXAMPLES
@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_matrix_is_read_or_refused(whole, tmp_path, name, examples):
    def check(limit, wounds):
        assert_read_or_refused(whole[name], tmp_path / name, limit, wounds)

    # In memory, and batch by batch.
    for_each(examples, check, limit=st.sampled_from([1 << 30, 200]), wounds=WOUNDS)


@OF_HDF5
@pytest.mark.parametrize("name", HDF5)
def test_damaged_hdf5_is_read_or_refused(whole, tmp_path, monkeypatch, name, examples):
    monkeypatch.setattr(_hdf5, "SECONDS", SECONDS)

    def check(wounds):
        # Bytes that only change keep the places of all others.
        wounds = [(share, len(come), come) for share, _, come in wounds]
        assert_read_or_refused(whole[name], tmp_path / name, 200, wounds)

    for_each(examples, check, wounds=WOUNDS)


def assert_read_or_refused(content, path, limit, wounds):
    """What is left of a file is a table, or one clear refusal."""
    path.write_bytes(hurt(content, wounds))
    try:
        table = read_table(path, limit=limit)
    except InputError as error:
        assert str(path) in str(error)
        return
    assert table.values.shape[1] == len(table.features) and table.values.dtype == np.float32


@EXAMPLES
def test_damaged_targets_are_read_or_refused(tmp_path, examples):
    text = "sample\tkind\tbatch\n" + "".join(f"s{n}\t{'ab'[n % 2]}\t{n % 3}\n" for n in range(20))
    path = tmp_path / "y.tsv"

    def check(wounds):
        path.write_bytes(hurt(text.encode(), wounds))
        try:
            read_columns(str(path))
        except InputError as error:
            assert str(path) in str(error)

    for_each(examples, check, wounds=WOUNDS)


CONFIGS = [
    json5.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "configs").glob("*.json"))
]
CONFIGS.append(json.loads(Config.of({"name": "a", "data": {"features": "x.tsv"}}).as_json()))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


def changed(config, steps, value):
    """A config with the value at the end of some steps (numbers of keys) replaced, or a new key."""
    if not isinstance(config, dict) or not config or not steps:
        return value
    keys = sorted(config)
    place = steps[0] % (len(keys) + 1)
    key = keys[place] if place < len(keys) else f"new{steps[0]}[]"
    return config | {key: changed(config.get(key), steps[1:], value)}


STEPS = st.lists(st.integers(0, 50), min_size=1, max_size=4)


@EXAMPLES
def test_a_wild_config_is_taken_or_refused(examples):
    def check(config, steps, value):
        try:
            taken = Config.of(changed(config, steps, value))
            families.spaces(taken)
        except InputError as error:
            assert len(str(error)) < 5000
            return
        assert Config.of(json.loads(taken.as_json())) == taken

    for_each(examples, check, config=st.sampled_from(CONFIGS), steps=STEPS, value=ANYTHING)


@EXAMPLES
def test_damaged_json_is_taken_or_refused(tmp_path, examples):
    path = tmp_path / "config.json"

    def check(config, wounds):
        path.write_bytes(hurt(json.dumps(config, indent=1).encode(), wounds))
        try:
            Config.load(path)
        except InputError as error:
            assert str(path) in str(error) or "config" in str(error)

    for_each(examples, check, config=st.sampled_from(CONFIGS), wounds=WOUNDS)
