"""Samples x genes or genes x samples: by the heading of the names or by the ids of the targets."""

import dataclasses
import re
from collections.abc import Iterable

from autogenome_tf.core import chunked
from autogenome_tf.data._checked import numbered_features
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._names import OF_GENES, RULES, plain

_FEWEST = 2
AUTO, SAMPLES, GENES = "auto", "samples_by_genes", "genes_by_samples"

# Headings over the names of genes, probes and their like: what stands below are rows of a matrix of
# genes x samples.
_GENE_NAMES = frozenset(
    "hugo_symbol hgnc_symbol hgnc_id gene genes gene_id geneid gene_ids gene_name gene_names "
    "genename gene_symbol gene_symbols genesymbol gene_short_name symbol symbols id_ref ensembl "
    "ensembl_id ensemblid ensembl_gene ensembl_gene_id ensg ensg_id entrez entrez_id entrezid "
    "entrez_gene entrez_gene_id ncbi_gene_id locus_tag probe probes probe_id probeid probe_set "
    "probeset probe_set_id probeset_id probesetid feature_id transcript transcripts transcript_id "
    "target_id isoform isoform_id otu otu_id otuid asv asv_id taxon taxa cpg cpg_id protein "
    "proteins protein_id uniprot uniprot_id mirna mirna_id protein_ids majority_protein_ids "
    "protein_group protein_groups clade_name gene_family pathway".split()
)
# Columns of such a matrix that are no samples.
_ANNOTATIONS = frozenset(
    "description chr chrom chromosome start end strand length gene_length effective_length "
    "gene_type gene_biotype biotype gene_description cytoband locus_id taxonomy "
    # Of BioMart and of arrays of methylation; of tests of differential expression; of summaries.
    "chromosome_name gene_chr start_position end_position gene_start gene_end gc_content "
    "percentage_gene_gc_content exon_count genomic_coordinate logfc log2fc avg_log2fc "
    "log2foldchange lfcse basemean aveexpr p_value pvalue p_val pval padj adj_p_val p_val_adj fdr "
    "q_value qvalue mean average median sd variance ncbi_tax_id clade_taxid".split()
)


# Genes that are in nearly every set, of man and, in other letters, of mouse; then ids of genes and
# probes; then ids of samples and cells.
_USUAL_GENES = frozenset(
    "tp53 myc egfr kras brca1 brca2 pten rb1 actb gapdh b2m vim cdh1 esr1 erbb2 mki67 ccnd1 bcl2 "
    "cd4 cd8a cd3e cd19 ms4a1 nkg7 lyz s100a8 stat1 stat3 jun fos akt1 mtor braf nras apc smad4 "
    "cdkn2a hprt1 rpl13 rps6 eef1a1 tuba1b malat1 xist gata3 foxa1".split()
)
_GENE_ID = re.compile(r"ENS[A-Z]{0,4}[GT]\d{11}(\.\d+)?|.*\d_(s_|x_|a_)?at|ILMN_\d+|A_\d+_P\d+")
_SAMPLE_ID = re.compile(
    r"TCGA[-.]\w\w[-.]\w{4}.*|GTEX[-.].+|GSM\d+.*|[SED]RR\d+.*|ACH-\d{6}|[ACGT]{12,}([-.]\d+)?"
)
# Names of genes in the rows, or of samples in the header, from which on a matrix lies so.
FEWEST_NAMES = 3


def is_gene_heading(heading: str) -> bool:
    """Return whether a heading stands over names of genes.

    >>> is_gene_heading("Hugo_Symbol"), is_gene_heading("Gene ID"), is_gene_heading("#OTU ID")
    (True, True, True)
    >>> is_gene_heading("sample"), is_gene_heading("TP53"), is_gene_heading("")
    (False, False, False)
    """
    return _word(heading) in _GENE_NAMES


def is_annotation(heading: str) -> bool:
    """Return whether a column of a matrix of genes x samples describes genes and is no sample."""
    return _word(heading) in _GENE_NAMES | _ANNOTATIONS


