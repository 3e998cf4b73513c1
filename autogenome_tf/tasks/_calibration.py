"""Calibration: the divisor of outputs at which a loss of unseen rows is least."""

from collections.abc import Callable

import numpy as np

LARGEST_DIVISOR = 20.0


def best_divisor(loss: Callable[[float], float]) -> float:
    """Return the divisor of outputs, in [0.05, 20], that minimises a loss.

    Args:
        loss: Function from a divisor to the loss of outputs divided by it.
    """
    # It takes a third of the time in which a config is checked.
    import scipy.optimize

    bound = np.log(LARGEST_DIVISOR)
    found = scipy.optimize.minimize_scalar(
        lambda log_divisor: loss(np.exp(log_divisor)), bounds=(-bound, bound), method="bounded"
    )
    return float(np.exp(found.x))
