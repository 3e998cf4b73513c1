"""From the best trial to one final network: how long, how well, and then on all rows."""

import logging
import time
from typing import NamedTuple

import pandas as pd

from autogenome_tf.ensemble._final_model import FinalModel, gates_table
from autogenome_tf.models import Predictor
from autogenome_tf.training import CrossValidation, Fit, Plan, Trial, TrialResult

log = logging.getLogger(__name__)

# The fit on folds may use this much of the time left; the refit on all rows needs the rest.
FOLDS_SHARE = 0.7


class Refit(NamedTuple):
    """Networks of a trial, trained for as long as they gain.

    Attributes:
        result: The trial judged on its folds, with temperature and out-of-fold outputs.
        on_folds: The fit on its folds.
        cross_validation: The rows of the last fit: all of them, or those of a single split.
        fit: The last fit.
    """

    result: TrialResult
    on_folds: Fit
    cross_validation: CrossValidation
    fit: Fit

    def model(self, replica: int = 0) -> Predictor:
        """Return the model of one network of the last fit."""
        trial = self.result.trial
        return self.cross_validation.final_model(
            trial.family, trial.values, self.fit, self.result.temperature, replica
        )

    @property
    def replicas(self) -> range:
        """Return the numbers of the replicas of the first fold, one a seed."""
        return range(0, len(self.fit.weights[0]), len(self.cross_validation.splits))


def refit(
    cross_validation: CrossValidation, trial: Trial, seed: int, deadline: float = float("inf")
) -> FinalModel:
    """Train a trial for as long as it gains, as the final model of a run.

    Args:
        cross_validation: The rows it was found on.
        trial: Family and hyperparameters.
        seed: Of initial weights and order.
        deadline: `time.monotonic()` after which no further epoch starts.
    """
    log.info("final fit: %s %s", trial.family, trial.values)
    found = train(cross_validation, trial, seed, deadline=deadline)
    return FinalModel.of(
        cross_validation,
        found.model(),
        found.result.outputs,
        found.result.temperature,
        history=pd.DataFrame(found.on_folds.history),
        trials=(trial.number,),
        gates=gates_table(found.cross_validation, [(1.0, trial, found.fit)]),
    )


def train(
    cross_validation: CrossValidation,
    trial: Trial,
    seed: int,
    count: int = 1,
    deadline: float = float("inf"),
    whole: CrossValidation | None = None,
) -> Refit:
    """Train a trial on its folds and then on all rows.

    With a single split, the fit on its training rows is the last, its best weights restored by
    early stopping. With folds, these decide the number of epochs, the learning rates and the
    temperature, and networks on all rows are trained with those.

    Args:
        cross_validation: The rows it was found on.
        trial: Family and hyperparameters.
        seed: Of initial weights and order.
        count: Networks of the last fit, which start differently.
        deadline: `time.monotonic()` after which no further epoch starts.
        whole: The same on all rows where it is at hand; compiled steps are kept for the next then.
    """
    settings, is_last = cross_validation.settings.training, len(cross_validation.splits) == 1
    share = 1.0 if is_last else FOLDS_SHARE
    now = time.monotonic()
    plan = Plan.of(settings, settings.epochs, now + share * (deadline - now))
    # One network a fold, since one will be the final one.
    repeats = count if is_last else 1
    fit = cross_validation.fit(trial.family, trial.values, plan, seed, repeats)
    result = cross_validation.judge(trial, fit)
    if whole is None:
        cross_validation.forget_steps()
    if is_last:
        return Refit(result, fit, cross_validation, fit)
    whole = whole or cross_validation.on_all_rows()
    plan = Plan.of(settings, fit.best_epoch, deadline, fit.rates)
    last = whole.fit(trial.family, trial.values, plan, seed, count)
    return Refit(result, fit, whole, last)
