"""From the best trial to the final network: how long, how well, and then on all rows."""

import dataclasses
import logging
import time

import numpy as np
import pandas as pd

from autogenome_tf import families
from autogenome_tf.folds import Folds
from autogenome_tf.predictor import Predictor
from autogenome_tf.search import plan_of
from autogenome_tf.seeds import derive

log = logging.getLogger(__name__)

# The fit on folds may use this much of the time left; the refit on all rows needs the rest.
FOLDS_SHARE = 0.7


@dataclasses.dataclass(frozen=True)
class Final:
    """The final network and what is known of it.

    Attributes:
        predictor: The model from raw values to calibrated logits or values in original units.
        history: An epoch a row: epoch, loss, validation_loss, learning_rate, seconds.
        held: (rows,) numbers of rows that were held out, of those handed in.
        outputs: (held, outputs) as the predictor's, from fits that had not seen the row.
    """

    predictor: Predictor
    history: pd.DataFrame
    held: np.ndarray
    outputs: np.ndarray


def refit(folds, values, winner, config, features, deadline=float("inf")):
    """Train the winner for as long as it gains.

    With one fit a trial, that fit on the training rows is final, its best weights restored by
    early stopping. With folds, they tell the number of epochs, the learning rates and the
    temperature, and a network on all rows is trained with those.

    Args:
        folds: `Folds` the winner was found on.
        values: (rows, genes) raw, as they were handed to `folds`.
        winner: A `Trial`.
        config: The whole `Config`.
        features: Gene names.
        deadline: `time.monotonic()` after which no further epoch starts.
    """
    task = folds.task
    seed = derive(config.seed, "fit")
    share = FOLDS_SHARE if len(folds.pairs) > 1 else 1.0
    now = time.monotonic()
    plan = plan_of(config, config.training.epochs, now + share * (deadline - now))
    fit = _fit(folds, winner, plan, seed)
    outcome = folds.judge(fit)
    final, last = folds, fit
    if len(folds.pairs) > 1:
        everything = [(np.arange(len(folds.truth)), np.zeros(0, int))]
        final = Folds(values, folds.truth, task, config, everything, like=folds)
        rates = [line["learning_rate"] for line in fit.history]
        last = _fit(final, winner, plan_of(config, fit.best_epoch, deadline, rates), seed)
    predictor = final.predictor(winner.family, winner.values, last, outcome.temperature, features)
    held = np.sort(np.concatenate([rows for _, rows in folds.pairs]))
    scale, offset = task.output_scale(outcome.temperature)
    return Final(
        predictor,
        pd.DataFrame(fit.history),
        held,
        (outcome.outputs[held] * scale + offset).astype("float32"),
    )


def _fit(folds, winner, plan, seed):
    is_convex = getattr(families.member(winner.family), "CONVEX", False)
    if is_convex and not folds.is_streamed:
        ((_, fit),) = folds.ladder(winner.family, winner.values, [winner.values["l2"]])
        return fit
    return folds.fit(winner.family, winner.values, plan, seed)
