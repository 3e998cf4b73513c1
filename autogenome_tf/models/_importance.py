"""The share that each gene has in the outputs of a model."""

from collections.abc import Sequence

import numpy as np

from autogenome_tf.core.chunked import Matrix
from autogenome_tf.models._branch import Branch
from autogenome_tf.nn.sensitivity import squared_slopes
from autogenome_tf.nn.tree_paths import Paths
from autogenome_tf.nn.trees import has_trees, trees_of
from autogenome_tf.preprocessing.scale import sample_of

# Rows at which slopes are taken.
ROWS = 100


def importance(branches: Sequence[Branch], scale: np.ndarray, values: Matrix) -> np.ndarray:
    """Return the share of each gene in the outputs' changes, to first order.

    The slope of the outputs by each network input, the root mean square over training rows, times
    the standard deviation of that input. Of a linear model that is the norm of its weights for
    standardised genes. Trees have no slopes: there the input takes the value of another row.

    Args:
        branches: Of the model.
        scale: (outputs,) factor of the branches' sum.
        values: (rows, features) raw training rows, an array or CSR.

    Returns:
        (features,) float64 at least 0, sum 1 unless the outputs are constant.
    """
    rows = sample_of(values)
    few = rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int)]
    squares = np.zeros(rows.shape[1])
    for branch in branches:
        squares[branch.kept] += _squares(branch, rows, few) @ np.asarray(scale) ** 2
    shares = np.sqrt(squares)
    return shares / max(shares.sum(), np.finfo("float64").tiny)


def _squares(branch, rows, few):
    """Return the mean squares of the changes of outputs with each input, (kept, outputs)."""
    seen = branch.seen(few)
    if has_trees(branch.network):
        # Two rows differ by twice the variance.
        changes = Paths.of(trees_of(branch.network)).changes(seen, np.roll(seen, 1, axis=0))
        return (changes.astype("float64") ** 2).mean(axis=0) / 2
    variances = branch.seen(rows).var(axis=0, dtype="float64")
    return squared_slopes(branch.network, seen) * variances[:, None]
