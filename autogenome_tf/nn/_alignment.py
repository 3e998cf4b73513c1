"""Discrepancy between latent points of each level of the covariates and those near them."""

from typing import Any

import tensorflow as tf

# Widths of the gaussian kernels, as parts of the mean squared distance between two points, and of
# the kernel by which neighbours are found.
WIDTHS, NEAR = (0.1, 0.3, 1.0), 0.1


def discrepancy(points: Any, levels: Any) -> tf.Tensor:
    """Compute the maximum mean discrepancy (Gretton et al. 2012) of levels, a mean over them.

    Each level is compared with the rows that do not have it. Rows are weighed by how far they are
    mutual nearest neighbours (Haghverdi et al. 2018) of rows on the other side, so that both sides
    have the same mass of what they share, and a type that one side alone has takes little part.
    Nothing is pulled through the weights. A level that fewer than two rows have, or lack, or that
    is too far from all others to have neighbours, counts as 0.

    Args:
        points: (rows, latent) in standard deviations of the prior.
        levels: (rows, covariates) of 0 and 1.

    Returns:
        A scalar, at most 2; where points do not distinguish levels, 0 or a little less, since
        mutual neighbours are near each other by chance too.
    """
    squares = tf.reduce_sum(points**2, axis=1)
    distances = squares[:, None] + squares - 2 * tf.matmul(points, points, transpose_b=True)
    distances = tf.linalg.set_diag(tf.maximum(distances, 0.0), tf.zeros_like(squares))
    # Not through the width: farther points elsewhere would bring levels nearer.
    width = tf.stop_gradient(tf.maximum(tf.reduce_mean(distances), 1e-12))
    own, others = _shared_mass(tf.exp(-distances / (NEAR * width)), levels)
    kernels = tf.add_n([tf.exp(-distances / (part * width)) for part in WIDTHS]) / len(WIDTHS)
    # A row is not compared with itself.
    kernels = tf.linalg.set_diag(kernels, tf.zeros_like(squares))
    found = _within(kernels, own) + _within(kernels, others) - 2 * _sums(own, kernels, others)
    has_several = tf.minimum(tf.reduce_sum(levels, axis=0), tf.reduce_sum(1 - levels, axis=0)) > 1
    is_near = tf.minimum(tf.reduce_sum(own, axis=0), tf.reduce_sum(others, axis=0)) > 0.5
    return tf.reduce_mean(tf.where(has_several & is_near, found, 0.0))


def _shared_mass(near, levels):
    """Return the weights of rows with and without each level, (rows, covariates) of sum 1.

    A pair's mass is the product of the shares that each has in the other's neighbours across.
    """
    own, others = levels, 1 - levels
    own = tf.math.divide_no_nan(own, tf.matmul(near, others))
    others = tf.math.divide_no_nan(others, tf.matmul(near, levels))
    own, others = own * tf.matmul(near**2, others), others * tf.matmul(near**2, own)
    return [
        tf.stop_gradient(tf.math.divide_no_nan(mass, tf.reduce_sum(mass, axis=0)))
        for mass in (own, others)
    ]


def _within(kernels, weights):
    """Return for each level the mean kernel between two different rows, (covariates,)."""
    pairs = 1 - tf.reduce_sum(weights**2, axis=0)
    return _sums(weights, kernels, weights) / tf.maximum(pairs, 1e-3)


def _sums(left, kernels, right):
    """Return for each level the sum of the kernels between two groups of rows, (covariates,)."""
    return tf.reduce_sum(left * tf.matmul(kernels, right), axis=0)
