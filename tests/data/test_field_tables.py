"""Text tables as programs of the field write them: where genes lie, what stands around them."""

import gzip

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import load_labelled, read_columns, read_table
from autogenome_tf.data._orientation import GENES, SAMPLES, orientation_by_ids, transposed

NAN = np.nan


def written(folder, name, content):
    """Write text and return its path as a user would type it."""
    (folder / name).write_bytes(content.encode())
    return str(folder / name)


# Text, samples, genes, values of samples x genes.
TABLES = {
    "cBioPortal": (
        "Hugo_Symbol\tEntrez_Gene_Id\tTCGA-A1\tTCGA-A2\nTP53\t7157\t1.5\t2\n\t4609\t3\tNA\n",
        ["TCGA-A1", "TCGA-A2"], ["TP53", "4609"], [[1.5, 3], [2, NAN]],
    ),
    "cBioPortal, Entrez first": (
        "Entrez_Gene_Id\tHugo_Symbol\tS1\tS2\n7157\tTP53\t1\t2\n4609\tMYC\t3\t4\n",
        ["S1", "S2"], ["7157", "4609"], [[1, 3], [2, 4]],
    ),
    "Entrez ids as numbers and samples as numbers": (
        "GeneID,101,102\n7157,1,2\n4609,3,4\n",
        ["101", "102"], ["7157", "4609"], [[1, 3], [2, 4]],
    ),
    "a table of GEO": (
        '"ID_REF"\t"GSM1"\t"GSM2"\n"1007_s_at"\t7.5\t8\n"1053_at"\t2\t3\n',
        ["GSM1", "GSM2"], ["1007_s_at", "1053_at"], [[7.5, 2], [8, 3]],
    ),
    "BIOM as text": (
        "# Constructed from biom file\n#OTU ID\tS1\tS2\tTaxonomy\nOTU1\t5.0\t0.0\tk__Bacteria\n"
        "OTU2\t1.0\t2.0\tk__Archaea\n",
        ["S1", "S2"], ["OTU1", "OTU2"], [[5, 1], [0, 2]],
    ),
    "MetaPhlAn, its names behind a sign": (
        "#mpa_v31\n#clade_name\tNCBI_tax_id\tS1\tS2\nk__Bacteria\t2\t99\t98\nk__Archaea\t2157\t1\t2\n",
        ["S1", "S2"], ["k__Bacteria", "k__Archaea"], [[99, 1], [98, 2]],
    ),
    "HUMAnN": (
        "# Gene Family\tS1\tS2\nUNMAPPED\t5\t0.5\nUniRef90_A\t1\t2\n",
        ["S1", "S2"], ["UNMAPPED", "UniRef90_A"], [[5, 1], [0.5, 2]],
    ),
    "methylation": (
        "Probe ID;S1;S2;\ncg01;0,5;0,25;\ncg02;1;0;\n",
        ["S1", "S2"], ["cg01", "cg02"], [[0.5, 1], [0.25, 0]],
    ),
    "Ensembl with columns that describe genes": (
        "gene_id,gene_name,gene_biotype,S1,S2\nENSG1,A,protein_coding,1,2\nENSG2,B,lncRNA,3,4\n",
        ["S1", "S2"], ["ENSG1", "ENSG2"], [[1, 3], [2, 4]],
    ),
    "GISTIC": (
        "Gene Symbol\tLocus ID\tCytoband\tS1\tS2\nTP53\t7157\t17p\t-2\t0\nMYC\t4609\t8q\t1\t2\n",
        ["S1", "S2"], ["TP53", "MYC"], [[-2, 1], [0, 2]],
    ),
    "Windows, a byte order mark and quotes": (
        '\ufeff"Gene Symbol","S 1","S 2"\r\n"TP53",1,2\r\n"MYC, long",3,4\r\n',
        ["S 1", "S 2"], ["TP53", "MYC, long"], [[1, 3], [2, 4]],
    ),
    "blanks": ("symbol  S1   S2\nTP53    1.5  2\nMYC     3    4\n",
               ["S1", "S2"], ["TP53", "MYC"], [[1.5, 3], [2, 4]]),
    "one sample": ("Gene\tS1\nTP53\t1\nMYC\t2\n", ["S1"], ["TP53", "MYC"], [[1, 2]]),
    "samples in rows all the same": (
        "sample\tgene\tgene_id\nS1\t1\t2\nS2\t3\t4\n",
        ["S1", "S2"], ["gene", "gene_id"], [[1, 2], [3, 4]],
    ),
    "comments above samples": (
        "# made by us\n#\n# 2024\nsample,A,B\nx,1,2\ny,3,4\n",
        ["x", "y"], ["A", "B"], [[1, 2], [3, 4]],
    ),
    "comments above bare numbers": ("# two genes\n1 2\n3 4\n", None, None, [[1, 2], [3, 4]]),
    "a comment as wide as a headless table": (
        "# by us, for you, in 2024\nx,1,2\ny,3,4\n", ["x", "y"], None, [[1, 2], [3, 4]],
    ),
    "a comment as wide as the header": (
        "#a\tb\tc\nsample\tA\tB\nx\t1\t2\n", ["x"], ["A", "B"], [[1, 2]],
    ),
    "any names behind a sign": (
        "# 2024\n#rname\tA\tB\nx\t1\t2\ny\t3\tNA\n", ["x", "y"], ["A", "B"], [[1, 2], [3, NAN]],
    ),
    "a header behind a sign": ("#sample,A\nx,1\ny,2\n", ["x", "y"], ["A"], [[1], [2]]),
    "a delimiter at every end": ("id,A,B,\nx,1,2,\ny,3,4,\n", ["x", "y"], ["A", "B"],
                                 [[1, 2], [3, 4]]),
    "delimiters at every end": ("id,A,B,,,\nx,1,2,,,\ny,3,,,,\n", ["x", "y"], ["A", "B"],
                                [[1, 2], [3, NAN]]),
    "a delimiter at the ends of rows alone": ("id\tA\tB\nx\t1\t2\t\ny\t3\t4\t\n", ["x", "y"],
                                              ["A", "B"], [[1, 2], [3, 4]]),
    "a delimiter at the end of the header alone": ("id,A,B,\nx,1,2\ny,3,4\n", ["x", "y"],
                                                   ["A", "B"], [[1, 2], [3, 4]]),
    "bare numbers with a delimiter at the end": ("1,2,\n3,4,\n", None, None, [[1, 2], [3, 4]]),
    "R's header and nothing below the last gene": ("A B C\nx 1 2 NA\ny 3 4 NA\n", ["x", "y"],
                                                   ["A", "B", "C"], [[1, 2, NAN], [3, 4, NAN]]),
    "R's write.csv2": ('"";"A";"B"\n"x";1,5;-2e-3\n"y";NA;0,125\n', ["x", "y"], ["A", "B"],
                       [[1.5, -2e-3], [NAN, 0.125]]),
    "decimal commas in a comma-separated file": ('id,A,B\nx,"1,5",2\ny,"0,25",7\n', ["x", "y"],
                                                 ["A", "B"], [[1.5, 2], [0.25, 7]]),
    "decimal commas between tabs without ids": ("1,5\t2,5\n3,25\t4\n", None, None,
                                                [[1.5, 2.5], [3.25, 4]]),
    "three decimals throughout": ("id;A;B\nx;1,234;5,678\ny;2,000;3,125\n", ["x", "y"], ["A", "B"],
                                  [[1.234, 5.678], [2, 3.125]]),
    "decimal commas below whole numbers": ("id;A\n" + "".join(f"s{n};{n}\n" for n in range(9))
                                           + "t;9,5\n", None, ["A"],
                                           [[n] for n in (*range(9), 9.5)]),
}  # fmt: skip


