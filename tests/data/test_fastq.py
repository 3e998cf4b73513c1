"""Long reads of FASTQ files: words counted by hand, depths as they were drawn."""

import collections
import gzip
import json

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import ReadOptions, read_table
from autogenome_tf.data._words import codes, numbers_of_words
from autogenome_tf.data.readers import fastq

TURNED = str.maketrans("ACGT", "TGCA")


def drawn(random, length):
    return "".join(random.choice(list("ACGT"), length))


def turned(sequence):
    return sequence[::-1].translate(TURNED)


def fastq_text(reads):
    return "".join(f"@{name} ch=4\n{one}\n+\n{'I' * len(one)}\n" for name, one in reads.items())


def written(tmp_path, reads, name="reads.fastq"):
    path = tmp_path / name
    text = reads if isinstance(reads, str) else fastq_text(reads)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


@pytest.mark.parametrize("length", [1, 4, 7, 15])
def test_words_have_the_numbers_of_a_plain_count(length):
    sequence = drawn(np.random.default_rng(1), 60) + "N" + drawn(np.random.default_rng(2), 20)
    found = numbers_of_words(codes("s", sequence), length)
    words = [sequence[start : start + length] for start in range(len(sequence) - length + 1)]
    expected = [
        -1 if "N" in word else int("".join(str("ACGT".index(one)) for one in word), 4)
        for word in words
    ]
    assert found.tolist() == expected
    assert len(numbers_of_words(codes("s", "AC"), 4)) == 0


@pytest.mark.parametrize("name", ["reads.fastq", "reads.fq.gz"])
def test_composition_is_that_of_the_same_contigs(tmp_path, name):
    random = np.random.default_rng(3)
    reads = {f"r{number}": drawn(random, 1000 + 100 * number) for number in range(4)}
    table = read_table(written(tmp_path, reads, name))
    (tmp_path / "same.fasta").write_text("".join(f">{k}\n{one}\n" for k, one in reads.items()))
    same = read_table(tmp_path / "same.fasta")
    assert table.samples == same.samples and table.features[:136] == same.features
    np.testing.assert_array_equal(table.values[:, :136], same.values)
    assert list(table.column("length")) == [1000, 1100, 1200, 1300] and not table.warnings


def test_depths_are_those_of_a_plain_count(tmp_path, monkeypatch):
    # All words are counted, in a table where hardly two meet.
    monkeypatch.setattr(fastq, "SAMPLED", 1)
    monkeypatch.setattr(fastq, "ROOM", 2**10)
    random = np.random.default_rng(4)
    once, often = drawn(random, 1500), drawn(random, 1200)
    reads = {"once": once, "a": often, "b": turned(often), "c": often[:1100] + "N", "d": often}
    values = read_table(written(tmp_path, reads)).values[:, 136:]
    counts = collections.Counter(word for one in reads.values() for word in canonical(one))
    for row, one in zip(values, reads.values(), strict=True):
        own = [counts[word] for word in canonical(one)]
        steps = np.floor(2 * np.log2(own) + 1e-9).astype(int)
        expected = np.bincount(steps, minlength=32) / len(own)
        np.testing.assert_allclose(row**2, expected, atol=0.005)
    np.testing.assert_array_equal(values[1], values[2])


def canonical(sequence):
    words = [sequence[start : start + 15] for start in range(len(sequence) - 14)]
    return [min(word, turned(word)) for word in words if "N" not in word]


def test_a_sample_of_words_shows_the_depth(tmp_path):
    random = np.random.default_rng(5)
    genomes = {4: drawn(random, 8000), 32: drawn(random, 8000)}
    reads, depth_of = {}, []
    for depth, genome in genomes.items():
        for number in range(depth * 4):
            start = random.integers(0, 6000)
            reads[f"d{depth}_{number}"] = genome[start : start + 2000]
            depth_of.append(depth)
    table = read_table(written(tmp_path, reads))
    shares = table.values[:, 136:] ** 2
    mean = 2 ** (shares @ np.arange(32) / 2 / shares.sum(axis=1))
    low, high = (np.median(mean[np.array(depth_of) == depth]) for depth in genomes)
    assert 3 < low < 7 and 24 < high < 45


def test_rows_beyond_memory_are_the_same(tmp_path, monkeypatch):
    random = np.random.default_rng(6)
    path = written(tmp_path, {f"r{number}": drawn(random, 1200) for number in range(30)})
    whole = read_table(path).values
    monkeypatch.setattr(fastq, "BLOCK", 5000)
    mapped = read_table(path, options=ReadOptions(limit=4096)).values
    np.testing.assert_array_equal(whole, mapped)


def test_short_reads_are_left_out_and_counted(tmp_path):
    random = np.random.default_rng(7)
    reads = {"long": drawn(random, 1000), "short": drawn(random, 999), "other": drawn(random, 2000)}
    table = read_table(written(tmp_path, reads | {"unknown": "N" * 1500 + "ACGTn"}))
    assert table.samples == ["long", "other"]
    ((about, said),) = table.warnings
    assert about == "values"
    assert "2 of 4 reads have fewer than 1,000 known bases: they are left" in said


LONG = "ACGT" * 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@r1\nACGT\n+\nIIII\n", "the longest of 1 reads has 4 known bases; expected long reads"),
        (">r1\nACGT\n", "line 1: received '>r1'; expected '@' and the id of a read"),
        ("@\nACGT\n+\nIIII\n", "line 1: received '@'; expected '@' and the id"),
        ("@r1\nACGT\n+\nIIII\n@r2\nAC\n+\n", "line 5: the last read is cut short"),
        ("@r1\nACGT\n+\nIII\n", "line 1: the read has 4 bases and 3 qualities"),
        ("@r1\nACGT\nACGT\n+\nIIIIIIII\n", "line 1: the read has 4 bases and 1 qualities below"),
        ("\n", "no read; expected lines of '@'"),
        (f"@p\n{LONG}E\n+\n{'I' * 1201}\n", "line 1: p: received 'E' at base 1201; expected nucl"),
        (f"@r\n{LONG}\n+\n{'I' * 1200}\n" * 2, "duplicate sample id.*r"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_table(written(tmp_path, text))


def test_reads_have_bins(tmp_path):
    random = np.random.default_rng(8)
    reads = {}
    for genome, chances in enumerate([(0.4, 0.1, 0.1, 0.4), (0.1, 0.4, 0.4, 0.1)]):
        for number in range(20):
            reads[f"g{genome}_{number}"] = "".join(random.choice(list("ACGT"), 1500, p=chances))
    config = {
        "name": "reads", "output_dir": str(tmp_path), "task": {"type": "representation"},
        "data": {"features": written(tmp_path, reads, "reads.fq.gz"), "split": {"test": 0}},
        "families": {"resvae": {"latent": 2, "start_width": 8, "layers": 1}},
        "search": {"max_trials": 1, "epochs": 2}, "training": {"epochs": 2},
        "output": {"figures": False, "bins": True, "bin_bases": 10_000},
    }  # fmt: skip
    automl = ag.AutoGenome(json.loads(json.dumps(config)))
    automl.run(["train", "predict"])
    bins = pd.read_csv(automl.folder / "contig_bins.tsv", sep="\t").set_index("sample")["bin"]
    of_genome = [set(bins[bins.index.str.startswith(name)]) - {0} for name in ("g0", "g1")]
    assert all(of_genome) and not of_genome[0] & of_genome[1]
    text = (automl.folder / "bins" / "bin_1.fasta").read_text()
    assert text.startswith(">g") and " ch=4\n" in text
