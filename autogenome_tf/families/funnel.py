"""A funnel: each layer half as wide as the one before."""

from autogenome_tf.families import COMMON, Family, integer


class Funnel(Family):
    """A funnel: each layer half as wide as the one before."""

    space = {"start": integer(256, 64, 128), "layers": integer(3, 2, high=8), **COMMON}

    @staticmethod
    def body(x, values, layers):
        """Halve the width from layer to layer."""
        for layer in range(values["layers"]):
            x = layers.activated(layers.dense(x, max(1, values["start"] >> layer)))
        return x
