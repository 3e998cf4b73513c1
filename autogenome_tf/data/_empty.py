"""Genes without a value; samples that lack most of theirs, or have one value in all genes."""

from collections.abc import Iterator

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import some
from autogenome_tf.data._dataset import Dataset

# Share of the genes below which the values of a sample are few.
FEW = 0.5
# Different values, in so many rows, up to which they are levels, such as mutations: a sample may
# have one of them in all genes. Fewer genes may have the same value by chance.
_LEVELS, _ROWS, _FEWEST_GENES = 20, 100, 20


def of_one_value(dataset: Dataset) -> Iterator[str]:
    """Yield a text on samples that have the same value in all genes, such as 0 after a failed run.

    Args:
        dataset: All rows. Nothing is said of levels, and of rows larger than memory.
    """
    values, genes = dataset.values, len(dataset.features) - dataset.covariates
    if genes < _FEWEST_GENES or chunked.nbytes(values) > dataset.limit:
        return
    some_rows = chunked.dense(chunked.taken(values, np.arange(min(len(dataset), _ROWS))))
    if len(np.unique(some_rows[:, :genes])) <= _LEVELS:
        return
    batches = (batch[:, :genes] for batch in chunked.batches(values))
    is_one = np.concatenate([(batch == batch[:, :1]).all(axis=1) for batch in batches])
    if is_one.any():
        first = str(dataset.samples[is_one.argmax()])
        yield (
            f"{is_one.sum()} samples have the same value in all genes, such as {first!r}: they say "
            "nothing of any gene. Leave them out."
        )


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
