"""In-silico knock-out: what an output loses when a gene is not expressed, or expressed less.

Each value is f(x) - f(x with a part of the gene's raw value), so it is positive where the gene
speaks for the output. Values do not add up. A library size is not renormalised: all other genes
keep their values.
"""

import numpy as np

from autogenome_tf.explainers._rule import BLOCK, SplitNetwork

# In the place of a background stands what each gene of each row becomes.
OF_PART = True


def attribute(network, rows, changed):
    """Knock out every gene of every row.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs).
        rows: (rows, genes) float32.
        changed: (rows, genes) what each becomes.

    Returns:
        (rows, genes, outputs).
    """
    split = SplitNetwork(network, is_exact=False)
    units = split.units(rows)
    before = np.asarray(split.run(units))
    found = np.zeros((*rows.shape, split.outputs), "float32")
    block = max(1, BLOCK // units.shape[1] // 8)
    for row, own in enumerate(units):
        change = (changed[row] - rows[row])[:, None]
        for start in range(0, rows.shape[1], block):
            genes = slice(start, start + block)
            without = own + change[genes] * split.kernel[genes]
            found[row, genes] = before[row] - np.asarray(split.run(without))
    return found
