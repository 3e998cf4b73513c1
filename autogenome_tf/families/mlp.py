"""Multilayer perceptron: dense layers one after the other."""

from autogenome_tf.families._space import COMMON, integer

MOST_LAYERS = 6

SPACE = {
    "layers": integer(1, 2, 3, high=MOST_LAYERS),
    "units": integer(128, 32, 64, 256, 512),
    **{f"units_{i}": integer(128, optional=True) for i in range(1, MOST_LAYERS + 1)},
    **COMMON,
}


def body(x, values, blocks):
    """Stack `layers` blocks of dense, normalisation, activation and dropout."""
    for layer in range(1, values["layers"] + 1):
        x = blocks.dense(x, values.get(f"units_{layer}", values["units"]))
        x = blocks.activated(x)
    return x
