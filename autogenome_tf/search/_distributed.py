"""One search by many processes: workers run the trials that the chief's oracle proposes.

They share the run folder. A worker writes each trial to a file of its own, as a leaderboard of one
row, before it reports to the chief, so that a trial that was finished is never lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from autogenome_tf.config import Config
from autogenome_tf.config.processes import ProcessRole
from autogenome_tf.core.errors import InputError, StageError, some
from autogenome_tf.core.files import safe_names
from autogenome_tf.run import Run
from autogenome_tf.search._keras_tuner.calls import Calls
from autogenome_tf.search._keras_tuner.chief import Chief, served
from autogenome_tf.search._keras_tuner.worker import Remote
from autogenome_tf.search._limits import Limits
from autogenome_tf.search._members import distributable, method
from autogenome_tf.search._outputs import track_result, write_outputs
from autogenome_tf.search._trials import (
    Trial,
    check_failures,
    leaderboard,
    recorded,
    run_trial,
    trials_of,
)
from autogenome_tf.training import CrossValidation, Plan, TrialResult

if TYPE_CHECKING:
    from autogenome_tf.search._keras_tuner import Proposer

log = logging.getLogger(__name__)

# What the chief's oracle was asked, in the run folder.
CALLS = "search/calls.jsonl"
# Seconds between two looks at what has ended.
POLL = 0.2
# Seconds that a file may take from one machine to another.
ARRIVAL = 90.0


def check_config(config: Config) -> None:
    """Refuse a search that KerasTuner's chief and workers cannot share.

    Args:
        config: Config of the run.

    Raises:
        InputError: Naming the methods that they can.
    """
    name = config.search.method
    if not method(name).is_distributable:
        raise InputError(
            f"search.method: {name!r} runs in one process, since each step depends on the one "
            f"before; a chief and workers can share one of: {some(distributable())}."
        )
    if not set(config.families) - {"linear"}:
        raise InputError("families: linear alone leaves nothing for a chief and workers to share.")


def check_run(run: Run, role: ProcessRole | None, finished: Collection[int]) -> None:
    """Refuse to go on with a search of one process in several, or the other way round.

    Args:
        run: The run.
        role: Role of this process; None where it is alone.
        finished: Numbers of the trials that have ended, without the baseline.

    Raises:
        StageError: Where the run was begun so.
    """
    was_shared = run.has(CALLS)
    if was_shared != (role is not None) and (was_shared or finished):
        was = "in one process" if role else "by a chief and workers"
        raise StageError(
            f"{run.folder}: its search was started {was}; continue it that way, or give the run "
            "another name."
        )


def seconds_of(run: Run) -> float:
    """Return the seconds that the search of a chief has run.

    Args:
        run: The chief's run.
    """
    return Calls(run.path(CALLS)).seconds()


def served_chief(
    proposer: Proposer, run: Run, role: ProcessRole, limits: Limits
) -> AbstractContextManager[Chief]:
    """Serve the oracle of a search method to workers while a block runs.

    Args:
        proposer: That of a search method that `is_distributable`, begun.
        run: The run, which keeps the calls of the oracle.
        role: Role of this process, with the address to listen at.
        limits: When no further trial is handed out.
    """
    path = run.path(CALLS)
    path.parent.mkdir(exist_ok=True)
    began = run.read_json("environment.json")["began"]
    log.info(
        "search: listening at %s for workers; start them with the same command, --role worker and "
        "--chief with the name of this machine",
        role.address,
    )
    chief = Chief(proposer, Calls(path), run.place, began, limits)
    return served(role.address, chief)


def gathered(
    chief: Chief, folds: CrossValidation, config: Config, run: Run, deadline: float
) -> Iterator[TrialResult]:
    """Yield the results of all workers as they end, those of an interrupted run first.

    In the end the chief hands out nothing more.

    Args:
        chief: The chief, served.
        folds: The rows of the trials.
        config: Config of the run.
        run: The run, in which workers write their trials.
        deadline: `time.monotonic()` at which trials must be over.

    Raises:
        StageError: When most trials fail, or a file does not arrive.
    """
    failed, count = [], 0
    while True:
        # First, so that nothing that ends meanwhile is left out.
        is_over = chief.is_over()
        for ended in chief.ended():
            status = "failed: its workers were lost"
            trial = Trial(ended.number, ended.family, ended.values, status=status)
            trial = trial if ended.is_lost else _arrived(run, trial)
            plan = Plan.of(config.training, ended.epochs or config.search.epochs, deadline)
            yield recorded(folds, trial, plan, config.seed)
            count += 1
            failed += [] if trial.is_scored else [trial]
            check_failures(failed, count)
        if is_over:
            chief.close()
            log.info("search: over after %d trials", count)
            return
        time.sleep(POLL)


def work(remote: Remote, folds: CrossValidation, config: Config, run: Run) -> None:
    """Run the trials that the chief hands out until nothing is left.

    Args:
        remote: Asks the chief; it has joined the search.
        folds: The rows to train and judge on.
        config: The run's config.
        run: The chief's run.
    """
    count = 0
    while (given := remote.propose()) is not None:
        asked = Trial(given.number, given.family, given.values)
        trial = _known(run, asked)
        if trial is None:
            epochs = given.epochs or config.search.epochs
            plan = Plan.of(config.training, epochs, given.deadline)
            result = run_trial(folds, asked, plan, config.seed)
            write_outputs(run, folds, result)
            track_result(run, config, result)
            trial = result.trial
            run.write_table(_name(asked), leaderboard([trial], config.objective), digits=None)
        count += 1
        score = trial.score if trial.is_scored else None
        found = trial.status if score is None else f"{config.objective} {score:.4g}"
        log.info("trial %d: %s %s", given.number, given.family, found)
        remote.report(given.handle, score)
    log.info("search: over; %d trials were run here", count)


def log_of(role: ProcessRole) -> str:
    """Return the file name of a worker's own log in the run folder.

    Args:
        role: Role of the process.
    """
    return f"search/{safe_names([role.tuner])[0]}.log"


def _name(trial):
    return f"search/trial-{trial.number}.tsv"


def _known(run, asked):
    """Return a trial as a worker has written it; None where none has run it."""
    if not run.has(_name(asked)):
        return None
    frame = run.read_table(_name(asked))
    (trial,) = trials_of(frame)
    is_it = (trial.family, trial.values) == (asked.family, asked.values)
    return trial if is_it else None


def _arrived(run, asked):
    """Return a trial that a worker has written, waiting for the file on slow file systems."""
    until = time.monotonic() + ARRIVAL
    while (trial := _known(run, asked)) is None:
        if time.monotonic() > until:
            raise StageError(
                f"{run.path(_name(asked))}: a worker has written this file, but it is not here; "
                "check that chief and workers share this folder."
            )
        time.sleep(POLL)
    return trial