def test_a_line_of_delimiters_below_a_comment_is_one_clear_error(tmp_path):
    path = written(tmp_path, "x.txt", "# counts\n\t\nid\tA\nx\t1\ny\t2\n")
    with pytest.raises(InputError, match="line 3.*received 'A'"):
        read_table(path)


@pytest.mark.parametrize("case", TABLES)
def test_tables_of_the_field_are_samples_by_genes(tmp_path, case):
    text, samples, genes, values = TABLES[case]
    table = read_table(written(tmp_path, "x.txt", text))
    assert samples is None or table.samples == samples
    assert genes is None or table.features == genes
    np.testing.assert_array_equal(table.values, np.array(values, "float32"))


def test_a_transposed_table_is_said_and_known(tmp_path):
    text = TABLES["cBioPortal"][0]
    table = read_table(written(tmp_path, "x.tsv", text))
    assert table.orientation == GENES
    said = "read as genes x samples (heading 'Hugo_Symbol')", "'Entrez_Gene_Id'", "2 samples x 2"
    assert [part for part in said if part not in table.said] == []
    assert read_table(written(tmp_path, "y.tsv", "sample\tA\nx\t1\n")).orientation is None


@pytest.mark.parametrize("limit", [40, 1 << 20])
def test_a_transposed_table_may_be_larger_than_memory(tmp_path, limit):
    values = np.random.default_rng(0).integers(0, 99, (60, 30))
    rows = [f"g{n}\t" + "\t".join(map(str, row)) for n, row in enumerate(values)]
    text = "gene_id\t" + "\t".join(f"s{n}" for n in range(30)) + "\n" + "\n".join(rows)
    (tmp_path / "x.tsv.gz").write_bytes(gzip.compress(text.encode()))
    table = read_table(tmp_path / "x.tsv.gz", limit=limit)
    np.testing.assert_array_equal(table.values, values.T)
    assert table.samples[7] == "s7" and table.features[59] == "g59"


