"""Arrow record batches as one float32 matrix that is never held twice."""

from autogenome_tf.core.growing import Growing


def stack_batches(batches, features, others, limit):
    """Collect Arrow record batches into one matrix.

    Args:
        batches: Record batches.
        features: Names of the columns that go into the matrix, all castable to float32.
        others: Names of the columns that are kept as lists.
        limit: Bytes that the matrix may take in memory.

    Returns:
        (values, lists): values is (rows, features) float32 with NaN for null; lists has
        one Python list for each name in `others`.
    """
    stack = Growing(len(features), limit=limit)
    lists = {name: [] for name in others}
    for batch in batches:
        for name in others:
            lists[name] += batch.column(name).to_pylist()
        if features and batch.num_rows:  # Arrow makes no tensor of nothing
            stack.add(_block(batch.select(features)))
    return stack.array, lists


def _block(batch):
    import pyarrow as pa

    schema = pa.schema([(name, pa.float32()) for name in batch.schema.names])
    if batch.schema.types != schema.types:
        batch = batch.cast(schema, safe=False)
    return batch.to_tensor(null_to_nan=True).to_numpy()
