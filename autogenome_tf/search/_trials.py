"""Trials: how they are trained and ranked."""

import dataclasses
import functools
import itertools
import json
import logging
import time
from collections.abc import Iterable
from typing import Any

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
    sign = metrics.sign(objective)
    return sorted(trials, key=lambda t: (not t.is_scored, -sign * t.score, t.number))


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


def eligible(trials: Iterable[Trial], asked: dict[str, dict[str, Any]]) -> list[Trial]:
    """Return the trials that may become the final model: those with a score that are asked for.

    Args:
        trials: Trials in any order, which they keep.
        asked: The config's section `families`.
    """
    return [
        trial
        for trial in trials
        if trial.is_scored and families.is_asked(trial.family, trial.values, asked)
    ]


def best_results(
    results: Iterable[TrialResult], size: int, objective: str, asked: dict[str, dict[str, Any]]
) -> list[TrialResult]:
    """Return the best results, best first; networks of all others can be forgotten.

    Args:
        results: Of the trials so far; of two of one trial the last counts.
        size: How many, at most.
        objective: Name of the metric.
        asked: The config's section `families`; only its trials are among them.
    """
    known = {result.trial.number: result for result in results}
    able = eligible((one.trial for one in known.values()), asked)
    order = ranked(able, objective)
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
        return dataclasses.replace(again, trial=ended(trial, started, failure(error)))
    status = STOPPED if time.monotonic() > plan.deadline else "done"
    status = status if result.trial.is_scored else undefined(cross_validation)
    trial = ended(result.trial, started, status)
    return dataclasses.replace(result, trial=trial, retrain=again.retrain)


def failure(error: BaseException) -> str:
    """Return the status of a trial that an error ended."""
    reason = " ".join(str(error).split())[:200]
    return f"failed: {type(error).__name__}: {reason}"


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
    fit = cross_validation.fit(trial.configuration, plan, derive(seed, purpose))
    return cross_validation.judge(trial, fit)


def ended(trial: Trial, started: float, status: str) -> Trial:
    """Return a trial with its status and the seconds since `time.monotonic()` was `started`."""
    return dataclasses.replace(trial, seconds=time.monotonic() - started, status=status)


def check_failures(failed: list[Trial], number: int) -> None:
    """Stop a search of so many trials when most of them, `failed`, have no score.

    Raises:
        StageError: With the reason of the last.
    """
    if len(failed) >= FAILED_COUNT and len(failed) > FAILED_SHARE * number:
        raise StageError(f"{len(failed)} of {number} trials failed; the last: {failed[-1].status}")


def undefined(cross_validation: CrossValidation) -> str:
    """Return the status of a trial whose outputs have no score."""
    return f"failed: {cross_validation.objective} is undefined on the validation rows"
