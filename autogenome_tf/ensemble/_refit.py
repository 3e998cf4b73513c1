"""From the best trial to one final network: how long, how well, and then on all rows."""

import functools
import time
from typing import NamedTuple

import pandas as pd

from autogenome_tf import families, metrics
from autogenome_tf.ensemble._average import average_of
from autogenome_tf.ensemble._final_model import FinalModel, gates_table
from autogenome_tf.models import Predictor
from autogenome_tf.training import CrossValidation, Fit, Plan, Trial, TrialResult

# The fit on folds may use this much of the time left; the refit on all rows needs the rest.
FOLDS_SHARE = 0.5


class Refit(NamedTuple):
    """Networks of a trial, trained for as long as they gain.

    Attributes:
        result: The trial judged on its folds, with temperature and out-of-fold outputs.
        on_folds: The fit on its folds.
        cross_validation: The rows of the last fit: all of them, or those of a single split.
        fit: The last fit.
        is_complete: Whether the networks are as good as those of the trial. They are not where the
            deadline ended the fit on folds at a worse score, or the last fit too early.
    """

    result: TrialResult
    on_folds: Fit
    cross_validation: CrossValidation
    fit: Fit
    is_complete: bool = True

    def model(self, *replicas: int) -> Predictor:
        """Return the model of one network of the last fit, or of the mean of several."""
        trial = self.result.trial
        return self.cross_validation.final_model(
            trial.configuration, self.fit, self.result.temperature, *replicas
        )

    def final_model(
        self, cross_validation: CrossValidation, judged: tuple[TrialResult, ...] = ()
    ) -> FinalModel:
        """Return the final model of a run: the mean of the networks of the last fit.

        Args:
            cross_validation: The rows that the trial was found on.
            judged: See `FinalModel`.
        """
        trial = self.result.trial
        return FinalModel.of(
            cross_validation,
            self.model(*self.replicas),
            self.result.outputs,
            self.result.temperature,
            history=pd.DataFrame(self.on_folds.history),
            trials=(trial.number,),
            gates=gates_table(self.cross_validation, [(1.0, trial, self.fit)]),
            folds=self._average_of_folds(cross_validation),
            judged=judged,
        )

    def _average_of_folds(self, cross_validation):
        """Return a function that averages the networks on folds; None if the last fit is theirs."""
        if self.cross_validation is cross_validation:
            return None
        return functools.partial(average_of, cross_validation, [(1.0, self.result)])

    @property
    def replicas(self) -> range:
        """Return the numbers of the replicas of the first fold, one a seed."""
        return range(0, len(self.fit.weights[0]), len(self.cross_validation.splits))


def train(
    cross_validation: CrossValidation,
    trial: Trial,
    seed: int,
    count: int = 1,
    deadline: float = float("inf"),
    whole: CrossValidation | None = None,
    judged: TrialResult | None = None,
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
        judged: The trial on its folds where it is trained on them already, with as many networks a
            fold; those of a single split are the last.
    """
    settings, is_last = cross_validation.settings.training, len(cross_validation.splits) == 1
    is_complete, result = True, judged
    if result is None:
        until = deadline if is_last else part_of(deadline)
        # One network a fold tells how long to train.
        result, is_complete = judge(cross_validation, trial, seed, count if is_last else 1, until)
    fit = result.known_fit
    if whole is None:
        cross_validation.forget_steps()
    if is_last:
        return Refit(result, fit, cross_validation, fit, is_complete)
    whole = whole or cross_validation.on_all_rows()
    plan = Plan.of(settings, fit.best_epoch, deadline, fit.rates)
    last = whole.fit(trial.configuration, plan, seed, count)
    # A convex loss counts as one epoch, however early the deadline ends it.
    is_cut = families.member(trial.family).is_convex and time.monotonic() > deadline
    is_complete = is_complete and not is_cut and len(last.history) == fit.best_epoch
    return Refit(result, fit, whole, last, is_complete)


def part_of(deadline: float) -> float:
    """Return the time until which folds may train, since the networks on all rows follow.

    Args:
        deadline: `time.monotonic()` at which the fit must be over.
    """
    now = time.monotonic()
    return now + FOLDS_SHARE * (deadline - now)


def judge(
    cross_validation: CrossValidation, trial: Trial, seed: int, repeats: int, deadline: float
) -> tuple[TrialResult, bool]:
    """Train a trial on its folds anew, for as long as it gains.

    Args:
        cross_validation: The rows it was found on.
        trial: Family and hyperparameters.
        seed: Of initial weights and order.
        repeats: Networks a fold, whose average is judged.
        deadline: `time.monotonic()` after which no further epoch starts.

    Returns:
        The result, and whether it counts: one that the deadline ended at a worse score does not.
    """
    settings = cross_validation.settings.training
    plan = Plan.of(settings, settings.epochs, deadline)
    fit = cross_validation.fit(trial.configuration, plan, seed, repeats)
    result = cross_validation.judge(trial, fit)
    is_late = time.monotonic() > deadline
    worse = skill(cross_validation, result.trial) < skill(cross_validation, trial)
    return result, not (is_late and worse)


def skill(cross_validation: CrossValidation, trial: Trial) -> float:
    """Return the score of a trial, higher is better.

    Args:
        cross_validation: The rows it was found on.
        trial: The trial.
    """
    return metrics.sign(cross_validation.objective) * trial.score
