"""A search from its baseline to its last trial, in one process or shared with workers."""

import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autogenome_tf.config import Config, processes
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.families import Space
from autogenome_tf.run import Run
from autogenome_tf.search import _distributed
from autogenome_tf.search._keras_tuner.worker import Remote
from autogenome_tf.search._limits import Limits
from autogenome_tf.search._linear import LinearTrials, check_rows
from autogenome_tf.search._loop import TrialLoop
from autogenome_tf.search._members import method
from autogenome_tf.search._request import Request
from autogenome_tf.search._starts import begun_with, portfolio
from autogenome_tf.search._trials import ENSEMBLE_SHARE, FINAL_SHARE, Trial, TrialResult
from autogenome_tf.search.methods._base import SearchMethod
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
    role, member = processes.own_role(), processes.member()
    if role and member:
        raise InputError(
            f"environment: TF_CONFIG and {processes.TUNER}: processes either share a search or "
            "train one network together; unset one of them."
        )
    if member and config.search.max_seconds:
        raise InputError(
            "search.max_seconds: several processes (TF_CONFIG) cannot share a time limit; "
            "expected null."
        )
    if role:
        _distributed.check_config(config)
    return role


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

    The chief of several processes (see `process_role`) gathers what its workers have tried.

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
    role, now = process_role(config), time.monotonic()
    # The networks of workers and of an interrupted run are not in this process.
    is_trained_anew = config.ensemble.size == 1 or role or known
    deadline = now + (deadline - now) * (1 - (FINAL_SHARE if is_trained_anew else ENSEMBLE_SHARE))
    if run:
        _distributed.check_run(run, role, known.keys() - {0})
    check_rows(folds, config.families)
    own = _Search(folds, config, spaces, known, deadline, run)
    networks = _searched(folds, _of_networks(spaces))
    if not networks:
        yield from own.linear_results()
    elif role:
        yield from own.results_of_workers(networks, role, serving)
    else:
        yield from own.results_here(networks)


def remote(
    config: Config,
    spaces: dict[str, Space],
    role: processes.ProcessRole,
    has_ended: Callable[[], bool],
) -> Remote:
    """Return a worker's proposer, which asks the chief of the search.

    Args:
        config: The whole `Config`.
        spaces: Search space of each family asked for.
        role: Role of this process.
        has_ended: See `Remote`.

    Returns:
        A `Remote`, to be closed; its `joined()` returns the run.
    """
    return Remote(_method(_of_networks(spaces), config).proposer, role, has_ended)


@dataclasses.dataclass(frozen=True)
class _Search:
    """A search that is asked for, and what an interrupted run has left of it.

    Attributes:
        folds: Cross-validation to train and judge on.
        config: The whole config.
        spaces: Search space of each family asked for.
        finished: Trials of an interrupted run by their numbers.
        deadline: `time.monotonic()` at which the last trial must be over.
        run: The run, for files beside its trials, or None.
    """

    folds: CrossValidation
    config: Config
    spaces: dict[str, Space]
    finished: dict[int, Trial]
    deadline: float
    run: Run | None

    @property
    def limits(self) -> Limits:
        """Return when no further trial of the method begins."""
        settings = self.config.search
        # A run ends in a model: where that cannot be the baseline, one trial is made in any case.
        fewest = 0 if "linear" in self.spaces else 1
        return Limits(fewest, method(settings.method).most_trials(settings), self.deadline)

    def results_here(self, networks: dict[str, Space]) -> Iterator[TrialResult]:
        """Yield the results of linear models, then of what the method proposes.

        Args:
            networks: Search spaces that the method proposes from.
        """
        yield from self.linear_results()
        first = self.finished.get(1)
        proposer = _method(
            networks,
            self.config,
            first=first and (first.family, first.values),
            cross_validation=self.folds,
            run=self.run,
            deadline=self.deadline,
        )
        with contextlib.closing(proposer):
            loop = TrialLoop(proposer, self.folds, self.config, self.finished, self.limits)
            yield from loop.results()

    def results_of_workers(
        self,
        networks: dict[str, Space],
        role: processes.ProcessRole,
        serving: contextlib.ExitStack | None,
    ) -> Iterator[TrialResult]:
        """Yield the results of linear models, then of what workers try of the method's proposals.

        Args:
            networks: Search spaces that the method proposes from.
            role: Role of this process, the chief's.
            serving: See `search`.
        """
        run = self.run
        if run is None:
            raise ValueError("expected a run, in which workers write their trials; received None.")
        with contextlib.ExitStack() as own:
            until = serving or own
            proposer = until.enter_context(contextlib.closing(_method(networks, self.config)))
            served = _distributed.served_chief(proposer.proposer, run, role, self.limits)
            # Workers begin while the baseline is trained.
            chief = until.enter_context(served)
            yield from self.linear_results()
            yield from _distributed.gathered(chief, self.folds, self.config, run, self.deadline)

    def linear_results(self) -> Iterator[TrialResult]:
        """Yield the results of the baseline, and of linear learners that are asked for."""
        config = self.config
        if not config.task.kind.has_targets:
            log.info(
                "search: a representation has no linear baseline; it is compared with principal "
                "components"
            )
            return
        trials = self._linear_trials(self.deadline)
        if 0 in self.finished:
            # A value of the path starts from the one before it, so the whole path is solved again.
            whole = self._linear_trials(float("inf"))
            yield TrialResult(self.finished[0], retrain=whole.baseline)
        else:
            yield trials.baseline()
        linear = {name: space for name, space in self.spaces.items() if name == "linear"}
        starts = portfolio(linear, config.search.start, config.task.type)
        yield from trials.learners(self.limits.most, self.finished, starts)

    def _linear_trials(self, deadline):
        plan = Plan.of(self.config.training, self.config.search.epochs, deadline)
        return LinearTrials(self.folds, self.spaces, plan, self.config.seed)


def _of_networks(spaces):
    """Return the search spaces of all families but the linear one, which no method proposes."""
    return {name: space for name, space in spaces.items() if name != "linear"}


def _searched(folds, spaces):
    """Return search spaces without those of families that these rows are not searched for."""
    found = {}
    for name, space in spaces.items():
        if reason := left_out(folds, name):
            log.info("search: %s is left out: %s", name, reason)
        else:
            found[name] = space
    return found


def _method(networks, config, *, first=None, **known: Any) -> SearchMethod:
    """Return the config's search method, begun.

    Args:
        networks: Search spaces that it proposes from.
        config: The whole config.
        first: Family and values of the first trial of an interrupted run.
        **known: Further attributes of the `Request`.
    """
    request = Request(
        spaces=networks,
        search=config.search,
        training=config.training,
        objective=config.objective,
        seed=derive(config.seed, "search"),
        starts=begun_with(networks, config.search.start, config.task.type, first),
        **known,
    )
    return method(config.search.method)(request)
