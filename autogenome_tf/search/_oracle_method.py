"""Search methods whose proposals are those of one of KerasTuner's oracles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from autogenome_tf.search._method import Proposal, Request, SearchMethod

if TYPE_CHECKING:
    from autogenome_tf.search._keras_tuner import Proposer


class OracleMethod(SearchMethod):
    """A method that asks a KerasTuner oracle; a chief and workers can share it.

    Attributes:
        oracle: Name of the oracle, one of `_keras_tuner.ORACLES`.
        proposer: The `_keras_tuner.Proposer` that speaks to the oracle.
    """

    is_distributable = True
    oracle: ClassVar[str]

    def __init__(self, request: Request):
        from autogenome_tf.search._keras_tuner import Proposer

        super().__init__(request)
        self.proposer: Proposer = Proposer(
            self.oracle, request.spaces, request.objective, request.seed, **self.options(request)
        )

    def options(self, request: Request) -> dict:
        """Return further arguments of the oracle."""
        return {"max_trials": request.search.max_trials}

    def propose(self) -> Proposal | None:
        """Return the oracle's next proposal, or None where the space is exhausted."""
        return self.proposer.propose()

    def report(self, handle: Any, score: float | None) -> None:
        """Report a score to the oracle; None for a failure."""
        self.proposer.report(handle, score)

    def recall(self, handle: Any, family: str, values: dict) -> None:
        """Let the oracle go on as if it had proposed something else."""
        self.proposer.recall(handle, family, values)

    def close(self) -> None:
        """Remove the oracle's files."""
        self.proposer.close()
