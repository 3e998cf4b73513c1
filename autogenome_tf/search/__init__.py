"""The open room of searches: a module with `proposer(spaces, config, seed, folds, run, deadline)`.

A proposer has `propose()`, `tell(proposal, score)` and `close()`; everything else (training, time,
files, ranking) is the same for all and stands here.
"""

import contextlib
import importlib
import json
import logging
import time

from autogenome_tf.errors import StageError
from autogenome_tf.search._base import (
    ENSEMBLE_SHARE,
    FAILED_COUNT,
    FAILED_SHARE,
    FINAL_SHARE,
    MOST_REPEATS,
    Attempt,
    Best,
    Trial,
    attempt,
    leaderboard,
    ranked,
    recorded,
    reference,
    trials_of,
)
from autogenome_tf.seeds import derive
from autogenome_tf.training import Plan

__all__ = [
    "Attempt", "Best", "Trial", "leaderboard", "plan_of", "ranked", "search",
    "trials_of",
]  # fmt: skip

log = logging.getLogger(__name__)


def plan_of(config, epochs, deadline=float("inf"), rates=()):
    """The training `Plan` of a config for so many epochs."""
    training = config.training
    return Plan(
        epochs=epochs,
        batch_size=training.batch_size,
        optimizer=training.optimizer,
        learning_rate=training.learning_rate,
        patience=training.patience,
        min_gain=training.min_gain,
        drop_after=training.decay.after,
        drop=training.decay.factor,
        rates=tuple(rates),
        deadline=deadline,
    )


def search(folds, config, spaces, finished=(), deadline=float("inf"), run=None):
    """Try the linear reference and then what the config's method proposes.

    Args:
        folds: `Folds` to train and judge on.
        config: The whole `Config`.
        spaces: Search space of each family asked for.
        finished: Trials of an interrupted run of the same config. They are told to the method,
            which is deterministic, instead of being trained again.
        deadline: `time.monotonic()` at which search and final fit must be over.
        run: The `Run` that a method may write files of its own to.

    Yields:
        An `Attempt` for each trial as it ends, those of the interrupted run first.

    Raises:
        StageError: When most trials fail.
    """
    finished = {trial.number: trial for trial in finished}
    now = time.monotonic()
    share = FINAL_SHARE if config.ensemble.size == 1 else ENSEMBLE_SHARE
    deadline = now + (deadline - now) * (1 - share)
    plan = plan_of(config, config.search.epochs, deadline)
    if config.task.type == "representation":
        log.info("search: a representation has no linear reference; PCA is scored beside it")
    elif 0 in finished:
        # A rung starts from the rung before it, so the whole ladder is climbed again.
        plan = plan_of(config, config.search.epochs)
        yield Attempt(
            finished[0], None, lambda: reference(folds, spaces, plan, config.seed).outcome
        )
    else:
        yield reference(folds, spaces, plan, config.seed)
    networks = {name: space for name, space in spaces.items() if name != "linear"}
    if not networks:
        return
    method = importlib.import_module(f"{__name__}.{config.search.method}")
    seed = derive(config.seed, "search")
    proposer = method.proposer(networks, config, seed, folds, run, deadline)
    with contextlib.closing(proposer):
        # A run ends in a model: where that cannot be the reference, one trial is made in any case.
        fewest = 0 if "linear" in spaces else 1
        yield from _loop(proposer, folds, config, finished, deadline, fewest)


def _loop(proposer, folds, config, finished, deadline, fewest):
    known, failed, repeats, number = {}, [], 0, 0
    while number < config.search.most_trials and repeats < MOST_REPEATS:
        is_recorded = number + 1 in finished
        if number >= fewest and not is_recorded and time.monotonic() > deadline:
            log.info("search: the time is used up after %d trials", number)
            return
        proposed = proposer.propose()
        if proposed is None:
            log.info("search: nothing is left to try after %d trials", number)
            return
        proposal, family, values, epochs = proposed
        key = json.dumps([family, values, epochs], sort_keys=True)
        trial = known.get(key)
        repeats = repeats + 1 if trial else 0
        if trial is None:
            number += 1
            plan = plan_of(config, epochs or config.search.epochs, deadline)
            if is_recorded:
                tried = recorded(folds, finished[number], plan, config.seed)
            else:
                tried = attempt(folds, Trial(number, family, values), plan, config.seed)
            known[key] = trial = tried.trial
            failed += [] if trial.is_scored else [trial]
            yield tried
        proposer.tell(proposal, trial.score if trial.is_scored else None)
        if len(failed) >= FAILED_COUNT and len(failed) > FAILED_SHARE * number:
            raise StageError(
                f"{len(failed)} of {number} trials failed; the last: {failed[-1].status}"
            )
