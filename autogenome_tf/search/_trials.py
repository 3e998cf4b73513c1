"""What every search deals in: trials, how they are run and ranked, the linear reference."""

import dataclasses
import itertools
import json
import logging
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from autogenome_tf import families, metrics
from autogenome_tf.core.errors import StageError
from autogenome_tf.core.seeds import derive
from autogenome_tf.nn.graphs import forget_shapes
from autogenome_tf.training import EngineError, Outcome

log = logging.getLogger(__name__)

# A search that keeps proposing what it has proposed has exhausted its space.
MOST_REPEATS = 20
# Beyond this share of failures (and this many) something is wrong with the data or the space.
FAILED_SHARE, FAILED_COUNT = 0.5, 6
# Part of the time budget that the final fit keeps for itself: a network is trained anew, while an
# ensemble is put together from networks of the search, where this process has trained them.
FINAL_SHARE, ENSEMBLE_SHARE = 0.25, 0.05
# A ladder of penalties ends after so many with a worse loss than the best.
MOST_WORSE = 3
# Attempts of this process after which it gives back what they have left behind: seldom, since every
# kernel that is still needed is then made again.
FORGET_EVERY = 8
_attempts = itertools.count(1)

# Status of a trial that the time budget ended.
STOPPED = "stopped"

# What a configuration can do wrong; any other error is a mistake in the program.
FAILURES = (ArithmeticError, MemoryError, ValueError, RuntimeError, EngineError)

