"""Residual network of dense layers (He et al. 2016, "Identity mappings", pre-activation form)."""

from typing import Any

from autogenome_tf.families import COMMON, LINEAR_START, Family, integer

MOST_BLOCKS = 16


class ResNet(Family):
    """Residual network of dense layers (He et al. 2016, "Identity mappings", pre-activation)."""

    space = {
        "width": integer(128, 32, 64, 256),
        **{f"width_{i}": integer(128, optional=True) for i in range(1, MOST_BLOCKS + 1)},
        "n_blocks": integer(1, 2, 3, high=MOST_BLOCKS),
        "layers_per_block": integer(2, 1, high=8),
        **COMMON,
        "linear_start": LINEAR_START,
    }

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Add residual blocks onto a stem; a block of another width has a projecting shortcut."""
        x = layers.dense(x, values["width"])
        for block in range(1, values["n_blocks"] + 1):
            x = _residual(x, values.get(f"width_{block}", values["width"]), values, layers)
        return layers.activated(x)


def _residual(x, width, values, layers):
    shortcut = x if x.shape[-1] == width else layers.dense(x, width)
    for _ in range(values["layers_per_block"]):
        x = layers.dense(layers.activated(x), width)
    return shortcut + x
