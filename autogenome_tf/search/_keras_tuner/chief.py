"""The chief's end of a distributed search: KerasTuner's service, and which workers still answer.

KerasTuner serves an oracle over gRPC; what it leaves open is written here. A worker that falls
silent gives its trial back (KerasTuner would wait for it for ever). A chief that was killed goes
on. An oracle is deterministic, so that the calls it has had are its state: they are kept, a line a
call. (What KerasTuner saves forgets where a grid was, and what has ended last.)
"""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
import keras_tuner
from keras_tuner.engine import trial as engine
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_chief

from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.search._keras_tuner.calls import Calls

if TYPE_CHECKING:
    from autogenome_tf.search._keras_tuner import Proposer
    from autogenome_tf.search._limits import Limits

log = logging.getLogger(__name__)

# Seconds without a sign of life after which a trial is given back; workers give one more often.
LOST = 60.0
# So often a trial may lose its worker before it is one that kills workers.
MOST_LOSSES = 2
# Seconds between two questions of a worker that must wait, and those that a chief stays to answer.
POLL, FAREWELL = 1.0, 10.0
# What goes with a trial beside its hyperparameters: seconds left for it.
SECONDS = "autogenome_tf/seconds"
# What a worker learns of the run, and sends with every call: its name and when it began.
FOLDER, RUN = "autogenome_tf/folder", "autogenome_tf/run"
# The latter in gRPC's metadata.
METADATA = "autogenome_tf-run"

Status = engine.TrialStatus


class EndedTrial(NamedTuple):
    """A trial that a worker has ended, or that was lost with its workers.

    Attributes:
        number: Number of the trial, from 1.
        family: Name of the family.
        values: Hyperparameter name to value.
        epochs: Epochs it was trained for; None for the config's `search.epochs`.
        is_lost: Whether its workers were lost before it ended.
    """

    number: int
    family: str
    values: dict[str, Any]
    epochs: int | None
    is_lost: bool


