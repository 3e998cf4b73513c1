"""The learning rate that training starts with: given, or found by a range test."""

from collections.abc import Sequence

import numpy as np

from autogenome_tf.config import Training
from autogenome_tf.training._batches import Batches
from autogenome_tf.training._engines import Engine
from autogenome_tf.training._plan import Plan

# Steps of the range test, and how far below the rate of least loss training starts.
RAMP = 40
BELOW_LEAST = 6.0
# Learning rates that a noisy test on few rows may not leave.
BANDS = {
    "adam": (5e-4, 1e-2),
    "adamw": (5e-4, 1e-2),
    "sgd": (1e-3, 0.3),
    "momentum": (1e-3, 0.1),
    "rmsprop": (3e-4, 5e-3),
    "adagrad": (1e-2, 0.3),
    "adadelta": (0.1, 3.0),
    "ftrl": (1e-2, 0.5),
    "lamb": (1e-3, 2e-2),
    "lion": (5e-5, 2e-3),
}


def first_rate(engine: Engine, batches: Batches, plan: Plan | Training) -> float:
    """Return the learning rate that training starts with.

    Args:
        engine: Begun; it is left as it was.
        batches: Of its rows.
        plan: A `Plan`, or the config's section `training`: optimizer and learning rate.
    """
    asked = plan.learning_rate
    if isinstance(asked, str):
        return range_test(engine, batches, BANDS[plan.optimizer])
    return range_test(engine, batches, sorted(asked)) if isinstance(asked, list) else asked


def range_test(engine: Engine, batches: Batches, band: Sequence[float]) -> float:
    """Find a learning rate by a short ramp (Smith 2017): well below where the loss is least.

    Args:
        engine: Begun; it is left as it was.
        batches: Of its rows.
        band: Lowest and highest rate that may come out.
    """
    ramp = np.geomspace(band[0] / 10, band[1] * 10, RAMP)
    start = engine.state()
    losses, _ = engine.epoch(batches.first(RAMP), ramp.astype("float32"), is_validated=False)
    engine.restore(start)
    bounded = np.minimum(np.where(np.isfinite(losses), losses, np.inf), 3 * losses[:5].mean())
    smooth = np.convolve(np.pad(bounded, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    least, most = band
    return float(np.clip(ramp[int(np.argmin(smooth))] / BELOW_LEAST, least, most))
