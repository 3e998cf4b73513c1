"""No hidden layer: multinomial logistic or ridge regression, the baseline that is hard to beat."""

from typing import Any

from autogenome_tf.families import GENE_POWER, Family, number


class Linear(Family):
    """No hidden layer: multinomial logistic or ridge regression, the baseline of every search."""

    space = {
        "l2": number(
            1e-2, *(10.0**power for power in (-5, -4, -3, -1.5, -1, -0.5, 0, 0.5, 1)), high=1e9
        ),
        "spectral_power": number(0.0),
        "gene_power": GENE_POWER,
    }
    is_convex = True

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Return the genes unchanged: the logits layer is the whole network."""
        return x
