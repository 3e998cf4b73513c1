"""No hidden layer: linear learners, of which the first is the baseline that is hard to beat."""

from typing import Any

from autogenome_tf.families import GENE_POWER, Family, Space, integer, number, word

# Hyperparameter of each loss that is solved for a path of values at once.
PATHS = {
    "logistic": "l2",
    "ridge": "l2",
    "cox": "l2",
    "hazard": "l2",
    "joint": "l2",
    "discriminant": "shrinkage",
    "hinge": "l2",
    "centroid": "threshold",
    "pls": "components",
}


class Linear(Family):
    """No hidden layer: logistic, ridge, Cox, hazard or joint regression, and other learners."""

    space = {
        "loss": word(*PATHS, known=tuple(PATHS)),
        "l2": number(
            1e-2, *(10.0**power for power in (-5, -4, -3, -1.5, -1, -0.5, 0, 0.5, 1)), high=1e9
        ),
        "shrinkage": number(0.3, 0.01, 0.03, 0.1, 0.2, 0.5, 0.7, 0.9, 0.97, 0.99, low=1e-6),
        "threshold": number(
            1.0, 0.0, 0.25, 0.5, 0.75, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, high=1e9
        ),
        "components": integer(3, *(count for count in range(1, 31) if count != 3), high=1000),
        "spectral_power": number(0.0),
        "gene_power": GENE_POWER,
    }
    is_convex = True

    @classmethod
    def for_task(cls, space: Space, task: Any) -> Space:
        """Keep the losses that fit the task, and the paths of those."""
        losses = task.linear_losses
        unused = set(PATHS.values()) - {PATHS[loss] for loss in losses}
        kept = {name: hyper for name, hyper in space.items() if name not in unused}
        return kept | {"loss": word(*losses, known=losses)}

    @classmethod
    def path(cls, values: dict[str, Any]) -> str:
        """Return the hyperparameter that a loss is solved for a path of."""
        return PATHS[values.get("loss", "logistic")]

    @classmethod
    def is_of_genes(cls, values: dict[str, Any]) -> bool:
        """Return whether the loss looks at genes one by one."""
        return values.get("loss") == "centroid"

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Return the genes unchanged: the logits layer is the whole network."""
        return x
