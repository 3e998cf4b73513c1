"""A float32 matrix that grows block by block and is never held twice."""

import numpy as np


class Stack:
    """Rows put on top of each other as they are read.

    Attributes:
        values: (rows so far, width) float32.
    """

    def __init__(self, width):
        """Start with no rows of `width` columns."""
        self.values = np.empty((0, width), np.float32)

    def add(self, block):
        """Append a (rows, width) block."""
        rows, width = self.values.shape
        # A realloc moves pages; np.concatenate would need the whole matrix a second time.
        self.values.resize((rows + len(block), width), refcheck=False)
        self.values[rows:] = block


def stack_batches(batches, features, others):
    """Collect Arrow record batches into one matrix.

    Args:
        batches: Record batches.
        features: Names of the columns that go into the matrix, all castable to float32.
        others: Names of the columns that are kept as lists.

    Returns:
        (values, lists): values is (rows, features) float32 with NaN for null; lists has
        one Python list for each name in `others`.
    """
    stack = Stack(len(features))
    lists = {name: [] for name in others}
    for batch in batches:
        for name in others:
            lists[name] += batch.column(name).to_pylist()
        if features and batch.num_rows:  # Arrow makes no tensor of nothing
            stack.add(_block(batch.select(features)))
    return stack.values, lists


def _block(batch):
    import pyarrow as pa

    schema = pa.schema([(name, pa.float32()) for name in batch.schema.names])
    if batch.schema.types != schema.types:
        batch = batch.cast(schema, safe=False)
    return batch.to_tensor(null_to_nan=True).to_numpy()
