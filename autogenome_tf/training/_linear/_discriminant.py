"""Linear discriminant analysis with a shrunken covariance, for a path of shrinkages.

Sigma_s = (1 - s) S + s tr(S)/p I with the covariance S within classes and p genes (Ledoit, Wolf
2004; Guo, Hastie, Tibshirani 2007). One eigendecomposition serves all s.
"""

import numpy as np

from autogenome_tf.core import blas
from autogenome_tf.training._linear._solver import LinearSolver

# An eigenproblem of more rows and inputs than this takes longer than a search may.
MOST = 3000
# Directions below this share of the largest variance are rounding.
SMALLEST = 1e-12


class Discriminant(LinearSolver):
    """Assign the class of the highest posterior, classes being normal with one covariance."""

    def path(self, rows, values, deadline=float("inf")):
        """Solve for each shrinkage; see `LinearSolver.path`."""
        means = rows.class_means - rows.mean
        centred = rows.inputs - rows.class_means[rows.targets]
        shares = rows.weights / rows.weights.sum()
        variances, directions = _principal(centred * np.sqrt(shares)[:, None])
        along, mean_variance = means @ directions, variances.sum() / rows.genes
        outside = means - along @ directions.T
        for shrinkage in values:
            least = max(shrinkage * mean_variance, np.finfo("float32").tiny)
            inside = along / ((1 - shrinkage) * variances + least)
            kernel = (inside @ directions.T + outside / least).T
            distances = (kernel * means.T).sum(axis=0)
            yield kernel, np.log(rows.shares) - distances / 2 - rows.mean @ kernel


def _principal(rows):
    """Return the eigenvalues of rows.T @ rows above 0 and (inputs, values) eigenvectors."""
    if min(rows.shape) > MOST:
        raise ValueError(
            f"discriminant: expected at most {MOST} rows or genes; received {rows.shape[0]} rows "
            f"of {rows.shape[1]} genes. data.top_variable keeps fewer genes."
        )
    is_wide = rows.shape[1] > rows.shape[0]
    with blas.one_thread():
        values, vectors = np.linalg.eigh(rows @ rows.T if is_wide else rows.T @ rows)
    kept = values > SMALLEST * max(values[-1], np.finfo("float32").tiny)
    values, vectors = values[kept], vectors[:, kept]
    return values, rows.T @ (vectors / np.sqrt(values)) if is_wide else vectors