def test_the_config_decides_how_a_table_lies(tmp_path):
    source = written(tmp_path, "x.tsv", "gene\tA\tB\nx\t1\t2\ny\t3\t4\n")
    as_samples = read_table(source, orientation=SAMPLES)
    assert as_samples.samples == ["x", "y"] and as_samples.orientation == SAMPLES
    plain = written(tmp_path, "y.tsv", "\tA\tB\nx\t1\t2\ny\t3\t4\n")
    as_genes = read_table(plain, orientation=GENES)
    assert as_genes.samples == ["A", "B"] and as_genes.features == ["x", "y"]
    np.testing.assert_array_equal(as_genes.values, [[1, 3], [2, 4]])
    assert "read as genes x samples (data.orientation)" in as_genes.said


def test_a_row_of_a_transposed_table_may_be_the_target(tmp_path):
    source = written(tmp_path, "x.tsv", "gene\tA\tB\ny\t1\t2\nTP53\t3\t4\n")
    table = read_table(source, columns=["y"])
    assert table.features == ["TP53"] and list(table.extra["y"]) == [1, 2]


def test_wrong_cells_of_a_transposed_table_are_named(tmp_path):
    for text, parts in {
        "gene\tA\tB\nTP53\t1\thigh\n": ["line 2", "'B'", "'high'"],
        "gene\tA\tA\nTP53\t1\t2\n": ["duplicate sample id: 'A'"],
        "gene\tA\tB\nTP53\t1\t2\nTP53\t1\t2\n": ["duplicate gene name: 'TP53'"],
        "gene\tA\tB\nTP53\t1\t2\n\t1\t2\n": ["gene name 2 of 2 is empty"],
    }.items():
        with pytest.raises(InputError) as refused:
            read_table(written(tmp_path, "x.tsv", text))
        assert [part for part in parts if part not in str(refused.value)] == []


