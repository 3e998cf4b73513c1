"""Densely connected network of dense layers (Huang et al. 2017): each layer sees all before it."""

from typing import Any

from autogenome_tf.families import COMMON, LINEAR_START, Family, integer, number, sizes


class DenseNet(Family):
    """Densely connected network of dense layers (Huang et al. 2017)."""

    space = {
        "growth_rate": integer(32, 16, 64),
        "bottleneck": integer(32, 16, 64),
        "block_config": sizes([2, 2], [2, 3], [2, 3, 4]),
        "compression": number(0.5, 1.0, low=0.01),
        **COMMON,
        "linear_start": LINEAR_START,
    }

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Grow blocks by concatenation; a compressing dense layer stands between two blocks."""
        x = layers.dense(x, 2 * values["growth_rate"])
        for block, count in enumerate(values["block_config"]):
            if block:
                narrower = max(1, int(x.shape[-1] * values["compression"]))
                x = layers.dense(layers.activated(x), narrower)
            for _ in range(count):
                x = layers.concatenate(x, _grown(x, values, layers))
        return layers.activated(x)


def _grown(x, values, layers):
    x = layers.dense(layers.activated(x), values["bottleneck"])
    return layers.dense(layers.activated(x), values["growth_rate"])