COLUMNS = [
    "rank", "family", "trial", "score", "error", "epochs", "seconds", "parameters", "status",
    "hyperparameters",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Trial:
    """What a search hands on: the family's `build` on `values` is the model.

    Attributes:
        number: Order of proposal; 0 is the linear reference.
        family: Its name.
        values: Hyperparameters, a plain dict.
        score: The objective on held-out rows; NaN for a failed trial.
        error: Standard error of the score over folds; NaN for one fold.
        epochs: Epochs until the best one.
        seconds: Wall time.
        parameters: Number of trained parameters.
        status: "done", "stopped" (by the time budget), or "failed: reason".
    """

    number: int
    family: str
    values: dict
    score: float = float("nan")
    error: float = float("nan")
    epochs: int = 0
    seconds: float = 0.0
    parameters: int = 0
    status: str = "done"

    @property
    def is_scored(self):
        """Whether the trial can be ranked."""
        return bool(np.isfinite(self.score))


def ranked(trials, objective):
    """Trials from best to worst, failed ones last."""
    sign = -1 if metrics.HIGHER_IS_BETTER[objective] else 1
    return sorted(trials, key=lambda t: (not t.is_scored, sign * t.score, t.number))


def leaderboard(trials, objective):
    """Trials as the rows of leaderboard.tsv."""
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


def trials_of(frame):
    """Trials back from the rows of leaderboard.tsv."""
    return [
        Trial(
            number=row.trial,
            family=row.family,
            values=json.loads(row.hyperparameters),
            **{name: getattr(row, name) for name in COLUMNS[3:9]},
        )
        for row in frame.itertuples()
    ]


@dataclasses.dataclass
class Attempt:
    """A trial with the way to its networks.

    Attributes:
        trial: What is known of it.
        outcome: Its networks and their out-of-fold outputs; None for a trial that failed, that an
            interrupted run recorded, or that was forgotten.
        repeat: Trains it again, to the same `Outcome`, or for as long where time had stopped it.
    """

    trial: Trial
    outcome: Outcome | None
    repeat: Callable[[], Outcome]


class Best:
    """The best attempts of a search; networks of all others are forgotten.

    Args:
        size: How many.
        objective: Name of the metric.
        families: Names of those that may be among them.

    Attributes:
        attempts: The best, in order.
        reference: The `Attempt` of the linear reference, or None.
    """

    def __init__(self, size, objective, families):
        self._size, self._objective, self._families = size, objective, families
        self.attempts = []
        self.reference = None

    def offer(self, attempt):
        """Take an attempt in if it is one of the best so far, and the linear reference aside."""
        if attempt.trial.number == 0 and attempt.trial.is_scored:
            self.reference = attempt
        if attempt.trial.is_scored and attempt.trial.family in self._families:
            known = {one.trial.number: one for one in [*self.attempts, attempt]}
            order = ranked([one.trial for one in known.values()], self._objective)
            self.attempts = [known[trial.number] for trial in order[: self._size]]


def reference(folds, spaces, plan, seed):
    """The linear reference: its ladder of L2 values in one trial, numbered 0.

    Args:
        folds: The rows.
        spaces: Search spaces of the families asked for; linear's narrows the ladder.
        plan: A `training.Plan`: its deadline, and all of it where rows are streamed.
        seed: The config's.
    """
    started = time.monotonic()
    space = spaces.get("linear") or families.space("linear")
    values = {name: hyper.options[0] for name, hyper in space.items()}
    if folds.is_streamed:
        return attempt(folds, Trial(0, "linear", values), plan, seed)
    best, found = Trial(0, "linear", values, status=_undefined(folds)), None
    for values, outcome in _rungs(folds, space, plan.deadline):
        if not best.is_scored or _better(folds.objective, outcome.score, best.score):
            best, found = _of(outcome, Trial(0, "linear", values), folds), outcome
    best = dataclasses.replace(best, seconds=time.monotonic() - started)
    return Attempt(best, found, _again(folds, best, plan, seed))


def _rungs(folds, space, deadline):
    """Values and `Outcome` of every rung of the ladders until the loss only gets worse."""
    for values in _beside_l2(folds, space):
        least, worse = np.inf, 0
        penalties = sorted(space["l2"].options, reverse=True)
        for l2, fit in folds.l2_path("linear", values, penalties, deadline):
            yield values | {"l2": l2}, folds.judge(fit)
            loss = fit.history[-1]["validation_loss"]
            worse = 0 if loss < least else worse + 1
            least = min(least, loss)
            if worse == MOST_WORSE or time.monotonic() > deadline:
                break


def _beside_l2(folds, space):
    """Values of all dimensions but L2, in every combination."""
    options = {name: hyper.options for name, hyper in space.items() if name != "l2"}
    if len(folds.transforms) > 1:
        options["transform"] = tuple(folds.transforms)
    for chosen in itertools.product(*options.values()):
        yield dict(zip(options, chosen, strict=True))


def recorded(folds, trial, plan, seed):
    """The `Attempt` of a trial of an interrupted run."""
    return Attempt(trial, None, _again(folds, trial, plan, seed))


def _again(folds, trial, plan, seed):
    """A function that trains a trial again; for as long as it had, if time had stopped it."""

    def again():
        left = trial.seconds if trial.status == STOPPED else float("inf")
        return _fitted(
            folds, trial, dataclasses.replace(plan, deadline=time.monotonic() + left), seed
        )

    return again


def _fitted(folds, trial, plan, seed):
    """Train and judge a trial's values; returns its `Outcome`.

    The seed derives from what is tried, so that the same values score the same wherever they come.
    """
    purpose = f"trial/{trial.family}/{json.dumps(trial.values, sort_keys=True)}/{plan.epochs}"
    return folds.judge(folds.fit(trial.family, trial.values, plan, derive(seed, purpose)))


def attempt(folds, trial, plan, seed):
    """Train and judge one trial; a failure becomes its status.

    Every few trials the memory that earlier ones have left behind is given back.
    """
    if not next(_attempts) % FORGET_EVERY:
        forget_shapes()
    started = time.monotonic()
    again = _again(folds, trial, plan, seed)
    try:
        outcome = _fitted(folds, trial, plan, seed)
    except StageError:  # no fault of the configuration
        raise
    except FAILURES as error:
        reason = " ".join(str(error).split())[:200]
        failed = dataclasses.replace(
            trial,
            seconds=time.monotonic() - started,
            status=f"failed: {type(error).__name__}: {reason}",
        )
        return Attempt(failed, None, again)
    trial = _of(outcome, trial, folds)
    status = STOPPED if time.monotonic() > plan.deadline else "done"
    status = status if trial.is_scored else _undefined(folds)
    trial = dataclasses.replace(trial, seconds=time.monotonic() - started, status=status)
    return Attempt(trial, outcome, again)


def _of(outcome, trial, folds):
    """The trial with what its outcome says."""
    return dataclasses.replace(
        trial,
        score=outcome.score,
        error=outcome.error,
        epochs=outcome.fit.best_epoch,
        parameters=folds.parameters(trial.family, trial.values, outcome.fit),
        status="done",
    )


def check_failures(failed, number):
    """Stop a search of so many trials when most of them, `failed`, have no score.

    Raises:
        StageError: With the reason of the last.
    """
    if len(failed) >= FAILED_COUNT and len(failed) > FAILED_SHARE * number:
        raise StageError(f"{len(failed)} of {number} trials failed; the last: {failed[-1].status}")


def _undefined(folds):
    return f"failed: {folds.objective} is undefined on the held-out rows"


def _better(objective, score, than):
    return score > than if metrics.HIGHER_IS_BETTER[objective] else score < than