def orientation_of(heading: str, asked: str = AUTO) -> str | None:
    """Decide how a plain table lies, from the heading of its column of names.

    Args:
        heading: Of the first column.
        asked: `data.orientation`, which decides where it is not "auto".

    Returns:
        `SAMPLES` or `GENES`; None where only the ids of the targets can decide.
    """
    if asked != AUTO:
        return asked
    return GENES if is_gene_heading(heading) else None


def orientation_by_ids(table: Table, ids: Iterable[str]) -> str | None:
    """Decide how a table lies from sample ids that are known: in its rows or in its header.

    Args:
        table: As it was read, samples x genes by assumption.
        ids: Ids of the targets.

    Returns:
        `SAMPLES` or `GENES`, where more of the ids stand; None where they stand in neither or in
        both alike.
    """
    ids = set(ids)
    in_rows = len(ids.intersection(table.samples or ()))
    in_header = len(ids.intersection(table.features))
    if in_rows == in_header:
        return None
    return SAMPLES if in_rows > in_header else GENES


def turned_by_genes(table: Table, genes: Iterable[str], limit: int = chunked.LIMIT) -> Table:
    """Transpose a table whose rows, not its header, have the genes of a model, or nearly so.

    Columns that describe genes are left out then.
    """
    for form in (str, *(RULES[rule] for rule in OF_GENES), plain):
        own = set(map(form, genes))
        in_rows, in_header = (
            len(own.intersection(map(form, names)))
            for names in (table.samples or (), table.features)
        )
        if in_rows > in_header:
            kept = [place for place, name in enumerate(table.features) if not is_annotation(name)]
            if 0 < len(kept) < len(table.features):
                features = [table.features[place] for place in kept]
                values = chunked.columns(table.values, kept, limit)
                table = dataclasses.replace(table, values=values, features=features)
            return transposed(table, "the genes of the model are in its rows", limit)
        if in_header:
            return table
    return table


def orientation_by_names(table: Table) -> str | None:
    """Decide how a table lies from names that only genes or only samples have.

    Returns:
        `GENES` where genes stand in the rows or samples in the header, and nothing the other way
        round; else None.
    """
    rows, header = table.samples or [], table.features
    in_rows, in_header = sum(map(_is_gene, rows)), sum(map(_is_gene, header))
    if in_header or sum(map(_is_sample, rows)):
        return None
    samples = sum(map(_is_sample, header))
    are_samples = samples >= FEWEST_NAMES and 2 * samples > len(header)
    return GENES if in_rows >= FEWEST_NAMES or are_samples else None


def _is_gene(name):
    return name.lower() in _USUAL_GENES or _GENE_ID.fullmatch(name) is not None


def _is_sample(name):
    return _SAMPLE_ID.fullmatch(name) is not None


def has_ids_above(header: Iterable[str], names: Iterable[str], ids: frozenset[str]) -> bool:
    """Return whether known sample ids, two at least, stand in a header and none in its rows.

    Args:
        header: Names of the columns.
        names: Names of some rows.
        ids: Sample ids that are known.
    """
    return len(ids.intersection(header)) >= _FEWEST and not ids.intersection(names)


def transposed(table: Table, reason: str, limit: int = chunked.LIMIT) -> Table:
    """Turn a table of genes x samples into one of samples x genes.

    Args:
        table: Its `samples` are names of genes (None: they have none), its `features` sample ids.
            `extra` belongs to genes and is left out.
        reason: What showed how it lies, for `Table.said`.
        limit: Bytes that the result may take in memory.
    """
    count = table.values.shape[0]
    has_ids = table.features != numbered_features(len(table.features))
    return dataclasses.replace(
        table,
        values=chunked.transposed(table.values, limit),
        samples=list(table.features) if has_ids else None,
        features=table.samples or numbered_features(count),
        extra=None,
        said=f"{table.said}, {turned(reason)}" if table.said else "",
        orientation=GENES,
    )


def turned(reason: str) -> str:
    """Return the log text of a transposed matrix and the reason."""
    return f"read as genes x samples ({reason})"


def _word(heading):
    return re.sub(r"[\s.-]+", "_", heading.strip().lstrip("#").strip().lower())
