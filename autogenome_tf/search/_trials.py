"""Trials: how they are trained and ranked, and the baseline, a linear model."""

import dataclasses
import functools
import itertools
import json
import logging
import time
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf import families, metrics
from autogenome_tf.core.errors import StageError
from autogenome_tf.core.seeds import derive
from autogenome_tf.nn.graphs import forget_shapes
from autogenome_tf.training import CrossValidation, EngineError, Plan, Trial, TrialResult

log = logging.getLogger(__name__)

# A search that keeps proposing what it has proposed has exhausted its space.
MOST_REPEATS = 20
# Beyond this share of failures (and this many) something is wrong with the data or the space.
FAILED_SHARE, FAILED_COUNT = 0.5, 6
# Part of the time budget that the final fit keeps for itself: a network is trained anew, while an
# ensemble is put together from networks of the search, where this process has trained them.
FINAL_SHARE, ENSEMBLE_SHARE = 0.25, 0.05
# An L2 path ends after so many values with a worse loss than the best.
MOST_WORSE = 3
# Trials of this process after which it gives back what they have left behind: seldom, since every
# kernel that is still needed is then made again.
FORGET_EVERY = 8
_trained = itertools.count(1)

# Status of a trial that the time budget ended.
STOPPED = "stopped"

# What a configuration can do wrong; any other error is a mistake in the program.
FAILURES = (ArithmeticError, MemoryError, ValueError, RuntimeError, EngineError)

COLUMNS = [
    "rank", "family", "trial", "score", "error", "epochs", "seconds", "parameters", "status",
    "hyperparameters",
]  # fmt: skip


def ranked(trials: Iterable[Trial], objective: str) -> list[Trial]:
    """Sort trials from best to worst, failed ones last.

    Args:
        trials: Trials in any order.
        objective: Metric that ranks trials.
    """
    sign = -1 if metrics.HIGHER_IS_BETTER[objective] else 1
    return sorted(trials, key=lambda t: (not t.is_scored, sign * t.score, t.number))


