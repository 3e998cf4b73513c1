"""Genes without a value, and samples that lack most of theirs: what fills them says nothing."""

from collections.abc import Iterator

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import some
from autogenome_tf.data._dataset import Dataset

# Share of the genes below which the values of a sample are few.
FEW = 0.5


def nearly_empty(dataset: Dataset) -> Iterator[str]:
    """Yield texts on genes without a value and on samples that lack most values.

    Args:
        dataset: All rows. Nothing is said of sparse ones, whose blanks are zeros, and of those
            larger than memory, which are not read once more for this.
    """
    values = dataset.values
    if not isinstance(values, np.ndarray) or values.nbytes > dataset.limit:
        return
    genes = len(dataset.features) - dataset.covariates
    known = np.zeros(genes, int)
    filled = np.empty(len(values), int)
    for start, block in chunked.blocks(values):
        is_known = ~np.isnan(block[:, :genes])
        known += is_known.sum(axis=0)
        filled[start : start + len(block)] = is_known.sum(axis=1)
    empty = [dataset.features[place] for place in np.flatnonzero(known == 0)]
    if empty:
        yield f"{len(empty)} genes have no value in any sample, such as {some(empty, 3)}."
    few = np.flatnonzero(filled < FEW * (genes - len(empty)))
    if len(few):
        first = few[0]
        yield (
            f"{len(few)} samples lack most of their values, such as "
            f"{str(dataset.samples[first])!r} ({filled[first]} of {genes} genes have one): what "
            "fills the gaps says nothing of a sample. Leave such samples out."
        )
