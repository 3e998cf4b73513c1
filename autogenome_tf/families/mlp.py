"""Multilayer perceptron: dense layers one after the other."""

from typing import Any

from autogenome_tf.families import COMMON, LINEAR_START, Family, integer

MOST_LAYERS = 6


class MLP(Family):
    """Multilayer perceptron: `layers` dense layers of `units` each."""

    space = {
        "layers": integer(1, 2, 3, high=MOST_LAYERS),
        "units": integer(128, 32, 64, 256, 512),
        **{f"units_{i}": integer(128, optional=True) for i in range(1, MOST_LAYERS + 1)},
        **COMMON,
        "linear_start": LINEAR_START,
    }

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Stack `layers` blocks of dense, normalisation, activation and dropout."""
        for layer in range(1, values["layers"] + 1):
            x = layers.dense(x, values.get(f"units_{layer}", values["units"]))
            x = layers.activated(x)
        return x
