"""Linear trials: the baseline, and the other linear learners, each the best of its path."""

import dataclasses
import itertools
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autogenome_tf import families, metrics
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.search._starts import Start
from autogenome_tf.search._trials import FAILURES, ended, failure, recorded, run_trial, undefined
from autogenome_tf.training import Configuration, CrossValidation, Plan, Trial, TrialResult

log = logging.getLogger(__name__)

# A path ends after so many values with a worse loss than the best.
MOST_WORSE = 3
# Part of the time left after which no other linear learner begins: with little time, they score
# better than as many networks.
LEARNERS_SHARE = 0.5


def check_rows(cross_validation: CrossValidation, asked: dict[str, dict[str, Any]]) -> None:
    """Refuse linear learners that the config names where rows are streamed.

    Args:
        cross_validation: The rows.
        asked: The config's section `families`.

    Raises:
        InputError: Naming the losses that there are for streamed rows.
    """
    if not cross_validation.is_streamed or "loss" not in asked.get("linear", {}):
        return
    able = cross_validation.task.linear_losses[0]
    if asked["linear"]["loss"] not in (able, [able]):
        raise InputError(
            f"families.linear.loss: expected {able} for rows that do not fit data.memory, since "
            f"the others are solved in memory; received {asked['linear']['loss']!r}."
        )


class LinearTrials:
    """Solve the linear models of a search: the baseline, and the learners beside it.

    Args:
        cross_validation: The rows.
        spaces: Search spaces of the families asked for; that of `linear` narrows the paths.
        plan: Its deadline counts, and all of it where rows are streamed.
        seed: The config's.
    """

    def __init__(
        self, cross_validation: CrossValidation, spaces: dict[str, Any], plan: Plan, seed: int
    ):
        self._cross_validation, self._plan, self._seed = cross_validation, plan, seed
        self._is_asked, task = "linear" in spaces, cross_validation.task
        self._space = spaces.get("linear") or families.space("linear", task=task)
        self._losses = task.linear_losses

    def baseline(self) -> TrialResult:
        """Train the baseline: logistic, ridge or Cox regression, the best of its path, trial 0."""
        started = time.monotonic()
        every = [
            values for values in self._beside_path(self._losses[0]) if self._is_of_baseline(values)
        ]
        name = families.member("linear").path(every[0])
        values = every[0] | {name: self._space[name].options[0]}
        first = Trial(0, "linear", values, status=undefined(self._cross_validation))
        if self._cross_validation.is_streamed:
            return run_trial(self._cross_validation, first, self._plan, self._seed)
        return self._finished(self._best(first, every), started)

    def learners(
        self, behind: int, finished: dict[int, Trial], starts: Sequence[Start] = ()
    ) -> Iterator[TrialResult]:
        """Solve the linear learners beside the baseline that the config asks for, each a trial.

        Every loss, and every combination of the hyperparameters beside its path, is a trial. Those
        of the portfolio come first. Of the others all losses take one gene power before the next,
        the slow loss of the baseline last, so that a short budget sees every loss.

        None begins after a part of the time until the deadline.

        Args:
            behind: Number of the last trial of the search; theirs follow.
            finished: Trials of an interrupted run by their number, which are not solved again.
            starts: Those of the portfolio.
        """
        if not self._is_asked:
            return
        order = [values for _, values in starts]
        every = self._beside_baseline()
        every.sort(key=lambda own: _place(own, order))
        if self._cross_validation.is_streamed and every:
            log.info(
                "search: rows do not fit data.memory: linear learners are left out (%d)", len(every)
            )
            return
        now = time.monotonic()
        last = now + LEARNERS_SHARE * (self._plan.deadline - now)
        for number, values in enumerate(every, behind + 1):
            if number in finished:
                trial = finished[number]
                yield recorded(self._cross_validation, trial, self._plan, self._seed)
            elif time.monotonic() > last:
                left = len(every) + behind - number
                log.info("search: no time is left for the other linear learners (%d)", left)
                return
            else:
                status = undefined(self._cross_validation)
                yield self._solved(Trial(number, "linear", values, status=status))

    def _solved(self, trial):
        """Return the best of a path as a trial; a failure becomes its status."""
        started = time.monotonic()
        try:
            best = self._best(trial, [trial.values])
        except StageError:  # no fault of the configuration
            raise
        except FAILURES as error:
            return TrialResult(ended(trial, started, failure(error)))
        return self._finished(best, started)

    def _finished(self, best, started):
        """Return the best result of paths as that of a trial, which can be solved again."""
        trial = ended(best.trial, started, best.trial.status)
        again = recorded(self._cross_validation, trial, self._plan, self._seed).retrain
        return dataclasses.replace(best, trial=trial, retrain=again)

    def _best(self, trial, every):
        """Return the best result of the paths of some values; the trial where none scores."""
        best, sign = TrialResult(trial), metrics.sign(self._cross_validation.objective)
        for values in every:
            for result in self._path(trial.number, values):
                score = sign * result.trial.score
                if not best.trial.is_scored or score > sign * best.trial.score:
                    best = result
        return best

    def _path(self, number, values):
        """Yield the result of every value of a path until the loss of each target only gets worse.

        Of several targets the last result has for each the value that is best for it.
        """
        name, path = families.member("linear").path(values), _Path()

        def judged(option, fit):
            trial = Trial(number, "linear", values | {name: option})
            return self._cross_validation.judge(trial, fit)

        for option, fit in self._fits(values, self._space[name].options):
            result = judged(option, fit)
            yield result
            path.add(option, _losses_by_target(self._cross_validation, result))
            if time.monotonic() > self._plan.deadline:
                return
            if path.is_over:
                break
        if len(set(path.best.values())) > 1:
            ((_, fit),) = self._fits(values, [path.best])
            yield judged(path.best, fit)

    def _fits(self, values, options):
        configuration = Configuration("linear", values)
        return self._cross_validation.path(configuration, options, self._plan.deadline)

    def _beside_path(self, loss):
        """Yield values of a loss and of all dimensions that are no path, in every combination."""
        member = families.member("linear")
        paths = {member.path({"loss": known}) for known in self._losses}
        options = {name: hyper.options for name, hyper in self._space.items() if name not in paths}
        options["loss"] = (loss,)
        if len(self._cross_validation.transforms) > 1:
            options["transform"] = tuple(self._cross_validation.transforms)
        for chosen in itertools.product(*options.values()):
            yield dict(zip(options, chosen, strict=True))

    def _beside_baseline(self):
        """Return the values of all learners beside the baseline, in the order of `learners`."""
        every = [
            values
            for loss in self._space["loss"].options
            for values in self._beside_path(loss)
            if not self._is_of_baseline(values)
        ]
        powers = self._space["gene_power"].options if "gene_power" in self._space else (None,)
        slowest = self._losses[0]
        return sorted(
            every, key=lambda own: (powers.index(own.get("gene_power")), own["loss"] == slowest)
        )

    def _is_of_baseline(self, values):
        """Return whether values may be the baseline's: its loss, and gene power 0 where it is open.

        What networks are compared with knows nothing of single genes and targets.
        """
        is_open = "gene_power" in self._space and 0 in self._space["gene_power"].options
        is_weighed = is_open and values["gene_power"] > 0
        return values["loss"] == self._losses[0] and not is_weighed


