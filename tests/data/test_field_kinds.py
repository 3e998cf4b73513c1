"""Kinds of file that the field's programs and archives write: GCT, GEO, featureCounts."""

import bz2
import gzip

import numpy as np
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import find_reader, load_labelled, read_columns, read_table

NAN = np.nan


def written(folder, name, content):
    """Write text, packed as the name says, and return its path as a user would type it."""
    packers = {".gz": gzip.compress, ".bz2": bz2.compress}
    pack = next((pack for end, pack in packers.items() if name.endswith(end)), bytes)
    (folder / name).write_bytes(pack(content.encode()))
    return str(folder / name)


def kind(source):
    """The name of the reader that a source has."""
    return type(find_reader(source)).__name__


def refused(call, source, **options):
    """The message that a source is refused with; it names the source."""
    with pytest.raises(InputError) as caught:
        call(source, **options)
    assert source in str(caught.value)
    return str(caught.value)


GCT_12 = "#1.2\n2\t3\nName\tDescription\tS1\tS2\tS3\nENSG1\tTP53\t1\t2\t3\nENSG2\tMYC\t4\tNA\t6\n"
GCT_13 = (
    "#1.3\n2\t3\t1\t2\n"
    "id\tsymbol\tS1\tS2\tS3\n"
    "tissue\tna\tliver\tna\tlung\n"
    "dose\tna\t1.5\t2\t3\n"
    "g1\tTP53\t1\t2\t3\n"
    "g2\tMYC\t4\t5\t6\n"
)


@pytest.mark.parametrize("name", ["x.gct", "x.gct.gz", "x.gct.bz2", "x.gct.txt", "x.tsv", "x.GCT"])
def test_gct_of_version_1_2_is_read(tmp_path, name):
    source = written(tmp_path, name, GCT_12)
    table = read_table(source)
    assert table.samples == ["S1", "S2", "S3"] and table.features == ["ENSG1", "ENSG2"]
    np.testing.assert_array_equal(table.values, [[1, 4], [2, NAN], [3, 6]])
    assert kind(source) == "Gct" and "GCT 1.2" in table.said and table.extra is None
    assert table.orientation == "genes_by_samples"


def test_gct_of_version_1_3_says_of_samples_what_can_be_predicted(tmp_path):
    source = written(tmp_path, "x.gct", GCT_13)
    table = read_table(source)
    np.testing.assert_array_equal(table.values, [[1, 4], [2, 5], [3, 6]])
    assert table.extra.loc["S1"].to_dict() == {"tissue": "liver", "dose": "1.5"}
    assert table.extra.to_dict("list") == {"tissue": ["liver", None, "lung"],
                                           "dose": ["1.5", "2", "3"]}  # fmt: skip
    frame = read_columns(source)
    assert list(frame.index) == ["S1", "S2", "S3"] and list(frame["dose"]) == ["1.5", "2", "3"]
    data = Config.of({"name": "t", "data": {"features": source, "target": "tissue"}}).data
    dataset = load_labelled(data, "classification")
    assert list(dataset.targets) == ["liver", "lung"] and list(dataset.samples) == ["S1", "S3"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (GCT_12.replace("2\t3\n", "3\t3\n", 1), ["2 genes", "expected 3", "line 2"]),
        (GCT_12.replace("2\t3\n", "2\t4\n", 1), ["line 3", "5 names", "expected 6"]),
        (GCT_12.replace("2\t3\n", "2\n", 1), ["lines 1 and 2", "'#1.2', '2'"]),
        (GCT_12.replace("#1.2", "#1.1"), ["lines 1 and 2", "#1.2 or #1.3"]),
        (GCT_12.replace("\t6\n", "\n"), ["line 5", "4 cells", "expected 5"]),
        (GCT_12.replace("ENSG2", "ENSG1"), ["duplicate gene name: 'ENSG1'"]),
        (GCT_12.replace("\t6\n", "\thigh\n"), ["line 5", "'S3'", "'high'"]),
        (GCT_13.replace("dose\tna\t1.5", "dose\tna"), ["line 5", "4 cells", "expected 5"]),
        ("#1.2\n", ["lines 1 and 2"]),
        ("", ["is empty"]),
    ],
)
def test_a_gct_file_that_is_not_what_it_claims_is_refused(tmp_path, text, parts):
    said = refused(read_table, written(tmp_path, "x.gct", text))
    assert [part for part in parts if part not in said] == []


SERIES = (
    '!Series_title\t"simulated"\n!Series_geo_accession\t"GSE1"\n\n'
    '!Sample_title\t"liver 1"\t"liver 2"\t"lung 1"\n'
    '!Sample_geo_accession\t"GSM1"\t"GSM2"\t"GSM3"\n'
    '!Sample_organism_ch1\t"Homo sapiens"\t"Homo sapiens"\t"Homo sapiens"\n'
    '!Sample_characteristics_ch1\t"disease state: normal"\t"disease state: tumor"\t"age: 61"\n'
    '!Sample_characteristics_ch1\t"age: 50"\t"age: NA"\t""\n'
    '!Sample_characteristics_ch1\t"female"\t"male"\t"male"\n'
    "!series_matrix_table_begin\n"
)
VALUES = '"ID_REF"\t"GSM1"\t"GSM2"\t"GSM3"\n"1007_s_at"\t7.5\t8\t\n"1053_at"\t2\t3\t4\n'
END = "!series_matrix_table_end\n"


