"""Bins of contigs: clusters by hand, completeness by hand, files that hold every base."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import contigs_of
from autogenome_tf.models import _bins, bin_table, bins_of, near_complete
from autogenome_tf.simulation.folder import simulate_contigs


def test_bins_are_numbered_by_their_bases():
    random = np.random.default_rng(5)
    points = np.concatenate([
        random.normal(size=(30, 2)), random.normal(size=(20, 2)) + 30, [[500, 0]],
    ])  # fmt: skip
    bases = np.array([1_000] * 30 + [5_000] * 20 + [9_000_000])
    np.testing.assert_array_equal(bins_of(points, bases, 5), [2] * 30 + [1] * 20 + [0])


def test_a_few_alike_are_no_bin_of_reads():
    random = np.random.default_rng(5)
    sizes = {0: 30, 30: 30, 60: 8}
    points = np.concatenate([random.normal(size=(size, 2)) + at for at, size in sizes.items()])
    found = {fewest: bins_of(points, np.ones(68), fewest) for fewest in (5, 20)}
    assert set(found[5][60:]) == {3} and found[20].max() == 2


def test_of_very_many_contigs_short_ones_join_the_bins_of_the_longest(monkeypatch):
    random = np.random.default_rng(8)
    centres = np.array([[0, 0], [20, 0], [0, 20]])
    points = np.concatenate([centres[number % 3] + random.normal(size=2) for number in range(300)])
    points = np.concatenate([points.reshape(300, 2), [[300, 300]]])
    bases = np.arange(301)[::-1] + 1000
    whole = bins_of(points, bases, 5)
    monkeypatch.setattr(_bins, "CLUSTERED", 150)
    some = bins_of(points, bases, 5)
    assert set(some) == {0, 1, 2, 3} and some[-1] == 0
    # A short one at the edge of its genome may be in none, but in no other bin.
    pairs = {(one, other) for one, other in zip(some, whole, strict=True) if one}
    assert len(pairs) == 3 and (some > 0).mean() > 0.9


def test_without_clusters_there_is_no_bin():
    bins = bins_of(np.array([[0.0], [5.0]]), np.array([10, 10]), 5)
    assert bins.tolist() == [0, 0]
    assert bin_table(bins, np.array([10, 10]), np.array(["a", "b"])).empty


BINS = np.array([1, 1, 1, 2, 2, 0, 3])
BASES = np.array([600, 300, 50, 400, 100, 100, 70])
GENOMES = np.array(["a", "a", "b", "b", "", "a", ""])


def test_a_bin_is_compared_with_the_genome_that_it_has_most_of():
    table = bin_table(BINS, BASES, GENOMES)
    assert table["bin"].tolist() == [1, 2, 3]
    assert table["contigs"].tolist() == [3, 2, 1] and table["bases"].tolist() == [950, 500, 70]
    assert table["genome"].tolist() == ["a", "b", None]
    np.testing.assert_allclose(table["completeness"], [900 / 1000, 400 / 450, np.nan])
    np.testing.assert_allclose(table["contamination"], [50 / 950, 0, np.nan])
    # Bin 1 has 5.3 % of others, bin 2 less than 90 % of its genome.
    assert near_complete(table) == 0
    assert near_complete(bin_table(BINS, np.where(BASES == 50, 40, BASES), GENOMES)) == 2


@pytest.mark.parametrize("genomes", [None, np.array([""] * 7)])
def test_without_truth_nothing_is_compared(genomes):
    assert list(bin_table(BINS, BASES, genomes)) == ["bin", "contigs", "bases"]


# Runs --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contigs")
    drawn = simulate_contigs(folder, genomes=6, strains=2, bases=80_000, seed=4)
    config = json.loads((folder / "config.json").read_text())
    config["families"]["resvae"] |= {"latent": 8, "start_width": 32, "layers": 1}
    config["search"] |= {"epochs": 10}
    config["training"] = {"epochs": 30}
    config["output"] |= {"figures": False, "bin_bases": 50_000}
    (folder / "config.json").write_text(json.dumps(config))
    automl = ag.AutoGenome(str(folder / "config.json"))
    automl.run(["train", "evaluate", "predict", "report"])
    return drawn, automl


def table(automl, name):
    return pd.read_csv(automl.folder / name, sep="\t")


def fasta(text):
    """Return the sequences of a FASTA text by their ids."""
    parts = (part.split("\n", 1) for part in text.split(">")[1:])
    return {header.split()[0]: letters.replace("\n", "") for header, letters in parts}


def test_files_hold_the_contigs_of_large_bins_whole(finished):
    drawn, automl = finished
    bins, contigs = table(automl, "bins.tsv"), table(automl, "contig_bins.tsv")
    assert contigs["sample"].tolist() == drawn.names
    assert contigs["bases"].tolist() == drawn.truth["bases"].tolist()
    assert bins["bases"].is_monotonic_decreasing
    sums = contigs[contigs["bin"] > 0].groupby("bin")["bases"].agg(["size", "sum"])
    assert sums["size"].tolist() == bins["contigs"].tolist()
    assert sums["sum"].tolist() == bins["bases"].tolist()
    large = bins.loc[bins["bases"] >= 50_000, "bin"]
    files = {path.name for path in (automl.folder / "bins").iterdir()}
    assert files == {f"bin_{number}.fasta" for number in large} and len(files) > 2
    letters = dict(zip(drawn.names, drawn.sequences, strict=True))
    for number in large:
        text = (automl.folder / "bins" / f"bin_{number}.fasta").read_text()
        names = contigs.loc[contigs["bin"] == number, "sample"]
        assert fasta(text) == {name: letters[name] for name in names}
        assert max(map(len, text.splitlines())) <= 60


def test_simulated_genomes_are_recovered(finished):
    drawn, automl = finished
    assert near_complete(table(automl, "bins.tsv")) >= 4
    page = (automl.folder / "report.html").read_text("utf-8")
    assert "clusters of contigs by HDBSCAN" in page and "contamination" in page


def test_predicted_again_the_folder_holds_the_same_files(finished):
    _, automl = finished
    before = {path.name: path.read_bytes() for path in (automl.folder / "bins").iterdir()}
    (automl.folder / "bins" / "bin_99.fasta").write_text(">left\nACGT\n")
    automl.predict()
    after = {path.name: path.read_bytes() for path in (automl.folder / "bins").iterdir()}
    assert after == before


def test_headers_and_letters_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.fa.gz"
    path.write_bytes(gzip.compress(b">k1 len=4 cov=2\nACgt\nnN\n>k2\nAC\n"))
    data = Config.of({"name": "a", "data": {"features": str(path)}}).data
    first, second = contigs_of(data)
    assert (first.name, first.header, first.letters) == ("k1", "k1 len=4 cov=2", "ACgtnN")
    assert (second.line, second.name, second.letters) == (4, "k2", "AC")


def test_contigs_whose_ids_repeat_have_no_bins(tmp_path):
    random = np.random.default_rng(2)
    letters = ["".join(random.choice(list("ACGT"), 1200)) for _ in range(24)]
    names = [f"c{number // 2}" for number in range(24)]
    text = "".join(f">{name}\n{own}\n" for name, own in zip(names, letters, strict=True))
    (tmp_path / "a.fa").write_text(text)
    config = {
        "name": "a", "output_dir": str(tmp_path), "task": {"type": "representation"},
        "data": {"features": str(tmp_path / "a.fa"), "duplicates": "suffix"},
        "families": {"resvae": {"latent": 2, "start_width": 8, "layers": 1}},
        "search": {"max_trials": 1, "epochs": 2}, "training": {"epochs": 2},
        "output": {"figures": False, "bins": True},
    }  # fmt: skip
    automl = ag.AutoGenome(config)
    automl.train()
    assert len(automl.predict()) == 24
    told = json.loads((automl.folder / "warnings.json").read_text())
    (text,) = [one["text"] for one in told if one["about"] == "bins"]
    assert "12 rows, such as c0-1, have another id than their contig" in text
    assert not (automl.folder / "bins.tsv").exists()


# What is refused ---------------------------------------------------------------------------------


def test_rows_that_are_no_contigs_have_no_bins(tmp_path):
    rows = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 5)))
    config = {
        "name": "a", "output_dir": str(tmp_path), "task": {"type": "representation"},
        "output": {"bins": True},
    }  # fmt: skip
    with pytest.raises(InputError, match="output.bins: data: bins are of the contigs"):
        ag.AutoGenome(config, data=(rows, None)).train()
    (tmp_path / "x.csv").write_text("sample,a,b\ns1,1,2\ns2,1,3\n")
    config["data"] = {"features": str(tmp_path / "x.csv")}
    with pytest.raises(InputError, match="output.bins: .*x.csv: bins are of the contigs"):
        ag.AutoGenome(config).train()
    assert not list(tmp_path.glob("**/environment.json"))


def test_targets_have_no_bins(tmp_path):
    config = {"name": "a", "output_dir": str(tmp_path), "output": {"bins": True}}
    rows = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 5)))
    with pytest.raises(InputError, match="output.bins: task.type classification has no latent"):
        ag.AutoGenome(config, data=(rows, ["a", "b", "c"] * 10)).train()
