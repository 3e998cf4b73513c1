"""Raw rows on their way into a model: batches of values that its transforms are defined for."""

from collections.abc import Iterator

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset


def named(rows: Dataset | chunked.Matrix, features: list[str]) -> Dataset:
    """Return a `Dataset` as it is, and a matrix of raw values as one with numbered samples."""
    if isinstance(rows, Dataset):
        return rows
    return Dataset(rows, np.arange(1, rows.shape[0] + 1), features)


def defined_batches(
    dataset: Dataset, lowest: float | None, transforms: str, size: int = chunked.BLOCK
) -> Iterator[np.ndarray]:
    """Yield raw rows in batches, each checked.

    Args:
        dataset: Rows in the model's gene order.
        lowest: Least value that the transforms are defined for; None for any.
        transforms: Their names, for the error.
        size: Rows of a batch.

    Raises:
        InputError: Naming source, sample and gene of the first value below `lowest`.
    """
    for start, block in chunked.blocks(dataset.values, size):
        batch = next(chunked.batches(block))
        if lowest is not None and np.any(batch < lowest):
            row, column = np.argwhere(batch < lowest)[0]
            raise InputError(
                f"{dataset.source}: sample {str(dataset.samples[start + row])!r}, gene "
                f"{dataset.features[column]!r}: received {batch[row, column]:g}; the model's "
                f"transform ({transforms}) needs values of at least {lowest:g}, as all rows of "
                "training have."
            )
        yield batch
