"""DeepLIFT's rescale rule against a background (DeepSHAP, Lundberg and Lee 2017), factorised.

The values are those of `shap.DeepExplainer`; how they are computed is `_rule.Split`'s.
"""

import tensorflow as tf

from autogenome_tf.explainers._rule import NEAR, Split, jacobian, traced


def attribute(network, rows, background):
    """Attribute logits or values to genes.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs).
        rows: (rows, genes) float32.
        background: (background, genes) float32.

    Returns:
        (rows, genes, outputs); the sum over genes is the output minus its mean over the background.

    Raises:
        Unexplained: For a layer without an exact rule.
    """
    split = Split(network)
    known, count = {}, len(background)

    def noted(name, function, x):
        known[name] = x, function(x)
        return known[name][1]

    reference = tf.constant(split.units(background))
    split.run(reference, noted)

    @_of_pairs(split, count)
    def multipliers(pairs):
        times = tf.shape(pairs)[0] // count

        def rescaled(name, function, x):
            at, value = (_repeated(part, times) for part in known[name])
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            is_near = tf.abs(x - at) < NEAR
            secant = (y - value) / tf.where(is_near, 1.0, x - at)
            slope = tf.stop_gradient(tf.where(is_near, tape.gradient(y, x), secant))
            return tf.stop_gradient(y - slope * x) + slope * x

        return jacobian(lambda units: split.run(units, rescaled), pairs)

    return split.attribute(rows, background, multipliers)


def _repeated(part, times):
    return tf.tile(part, [times] + [1] * (len(part.shape) - 1))


def _of_pairs(split, count):
    """A function of (rows, units) from one of (rows * background, units)."""

    def decorated(function):
        compiled = traced(function, split.kernel.shape[1])

        def multipliers(units):
            found = compiled(tf.repeat(tf.constant(units), count, axis=0))
            return found.numpy().reshape(found.shape[0], len(units), count, -1)

        return multipliers

    return decorated
