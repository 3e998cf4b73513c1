"""Contigs of FASTA files: words of four bases, counted by hand."""

import gzip
import itertools
import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import ReadOptions, read_table

RANDOM = np.random.default_rng(3)
TURNED = str.maketrans("ACGT", "TGCA")


def drawn(length, chances=(0.25, 0.25, 0.25, 0.25), random=RANDOM):
    return "".join(random.choice(list("ACGT"), length, p=chances))


def turned(sequence):
    return sequence[::-1].translate(TURNED)


def counted(sequence):
    """Shares by a plain loop over the words."""
    found = {}
    for start in range(len(sequence) - 3):
        word = sequence[start : start + 4]
        if set(word) <= set("ACGT"):
            name = min(word, turned(word))
            found[name] = found.get(name, 0) + 1
    return {word: count / sum(found.values()) for word, count in found.items()}


def written(tmp_path, text, name="contigs.fasta"):
    path = tmp_path / name
    packed = text.encode("utf-8")
    path.write_bytes(gzip.compress(packed) if name.endswith(".gz") else packed)
    return str(path)


@pytest.mark.parametrize("name", ["contigs.fasta", "contigs.fa.gz", "assembly.FNA"])
def test_shares_are_those_of_a_plain_count(tmp_path, name):
    sequences = {"k1": drawn(2000), "k2": drawn(1500, (0.4, 0.1, 0.1, 0.4))}
    sequences["k2"] = sequences["k2"][:700] + "NNN" + sequences["k2"][700:] + "R"
    text = "".join(f">{key} len={len(one)}\n{one}\n" for key, one in sequences.items())
    table = read_table(written(tmp_path, text, name))
    assert table.samples == ["k1", "k2"] and len(table.features) == 136
    assert table.features == sorted({min(w, turned(w)) for w in map("".join, every_word())})
    for row, sequence in zip(table.values, sequences.values(), strict=True):
        shares = (row / 7) ** 2
        found = {word: share for word, share in zip(table.features, shares, strict=True) if share}
        assert found == pytest.approx(counted(sequence), rel=1e-5)
    assert list(table.column("length")) == [2000, 1504] and not table.warnings


def every_word():
    return itertools.product("ACGT", repeat=4)


