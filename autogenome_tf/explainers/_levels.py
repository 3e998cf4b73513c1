"""Contributions of units inside a network, by DeepLIFT's rescale rule: gene sets beside genes."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.explainers._rule import BLOCK, SplitNetwork, by_secants, noted, repeated


def contributions(
    network: keras.Model, names: Sequence[str], rows: np.ndarray, background: np.ndarray
) -> list[np.ndarray]:
    """Attribute logits or values to the units before some activations.

    The contributions of all units of a layer that everything goes through add up to the output
    minus its mean over the background, as those of the genes do.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs).
        names: Of activations.
        rows: (rows, genes) float32.
        background: (background, genes) float32.

    Returns:
        For each name (rows, units, outputs).

    Raises:
        Unexplained: For a layer without an exact rule.
    """
    split, count = SplitNetwork(network), len(background)
    known = noted(split, background)

    def of_pairs(pairs):
        times = tf.shape(pairs)[0] // count
        rescaled, inside = by_secants(known, times), {}

        def watched(name, function, x):
            inside[name] = x
            return rescaled(name, function, x)

        # Not traced: many networks are looked at once each.
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(pairs)
            totals = tf.unstack(tf.reduce_sum(split.run(pairs, watched), axis=0))
        units = [inside[name] for name in names]
        by_output = [tape.gradient(total, units) for total in totals]
        return [
            _averaged(tf.stack(slopes) * (x - repeated(known[name][0], times)), count)
            for name, x, slopes in zip(names, units, zip(*by_output, strict=True), strict=True)
        ]

    units = split.units(rows)
    together = max(1, BLOCK // (split.outputs * count * units.shape[1]))
    parts = [
        of_pairs(tf.repeat(tf.constant(units[start : start + together]), count, axis=0))
        for start in range(0, len(rows), together)
    ]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _averaged(values, count):
    """Average over the background: (outputs, pairs of rows, units) to (rows, units, outputs)."""
    shape = tf.shape(values)
    pairs = tf.reshape(values, (shape[0], shape[1] // count, count, shape[2]))
    return tf.transpose(tf.reduce_mean(pairs, axis=2), (1, 2, 0))
