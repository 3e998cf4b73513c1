"""Exact Shapley values of trees against a background: interventional TreeSHAP, leaf by leaf.

A leaf is the product of its conditions. Of a row and a background row, a mixture reaches the leaf
if each condition is met by the one its gene is taken from. Where p conditions are met by the row
alone, q by the background row alone and none by neither, the first share 1 / C(p + q, p) of the
leaf's value and the others lose as much (Lundberg et al. 2020, the case of a single background
row); the mean over background rows follows.
"""

import keras
import numpy as np
import scipy.special

from autogenome_tf.nn.tree_paths import Paths
from autogenome_tf.nn.trees import trees_of

# Floats of one block of leaves, rows and background rows.
BLOCK = 8 << 20


def tree_shapley(network: keras.Model, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Attribute the outputs of a network of trees to genes.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs) with `has_trees`.
        rows: (rows, genes) float32.
        background: (background, genes) float32.

    Returns:
        (rows, genes, outputs) float32, exact Shapley values; their sum over genes is the output
        less its mean over the background.
    """
    paths = Paths.of(trees_of(network))
    found = np.zeros((rows.shape[1], len(rows), paths.values.shape[1]))
    ends = np.append(paths.starts, len(paths.leaf))
    lengths = np.diff(ends)
    for length in np.unique(lengths):
        starts = ends[:-1][lengths == length]
        together = max(1, BLOCK // (len(rows) * len(background)))
        for first in range(0, len(starts), together):
            # (leaves, conditions): places of the conditions of leaves that have as many.
            places = starts[first : first + together, None] + np.arange(length)
            shares = _shares(_missed(paths, places, rows), _missed(paths, places, background))
            values = paths.values[paths.leaf[places[:, 0]]]
            _add(found, paths.gene[places], shares, values)
    return found.transpose(1, 0, 2).astype("float32")


def _missed(paths, places, rows):
    """Return which conditions rows do not meet, (leaves, rows, conditions) float32."""
    return paths.missed(rows, places).transpose(1, 0, 2).astype("float32")


def _shares(by_row, by_background):
    """Return the part of each leaf's value that each condition has, (leaves, rows, conditions).

    Args:
        by_row: (leaves, rows, conditions), 1 where the row misses the condition.
        by_background: (leaves, background, conditions), the same of background rows.
    """
    by_neither = by_row @ by_background.transpose(0, 2, 1)
    q, p = by_row.sum(2).astype(int), by_background.sum(2).astype(int)
    sizes = np.arange(by_row.shape[2] + 1)
    parts = (1 / scipy.special.comb(sizes + sizes[:, None], sizes)).astype("float32")
    part = np.where(by_neither == 0, parts[q[:, :, None], p[:, None, :]], 0.0)
    gained = part @ (by_background / np.maximum(p, 1)[:, :, None])
    lost = part.sum(2, keepdims=True) * by_row / np.maximum(q, 1)[:, :, None]
    return (gained - lost) / by_background.shape[1]


def _add(found, genes, shares, values):
    """Add the shares of leaves times their values to (genes, rows, outputs)."""
    own = shares.transpose(0, 2, 1)[..., None] * values[:, None, None]
    own = own.reshape(-1, *own.shape[2:])
    # Conditions of one gene are added up before they are written, as many leaves share it.
    order = np.argsort(genes.ravel(), kind="stable")
    ordered = genes.ravel()[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    found[ordered[starts]] += np.add.reduceat(own[order], starts, axis=0, dtype="float64")