def _losses_by_target(cross_validation, result):
    """Return the out-of-fold loss of each target by its name; that of all where they are one."""
    if not cross_validation.task.is_of_several:
        return {"": result.fit.history[-1]["validation_loss"]}
    rows = cross_validation.validation_rows
    return cross_validation.task.target_losses(
        cross_validation.targets[rows],
        (result.outputs / result.temperature)[rows],
        cross_validation.weights[rows],
    )


class _Path:
    """The best option of a path so far for each target, by their losses.

    Attributes:
        best: Option by the name of the target.
    """

    def __init__(self):
        self.best, self._least, self._worse = {}, {}, {}

    def add(self, option, losses):
        """Take note of the losses of the next option, by the names of targets."""
        for target, loss in losses.items():
            least = self._least.get(target, np.inf)
            if loss < least:
                self.best[target], self._least[target], self._worse[target] = option, loss, 0
            else:  # thresholds above which no gene is left are all alike, and none is worse
                self._worse[target] = self._worse.get(target, 0) + (loss != least)

    @property
    def is_over(self):
        """Return whether every target has had so many options that were worse than its best."""
        return min(self._worse.values()) >= MOST_WORSE


def _place(own, order):
    """Return the place of the first values in an order that agree with a learner's own."""
    agree = (place for place, values in enumerate(order) if own.items() <= values.items())
    return next(agree, len(order))
