"""Gene power: genes weighed by how closely each is associated with the targets.

In row space, and under an L2 penalty, every gene gets weight in proportion to its covariance with
the rows; where few of many genes carry the signal, that drowns it. A weight on each gene's input
divides its penalty by the weight's square: an adaptive ridge (Grandvalet 1998; Zou 2006).
"""

import numpy as np


def gene_weights(statistics: np.ndarray, power: float) -> np.ndarray:
    """Return the factor of each gene, a power of its statistic, with a mean square of 1.

    Args:
        statistics: (genes,) F statistics of the training rows, at least 0.
        power: The hyperparameter `gene_power`; 0 weighs all genes alike.

    Returns:
        (genes,) float32; ones where no gene is associated with the targets.

    >>> gene_weights(np.array([1.0, 1.0, 4.0]), 1.0).round(4)
    array([0.7071, 0.7071, 1.4142], dtype=float32)
    """
    largest = statistics.max(initial=0.0)
    if not largest > 0:
        return np.ones(len(statistics), "float32")
    squares = (statistics / largest) ** power
    return np.sqrt(squares / squares.mean()).astype("float32")
