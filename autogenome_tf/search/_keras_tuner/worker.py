"""A worker's end of a distributed search: KerasTuner's client, which waits as long as we say."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
from keras_tuner.engine import trial as engine
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_client

from autogenome_tf.core.errors import StageError
from autogenome_tf.search._keras_tuner.chief import FOLDER, METADATA, POLL, RUN, SECONDS, number_of

if TYPE_CHECKING:
    from autogenome_tf.config.processes import ProcessRole
    from autogenome_tf.search._keras_tuner import Proposer

log = logging.getLogger(__name__)

# Seconds that a worker waits for the chief to begin, or to come back.
WAIT = 600.0
# After so many it says so, and asks anew.
SILENCE = 10.0
# Seconds between two looks whether the run of a chief that does not answer has ended.
LOOK = 2.0
# Seconds between two signs of life during a trial.
BEAT = 5.0

Status = engine.TrialStatus


class Assignment(NamedTuple):
    """A trial that a chief has handed out to this process.

    Attributes:
        handle: The oracle's own trial, which `Remote.report` takes.
        number: Number of the trial, from 1.
        family: Name of the family.
        values: Hyperparameter name to value.
        epochs: Epochs to train for; None for the config's `search.epochs`.
        deadline: `time.monotonic()` at which the trial must be over.
    """

    handle: engine.Trial
    number: int
    family: str
    values: dict[str, Any]
    epochs: int | None
    deadline: float


class Remote:
    """Ask a chief for trials, and report their scores to it.

    Args:
        proposer: One of the same search; the chief's oracle takes the place of its own.
        role: That of this process.
        has_ended: Function that returns whether no chief needs to be waited for; it is asked every
            few seconds where none answers. None: one is.
    """

    def __init__(
        self, proposer: Proposer, role: ProcessRole, has_ended: Callable[[], bool] | None = None
    ):
        self._proposer = proposer
        self._client = oracle_client.OracleClient(proposer.oracle)
        options = [
            # KerasTuner's own channel would look for a chief that comes back once in two minutes.
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.enable_http_proxy", 0),
        ]
        self._channel = grpc.insecure_channel(role.address, options)
        self._stub = protos.get_service_grpc().OracleStub(self._channel)
        self._client.stub = self._patient = _Patient(self._stub, role.address, has_ended)
        self._address, self._beats = role.address, threading.Event()

    def joined(self) -> tuple[str, str] | None:
        """Wait for the chief; return the name of its run, and when that began.

        Returns:
            The pair, or None where none answers and `has_ended`.

        Raises:
            StageError: Where none answers, or some other program does.
        """
        try:
            values = self._client.get_space().values
        except _Ended:
            return None
        if RUN not in values:
            raise StageError(f"{self._address}: a KerasTuner search, but not one of this package.")
        self._patient.run = ((METADATA, values[RUN]),)
        return values[FOLDER], values[RUN]

    def propose(self) -> Assignment | None:
        """Return the next trial; wait while another worker's may come back.

        Returns:
            None when nothing is left, also where no chief answers and `has_ended`.

        Raises:
            StageError: Where the chief has gone, or is that of another run by now.
        """
        while True:
            try:
                proposal = self._client.create_trial(self._client.tuner_id)
            except _Ended:
                return None
            if proposal.status == Status.STOPPED:
                return None
            if proposal.status == Status.RUNNING:
                break
            time.sleep(POLL)
        deadline = time.monotonic() + proposal.hyperparameters.values.pop(SECONDS)
        self._beats = threading.Event()
        threading.Thread(target=self._beat, args=(self._beats, proposal), daemon=True).start()
        family, values, epochs = self._proposer.decoded(proposal)
        return Assignment(proposal, number_of(proposal), family, values, epochs, deadline)

    def report(self, proposal: engine.Trial, score: float | None) -> None:
        """Report the score of a trial, or None for a failure.

        Where no chief answers and `has_ended`, nothing is done: another worker has run the trial.

        Args:
            proposal: The handle of the `Assignment`.
            score: Its score.
        """
        self._beats.set()
        proposal.score = score
        proposal.status = Status.FAILED if score is None else Status.COMPLETED
        with contextlib.suppress(_Ended):
            self._client.end_trial(proposal)

    def close(self) -> None:
        """Leave the chief."""
        self._beats.set()
        self._channel.close()
        self._proposer.close()

    def _beat(self, has_ended, proposal):
        request = protos.get_service().GetTrialRequest(trial_id=proposal.trial_id)
        while not has_ended.wait(BEAT):
            try:
                self._stub.GetTrial(request, timeout=BEAT, metadata=self._patient.run)
            except grpc.RpcError as error:
                log.debug("the sign of life did not reach the chief: %s", error)
            except ValueError:
                return  # the channel is closed


class _Ended(Exception):
    """No chief answers, and none will."""


class _Patient:
    """Call KerasTuner's stub, waiting for the chief as long as we say, with a line in the log.

    Attributes:
        run: gRPC metadata of every call: for which run it is.
    """

    def __init__(self, stub, address, has_ended):
        self._stub, self._address, self._has_ended = stub, address, has_ended
        self.run: tuple[tuple[str, str], ...] = ()

    def __getattr__(self, name):
        return functools.partial(self._answer, getattr(self._stub, name))

    def _answer(self, call, request, **_):
        until, is_said = time.monotonic() + WAIT, False
        seconds = min(LOOK if self._has_ended else SILENCE, WAIT)
        while True:
            try:
                return call(request, wait_for_ready=True, timeout=seconds, metadata=self.run)
            except grpc.RpcError as error:
                if error.code() not in (
                    grpc.StatusCode.UNAVAILABLE,
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                ):
                    raise StageError(f"the chief at {self._address}: {error.details()}") from None
            if self._has_ended and self._has_ended():
                raise _Ended
            left = until - time.monotonic()
            if left <= 0:
                raise StageError(
                    f"no chief answered at {self._address} for {WAIT:.0f} s: check that it has "
                    "started (--role chief), that the address is right, and that its search is "
                    "not over."
                )
            if not is_said:
                log.info("waiting for the chief at %s, up to %.0f s", self._address, left)
                is_said = True
