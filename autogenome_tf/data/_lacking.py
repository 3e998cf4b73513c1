"""Genes of training that new rows lack, as missing values."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Dataset

# Of genes that lack, this fraction of all is another panel, whatever the model makes of them.
MOST = 0.5


def with_lacking(
    dataset: Dataset, features: Sequence[str], lacking: Sequence[str], *, may_lack: bool, hint: str
) -> Dataset:
    """Add columns of missing values for genes of training that rows lack.

    Args:
        dataset: New rows.
        features: Names of the genes of training.
        lacking: Those that the rows lack.
        may_lack: Whether the model may do without some genes; it says without which.
        hint: How the rows may have them by other names, or "".

    Returns:
        The rows with columns for all genes of training, in any order; `Dataset.lacking` names those
        that were added.

    Raises:
        InputError: Where genes lack that may not, naming them.
    """
    if not may_lack or len(lacking) > MOST * len(features):
        raise lacks(dataset.source, lacking, len(features), hint)
    if hint:
        text = f"{dataset.source}: lacks {len(lacking)} genes of training. {hint}"
        dataset = dataset.warned("names", text)
    gaps = np.full((len(dataset), len(lacking)), np.nan, "float32")
    return dataclasses.replace(
        dataset,
        values=chunked.beside(dataset.values, gaps, dataset.limit),
        features=[*dataset.features, *lacking],
        lacking=tuple(lacking),
    )


def lacks(source: str, lacking: Sequence[str], count: int, reason: str = "") -> InputError:
    """Return the error of rows that lack genes.

    Args:
        source: Of the rows.
        lacking: Names of the genes.
        count: Number of the genes of training.
        reason: Why they may not lack, or "".
    """
    text = f"{source}: lacks {len(lacking)} of the {count} genes of training: {some(lacking)}."
    return InputError(f"{text} {reason}".rstrip())