def test_parquet_and_other_kinds_follow_heading_and_config(tmp_path):
    frame = pd.DataFrame({"S1": [1.0, 2], "S2": [3.0, 4]}, index=["A", "B"])
    frame.rename_axis("gene_id").to_parquet(tmp_path / "x.parquet")
    table = read_table(tmp_path / "x.parquet")
    assert table.samples == ["S1", "S2"] and table.features == ["A", "B"]
    assert "read as genes x samples ('gene_id')" in table.said
    assert read_table(tmp_path / "x.parquet", orientation=SAMPLES).samples == ["A", "B"]
    np.savez(tmp_path / "x.npz", values=frame.to_numpy(), samples=["A", "B"], genes=["S1", "S2"])
    table = read_table(tmp_path / "x.npz", orientation=GENES)
    assert table.samples == ["S1", "S2"] and "(data.orientation)" in table.said
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])


def test_ids_of_the_targets_show_how_a_table_lies(tmp_path):
    table = read_table(written(tmp_path, "x.csv", "names,S1,S2\nA,1,2\nB,3,4\nC,5,6\n"))
    assert orientation_by_ids(table, ["S1", "S2", "S3"]) == GENES
    assert orientation_by_ids(table, ["A", "B"]) == SAMPLES
    assert orientation_by_ids(table, ["A", "S1"]) is orientation_by_ids(table, ["x"]) is None
    turned = transposed(table, "ids of y.tsv stand in the header")
    assert turned.samples == ["S1", "S2"] and turned.features == ["A", "B", "C"]
    assert turned.said.endswith("read as genes x samples (ids of y.tsv stand in the header)")
    np.testing.assert_array_equal(turned.values, [[1, 3, 5], [2, 4, 6]])


@pytest.mark.parametrize("header", ["Name\tDescription\tS1\tS2", "\tsymbol\tS1\tS2"])
def test_known_ids_in_the_header_go_before_text_beside_the_names(tmp_path, header):
    text = f"{header}\nENSG1\tTP53\t1\t2\nENSG2\tMYC\t3\t4\n"
    source = written(tmp_path, "x.tsv", text)
    table = read_table(source, known_ids=frozenset(["S1", "S2", "S3"]))
    assert table.samples == ["S1", "S2"] and table.features == ["ENSG1", "ENSG2"]
    np.testing.assert_array_equal(table.values, [[1, 3], [2, 4]])
    assert "the ids of the targets are in its header" in table.said
    with pytest.raises(InputError, match="'TP53'"):
        read_table(source)
    labels = written(tmp_path, "y.tsv", "sample\tc\nS2\ta\nS1\tb\n")
    data = Config.of({"name": "t", "data": {"features": source, "targets": labels}}).data
    assert list(load_labelled(data, "classification").targets) == ["b", "a"]


CLINICAL = (
    "#Patient Identifier\tSample Identifier\tER Status\n#Patient\tSample\tER\n"
    "#STRING\tSTRING\tSTRING\n#1\t1\t1\nPATIENT_ID\tSAMPLE_ID\tER_STATUS\n"
    "P1\tP1-01\tPositive\nP2\tP2-01\t[Not Available]\n"
)


def test_the_lines_above_clinical_data_of_cbioportal_are_passed_over(tmp_path):
    frame = read_columns(written(tmp_path, "data_clinical_sample.txt", CLINICAL))
    assert frame.index.tolist() == ["P1", "P2"]
    assert frame.to_dict("list") == {
        "SAMPLE_ID": ["P1-01", "P2-01"], "ER_STATUS": ["Positive", None]
    }  # fmt: skip


def test_targets_may_have_decimal_commas(tmp_path):
    text = "id;ic50;grade\nx;1,5;1\ny;NA;2\nz;0,25;3\n"
    frame = read_columns(written(tmp_path, "y.csv", text))
    assert frame.to_dict("list") == {"ic50": ["1.5", None, "0.25"], "grade": ["1", "2", "3"]}
    labels = read_columns(written(tmp_path, "z.csv", "id;site\nx;1,5\ny;C50\n"))
    assert list(labels["site"]) == ["1,5", "C50"]