def test_strand_case_lines_and_rna_change_nothing(tmp_path):
    sequence = drawn(1200)
    lines = "\n".join(sequence[start : start + 60] for start in range(0, 1200, 60))
    ways = [sequence, turned(sequence), sequence.lower(), lines, sequence.replace("T", "U")]
    text = "; of an assembler\n\n" + "".join(f">s{n}\n{way}\n\n" for n, way in enumerate(ways))
    values = read_table(written(tmp_path, text)).values
    np.testing.assert_allclose(values, np.tile(values[0], (5, 1)), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (">k1\nACGTACGT\n>p\nMEEPQSDPSV\n", "line 3: p: received 'E' at base 2; expected nucleo"),
        ("@read\nACGT\n+\nIIII\n", "line 1: received '@read'; expected '>'.*The file is FASTQ"),
        (">k1\nACNNACG\n", "line 1: k1: 7 letters without 4 known bases in a row"),
        (">k1\nACGTA\n>k2\n", "line 3: k2: 0 letters without 4 known bases"),
        (">k1\nACGTA\n> \nACGTT\n", "line 3: expected an id behind '>'"),
        (">k1 a\nACGTA\n>k1 b\nACGTT\n", "duplicate sample id.*k1"),
        ("\n\n", "no sequence; expected lines of '>'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_table(written(tmp_path, text))


def test_short_sequences_are_doubted(tmp_path):
    text = f">k1\n{drawn(1000)}\n>k2\n{drawn(999)}\n"
    ((about, said),) = read_table(written(tmp_path, text)).warnings
    assert about == "values" and "1 of 2 sequences are shorter than 1,000 bases" in said


# Depths ------------------------------------------------------------------------------------------

CONTIGS = f">k1\n{drawn(1000)}\n>k2\n{drawn(1000)}\n"
METABAT = (
    "contigName\tcontigLen\ttotalAvgDepth\ta.bam\ta.bam-var\tb.bam\tb.bam-var\n"
    "k3\t1000\t1\t1\t1\t0\t1\nk2\t1000\t9\t7\t1\t2\t1\nk1\t1000\t4\t0\t1\t4\t1\n"
)
COVERM = (
    "Contig\ta.bam Mean\ta.bam Variance\ta.bam Read Count\tb.bam Mean\tb.bam Length\n"
    "k1\t0\t1\t7\t4\t8\nk2\t7\t3\t5\t2\t6\n"
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (METABAT, "depths.txt"),
        ("contig,a.bam,b.bam\nk2,7,2\nk1,0,4\nk3,1,0\n", "depths.csv"),
        (COVERM, "depths.tsv"),
        ("contig,bases,a.bam,b.bam\nk2,{1},7,2\nk1,{0},0,4\n", "depths.csv"),
        ("contig,a.bam,b.bam\nk2 flag=1 len=1000,7,2\nk1 flag=0,0,4\n", "depths.csv"),
    ],
)
def test_depths_stand_behind_the_words_by_the_ids(tmp_path, text, name):
    path = written(tmp_path, CONTIGS)
    text = text.format(*read_table(path).column("length"))
    table = read_table(path, options=ReadOptions(abundance=written(tmp_path, text, name)))
    samples = [feature.removesuffix(" Mean") for feature in table.features[136:]]
    assert table.samples == ["k1", "k2"] and samples == ["a.bam", "b.bam"]
    np.testing.assert_allclose(np.expm1(table.values[:, 136:]), [[0, 4], [7, 2]], rtol=1e-6)
    assert (table.values[:, :136] == read_table(path).values).all()
    assert "log depths of 2 samples" in table.said


def test_rows_of_one_contig_by_the_first_word_are_refused(tmp_path):
    depths = written(tmp_path, "contig,a.bam\nk1 x,1\nk1 y,2\nk2,3\n", "depths.csv")
    with pytest.raises(InputError, match="several rows are of contig 'k1', by the first word"):
        read_table(written(tmp_path, CONTIGS), options=ReadOptions(abundance=depths))


def test_of_samtools_coverage_the_mean_depth_is_taken(tmp_path):
    text = (
        "#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\tmeanbaseq\tmeanmapq\n"
        "k1\t1\t1000\t40\t990\t99\t3\t35\t60\nk2\t1\t1000\t50\t980\t98\t15\t36\t60\n"
    )
    options = ReadOptions(abundance=written(tmp_path, text, "coverage.txt"))
    table = read_table(written(tmp_path, CONTIGS), options=options)
    assert table.features[136:] == ["meandepth"]
    np.testing.assert_allclose(np.expm1(table.values[:, 136]), [3, 15], rtol=1e-6)


def test_depths_may_be_sparse(tmp_path):
    anndata = pytest.importorskip("anndata")
    depths = pd.DataFrame([[7, 0], [0, 4]], ["k2", "k1"], ["a", "b"])
    anndata.AnnData(scipy.sparse.csr_matrix(depths.astype("float32")), depths[[]]).write_h5ad(
        tmp_path / "depths.h5ad"
    )
    options = ReadOptions(abundance=str(tmp_path / "depths.h5ad"))
    values = read_table(written(tmp_path, CONTIGS), options=options).values
    np.testing.assert_allclose(np.expm1(values[:, 136:]), [[0, 4], [7, 0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contig\ta\nk1\t3\nx\t2\n", "lacks 1 of 2 ids of .*contigs.fasta, such as 'k2'"),
        ("contig\ta\nk1\t3\nk2\t-2\n", "depths.tsv: k2, a: received -2; expected a depth"),
        ("contig\tlength\nk1\t{0}\nk2\t{1}\n", "depths.tsv: received no depths, but 'length'"),
        ("contig\ta\nk1\tNA\nk2\t2\n", "depths.tsv: k1, a: received nan; expected a depth"),
    ],
)
def test_depths_that_lack_or_are_none_are_refused(tmp_path, text, said):
    path = written(tmp_path, CONTIGS)
    text = text.format(*read_table(path).column("length"))
    depths = written(tmp_path, text, "depths.tsv")
    with pytest.raises(InputError, match=said):
        read_table(path, options=ReadOptions(abundance=depths))


def test_other_matrices_have_no_depths(tmp_path):
    matrix = written(tmp_path, "sample\ta\tb\ns1\t1\t2\n", "x.tsv")
    with pytest.raises(InputError, match=r"data.abundance: received 'd.tsv', but files of this k"):
        read_table(matrix, options=ReadOptions(abundance="d.tsv"))


def test_contigs_and_depths_make_a_latent_space(tmp_path):
    config = {
        "name": "bins", "output_dir": str(tmp_path), "task": {"type": "representation"},
        "data": {"features": "contigs.fasta", "abundance": "depths.tsv"},
        "families": {"resvae": {"latent": 2, "start_width": 8, "layers": 1}},
        "search": {"max_trials": 1, "epochs": 2}, "training": {"epochs": 2},
        "output": {"figures": False},
    }  # fmt: skip
    names = [f"c{n}" for n in range(30)]
    written(tmp_path, "".join(f">{name}\n{drawn(1200)}\n" for name in names))
    depths = RANDOM.lognormal(2, 1, (30, 2))
    rows = [f"{name}\t{a}\t{b}\n" for name, (a, b) in zip(names, depths, strict=True)]
    written(tmp_path, "contig\tday1\tday2\n" + "".join(rows[::-1]), "depths.tsv")
    (tmp_path / "config.json").write_text(json.dumps(config))
    automl = ag.AutoGenome(str(tmp_path / "config.json"))
    # Roots of shares and log depths are in units of about the same noise.
    assert automl.config.data.scale == "centre"
    automl.run(["train", "evaluate", "predict"])
    assert not automl.folder.joinpath("bins").exists()
    told = json.loads(automl.folder.joinpath("warnings.json").read_text())
    assert not [one for one in told if "may not be genes" in one["text"]]
    latent = pd.read_csv(automl.folder / "latent.tsv", sep="\t")
    assert list(latent["sample"]) == names
    few = written(tmp_path, f">c3 again\n{drawn(1300)}\n", "new.fa")
    assert list(automl.predict(few)["sample"]) == ["c3"]


# Runs --------------------------------------------------------------------------------------------


def test_genomes_are_told_by_their_words(tmp_path, few_learners):
    genomes = {"one": (0.3, 0.2, 0.2, 0.3), "other": (0.22, 0.28, 0.28, 0.22)}
    contigs = [(f"c{n}", genome) for n, genome in enumerate(list(genomes) * 20)]
    text = "".join(f">{name}\n{drawn(1500, genomes[genome])}\n" for name, genome in contigs)
    (tmp_path / "genomes.tsv").write_text(
        "contig\tgenome\n" + "".join(f"{name}\t{genome}\n" for name, genome in contigs[::-1])
    )
    config = {
        "name": "contigs", "output_dir": str(tmp_path),
        "data": {"features": written(tmp_path, text, "contigs.fna.gz"),
                 "targets": str(tmp_path / "genomes.tsv"), "split": {"test": 0.25}},
        "families": {"linear": {"l2": 0.1}}, "search": {"folds": 2},
        "output": {"figures": False},
    }  # fmt: skip
    automl = ag.AutoGenome(config)
    automl.train()
    assert automl.evaluate()["test"]["accuracy"]["value"] == 1
    found = automl.predict(config["data"]["features"])
    assert list(found["sample"]) == [name for name, _ in contigs]
