"""Samples x genes or genes x samples: by the heading of the names or by the ids of the targets."""

import dataclasses
import re
from collections.abc import Iterable

from autogenome_tf.core import chunked
from autogenome_tf.data._checked import numbered_features
from autogenome_tf.data._dataset import Table

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
    "proteins protein_id uniprot uniprot_id mirna mirna_id".split()
)
# Columns of such a matrix that are no samples.
_ANNOTATIONS = frozenset(
    "description chr chrom chromosome start end strand length gene_length effective_length "
    "gene_type gene_biotype biotype gene_description cytoband taxonomy".split()
)


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
    """Transpose a table whose rows, not its header, have the genes of a model."""
    genes = set(genes)
    in_rows = len(genes.intersection(table.samples or ()))
    if in_rows <= len(genes.intersection(table.features)):
        return table
    return transposed(table, "the genes of the model stand in its rows", limit)


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
    """Say for the log that a matrix was transposed, and why."""
    return f"read as genes x samples ({reason})"


def _word(heading):
    return re.sub(r"[\s.-]+", "_", heading.strip().lstrip("#").strip().lower())
