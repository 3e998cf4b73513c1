"""Coordinate search, AutoGenome's own: one hyperparameter after the other from a starting point."""

from collections.abc import Iterator
from typing import Any

from autogenome_tf import metrics
from autogenome_tf.search import Proposal, Request, SearchMethod


class Coordinate(SearchMethod):
    """Propose the first value of every hyperparameter, then change one at a time.

    Each dimension is walked along once; the next goes on from its best value. Families come one
    after the other.
    """

    summary = "AutoGenome's, one hyperparameter at a time from the first value of each list"

    def __init__(self, request: Request):
        super().__init__(request)
        self._sign = metrics.sign(request.objective)
        self._last = float("-inf")
        self._walk = self._steps(request.spaces)

    def propose(self) -> Proposal | None:
        """Return the next proposal, or None behind the last dimension of the last family."""
        return next(self._walk, None)

    def report(self, handle: Any, score: float | None) -> None:
        """Take the score of the last proposal, None for a failure."""
        self._last = float("-inf") if score is None else self._sign * score

    def _steps(self, spaces: dict) -> Iterator[Proposal]:
        for family, space in spaces.items():
            best = {name: hyper.options[0] for name, hyper in space.items()}
            yield Proposal(None, family, best, None)
            highest = self._last
            for name, hyper in space.items():
                for value in hyper.options[1:]:
                    tried = best | {name: value}
                    yield Proposal(None, family, tried, None)
                    if self._last > highest:
                        best, highest = tried, self._last
