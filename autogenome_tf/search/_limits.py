"""Limits of a search: numbers of trials, and time."""

import dataclasses
import time


@dataclasses.dataclass(frozen=True)
class Limits:
    """Rule by which a search begins no further trial.

    Attributes:
        fewest: Trials that are begun whatever the time.
        most: Trials that are begun at most.
        deadline: `time.monotonic()` after which no other trial is begun.
    """

    fewest: int
    most: int
    deadline: float

    def is_late(self, begun: int) -> bool:
        """Return whether the time is used up.

        Args:
            begun: Number of trials that have begun.
        """
        return begun >= self.fewest and time.monotonic() > self.deadline
