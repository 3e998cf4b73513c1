"""One search by many processes: workers try what the chief's oracle proposes, the chief gathers.

They share the run folder. A worker writes each trial to a file of its own, as a leaderboard of one
row, before it reports to the chief, so that a trial that was finished is never lost.
"""

import logging
import time

from autogenome_tf.config import Config
from autogenome_tf.config.processes import ProcessRole
from autogenome_tf.core.errors import InputError, StageError, some
from autogenome_tf.core.files import safe_names
from autogenome_tf.run import Run
from autogenome_tf.run.artifacts import text_columns
from autogenome_tf.search._keras_tuner import chief, worker
from autogenome_tf.search._keras_tuner.calls import Calls
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
from autogenome_tf.training import CrossValidation, Plan

log = logging.getLogger(__name__)

# What the chief's oracle was asked, in the run folder.
CALLS = "search/calls.jsonl"
# Seconds between two looks at what has ended.
POLL = 0.2
# Seconds that a file may take from one machine to another.
ARRIVAL = 90.0


def check_config(config):
    """Refuse a search that KerasTuner's chief and workers cannot share.

    Raises:
        InputError: Naming those that they can.
    """
    name = config.search.method
    if not method(name).is_distributable:
        raise InputError(
            f"search.method: {name!r} runs in one process, since each step depends on the one "
            f"before; a chief and workers can share one of: {some(distributable())}."
        )
    if not set(config.families) - {"linear"}:
        raise InputError("families: linear alone leaves nothing for a chief and workers to share.")


def check_run(run, part, finished):
    """Refuse to go on with a search of one process in several, or the other way round.

    Raises:
        StageError: Where the run was begun so.
    """
    was_shared = run.has(CALLS)
    if was_shared != (part is not None) and (was_shared or finished):
        was = "in one process" if part else "by a chief and workers"
        raise StageError(
            f"{run.folder}: its search was started {was}; continue it that way, or give the run "
            "another name."
        )


def seconds_of(run):
    """Return the seconds that the search of a chief has run."""
    return Calls(run.path(CALLS)).seconds()


def remote(proposer, part, has_ended):
    """Return a worker's proposer, which asks the chief of a search like this proposer's."""
    return worker.Remote(proposer.proposer, part, has_ended)


def served(proposer, run, part, deadline, *numbers):
    """Serve a proposer's oracle to workers while a block runs; see `chief.served`."""
    path = run.path(CALLS)
    path.parent.mkdir(exist_ok=True)
    began = run.read_json("environment.json")["began"]
    log.info(
        "search: listening at %s for workers; start them with the same command, --role worker and "
        "--chief with the name of this machine",
        part.address,
    )
    about = run.place, began, deadline
    return chief.served(part.address, proposer.proposer, Calls(path), *about, *numbers)


def gathered(chief, folds, config, run, deadline):
    """Yield the `TrialResult`s of all workers as they end, those of an interrupted run first.

    In the end the chief hands out nothing more.

    Raises:
        StageError: When most trials fail, or a file does not arrive.
    """
    failed, count = [], 0
    while True:
        # First, so that nothing that ends meanwhile is left out.
        is_over = chief.is_over()
        for number, family, values, epochs, is_lost in chief.ended():
            trial = Trial(number, family, values, status="failed: its workers were lost")
            trial = trial if is_lost else _arrived(run, trial)
            plan = Plan.of(config.training, epochs or config.search.epochs, deadline)
            yield recorded(folds, trial, plan, config.seed)
            count += 1
            failed += [] if trial.is_scored else [trial]
            check_failures(failed, count)
        if is_over:
            chief.close()
            log.info("search: over after %d trials", count)
            return
        time.sleep(POLL)


def work(remote: worker.Remote, folds: CrossValidation, config: Config, run: Run) -> None:
    """Try what the chief hands out until nothing is left.

    Args:
        remote: A `worker.Remote`, joined.
        folds: `CrossValidation` to train and judge on.
        config: The run's `Config`.
        run: The chief's `Run`.
    """
    count = 0
    while (proposed := remote.propose()) is not None:
        proposal, number, family, values, epochs, deadline = proposed
        asked = Trial(number, family, values)
        trial = _known(run, asked)
        if trial is None:
            plan = Plan.of(config.training, epochs or config.search.epochs, deadline)
            result = run_trial(folds, asked, plan, config.seed)
            write_outputs(run, folds, result)
            track_result(run, config, result)
            trial = result.trial
            run.write_table(_name(asked), leaderboard([trial], config.objective), digits=None)
        count += 1
        score = trial.score if trial.is_scored else None
        found = trial.status if score is None else f"{config.objective} {score:.4g}"
        log.info("trial %d: %s %s", number, family, found)
        remote.report(proposal, score)
    log.info("search: over; %d trials were run here", count)


def log_of(part: ProcessRole) -> str:
    """Return the file name of a worker's own log in the run folder.

    Args:
        part: Role of the process.
    """
    return f"search/{safe_names([part.tuner])[0]}.log"


def _name(trial):
    return f"search/trial-{trial.number}.tsv"


def _known(run, asked):
    """Return a trial that a worker has run and written; None where there is none."""
    if not run.has(_name(asked)):
        return None
    frame = run.read_table(_name(asked), text_columns("leaderboard.tsv"))
    (trial,) = trials_of(frame)
    is_it = (trial.family, trial.values) == (asked.family, asked.values)
    return trial if is_it else None


def _arrived(run, asked):
    """Return the same, waiting a while, as some file systems are slow."""
    until = time.monotonic() + ARRIVAL
    while (trial := _known(run, asked)) is None:
        if time.monotonic() > until:
            raise StageError(
                f"{run.path(_name(asked))}: a worker has written this file, but it is not here; "
                "check that chief and workers share this folder."
            )
        time.sleep(POLL)
    return trial
