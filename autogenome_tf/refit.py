"""From the best trial to one final network: how long, how well, and then on all rows."""

import logging
import time

import numpy as np
import pandas as pd

from autogenome_tf.final import Final
from autogenome_tf.folds import Folds
from autogenome_tf.search import plan_of
from autogenome_tf.seeds import derive

log = logging.getLogger(__name__)

# The fit on folds may use this much of the time left; the refit on all rows needs the rest.
FOLDS_SHARE = 0.7


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

    Returns:
        A `Final`.
    """
    log.info("final fit: %s %s", winner.family, winner.values)
    seed = derive(config.seed, "fit")
    share = FOLDS_SHARE if len(folds.pairs) > 1 else 1.0
    now = time.monotonic()
    plan = plan_of(config, config.training.epochs, now + share * (deadline - now))
    # One network a fold, since one will be the final one.
    fit = folds.fit(winner.family, winner.values, plan, seed, repeats=1)
    outcome = folds.judge(fit)
    final, last = folds, fit
    if len(folds.pairs) > 1:
        everything = [(np.arange(len(folds.truth)), np.zeros(0, int))]
        final = Folds(values, folds.truth, folds.task, config, everything, like=folds)
        rates = [line["learning_rate"] for line in fit.history]
        plan = plan_of(config, fit.best_epoch, deadline, rates)
        last = final.fit(winner.family, winner.values, plan, seed, repeats=1)
    predictor = final.predictor(winner.family, winner.values, last, outcome.temperature, features)
    history = pd.DataFrame(fit.history)
    return Final.of(folds, predictor, history, outcome.outputs, outcome.temperature)
