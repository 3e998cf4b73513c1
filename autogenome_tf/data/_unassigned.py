"""Counts of reads without a gene, which counting programs write among the genes."""

import dataclasses
from collections.abc import Collection

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import some
from autogenome_tf.data._dataset import Table

# Of HTSeq and of STAR.
_NAMES = frozenset(
    "__no_feature __ambiguous __too_low_aQual __not_aligned __alignment_not_unique "
    "N_unmapped N_multimapping N_noFeature N_ambiguous".split()
)


def without_unassigned(table: Table, source: str, genes: Collection[str], limit: int) -> Table:
    """Leave out columns that count reads without a gene, with a warning.

    Args:
        table: Samples x genes.
        source: The file, for the warning.
        genes: Genes of a model, which are kept whatever their names.
        limit: Bytes that the matrix may take in memory.
    """
    left_out = _NAMES.difference(genes)
    if table.extra is not None:
        extra = table.extra.drop(columns=[name for name in table.extra if name in left_out])
        table = dataclasses.replace(table, extra=extra if len(extra.columns) else None)
    left_out = left_out.intersection(table.features)
    if not left_out:
        return table
    kept = [place for place, name in enumerate(table.features) if name not in left_out]
    text = (
        f"{source}: {len(left_out)} columns count reads without a gene and are left out: "
        f"{some(sorted(left_out))}."
    )
    return dataclasses.replace(
        table,
        values=chunked.columns(table.values, kept, limit),
        features=[table.features[place] for place in kept],
        warnings=(*table.warnings, ("names", text)),
    )
