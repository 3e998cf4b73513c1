"""The trial loop: what a search method proposes is trained, one trial at a time."""

import json
import logging
from collections.abc import Iterator

from autogenome_tf.config import Config
from autogenome_tf.search._limits import Limits
from autogenome_tf.search._request import Proposal
from autogenome_tf.search._trials import MOST_REPEATS, check_failures, recorded, run_trial
from autogenome_tf.search.methods._base import SearchMethod
from autogenome_tf.training import CrossValidation, Plan, Trial, TrialResult

log = logging.getLogger(__name__)


class TrialLoop:
    """Train what a search method proposes; a proposal that comes again is not trained again.

    Args:
        method: The search method, begun.
        folds: Cross-validation to train and judge on.
        config: The whole config.
        finished: Trials of an interrupted run of the same config, by their numbers. They are
            reported to the method, which is deterministic, instead of being trained again.
        limits: When no further trial begins; finished trials do not ask for the time.
    """

    def __init__(
        self,
        method: SearchMethod,
        folds: CrossValidation,
        config: Config,
        finished: dict[int, Trial],
        limits: Limits,
    ):
        self._method, self._folds, self._config = method, folds, config
        self._finished, self._limits = finished, limits
        self._count = 0
        self._known: dict[str, Trial] = {}

    def results(self) -> Iterator[TrialResult]:
        """Yield the result of each trial as it ends, those of the interrupted run first.

        Raises:
            StageError: When most trials fail, or when the method proposes other trials than those
                of the interrupted run.
        """
        failed, repeats = [], 0
        while self._count < self._limits.most and repeats < MOST_REPEATS:
            proposed = self._proposed()
            if proposed is None:
                return
            proposal = self._shared(proposed)
            is_new = _key(proposal) not in self._known
            if is_new:
                proposal = self._on_record(proposal)
            if _key(proposal) != _key(proposed):
                self._method.recall(proposal.handle, proposal.family, proposal.values)
            repeats = 0 if is_new else repeats + 1
            if is_new:
                result = self._next_result(proposal)
                self._known[_key(proposal)] = result.trial
                failed += [] if result.trial.is_scored else [result.trial]
                yield result
            trial = self._known[_key(proposal)]
            self._method.report(proposal.handle, trial.score if trial.is_scored else None)
            check_failures(failed, self._count)

    def _proposed(self):
        """Return the method's next proposal; None where time or space are used up."""
        if self._count + 1 not in self._finished and self._limits.is_late(self._count):
            log.info("search: the time is used up after %d trials", self._count)
            return None
        proposal = self._method.propose()
        if proposal is None:
            log.info("search: the method proposes no more after %d trials", self._count)
        return proposal

    def _shared(self, proposal):
        """Return the first process's proposal where several train each network together."""
        workers = self._folds.workers
        if not workers:
            return proposal
        text = workers.broadcast(json.dumps([proposal.family, proposal.values]))
        family, values = json.loads(text)
        return proposal._replace(family=family, values=values)

    def _on_record(self, proposal):
        """Return what the interrupted run tried as its next trial, or the proposal as it is."""
        trial = self._finished.get(self._count + 1)
        return proposal._replace(family=trial.family, values=trial.values) if trial else proposal

    def _next_result(self, proposal):
        """Return the result of the next trial: trained now, or finished by the interrupted run."""
        self._count += 1
        folds, config = self._folds, self._config
        epochs = proposal.epochs or config.search.epochs
        plan = Plan.of(config.training, epochs, self._limits.deadline)
        if self._count in self._finished:
            return recorded(folds, self._finished[self._count], plan, config.seed)
        trial = Trial(self._count, proposal.family, proposal.values)
        return run_trial(folds, trial, plan, config.seed)


def _key(proposal: Proposal) -> str:
    """Return the key by which two proposals are equal."""
    return json.dumps([proposal.family, proposal.values, proposal.epochs], sort_keys=True)