def test_a_sample_sheet_of_gdc_is_a_file_of_targets(tmp_path):
    text = (
        "File ID\tFile Name\tData Category\tCase ID\tSample ID\tSample Type\n"
        "0a-1\ta.tsv\tTranscriptome Profiling\tTCGA-1\tTCGA-1-01A\tPrimary Tumor\n"
        "0b-2\tb.tsv\tTranscriptome Profiling\tTCGA-1\tTCGA-1-11A\tSolid Tissue Normal\n"
    )
    frame = read_columns(written(tmp_path, "gdc_sample_sheet.tsv", text))
    assert frame.index.tolist() == ["0a-1", "0b-2"]
    assert list(frame["Sample ID"]) == ["TCGA-1-01A", "TCGA-1-11A"]


# Lists, which are no matrices ---------------------------------------------------------------

MAF = "#version 2.4\nHugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\n"
VCF = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tS1\tS2\n1\t12\trs1\t0/1\t1/1\n1\t13\trs2\t0/1\t./.\n"
LONG = [["S1", "TP53", "1.5"], ["S1", "MYC", "2"], ["S2", "TP53", "3"], ["S2", "MYC", "4"]]


@pytest.mark.parametrize("name", ["data_mutations.txt", "x.maf", "x.maf.gz"])
def test_a_list_of_mutations_is_refused_with_the_way_to_a_matrix(tmp_path, name):
    path = written(tmp_path, name, MAF + "TP53\tSilent\tS1\nMYC\tSilent\tS2\n")
    with pytest.raises(InputError, match="a list of mutations.*pd.crosstab"):
        read_table(path)


@pytest.mark.parametrize("name", ["x.vcf", "x.txt", "x.vcf.gz"])
def test_a_list_of_variants_is_refused_with_the_way_to_a_matrix(tmp_path, name):
    with pytest.raises(InputError, match="a VCF file.*--export A"):
        read_table(written(tmp_path, name, VCF))


@pytest.mark.parametrize(
    ("header", "order"),
    [("sample,gene,value", [0, 1, 2]), ("gene,sample,value", [1, 0, 2]),
     ("sample_id,variable,value", [0, 1, 2]), (",sample,gene,TPM", [0, 1, 2])],
)  # fmt: skip
def test_a_value_in_a_row_is_refused_with_the_way_to_a_matrix(tmp_path, header, order):
    lines = [",".join(row[place] for place in order) for row in LONG]
    if header.startswith(","):
        lines = [f"{number},{line}" for number, line in enumerate(lines)]
    path = written(tmp_path, "x.csv", "\n".join([header, *lines]) + "\n")
    for duplicates in (None, "mean"):
        with pytest.raises(InputError, match=r"expected a matrix.*frame.pivot\(index='sample"):
            read_table(path, duplicates=duplicates)


@pytest.mark.parametrize(
    ("cell", "said"),
    [("0/1", "alternative alleles: 0, 1 or 2"), ("1|1", "alternative alleles"),
     ("?", 'write NA, or set data.missing_words \\["\\?"\\]'), ("high", 'data.exclude: \\["rs1"')],
)  # fmt: skip
def test_a_cell_of_signs_or_alleles_is_refused_with_what_it_may_be(tmp_path, cell, said):
    path = written(tmp_path, "x.csv", f"sample,rs1,rs2,rs3\nx,0,1,2\ny,{cell},1,2\n")
    with pytest.raises(InputError, match=f"line 3, column 'rs1'.*{said}"):
        read_table(path)


def test_a_missing_genotype_is_a_missing_value(tmp_path):
    table = read_table(written(tmp_path, "x.csv", "sample,rs1,rs2\nx,0,./.\ny,.|.,2\n"))
    np.testing.assert_array_equal(table.values, [[0, NAN], [NAN, 2]])
