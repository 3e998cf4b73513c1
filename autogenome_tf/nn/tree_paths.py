"""The paths to the leaves of trees: of each gene on the way, the interval that leads there."""

import dataclasses
from typing import Any

import numpy as np

from autogenome_tf.nn.trees import Trees

# Values of one block of comparisons.
BLOCK = 16 << 20


@dataclasses.dataclass(frozen=True)
class Paths:
    """Hold conditions of leaves: a row reaches a leaf where all of them are met.

    Attributes:
        leaf: (conditions,) position of the leaf, ascending.
        gene: (conditions,) position of the gene; a leaf has one condition of each gene.
        low, high: (conditions,) float32; the condition is low < value <= high.
        values: (leaves, outputs) float32, times the weight of the tree.
    """

    leaf: np.ndarray
    gene: np.ndarray
    low: np.ndarray
    high: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, trees: Trees) -> "Paths":
        """Follow all leaves back to the roots.

        Args:
            trees: The trees.
        """
        leaves, parent = np.flatnonzero(trees.is_leaf), _parents(trees)
        tops, steps = leaves.copy(), []
        while len(moving := np.flatnonzero(parent[tops] >= 0)):
            above = parent[tops[moving]]
            is_right = trees.children[above, 1] == tops[moving]
            steps.append((moving, trees.genes[above], trees.thresholds[above], is_right))
            tops[moving] = above
        weight = np.zeros(len(trees.genes), "float32")
        weight[trees.roots] = trees.weights
        return cls(*_merged(steps), trees.values[leaves] * weight[tops, None])

    @property
    def starts(self) -> np.ndarray:
        """Return the place of each leaf's first condition, of leaves that have any."""
        return np.flatnonzero(np.diff(self.leaf, prepend=-1))

    def missed(self, rows: np.ndarray, places: Any = slice(None)) -> np.ndarray:
        """Return whether each condition is not met by each row, (rows, *places).

        Args:
            rows: (rows, genes) float32.
            places: Index of the conditions that are meant, of any shape; by default all.
        """
        seen = rows[:, self.gene[places]]
        return (seen <= self.low[places]) | (seen > self.high[places])

    def changes(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Compute how outputs change where one gene at a time takes another value.

        Args:
            rows: (rows, genes) float32.
            others: (rows, genes) other values.

        Returns:
            (rows, genes, outputs): f(row with the gene's other value) - f(row).
        """
        found = np.zeros((*rows.shape, self.values.shape[1]), "float32")
        if not len(self.leaf):
            return found
        together = max(1, BLOCK // len(self.leaf))
        for start in range(0, len(rows), together):
            some = slice(start, start + together)
            before, after = self.missed(rows[some]), self.missed(others[some])
            counts = np.add.reduceat(before, self.starts, axis=1, dtype="int32")
            all_missed = np.repeat(counts, np.diff(self.starts, append=len(self.leaf)), axis=1)
            left = all_missed - before
            # Only a leaf whose other conditions are all met is won or lost.
            row, place = np.nonzero((left == 0) & (before != after))
            sign = np.where(before[row, place], 1.0, -1.0).astype("float32")
            change = sign[:, None] * self.values[self.leaf[place]]
            np.add.at(found, (start + row, self.gene[place]), change)
        return found


def _parents(trees):
    """Return the parent of each node, (nodes,); -1 for roots."""
    parent = np.full(len(trees.genes), -1)
    inner = np.flatnonzero(~trees.is_leaf)
    parent[trees.children[inner]] = inner[:, None]
    return parent


def _merged(steps):
    """Join the comparisons of each leaf with each gene: leaf, gene, low and high."""
    if not steps:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0, "float32"), np.zeros(0, "float32")
    leaf, gene, threshold, is_right = (np.concatenate(part) for part in zip(*steps, strict=True))
    order = np.lexsort((gene, leaf))
    leaf, gene, threshold, is_right = (part[order] for part in (leaf, gene, threshold, is_right))
    is_first = (np.diff(leaf, prepend=-1) != 0) | (np.diff(gene, prepend=-1) != 0)
    starts, nothing = np.flatnonzero(is_first), np.float32(np.inf)
    low = np.maximum.reduceat(np.where(is_right, threshold, -nothing), starts)
    high = np.minimum.reduceat(np.where(is_right, nothing, threshold), starts)
    return leaf[starts], gene[starts], low, high