class Chief(oracle_chief.OracleServicer):
    """Answer workers for an oracle.

    Args:
        proposer: A `Proposer`, which nobody else uses.
        calls: The calls that its oracle has had, which are repeated.
        folder, began: The run's name and when it began, by which workers know it.
        limits: When no further trial is handed out.

    Raises:
        StageError: Where the calls give other trials than they gave once.
    """

    def __init__(self, proposer: Proposer, calls: Calls, folder: str, began: str, limits: Limits):
        super().__init__(proposer.oracle)
        self.oracle.max_retries_per_trial = MOST_LOSSES - 1
        self.oracle.max_trials = limits.most
        self.failure = None
        self._proposer, self._calls, self._limits = proposer, calls, limits
        self._about = {FOLDER: folder, RUN: began}
        self._lock = threading.RLock()
        self._heard, self._tuners = {}, set()
        self._ended, self._seen, self._is_exhausted, self._is_closing = [], 0, False, False
        self._started = time.monotonic() - calls.seconds()
        self._is_repeating = True
        self._repeat()
        self._is_repeating = False

    def GetSpace(self, request, context):  # noqa: N802
        """Return the name and the beginning of the run; a worker knows the space itself."""
        about = _values(self._about).to_proto()
        return protos.get_service().GetSpaceResponse(hyperparameters=about)

    def CreateTrial(self, request, context):  # noqa: N802
        """Return a trial for a worker; IDLE while another's may come back, STOPPED in the end."""
        self._check_run(context)
        tuner = request.tuner_id
        with self._answering():
            self._give_back()
            if tuner not in self._tuners:
                log.info("search: %s has connected", tuner)
                self._tuners.add(tuner)
            # Who comes back for a trial of its own has it, whatever the time.
            is_new = tuner not in self.oracle.ongoing_trials
            is_late = is_new and self._is_late()
            trial = None if self._is_closing or is_late else self._create(tuner)
            if trial is None or (trial.status == Status.STOPPED and not self.oracle.ongoing_trials):
                self._tuners.discard(tuner)
                return _created(Status.STOPPED)
            if trial.status != Status.RUNNING:
                return _created(Status.IDLE)
            self._heard[trial.trial_id] = time.monotonic()
            beside = {SECONDS: self._limits.deadline - time.monotonic()}
            return _created(trial.status, trial.trial_id, trial.hyperparameters.values | beside)

    def GetTrial(self, request, context):  # noqa: N802
        """Take a worker's sign of life."""
        self._check_run(context)
        self._heard[request.trial_id] = time.monotonic()
        return protos.get_service().GetTrialResponse()

    def EndTrial(self, request, context):  # noqa: N802
        """Take a trial's score; one that has ended already, or was given back, stays as it is."""
        self._check_run(context)
        ended = engine.Trial.from_proto(request.trial)
        known = self.oracle.trials.get(ended.trial_id)
        if known is None or known.hyperparameters.values != ended.hyperparameters.values:
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"trial {ended.trial_id} belongs to another search"
            )
        with self._answering():
            if ended.trial_id not in self._ended:
                self._end(ended.trial_id, ended.status, ended.score)
                self._note("end", ended.trial_id, ended.status, ended.score)
        return protos.get_service().EndTrialResponse()

    def is_over(self) -> bool:
        """Return whether nothing is under way and nothing more is handed out.

        Raises:
            Exception: What went wrong while a worker was answered.
        """
        if self.failure:
            raise self.failure
        with self._lock:
            self._give_back()
            is_done = self._is_exhausted or len(self._ended) >= self.oracle.max_trials
            return not self.oracle.ongoing_trials and (is_done or self._is_late())

    def ended(self) -> list[EndedTrial]:
        """Return the trials that have ended since the last call."""
        with self._lock:
            new, self._seen = self._ended[self._seen :], len(self._ended)
            trials = [self.oracle.trials[trial_id] for trial_id in new]
        return [
            EndedTrial(number_of(trial), *self._proposer.decoded(trial), trial.message is not None)
            for trial in trials
        ]

    def close(self) -> None:
        """Hand out nothing more: whoever asks from now on hears that the search is over."""
        self._is_closing = True

    def farewell(self) -> None:
        """Reply to every worker that asks soon that the search is over."""
        self.close()
        until = time.monotonic() + FAREWELL
        while self._tuners and time.monotonic() < until:
            time.sleep(POLL / 10)

    @contextlib.contextmanager
    def _answering(self):
        """Answer one worker at a time; what goes wrong is kept for the chief to raise."""
        with self._lock:
            try:
                yield
            except Exception as error:
                self.failure = self.failure or error
                raise

    def _check_run(self, context):
        """Refuse a worker of another run, whose trials may have the same numbers and values."""
        if dict(context.invocation_metadata()).get(METADATA) != self._about[RUN]:
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                "the chief has started another run; restart this worker for it",
            )

    def _is_late(self):
        return self._limits.is_late(len(self.oracle.trials) - len(self.oracle._retry_queue))

    def _create(self, tuner):
        trial = self.oracle.create_trial(tuner)
        self._is_exhausted = trial.status == Status.STOPPED
        self._note("create", tuner, trial.hyperparameters.values)
        return trial

    def _end(self, trial_id, status, score):
        trial = self.oracle.trials[trial_id]
        if trial_id in self.oracle._retry_queue:
            # Its worker had only been silent.
            self.oracle._retry_queue.remove(trial_id)
        if score is not None:
            self.oracle.update_trial(trial_id, {self.oracle.objective.name: score})
        trial.status = status
        # KerasTuner prints what it tries again.
        with contextlib.redirect_stdout(io.StringIO()):
            self.oracle.end_trial(trial)
        if trial.status == Status.INVALID:
            self._is_exhausted = False
        else:
            self._ended.append(trial_id)

    def _give_back(self):
        """Return the trials of silent workers to the search."""
        for tuner, trial in list(self.oracle.ongoing_trials.items()):
            if time.monotonic() - self._heard[trial.trial_id] > LOST:
                self._tuners.discard(tuner)
                self._lose(trial.trial_id)
                self._note("lose", trial.trial_id)
                then = "is given back" if trial.status == Status.INVALID else "has failed"
                log.warning(
                    "search: no message from %s for %d s: trial %d %s",
                    tuner, LOST, number_of(trial), then,
                )  # fmt: skip

    def _lose(self, trial_id):
        trial = self.oracle.trials[trial_id]
        self._end(trial_id, Status.INVALID, None)
        if trial.status == Status.FAILED:
            trial.message = "lost"

    def _note(self, *call):
        if not self._is_repeating:
            self._calls.add(time.monotonic() - self._started, *call)

    def _repeat(self):
        """Replay all recorded calls on the oracle."""
        for number, (_, call, name, *rest) in enumerate(self._calls.lines(), 1):
            if call == "create":
                self._create_again(name, rest[0], f"{self._calls.path}: line {number}")
            elif call == "end":
                self._end(name, *rest)
            else:
                self._tuners -= {
                    tuner
                    for tuner, trial in self.oracle.ongoing_trials.items()
                    if trial.trial_id == name
                }
                self._lose(name)

    def _create_again(self, tuner, values, place):
        """Replay a proposal for a worker that may still wait for it."""
        trial = self._create(tuner)
        self._heard[trial.trial_id] = time.monotonic()
        if trial.status != Status.STOPPED:
            self._tuners.add(tuner)
        if trial.hyperparameters.values != values:
            try:
                self._proposer.recall_values(trial, values)
            except StageError as error:
                raise StageError(f"{place}: {error}") from None


@contextlib.contextmanager
def served(address: str, chief: Chief) -> Iterator[Chief]:
    """Serve a chief at an address while the block runs.

    Args:
        address: ``host:port``.
        chief: The chief.

    Raises:
        InputError: Where one cannot listen there.
    """
    # Two chiefs would share the port, and the workers, in peace.
    options = [("grpc.so_reuseport", 0)]
    # KerasTuner's oracles are for one thread.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1), options=options)
    protos.get_service_grpc().add_OracleServicer_to_server(chief, server)
    try:
        server.add_insecure_port(address)
    except RuntimeError:
        raise InputError(
            f"{address}: cannot listen at this address: another process uses it, or this machine "
            "does not have it; see --chief, or KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT."
        ) from None
    server.start()
    try:
        yield chief
        chief.farewell()
    except StageError:
        chief.farewell()
        raise
    finally:
        # The next search listens at the same address.
        server.stop(None).wait(FAREWELL)


def number_of(trial: engine.Trial) -> int:
    """Return a trial's number, from 1; KerasTuner counts from 0."""
    return int(trial.trial_id) + 1


def _values(values):
    """Return values without their space, whose conditions KerasTuner would print as it sends."""
    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.values = values
    return hyperparameters


def _created(status, trial_id="", values=()):
    trial = engine.Trial(_values(dict(values)), trial_id, status)
    return protos.get_service().CreateTrialResponse(trial=trial.to_proto())
