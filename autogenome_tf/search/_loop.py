"""The trial loop: the baseline, then what a search method proposes, one trial at a time."""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator

from autogenome_tf.config import Config, processes
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.families import Space
from autogenome_tf.run import Run
from autogenome_tf.search import _distributed
from autogenome_tf.search._keras_tuner.worker import Remote
from autogenome_tf.search._linear import baseline, check_rows, learners
from autogenome_tf.search._members import method
from autogenome_tf.search._request import Request
from autogenome_tf.search._starts import begun_with, portfolio
from autogenome_tf.search._trials import (
    ENSEMBLE_SHARE,
    FINAL_SHARE,
    MOST_REPEATS,
    Trial,
    TrialResult,
    check_failures,
    recorded,
    run_trial,
)
from autogenome_tf.training import CrossValidation, Plan, left_out

log = logging.getLogger(__name__)


def process_role(config: Config) -> processes.ProcessRole | None:
    """Return the role of this process among several; refuse a search that they cannot share.

    Args:
        config: Config of the run.

    Returns:
        Its `processes.ProcessRole`, or None.

    Raises:
        InputError: Where the environment is wrong, or the search is for one process.
    """
    part, member = processes.part(), processes.member()
    if part and member:
        raise InputError(
            f"environment: TF_CONFIG and {processes.TUNER}: processes either share a search or "
            "train one network together; unset one of them."
        )
    if member and config.search.max_seconds:
        raise InputError(
            "search.max_seconds: several processes (TF_CONFIG) cannot share a time limit; "
            "expected null."
        )
    if part:
        _distributed.check_config(config)
    return part


def seconds_before(config: Config, run: Run, finished: Iterable[Trial]) -> float:
    """Return the seconds that the search of an interrupted run took, with these trials finished.

    Args:
        config: Config of the run.
        run: A run.
        finished: Trials that have ended.
    """
    own = method(config.search.method).seconds_before(run)
    return _distributed.seconds_of(run) or own + sum(trial.seconds for trial in finished)


def search(
    folds: CrossValidation,
    config: Config,
    spaces: dict[str, Space],
    finished: Iterable[Trial] = (),
    deadline: float = float("inf"),
    run: Run | None = None,
    serving: contextlib.ExitStack | None = None,
) -> Iterator[TrialResult]:
    """Try the baseline, the other linear learners, and then what the config's method proposes.

    The chief of several processes (see `roles`) gathers what its workers have tried.

    Args:
        folds: `CrossValidation` to train and judge on.
        config: The whole `Config`.
        spaces: Search space of each family asked for.
        finished: Trials of an interrupted run of the same config. They are reported to the method,
            which is deterministic, instead of being trained again.
        deadline: `time.monotonic()` at which search and final fit must be over.
        run: The `Run` that a method may write files of its own to.
        serving: Stack whose end ends a chief's service; until then workers hear that this search is
            over and that the chief is there. None: its service ends with the search.

    Yields:
        A `TrialResult` for each trial as it ends, those of the interrupted run first.

    Raises:
        StageError: When most trials fail.
    """
    known = {trial.number: trial for trial in finished}
    now = time.monotonic()
    part = process_role(config)
    is_anew = config.ensemble.size == 1 or part or known
    deadline = now + (deadline - now) * (1 - (FINAL_SHARE if is_anew else ENSEMBLE_SHARE))
    if run:
        _distributed.check_run(run, part, known.keys() - {0})
    check_rows(folds, config.families)
    first = _first(folds, config, spaces, known, deadline)
    networks = _searched(folds, spaces)
    # A run ends in a model: where that cannot be the reference, one trial is made in any case.
    fewest = 0 if "linear" in spaces else 1
    if not networks:
        yield from first
    elif part:
        with contextlib.ExitStack() as own:
            until = serving or own
            proposer = until.enter_context(contextlib.closing(_method(networks, config)))
            # Workers begin while the reference is trained.
            numbers = fewest, proposer.most_trials(config.search)
            served = _distributed.served(proposer, run, part, deadline, *numbers)
            chief = until.enter_context(served)
            yield from first
            yield from _distributed.gathered(chief, folds, config, run, deadline)
    else:
        yield from first
        begun = known.get(1) and (known[1].family, known[1].values)
        proposer = _method(networks, config, folds, run, deadline, begun)
        with contextlib.closing(proposer):
            yield from _loop(proposer, folds, config, known, deadline, fewest)


