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
from autogenome_tf.training import CrossValidation, Plan, Trial, TrialResult

log = logging.getLogger(__name__)

# A path ends after so many values with a worse loss than the best.
MOST_WORSE = 3
# Part of the time left after which no other linear learner begins: with little time, they score
# better than as many networks.
LEARNERS_SHARE = 0.5


def baseline(
    cross_validation: CrossValidation, spaces: dict[str, Any], plan: Plan, seed: int
) -> TrialResult:
    """Train the baseline: logistic or ridge regression with the best value of its path, trial 0.

    Args:
        cross_validation: The rows.
        spaces: Search spaces of the families asked for; linear's narrows the path.
        plan: Its deadline counts, and all of it where rows are streamed.
        seed: The config's.
    """
    started, space = time.monotonic(), _space(cross_validation, spaces)
    every = [
        values
        for values in _beside_path(cross_validation, space, _losses(cross_validation)[0])
        if _is_of_baseline(cross_validation, space, values)
    ]
    name = families.member("linear").path(every[0])
    values = every[0] | {name: space[name].options[0]}
    first = Trial(0, "linear", values, status=undefined(cross_validation))
    if cross_validation.is_streamed:
        return run_trial(cross_validation, first, plan, seed)
    best = _best(cross_validation, space, first, every, plan.deadline)
    return _finished(cross_validation, best, started, plan, seed)


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
    able = _losses(cross_validation)[0]
    if asked["linear"]["loss"] not in (able, [able]):
        raise InputError(
            f"families.linear.loss: expected {able} for rows that do not fit data.memory, since "
            f"the others are solved in memory; received {asked['linear']['loss']!r}."
        )


def learners(
    cross_validation: CrossValidation,
    spaces: dict[str, Any],
    plan: Plan,
    seed: int,
    *,
    behind: int,
    finished: dict[int, Trial],
    starts: Sequence[Start] = (),
) -> Iterator[TrialResult]:
    """Solve the linear learners beside the baseline that the config asks for, each a trial.

    Every loss, and every combination of the hyperparameters beside its path, is a trial. Those of
    the portfolio come first. Of the others all losses take one gene power before the next, the slow
    loss of the baseline last, so that a short budget sees every loss.

    Args:
        cross_validation: The rows.
        spaces: Search spaces of the families asked for.
        plan: None begins after a part of the time until its deadline.
        seed: The config's.
        behind: Number of the last trial of the search; theirs follow.
        finished: Trials of an interrupted run by their number, which are not solved again.
        starts: Those of the portfolio.
    """
    if "linear" not in spaces:
        return
    space = spaces["linear"]
    order = [values for _, values in starts]
    every = _beside_baseline(cross_validation, space)
    every.sort(key=lambda own: _place(own, order))
    if cross_validation.is_streamed and every:
        log.info("search: rows do not fit data.memory: %d linear learners are left out", len(every))
        return
    now = time.monotonic()
    last = now + LEARNERS_SHARE * (plan.deadline - now)
    for number, values in enumerate(every, behind + 1):
        if number in finished:
            yield recorded(cross_validation, finished[number], plan, seed)
        elif time.monotonic() > last:
            log.info("search: no time is left for %d linear learners", len(every) + behind - number)
            return
        else:
            trial = Trial(number, "linear", values, status=undefined(cross_validation))
            yield _solved(cross_validation, space, trial, plan, seed)


def _solved(cross_validation, space, trial, plan, seed):
    """Return the best of a path as a trial; a failure becomes its status."""
    started = time.monotonic()
    try:
        best = _best(cross_validation, space, trial, [trial.values], plan.deadline)
    except StageError:  # no fault of the configuration
        raise
    except FAILURES as error:
        return TrialResult(ended(trial, started, failure(error)))
    return _finished(cross_validation, best, started, plan, seed)


def _finished(cross_validation, best, started, plan, seed):
    """Return the best result of paths as that of a trial, which can be solved again."""
    trial = ended(best.trial, started, best.trial.status)
    again = recorded(cross_validation, trial, plan, seed).retrain
    return dataclasses.replace(best, trial=trial, retrain=again)


def _best(cross_validation, space, trial, every, deadline):
    """Return the best result of the paths of some values; the trial itself where none scores."""
    best, sign = TrialResult(trial), metrics.sign(cross_validation.objective)
    for values in every:
        for result in _path(cross_validation, space, trial.number, values, deadline):
            score = sign * result.trial.score
            if not best.trial.is_scored or score > sign * best.trial.score:
                best = result
    return best


def _path(cross_validation, space, number, values, deadline):
    """Yield the result of every value of a path until the loss of each target only gets worse.

    Of several targets the last result has for each the value that is best for it.
    """
    name, path = families.member("linear").path(values), _Path()

    def judged(option, fit):
        trial = Trial(number, "linear", values | {name: option})
        return cross_validation.judge(trial, fit)

    for option, fit in cross_validation.path("linear", values, space[name].options, deadline):
        result = judged(option, fit)
        yield result
        path.add(option, _losses_by_target(cross_validation, result))
        if time.monotonic() > deadline:
            return
        if path.is_over:
            break
    if len(set(path.best.values())) > 1:
        options = [path.best]
        ((_, fit),) = cross_validation.path("linear", values, options, deadline)
        yield judged(path.best, fit)


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
            if loss < self._least.get(target, np.inf):
                self.best[target], self._least[target], self._worse[target] = option, loss, 0
            else:
                self._worse[target] = self._worse.get(target, 0) + 1

    @property
    def is_over(self):
        """Return whether every target has had so many options that were worse than its best."""
        return min(self._worse.values()) >= MOST_WORSE


def _beside_path(cross_validation, space, loss):
    """Yield values of a loss and of all dimensions that are no path, in every combination."""
    member = families.member("linear")
    paths = {member.path({"loss": known}) for known in _losses(cross_validation)}
    options = {name: hyper.options for name, hyper in space.items() if name not in paths}
    options["loss"] = (loss,)
    if len(cross_validation.transforms) > 1:
        options["transform"] = tuple(cross_validation.transforms)
    for chosen in itertools.product(*options.values()):
        yield dict(zip(options, chosen, strict=True))


def _beside_baseline(cross_validation, space):
    """Return the values of all learners beside the baseline, in the order of `learners`."""
    every = [
        values
        for loss in space["loss"].options
        for values in _beside_path(cross_validation, space, loss)
        if not _is_of_baseline(cross_validation, space, values)
    ]
    powers = space["gene_power"].options if "gene_power" in space else (None,)
    slowest = _losses(cross_validation)[0]
    return sorted(
        every, key=lambda own: (powers.index(own.get("gene_power")), own["loss"] == slowest)
    )


def _place(own, order):
    """Return the place of the first values in an order that agree with a learner's own."""
    agree = (place for place, values in enumerate(order) if own.items() <= values.items())
    return next(agree, len(order))


def _is_of_baseline(cross_validation, space, values):
    """Return whether values may be the baseline's: its loss, and gene power 0 where that is open.

    What networks are compared with knows nothing of single genes and targets.
    """
    is_open = "gene_power" in space and 0 in space["gene_power"].options
    is_weighed = is_open and values["gene_power"] > 0
    return values["loss"] == _losses(cross_validation)[0] and not is_weighed


def _space(cross_validation, spaces):
    return spaces.get("linear") or families.space("linear", task=cross_validation.task)


def _losses(cross_validation):
    """Return the losses of linear learners for the task, the baseline's first."""
    return cross_validation.task.linear_losses
