"""Survival in bins of time: the hazard of each bin is the logistic function of a network's output.

A model of discrete time (Gensheimer and Narasimhan 2019, "A scalable discrete-time survival model
for neural networks") assumes no proportional hazards, and its loss is one of single rows.
"""

import dataclasses

import numpy as np

from autogenome_tf.tasks.hazards import QUARTILES, Baseline, Curves

# Bins between quantiles of the times of events: one for so many events, within these bounds.
EVENTS_OF_A_BIN, FEWEST, MOST = 10, 10, 20
# Events that are added to a bin's, half as many as its rows: no hazard is 0 or 1.
SMOOTHING = 0.5


@dataclasses.dataclass(frozen=True)
class Bins(Curves):
    """Bins of time, and the survival of rows about which nothing is known.

    Within a bin the logarithm of survival falls linearly, in the likelihood of censored rows too.
    Behind the last bin survival stays as it is.

    Attributes:
        edges: (bins + 1,) ascending times, from 0 to the last event.
        logits: (bins,) log-odds of an event in each bin, of rows about which nothing is known.
        quartiles: (3,) quartiles of the times of events.
        times: (times,) ascending, of events.
        kaplan_meier: (times,) share of all rows without an event.
    """

    edges: np.ndarray
    logits: np.ndarray
    quartiles: np.ndarray
    times: np.ndarray
    kaplan_meier: np.ndarray

    @classmethod
    def of(cls, targets: np.ndarray, weights: np.ndarray | None = None) -> "Bins":
        """Divide the time of some rows, at quantiles of the times of events.

        Args:
            targets: (rows, 2) time and event.
            weights: (rows,) weight of each row; None: all rows count alike.
        """
        known = Baseline.of(targets, np.zeros(len(targets)), weights)
        events = targets[targets[:, 1] > 0, 0]
        count = int(np.clip(len(events) // EVENTS_OF_A_BIN, FEWEST, MOST))
        inner = np.quantile(events, np.arange(1, count + 1) / count)
        edges = np.unique(np.append(0.0, inner))
        quartiles = np.quantile(events, QUARTILES)
        empty = cls(edges, np.zeros(len(edges) - 1), quartiles, known.times, known.kaplan_meier)
        passed, found = empty.counts(targets)
        weights = np.ones(len(targets)) if weights is None else weights
        odds = (weights @ found + SMOOTHING) / (weights @ passed + SMOOTHING)
        return dataclasses.replace(empty, logits=np.log(odds))

    def __len__(self) -> int:
        """Count the bins."""
        return len(self.edges) - 1

    def passed(self, times: np.ndarray) -> np.ndarray:
        """Return the share of each bin that is over at some times, (..., bins).

        Args:
            times: Times of any shape.
        """
        start, width = self.edges[:-1], np.diff(self.edges)
        return np.clip((np.asarray(times, "float64")[..., None] - start) / width, 0, 1)

    def counts(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how much of each bin a row survived, and whether its event was in it.

        Args:
            targets: (rows, 2) time and event; an event behind the last bin counts for that.

        Returns:
            Twice (rows, bins).
        """
        times, events = targets.T
        places = np.minimum(np.searchsorted(self.edges[1:], times), len(self) - 1)
        found = np.eye(len(self))[places] * events[:, None]
        before = np.arange(len(self)) < places[:, None]
        return np.where(events[:, None] > 0, before, self.passed(times)), found

    def survival(self, logits: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return the probability of no event until each time, (rows, times).

        Args:
            logits: (rows, bins) log-odds of an event in each bin.
            times: (times,) times; (rows, times) for times of each row.
        """
        steps = np.logaddexp(0, np.asarray(logits, "float64"))
        passed = self.passed(times)
        if passed.ndim == 2:
            return np.exp(-steps @ passed.T)
        return np.exp(-np.einsum("rb,rtb->rt", steps, passed))

    def median(self, logits: np.ndarray) -> np.ndarray:
        """Return the time at which survival falls to one half; NaN where it does not, (rows,).

        Args:
            logits: (rows, bins) log-odds of an event in each bin.
        """
        steps = np.logaddexp(0, np.asarray(logits, "float64"))
        total = np.cumsum(steps, axis=1)
        place = (total < np.log(2)).sum(axis=1)
        own = np.minimum(place, len(self) - 1)[:, None]
        step, after = (np.take_along_axis(part, own, 1)[:, 0] for part in (steps, total))
        share = (np.log(2) - (after - step)) / step
        start, width = self.edges[:-1][own[:, 0]], np.diff(self.edges)[own[:, 0]]
        return np.where(place < len(self), start + share * width, np.nan)
