"""In-silico knock-out: what an output loses when a gene is not expressed, or expressed less.

Each value is f(x) - f(x with a part of the gene's raw value), so it is positive where the gene
speaks for the output. Values do not add up. A library size is not renormalised: all other genes
keep their values.
"""

import keras
import numpy as np

from autogenome_tf.explainers._base import Explainer
from autogenome_tf.explainers._model import Branch
from autogenome_tf.explainers._pairs import double_knockout
from autogenome_tf.explainers._rule import BLOCK, SplitNetwork
from autogenome_tf.nn.tree_paths import Paths
from autogenome_tf.nn.trees import trees_of
from autogenome_tf.preprocessing import perturbed_inputs


class Knockout(Explainer):
    """Attribute to each gene the change of the output when it alone is knocked out."""

    summary = "what an output loses when the gene is not expressed (values do not add up)"
    compared_with = "the sample where the gene is not expressed"
    tolerance = None

    def seen_background(
        self, branch: Branch, raw: np.ndarray, background: np.ndarray, remaining_fraction: float
    ) -> np.ndarray:
        """Return the network input of each gene of each row where that gene is knocked out."""
        return perturbed_inputs(branch.preprocessing, branch.transform, raw, remaining_fraction)

    def attribute(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Knock out every gene of every row; see `Explainer.attribute`.

        Args:
            network: Functional Keras model (rows, genes) -> (rows, outputs).
            rows: (rows, genes) float32.
            background: (rows, genes) what each value becomes.

        Returns:
            (rows, genes, outputs).
        """
        split = SplitNetwork(network, is_exact=False)
        units = split.units(rows)
        before = np.asarray(split.run(units))
        found = np.zeros((*rows.shape, split.outputs), "float32")
        block = max(1, BLOCK // units.shape[1] // 8)
        for row, own in enumerate(units):
            change = (background[row] - rows[row])[:, None]
            # A gene that is missing, or not expressed anyway, changes nothing.
            changed = np.flatnonzero(change)
            for start in range(0, len(changed), block):
                genes = changed[start : start + block]
                without = own + change[genes] * split.kernel[genes]
                found[row, genes] = before[row] - np.asarray(split.run(without))
        return found

    def attribute_trees(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Knock out every gene of every row; see `attribute`."""
        return -Paths.of(trees_of(network)).changes(rows, background)

    def interactions(
        self,
        network: keras.Model,
        rows: np.ndarray,
        perturbed: np.ndarray,
        background: np.ndarray,
        genes: list[int],
    ) -> np.ndarray:
        """Knock out both genes of each pair; see `Explainer.interactions`."""
        return double_knockout(network, rows, perturbed, genes)