def _searched(folds, spaces):
    """Return the spaces of the families that a method proposes from."""
    found = {name: space for name, space in spaces.items() if name != "linear"}
    for name in list(found):
        if reason := left_out(folds, name):
            log.info("search: %s is left out: %s", name, reason)
            del found[name]
    return found


def joined(
    config: Config,
    spaces: dict[str, Space],
    part: processes.ProcessRole,
    has_ended: Callable[[], bool],
) -> Remote:
    """Return a worker's proposer, which asks the chief of the search.

    Args:
        config: The whole `Config`.
        spaces: Search space of each family asked for.
        part: The `processes.ProcessRole` of this process.
        has_ended: See `Remote`.

    Returns:
        A `Remote`, to be closed; its `joined()` returns the run.
    """
    networks = {name: space for name, space in spaces.items() if name != "linear"}
    return _distributed.remote(_method(networks, config), part, has_ended)


def _method(networks, config, folds=None, run=None, deadline=float("inf"), first=None):
    """Return the config's search method, begun; of an interrupted run with its first trial."""
    request = Request(
        spaces=networks,
        search=config.search,
        training=config.training,
        objective=config.objective,
        seed=derive(config.seed, "search"),
        cross_validation=folds,
        run=run,
        deadline=deadline,
        starts=begun_with(networks, config.search.start, config.task.type, first),
    )
    return method(config.search.method)(request)


def _first(folds, config, spaces, finished, deadline):
    """Yield the results of linear models: of the baseline, and of learners that are asked for."""
    plan = Plan.of(config.training, config.search.epochs, deadline)
    if not config.task.kind.has_targets:
        log.info(
            "search: a representation has no linear baseline; it is compared with principal "
            "components"
        )
        return
    if 0 in finished:
        # A value of the path starts from the one before it, so the whole path is solved again.
        whole = Plan.of(config.training, config.search.epochs)
        yield TrialResult(finished[0], retrain=lambda: baseline(folds, spaces, whole, config.seed))
    else:
        yield baseline(folds, spaces, plan, config.seed)
    last = method(config.search.method).most_trials(config.search)
    linear = {name: space for name, space in spaces.items() if name == "linear"}
    starts = portfolio(linear, config.search.start, config.task.type)
    given = {"behind": last, "finished": finished, "starts": starts}
    yield from learners(folds, spaces, plan, config.seed, **given)


def _loop(proposer, folds, config, finished, deadline, fewest):
    known, failed, repeats, number = {}, [], 0, 0
    while number < proposer.most_trials(config.search) and repeats < MOST_REPEATS:
        is_recorded = number + 1 in finished
        if number >= fewest and not is_recorded and time.monotonic() > deadline:
            log.info("search: the time is used up after %d trials", number)
            return
        proposed = proposer.propose()
        if proposed is None:
            log.info("search: the method proposes no more after %d trials", number)
            return
        proposal, *own, epochs = proposed
        said = json.loads(folds.workers.broadcast(json.dumps(own))) if folds.workers else own
        is_new = _key(said, epochs) not in known
        if is_new and is_recorded:
            said = [finished[number + 1].family, finished[number + 1].values]
        key = _key(said, epochs)
        if key != _key(own, epochs):
            proposer.recall(proposal, *said)
        repeats = 0 if is_new else repeats + 1
        if is_new:
            number += 1
            plan = Plan.of(config.training, epochs or config.search.epochs, deadline)
            if is_recorded:
                tried = recorded(folds, finished[number], plan, config.seed)
            else:
                tried = run_trial(folds, Trial(number, *said), plan, config.seed)
            known[key] = tried.trial
            failed += [] if tried.trial.is_scored else [tried.trial]
            yield tried
        trial = known[key]
        proposer.report(proposal, trial.score if trial.is_scored else None)
        check_failures(failed, number)


def _key(tried, epochs):
    """Return the key by which two proposals are equal."""
    return json.dumps([*tried, epochs], sort_keys=True)
