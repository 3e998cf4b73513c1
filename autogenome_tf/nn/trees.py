"""Decision trees as built-in Keras layers: tables of nodes that every row walks through.

A node's row of the table holds its gene, its threshold and its two children; a leaf is its own
child, so that all trees walk as many steps as the deepest. Comparisons are those of float32, as
scikit-learn's are. The layers are recognised by their names in a saved model.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

# Names of the embeddings that hold tables; the number of the trial follows.
ROOTS, NODES, LEAVES = "tree_roots_", "tree_nodes_", "tree_leaves_"
# Positions in the tables are float32, which holds whole numbers up to this.
MOST_NODES = 1 << 24


@dataclasses.dataclass(frozen=True)
class Trees:
    """Hold trees whose leaf values are added up.

    Attributes:
        roots: (trees,) positions of the first nodes.
        genes: (nodes,) position of the gene that a node compares; 0 in leaves.
        thresholds: (nodes,) float32; a row with at most this value goes left; 0 in leaves.
        children: (nodes, 2) positions of the left and the right child; a leaf's own.
        values: (nodes, outputs) float32 that a leaf gives; of inner nodes they are not used.
        weights: (trees,) factor of each tree's values in the sum.
    """

    roots: np.ndarray
    genes: np.ndarray
    thresholds: np.ndarray
    children: np.ndarray
    values: np.ndarray
    weights: np.ndarray

    @property
    def is_leaf(self) -> np.ndarray:
        """Return whether each node is a leaf, (nodes,)."""
        return self.children[:, 0] == np.arange(len(self.children))

    @property
    def depth(self) -> int:
        """Return the number of steps to the deepest leaf."""
        steps, level = 0, self.roots
        while len(level := level[~self.is_leaf[level]]):
            steps, level = steps + 1, self.children[level].ravel()
        return steps

    @classmethod
    def joined(cls, several: Sequence["Trees"]) -> "Trees":
        """Return the trees of several forests, one after the other, each with its weights.

        Args:
            several: The forests, at least one.
        """
        starts = np.cumsum([0, *(len(one.genes) for one in several[:-1])])
        pairs = list(zip(several, starts, strict=True))
        return cls(
            np.concatenate([one.roots + start for one, start in pairs]),
            np.concatenate([one.genes for one in several]),
            np.concatenate([one.thresholds for one in several]),
            np.concatenate([one.children + start for one, start in pairs]),
            np.concatenate([one.values for one in several]),
            np.concatenate([one.weights for one in several]),
        )


def rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """Return the largest float32 values that are not above float64 thresholds.

    A float32 value is at most the one where it is at most the other.

    Args:
        thresholds: (n,) float64.

    Returns:
        (n,) float32.
    """
    found = thresholds.astype("float32")
    return np.where(found > thresholds, np.nextafter(found, np.float32(-np.inf)), found)


def forests_outputs(x: Any, forests: Sequence[Trees], number: int = 0) -> Any:
    """Walk rows through forests of equally many trees and average the trees of each.

    Args:
        x: (batch, genes) symbolic.
        forests: Whose weights are not used.
        number: Number of the trial, unique in a network.

    Returns:
        (batch, forests, outputs) symbolic.

    Raises:
        ValueError: There are too many nodes for the tables.
    """
    trees = Trees.joined(forests)
    if len(trees.genes) >= MOST_NODES:
        raise ValueError(
            f"forest: {len(trees.genes):,} nodes; expected fewer than {MOST_NODES:,}. Set fewer "
            "families.forest.trees or a larger families.forest.min_leaf."
        )
    leaves = _table(trees.values, f"{LEAVES}{number}")(_walked(x, trees, number))
    shape = len(forests), len(trees.roots) // len(forests), trees.values.shape[1]
    return keras.ops.mean(keras.layers.Reshape(shape)(leaves), axis=2)


def forest_network(trees: Trees, genes: int) -> keras.Model:
    """Return a forest as a Keras model, (rows, genes) -> (rows, outputs): the mean over trees.

    Args:
        trees: Whose weights are not used.
        genes: Number of inputs.
    """
    x = keras.Input((genes,), name="genes")
    outputs = keras.layers.Reshape(trees.values.shape[1:])(forests_outputs(x, [trees]))
    return keras.Model(x, outputs, name="network")


def has_trees(network: keras.Model) -> bool:
    """Return whether a network is made of trees.

    Args:
        network: Functional Keras model.
    """
    return any(layer.name.startswith(LEAVES) for layer in network.layers)


def trees_of(network: keras.Model) -> Trees:
    """Return the trees that a network adds up, read from its layers.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs) with `has_trees`.
    """
    return Trees.joined(list(_found(network)))


def _found(network) -> Iterator[Trees]:
    """Yield the trees of each trial, with their weights in the outputs."""
    leaves = [layer for layer in network.layers if layer.name.startswith(LEAVES)]
    tail = keras.Model([layer.output for layer in leaves], network.outputs[0])
    for place, layer in enumerate(leaves):
        number = layer.name.removeprefix(LEAVES)
        (roots,), nodes, values = (
            network.get_layer(f"{kind}{number}").get_weights()[0] for kind in (ROOTS, NODES, LEAVES)
        )
        # The outputs are linear in the leaves' values: one tree after the other is 1, all others 0.
        count = len(roots)
        given = [np.zeros((count, *other.output.shape[1:]), "float32") for other in leaves]
        given[place][np.arange(count), np.arange(count)] = 1.0
        weights = np.asarray(tail(given, training=False))[:, 0]
        genes, children = nodes[:, 0].astype(int), nodes[:, 2:].astype(int)
        yield Trees(roots.astype(int), genes, nodes[:, 1], children, values, weights)


def _walked(x, trees, number):
    """Return the leaf of each tree, (batch, trees) symbolic."""
    first = _table(trees.roots[None], f"{ROOTS}{number}")(keras.ops.zeros_like(x[:, :1]))
    node = keras.layers.Reshape((len(trees.roots),))(first)
    table = np.column_stack([trees.genes, trees.thresholds, trees.children])
    nodes = _table(table, f"{NODES}{number}")
    for _ in range(max(1, trees.depth)):
        found = nodes(node)
        genes = keras.ops.cast(found[:, :, 0], "int32")
        value = keras.ops.take_along_axis(x, genes, axis=1)
        node = keras.ops.where(value <= found[:, :, 1], found[:, :, 2], found[:, :, 3])
    return node


def _table(values, name):
    """Return a layer from positions to rows of a fixed table."""
    layer = keras.layers.Embedding(*values.shape, trainable=False, name=name)
    layer.build((None, None))
    layer.set_weights([values.astype("float32")])
    return layer