@pytest.mark.parametrize("rows", [0, 20])
def test_a_series_matrix_is_read_with_its_characteristics(tmp_path, rows):
    more = "".join(f'"p{n}"\t{n}\t{n}\t{n}\n' for n in range(rows))
    table = read_table(written(tmp_path, "GSE1_series_matrix.txt.gz", SERIES + VALUES + more + END))
    assert table.samples == ["GSM1", "GSM2", "GSM3"]
    assert table.features[:2] == ["1007_s_at", "1053_at"] and len(table.features) == rows + 2
    np.testing.assert_array_equal(table.values[:, :2], [[7.5, 2], [8, 3], [NAN, 4]])
    assert table.extra.to_dict("list") == {
        "title": ["liver 1", "liver 2", "lung 1"],
        "disease state": ["normal", "tumor", None],
        "age": [None, None, "61"],
        "age_2": ["50", None, None],
        "characteristics_ch1": ["female", "male", "male"],
    }
    assert "disease state" in table.said and table.orientation == "genes_by_samples"


def test_characteristics_belong_to_accessions_and_not_to_places(tmp_path):
    other = VALUES.replace("GSM1", "GSM0").replace("GSM3", "GSM1").replace("GSM0", "GSM3")
    table = read_table(written(tmp_path, "x.txt", SERIES + other + END))
    assert table.samples == ["GSM3", "GSM2", "GSM1"]
    assert list(table.extra["title"]) == ["lung 1", "liver 2", "liver 1"]


def test_a_characteristic_of_a_series_is_a_target(tmp_path):
    source = written(tmp_path, "x.txt", SERIES + VALUES + END)
    data = Config.of({"name": "t", "data": {"features": source, "target": "characteristics_ch1"}})
    dataset = load_labelled(data.data, "classification")
    assert list(dataset.targets) == ["female", "male", "male"]


def test_a_series_without_values_is_a_file_of_targets(tmp_path):
    source = written(tmp_path, "x.txt", SERIES + VALUES.splitlines()[0] + "\n" + END)
    assert "supplementary files" in refused(read_table, source)
    frame = read_columns(source)
    assert list(frame.index) == ["GSM1", "GSM2", "GSM3"]
    assert list(frame["disease state"]) == ["normal", "tumor", None]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (SERIES.replace("!series_matrix_table_begin\n", ""), ["without the line"]),
        (SERIES, ["without values"]),
        (SERIES + VALUES.replace("\t3\t4", "\t3") + END, ["line 13", "3 cells", "expected 4"]),
        (SERIES + VALUES.replace("\t4\n", "\thigh\n") + END, ["line 13", "'GSM3'", "'high'"]),
        (SERIES.replace('\t"male"\n', "\n") + VALUES + END, ["line 9", "2 samples", "expected 3"]),
        (SERIES + VALUES.replace("1053", "1007_s").replace("_s_s", "_s") + VALUES[-12:] + END, []),
    ],
)
def test_a_series_matrix_that_is_damaged_is_refused(tmp_path, text, parts):
    said = refused(read_table, written(tmp_path, "x.txt", text))
    assert [part for part in parts if part not in said] == []


COUNTS = (
    '# Program:featureCounts v2.0.6; Command:"featureCounts" "-a" "genes.gtf"\n'
    "Geneid\tChr\tStart\tEnd\tStrand\tLength\tmap/s1.sorted.bam\tmap/s2.sorted.bam\n"
    "ENSG1\tchr1;chr1\t11869;12010\t12227;12057\t+;+\t1735\t5\t0\n"
    "ENSG2\tchr1\t14404\t29570\t-\t1351\t12\t40\n"
)


def test_counts_of_feature_counts_are_read(tmp_path):
    source = written(tmp_path, "counts.txt", COUNTS)
    table = read_table(source)
    assert kind(source) == "FeatureCounts"
    assert table.samples == ["s1", "s2"] and table.features == ["ENSG1", "ENSG2"]
    np.testing.assert_array_equal(table.values, [[5, 12], [0, 40]])
    assert kind(written(tmp_path, "y.txt", COUNTS.split("\n", 1)[1])) == "FeatureCounts"


def test_files_of_reads_that_differ_by_their_folder_are_named_by_it(tmp_path):
    text = COUNTS.replace("map/s1.sorted", "a/Aligned").replace("map/s2.sorted", "b/Aligned")
    assert read_table(written(tmp_path, "x.txt", text)).samples == ["a", "b"]
    same = COUNTS.replace("map/s2", "map/s1")
    assert "duplicate sample id" in refused(read_table, written(tmp_path, "y.txt", same))


@pytest.mark.parametrize("name", ["x.gct", "x.txt"])
def test_damaged_packing_is_said_of_these_kinds_too(tmp_path, name):
    path = tmp_path / f"{name}.gz"
    rows = "".join(f"g{n}\tx\t{n * 7919 % 1009}\t2\t3\n" for n in range(3000))
    packed = gzip.compress(GCT_12.replace("2\t3\n", "3002\t3\n", 1).encode() + rows.encode())
    path.write_bytes(packed[: len(packed) // 2])
    assert "damaged or cut short" in refused(read_table, str(path))