def leaderboard(trials: Iterable[Trial], objective: str) -> pd.DataFrame:
    """Return trials as the rows of leaderboard.tsv.

    Args:
        trials: Trials in any order.
        objective: Metric that ranks trials.
    """
    rows = [
        {
            **dataclasses.asdict(trial),
            "rank": rank,
            "trial": trial.number,
            "hyperparameters": json.dumps(trial.values),
        }
        for rank, trial in enumerate(ranked(trials, objective), 1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def trials_of(frame: pd.DataFrame) -> list[Trial]:
    """Return the trials of the rows of leaderboard.tsv.

    Args:
        frame: DataFrame of leaderboard.tsv.
    """
    return [
        Trial(
            number=row["trial"],
            family=row["family"],
            values=json.loads(row["hyperparameters"]),
            **{name: row[name] for name in COLUMNS[3:9]},
        )
        for row in frame.to_dict("records")
    ]


def best_results(
    results: Iterable[TrialResult], size: int, objective: str, families: Collection[str]
) -> list[TrialResult]:
    """Return the best results, best first; networks of all others can be forgotten.

    Args:
        results: Of the trials so far; of two of one trial the last counts.
        size: How many, at most.
        objective: Name of the metric.
        families: Names of the families that may be among them.
    """
    known = {result.trial.number: result for result in results}
    able = [one.trial for one in known.values() if one.trial.is_scored]
    order = ranked([trial for trial in able if trial.family in families], objective)
    return [known[trial.number] for trial in order[:size]]


def run_trial(
    cross_validation: CrossValidation, trial: Trial, plan: Plan, seed: int
) -> TrialResult:
    """Train and judge one trial; a failure becomes its status.

    Every few trials the memory that earlier ones have left behind is given back.

    Args:
        cross_validation: The rows.
        trial: Family and hyperparameters.
        plan: How it is trained.
        seed: The config's.
    """
    if not next(_trained) % FORGET_EVERY:
        forget_shapes()
    started = time.monotonic()
    again = recorded(cross_validation, trial, plan, seed)
    try:
        result = _fitted(cross_validation, trial, plan, seed)
    except StageError:  # no fault of the configuration
        raise
    except FAILURES as error:
        reason = " ".join(str(error).split())[:200]
        status = f"failed: {type(error).__name__}: {reason}"
        return dataclasses.replace(again, trial=_ended(trial, started, status))
    status = STOPPED if time.monotonic() > plan.deadline else "done"
    status = status if result.trial.is_scored else _undefined(cross_validation)
    trial = _ended(result.trial, started, status)
    return dataclasses.replace(result, trial=trial, retrain=again.retrain)


def recorded(cross_validation: CrossValidation, trial: Trial, plan: Plan, seed: int) -> TrialResult:
    """Return the result of a trial whose networks are not at hand; see `run_trial`."""
    again = functools.partial(_retrained, cross_validation, trial, plan, seed)
    return TrialResult(trial, retrain=again)


def _retrained(cross_validation, trial, plan, seed):
    """Train a trial again; for as long as it had, if time had stopped it."""
    left = trial.seconds if trial.status == STOPPED else float("inf")
    plan = dataclasses.replace(plan, deadline=time.monotonic() + left)
    return _fitted(cross_validation, trial, plan, seed)


def _fitted(cross_validation, trial, plan, seed):
    """Train and judge a trial.

    The seed derives from what is tried, so that the same values score the same wherever they come.
    Trials that differ in gene power alone start alike, so that chance does not decide between them.
    """
    own = {name: value for name, value in trial.values.items() if name != "gene_power"}
    purpose = f"trial/{trial.family}/{json.dumps(own, sort_keys=True)}/{plan.epochs}"
    fit = cross_validation.fit(trial.family, trial.values, plan, derive(seed, purpose))
    return cross_validation.judge(trial, fit)


def _ended(trial, started, status):
    return dataclasses.replace(trial, seconds=time.monotonic() - started, status=status)


def baseline(
    cross_validation: CrossValidation, spaces: dict[str, Any], plan: Plan, seed: int
) -> TrialResult:
    """Train the baseline: a linear model with the best value of its L2 path, as trial 0.

    Args:
        cross_validation: The rows.
        spaces: Search spaces of the families asked for; linear's narrows the path.
        plan: Its deadline counts, and all of it where rows are streamed.
        seed: The config's.
    """
    started = time.monotonic()
    space = spaces.get("linear") or families.space("linear")
    values = {name: hyper.options[0] for name, hyper in space.items()}
    first = Trial(0, "linear", values, status=_undefined(cross_validation))
    if cross_validation.is_streamed:
        return run_trial(cross_validation, first, plan, seed)
    best, sign = TrialResult(first), _sign(cross_validation)
    for result in _l2_path(cross_validation, space, plan.deadline):
        score = sign * result.trial.score
        if not best.trial.is_scored or score > sign * best.trial.score:
            best = result
    trial = _ended(best.trial, started, best.trial.status)
    again = recorded(cross_validation, trial, plan, seed).retrain
    return dataclasses.replace(best, trial=trial, retrain=again)


def _l2_path(cross_validation, space, deadline) -> Iterator[TrialResult]:
    """Yield the result of every value of the L2 paths until the loss only gets worse."""
    for values in _beside_l2(cross_validation, space):
        least, worse = np.inf, 0
        penalties = sorted(space["l2"].options, reverse=True)
        for l2, fit in cross_validation.l2_path("linear", values, penalties, deadline):
            yield cross_validation.judge(Trial(0, "linear", values | {"l2": l2}), fit)
            loss = fit.history[-1]["validation_loss"]
            worse = 0 if loss < least else worse + 1
            least = min(least, loss)
            if worse == MOST_WORSE or time.monotonic() > deadline:
                break


def _beside_l2(cross_validation, space):
    """Yield values of all dimensions but L2, in every combination."""
    options = {name: hyper.options for name, hyper in space.items() if name != "l2"}
    if 0 in options.get("gene_power", ()):
        # What networks are compared with knows nothing of single genes and targets.
        options["gene_power"] = (0.0,)
    if len(cross_validation.transforms) > 1:
        options["transform"] = tuple(cross_validation.transforms)
    for chosen in itertools.product(*options.values()):
        yield dict(zip(options, chosen, strict=True))


def check_failures(failed: list[Trial], number: int) -> None:
    """Stop a search of so many trials when most of them, `failed`, have no score.

    Raises:
        StageError: With the reason of the last.
    """
    if len(failed) >= FAILED_COUNT and len(failed) > FAILED_SHARE * number:
        raise StageError(f"{len(failed)} of {number} trials failed; the last: {failed[-1].status}")


def _undefined(cross_validation):
    return f"failed: {cross_validation.objective} is undefined on the validation rows"


def _sign(cross_validation):
    return 1 if metrics.HIGHER_IS_BETTER[cross_validation.objective] else -1
