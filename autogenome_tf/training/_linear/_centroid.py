"""Nearest shrunken centroids (Tibshirani et al. 2002), for a path of thresholds."""

import numpy as np

from autogenome_tf.training._linear._solver import LinearSolver


class Centroid(LinearSolver):
    """Assign the class whose centroid is nearest, each gene in units of its own deviation.

    A class's mean of a gene is drawn to the mean of all by `threshold` standard errors, and a gene
    whose means all arrive there has no say. The inputs are genes, not coordinates of rows. Logits
    are the discriminant scores of the paper, halved, without the part that classes share.
    """

    def path(self, rows, values, deadline=float("inf")):
        """Solve for each threshold; see `LinearSolver.path`."""
        total, present = rows.weights.sum(), (rows.class_weights > 0).sum()
        squares = rows.summed(
            lambda inputs, part: (
                rows.weights[part] @ (inputs - rows.class_means[rows.targets[part]]) ** 2
            )
        )
        deviation = np.sqrt(squares / max(total - present, 1))
        # The paper's offset: genes of little expression must not have large scores.
        varies = deviation > 0
        offset = np.median(deviation[varies]) if varies.any() else 1.0
        spread = deviation + offset
        errors = np.sqrt(np.maximum(1 / rows.counts - 1 / total, 0))[:, None]
        # In units of a gene's spread.
        shifts = (rows.class_means - rows.mean) / spread
        for threshold in values:
            kept = np.sign(shifts) * np.maximum(np.abs(shifts) - threshold * errors, 0)
            kernel = (kept / spread).T
            yield kernel, np.log(rows.shares) - (kept**2).sum(axis=1) / 2 - rows.mean @ kernel
