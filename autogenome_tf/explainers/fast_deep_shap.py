"""DeepLIFT's rescale rule against a background (DeepSHAP, Lundberg and Lee 2017), factorised.

The values are those of `shap.DeepExplainer`; `_rule` explains how they are computed, and
`_single` how for units that pass at most one activation.
"""

import itertools

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.explainers._base import Explainer
from autogenome_tf.explainers._rule import SplitNetwork, by_secants, jacobian, noted
from autogenome_tf.explainers._single import attribute_single, single_activations


class InGraph(tf.Module):
    """DeepSHAP as a part of a graph, a row after another, with the background inside.

    Args:
        network: See `Explainer.attribute`.
        background: (background, genes) float32.

    Raises:
        Unexplained: For a layer without an exact rule.
    """

    def __init__(self, network: keras.Model, background: np.ndarray):
        super().__init__()
        self._split = SplitNetwork(network)
        self._multipliers = _rescaled(self._split, background, [True] * len(self._split.stems))
        # A variable, as the definition of a graph has a largest size.
        self._background = tf.Variable(background, trainable=False)

    def __call__(self, rows: tf.Tensor) -> tf.Tensor:
        """Attribute rows, (rows, genes) -> (rows, genes, outputs)."""
        shape = (rows.shape[1], self._split.outputs)
        return tf.map_fn(self._of_row, rows, fn_output_signature=tf.TensorSpec(shape, rows.dtype))

    def _of_row(self, row):
        count = self._background.shape[0]
        units = tf.concat([layer(row[None]) for layer, _ in self._split.stems], axis=1)
        flows = self._multipliers(tf.repeat(units, count, axis=0))

        def of_output(flow):
            mean = tf.reduce_mean(flow, axis=0)
            found = tf.zeros_like(row)
            for layer, place in self._split.stems:
                kernel = tf.convert_to_tensor(layer.kernel)
                own = row * tf.linalg.matvec(kernel, mean[place])
                shifted = tf.matmul(self._background, flow[:, place], transpose_a=True) / count
                found += own - tf.reduce_sum(kernel * shifted, axis=1)
            return found

        return tf.transpose(tf.map_fn(of_output, flows))


class FastDeepShap(Explainer):
    """Attribute by DeepSHAP; what lies between a row and the background is computed on units."""

    summary = "DeepSHAP, factorised"
    auto_order = 1
    in_graph = InGraph

    def attribute(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute logits or values to genes; see `Explainer.attribute`.

        The sum over genes is the output minus its mean over the background.
        """
        split = SplitNetwork(network)
        singles = single_activations(split)
        is_deep = [layer.name not in singles for layer, _ in split.stems]
        if not any(is_deep):
            return attribute_single(split, singles, rows, background)
        compute = _rescaled(split, background, is_deep)

        def multipliers(units):
            pairs = compute(tf.repeat(tf.constant(units), len(background), axis=0))
            return tf.reshape(pairs, (split.outputs, len(units), len(background), -1))

        places = np.repeat(is_deep, split.sizes)
        found = split.attribute(rows, background, multipliers, places)
        return found + attribute_single(split, singles, rows, background) if singles else found


def _rescaled(split, background, is_asked):
    """Make a function that computes multipliers: what a unit's difference contributes, by the rule.

    Args:
        split: `SplitNetwork` of the network.
        background: (background, genes).
        is_asked: For each stem whether multipliers of its units are returned.

    Returns:
        A function (rows * background, units) -> (outputs, rows * background, units asked for).
    """
    known, count = noted(split, background), len(background)

    def multipliers(pairs):
        rescaled = by_secants(known, tf.shape(pairs)[0] // count)
        parts = split.by_stem(pairs)
        asked = list(itertools.compress(parts, is_asked))
        return tf.concat(jacobian(lambda _: split.run(parts, rescaled), asked), axis=2)

    return multipliers
