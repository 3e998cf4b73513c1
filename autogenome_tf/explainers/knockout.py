"""In-silico knock-out: what an output loses when a gene is not expressed.

Each value is f(x) - f(x with zero expression of the gene, in raw units), so it is positive where
the gene speaks for the output. Values do not add up. A library size is not renormalised: all other
genes keep their values.
"""

import numpy as np

from autogenome_tf.explainers._rule import BLOCK, Split

# Their background is a single row of no expression.
AGAINST_ZERO = True


def attribute(network, rows, zero):
    """Knock out every gene of every row.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs).
        rows: (rows, genes) float32.
        zero: (1, genes) what zero expression is behind the preprocessing.

    Returns:
        (rows, genes, outputs).
    """
    split = Split(network, is_exact=False)
    units = split.units(rows)
    before = np.asarray(split.run(units))
    found = np.zeros((*rows.shape, split.outputs), "float32")
    block = max(1, BLOCK // units.shape[1] // 8)
    for row, own in enumerate(units):
        change = (zero[0] - rows[row])[:, None]
        for start in range(0, rows.shape[1], block):
            genes = slice(start, start + block)
            without = own + change[genes] * split.kernel[genes]
            found[row, genes] = before[row] - np.asarray(split.run(without))
    return found
