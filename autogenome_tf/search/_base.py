"""What every search deals in: trials, how they are run and ranked, the linear reference."""

import dataclasses
import json
import logging
import time

import numpy as np
import pandas as pd

from autogenome_tf import families, metrics
from autogenome_tf.replicas import EngineError
from autogenome_tf.seeds import derive

log = logging.getLogger(__name__)

# A search that keeps proposing what it has proposed has exhausted its space.
MOST_REPEATS = 20
# Beyond this share of failures (and this many) something is wrong with the data or the space.
FAILED_SHARE, FAILED_COUNT = 0.5, 6
# Part of the time budget that the final fit keeps for itself.
FINAL_SHARE = 0.25

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
        return run_trial(folds, Trial(0, "linear", values), plan, seed)
    best, worse = Trial(0, "linear", values, status="failed: no score"), 0
    for l2, fit in folds.ladder("linear", values, sorted(space["l2"].options, reverse=True)):
        outcome = folds.judge(fit)
        is_better = not best.is_scored or _better(folds.objective, outcome.score, best.score)
        worse = 0 if is_better else worse + 1
        if is_better:
            best = Trial(0, "linear", values | {"l2": l2}, outcome.score, outcome.error, 1)
        if worse == 3 or time.monotonic() > plan.deadline:
            break
    if not best.is_scored:
        best = dataclasses.replace(best, status=_undefined(folds))
    parameters = (folds.genes + 1) * folds.task.outputs
    seconds = time.monotonic() - started
    return dataclasses.replace(best, seconds=seconds, parameters=parameters)


def _undefined(folds):
    return f"failed: {folds.objective} is undefined on the held-out rows"


def _better(objective, score, than):
    return score > than if metrics.HIGHER_IS_BETTER[objective] else score < than


def run_trial(folds, trial, plan, seed):
    """Train and judge one trial; a failure becomes its status.

    The seed derives from what is tried, so that the same values score the same wherever they come.
    """
    started = time.monotonic()
    purpose = f"trial/{trial.family}/{json.dumps(trial.values, sort_keys=True)}/{plan.epochs}"
    try:
        outcome = folds.judge(folds.fit(trial.family, trial.values, plan, derive(seed, purpose)))
    except FAILURES as error:
        reason = " ".join(str(error).split())[:200]
        return dataclasses.replace(
            trial,
            seconds=time.monotonic() - started,
            status=f"failed: {type(error).__name__}: {reason}",
        )
    status = "stopped" if time.monotonic() > plan.deadline else "done"
    return dataclasses.replace(
        trial,
        score=outcome.score,
        error=outcome.error,
        epochs=outcome.fit.best_epoch,
        seconds=time.monotonic() - started,
        parameters=folds.parameters(trial.family, trial.values),
        status=status if np.isfinite(outcome.score) else _undefined(folds),
    )
