"""The contract of a search method: a class in a file of `search/methods/` chooses what is tried."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar

from autogenome_tf.search._request import Proposal, Request, proposes_otherwise

if TYPE_CHECKING:
    from autogenome_tf.config import Search
    from autogenome_tf.run import Run
    from autogenome_tf.search._keras_tuner import Proposer


class SearchMethod(abc.ABC):
    """Propose the configurations of a search one by one.

    A class that derives from this one, in a file of `search/methods/`, is a member of the open set:
    the config (`search.method`), `autogenome-tf check` and `schema`, the trial loop and the report
    know it at once by the name of the file. The file must import without TensorFlow. Configs read
    the attributes from the source, so each is a literal.

    The trial loop asks for one proposal at a time, trains it, and reports its score before it asks
    for the next. Training, time, files and ranking are the same for all methods and not theirs.

    Args:
        request: All that the method is given, kept as the attribute `request`.

    Attributes:
        summary: The method in a few words, for the table of config keys.
        families: Names of exactly those families that the method needs; empty for any.
        is_distributable: Whether a chief and workers can share the search.
        is_of_shared_weights: Whether trials begin as parts of one network, which can have neither
            gates nor epistatic regularisation.
        proposer: The `Proposer` that speaks to KerasTuner's oracle; of a method that
            `is_distributable` alone.
    """

    summary: ClassVar[str] = ""
    families: ClassVar[tuple[str, ...]] = ()
    is_distributable: ClassVar[bool] = False
    is_of_shared_weights: ClassVar[bool] = False
    proposer: Proposer

    def __init__(self, request: Request):
        self.request = request

    @classmethod
    def most_trials(cls, settings: Search) -> int:
        """Return the largest number of trials; by default `search.max_trials`.

        Args:
            settings: The config's section `search`.
        """
        return settings.max_trials

    @classmethod
    def seconds_before(cls, run: Run) -> float:
        """Return the seconds that an interrupted run has spent beside its trials.

        Args:
            run: A run.
        """
        return 0.0

    @abc.abstractmethod
    def propose(self) -> Proposal | None:
        """Return the next proposal, or None where the space is exhausted."""

    @abc.abstractmethod
    def report(self, handle: Any, score: float | None) -> None:
        """Take the score of the last proposal.

        Args:
            handle: The proposal's.
            score: The objective on validation rows, as the metric is defined: lower is better for
                log_loss, rmse and mae, higher for the others (`metrics.HIGHER_IS_BETTER`); None
                for a trial that failed. A combination that is proposed again is not trained again
                and has its earlier score.
        """

    def recall(self, handle: Any, family: str, values: dict[str, Any]) -> None:
        """Continue as if the last proposal had been the recorded one.

        Args:
            handle: The proposal's.
            family: Name of the family on record.
            values: Its hyperparameters.

        Raises:
            StageError: The method proposes the same each time, so the record is of another version.
        """
        raise proposes_otherwise()

    def close(self) -> None:  # noqa: B027 (most methods hold nothing)
        """Release what the method holds."""


class OracleMethod(SearchMethod):
    """Ask one of KerasTuner's oracles; a chief and workers can share the search.

    Attributes:
        oracle: Name of the oracle: "random", "grid", "hyperband" or "bayesian".
    """

    is_distributable = True
    oracle: ClassVar[str]

    def __init__(self, request: Request):
        from autogenome_tf.search._keras_tuner import Proposer

        super().__init__(request)
        self.proposer = Proposer(
            self.oracle,
            request.spaces,
            request.objective,
            request.seed,
            request.starts,
            **self.options(request),
        )

    def options(self, request: Request) -> dict[str, Any]:
        """Return further arguments of the oracle.

        Args:
            request: Input of the search.
        """
        return {"max_trials": request.search.max_trials}

    def propose(self) -> Proposal | None:
        """Return the oracle's next proposal, or None where the space is exhausted."""
        return self.proposer.propose()

    def report(self, handle: Any, score: float | None) -> None:
        """Report a score to the oracle; None for a failure."""
        self.proposer.report(handle, score)

    def recall(self, handle: Any, family: str, values: dict[str, Any]) -> None:
        """Continue as if the oracle had proposed the recorded values."""
        self.proposer.recall(handle, family, values)

    def close(self) -> None:
        """Remove the oracle's files."""
        self.proposer.close()
