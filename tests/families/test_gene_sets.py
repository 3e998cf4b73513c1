"""Gene sets: what is read of GMT files, and what is kept of it for the genes that were measured."""

import gzip
import os

import numpy as np
import pytest

from autogenome_tf import data
from autogenome_tf.core.errors import InputError
from autogenome_tf.families import _gene_sets


@pytest.fixture
def written(tmp_path):
    """A function that writes lines of (name, description, *genes) and returns the path."""

    def write(*lines, name="sets.gmt"):
        path = tmp_path / name
        path.write_text("".join("\t".join(line) + "\n" for line in lines))
        return str(path)

    return write


def mask(membership):
    """(inputs, sets) of 0 and 1."""
    found = np.zeros((membership.inputs, len(membership.names)), int)
    found[membership.rows, membership.columns] = 1
    return found


def test_a_description_is_no_gene_and_a_gene_counts_once(written):
    path = written(("one", "B", "A", "A", "C"), ("two", "", "B,1.0", "C"))
    found = data.read_gene_sets([path])
    assert [(one.name, one.source, one.genes) for one in found] == [
        ("one", "sets.gmt", ("A", "C")),
        ("two", "sets.gmt", ("B", "C")),
    ]


def test_genes_in_place_of_descriptions_are_doubted(written):
    lines = ("one", "A", "B", "C"), ("two", "b", "D")
    found = _gene_sets.read_membership([written(*lines)], list("ABCD"))
    assert "such as 'A' of 'one'" in found.doubt and len(found.rows) == 3
    for other in (("three", "text", "A"), ("C", "C", "A"), ("four", "", "A")):
        path = written(*lines, other, name=f"{other[0]}.gmt")
        assert not _gene_sets.read_membership([path], list("ABCD")).doubt


def test_masks_are_exact_in_the_order_of_the_features(written):
    path = written(("one", "x", "C", "A"), ("two", "x", "B", "C", "absent"))
    found = _gene_sets.read_membership([path], ["A", "B", "C", "D"])
    np.testing.assert_array_equal(mask(found), [[1, 0], [0, 1], [1, 1], [0, 0]])
    assert found.names == ("one", "two")
    np.testing.assert_array_equal(found.sizes, [2, 2])
    np.testing.assert_array_equal(found.free, [3])
    assert found.table["lost"].tolist() == ["", "absent"]
    assert str(found) == (
        "2 sets; 4 connections; 1 of 4 genes are in no set; 1 genes of the sets are not in the data"
    )


def test_limits_hold_for_measured_genes_not_for_those_of_the_file(written):
    path = written(
        ("lost", "x", "A", "u", "v", "w"), ("kept", "x", "A", "B"), ("wide", "x", *"ABCD")
    )
    found = _gene_sets.read_membership([path], list("ABCD"), least=2, most=3)
    assert found.names == ("kept",)
    assert found.table["status"].tolist() == ["too few", "kept", "too many"]
    assert found.table["measured"].tolist() == [1, 2, 4]


def test_case_and_versions_do_not_keep_genes_apart_but_two_features_may(written):
    path = written(("one", "x", "Trp53", "ENSG1.7", "mix"))
    found = _gene_sets.read_membership([path], ["TRP53", "ENSG1.12", "Mix", "MIX", "x.1"])
    np.testing.assert_array_equal(found.rows, [0, 1])
    assert found.table["lost"].tolist() == ["mix"]
    exact = _gene_sets.read_membership([path], ["mix", "MIX"])
    np.testing.assert_array_equal(exact.rows, [0])


def test_units_lie_side_by_side(written):
    path = written(("one", "x", "A", "B"), ("two", "x", "B"))
    rows, columns = _gene_sets.read_membership([path], ["A", "B"]).widened(2, 3)
    found = np.zeros((4, 6), int)
    np.add.at(found, (rows, columns), 1)
    expected = np.kron([[1, 0], [1, 1]], np.ones((2, 3), int))
    np.testing.assert_array_equal(found, expected)


def test_a_set_may_come_again_with_the_same_genes_and_files_may_be_compressed(written, tmp_path):
    first = written(("one", "x", "A", "B"))
    packed = tmp_path / "again.gmt.gz"
    packed.write_bytes(gzip.compress(b"one\ty\tB\tA\r\nmore\t\tC\r\n\r\n"))
    found = data.read_gene_sets([first, str(packed)])
    assert [(one.name, one.genes) for one in found] == [("one", ("A", "B")), ("more", ("C",))]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            [("one", "x", "A"), ("one", "x", "B")],
            r"line 2: the set 'one' has different genes in .*line 1",
        ),
        ([("one", "x")], r"line 1: expected a set's name, a description and genes.*received 'one"),
        ([("", "x", "A")], r"line 1: expected a set's name"),
        (
            [("one", "x", "u")],
            r"^gene_sets: none of the sets' members is among the 2 inputs; .*'A'",
        ),
        ([("one", "x", "A")], r"^gene_sets: no set is left; expected at least 2 .* have 1 to 1\."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(written, lines, expected):
    with pytest.raises(InputError, match=expected):
        _gene_sets.read_membership([written(*lines)], ["A", "B"], least=2)


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        _gene_sets.read_membership([str(tmp_path / "none.gmt")], ["A"])
    (tmp_path / "bytes.gmt").write_bytes(b"one\tx\t\xff\xfe\n")
    with pytest.raises(InputError, match=r"bytes.gmt line 1: byte 7 .*UTF-8"):
        _gene_sets.read_membership([str(tmp_path / "bytes.gmt")], ["A"])


def test_a_changed_file_is_read_anew(written):
    path = written(("one", "x", "A"))
    assert _gene_sets.read_membership([path], ["A", "B"]).names == ("one",)
    written(("two", "x", "B"))
    os.utime(path, ns=(1, 1))
    assert _gene_sets.read_membership([path], ["A", "B"]).names == ("two",)


def test_real_collections(shared):
    folder = shared / "genesets"
    hallmark = data.read_gene_sets([str(folder / "hallmark_msigdb_v7.0.gmt")])
    assert len(hallmark) == 50
    assert len({gene for one in hallmark for gene in one.genes}) == 4384
    enrichr = data.read_gene_sets([str(folder / "go_bp_enrichr_2021.gmt")])
    assert len(enrichr) == 6036
