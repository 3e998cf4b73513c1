"""Densely connected network of dense layers (Huang et al. 2017): each layer sees all before it."""

from autogenome_tf.families._space import COMMON, integer, number, sizes

SPACE = {
    "growth_rate": integer(32, 16, 64),
    "bottleneck": integer(32, 16, 64),
    "block_config": sizes([2, 2], [2, 3], [2, 3, 4]),
    "compression": number(0.5, 1.0, low=0.01),
    **COMMON,
}


def body(x, values, blocks):
    """Grow blocks by concatenation; a compressing dense layer stands between two blocks."""
    x = blocks.dense(x, 2 * values["growth_rate"])
    for block, layers in enumerate(values["block_config"]):
        if block:
            narrower = max(1, int(x.shape[-1] * values["compression"]))
            x = blocks.dense(blocks.activated(x), narrower)
        for _ in range(layers):
            x = blocks.concatenate(x, _grown(x, values, blocks))
    return blocks.activated(x)


def _grown(x, values, blocks):
    x = blocks.dense(blocks.activated(x), values["bottleneck"])
    return blocks.dense(blocks.activated(x), values["growth_rate"])
