"""Survival curves: Kaplan-Meier, and Breslow's baseline hazard behind a Cox model."""

import dataclasses

import numpy as np

from autogenome_tf.tasks._kept import KeptArrays

# Quartiles of the times of events, at which survival is predicted and scored.
QUARTILES = (0.25, 0.5, 0.75)


class Curves(KeptArrays):
    """Arrays of the times of events that a model file keeps.

    Attributes:
        times: (times,) ascending, of events.
        kaplan_meier: (times,) share of all rows without an event.
    """

    times: np.ndarray
    kaplan_meier: np.ndarray

    def without_genes(self, times: np.ndarray) -> np.ndarray:
        """Return the Kaplan-Meier estimate at some times.

        Args:
            times: Times of any shape.
        """
        return stepped(self.times, self.kaplan_meier, times, 1.0)


@dataclasses.dataclass(frozen=True)
class Baseline(Curves):
    """The survival of rows of average risk, and of rows about which nothing is known.

    Attributes:
        times: (times,) ascending, of events.
        hazard: (times,) cumulative hazard of rows of log-risk 0 (Breslow 1972).
        kaplan_meier: (times,) share of all rows without an event.
        quartiles: (3,) quartiles of the times of events.
    """

    times: np.ndarray
    hazard: np.ndarray
    kaplan_meier: np.ndarray
    quartiles: np.ndarray

    @classmethod
    def of(
        cls, targets: np.ndarray, risks: np.ndarray, weights: np.ndarray | None = None
    ) -> "Baseline":
        """Estimate both curves.

        Args:
            targets: (rows, 2) time and event.
            risks: (rows,) log-risks.
            weights: (rows,) weight of each row; None: all rows count alike.
        """
        times, events = targets.T
        own, weights = np.unique(times[events > 0]), _or_ones(weights, len(times))
        deaths, at_risk = _counts(times, events * weights, own, weights)
        shares = weights * np.exp(np.asarray(risks, "float64"))
        exposed = _counts(times, events, own, shares)[1]
        quartiles = np.quantile(times[events > 0], QUARTILES) if len(own) else np.zeros(3)
        return cls(own, np.cumsum(deaths / exposed), np.cumprod(1 - deaths / at_risk), quartiles)

    def hazard_at(self, times: np.ndarray) -> np.ndarray:
        """Return the cumulative hazard of rows of log-risk 0 at some times.

        Args:
            times: Times of any shape.
        """
        return stepped(self.times, self.hazard, times, 0.0)

    def survival(self, risks: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return the probability of no event until each time, (rows, times).

        Args:
            risks: (rows,) log-risks.
            times: (times,) times; (rows, times) for times of each row.
        """
        scale = np.exp(np.clip(np.asarray(risks, "float64"), -50, 50))[:, None]
        return np.exp(-self.hazard_at(times) * scale)

    def median(self, risks: np.ndarray) -> np.ndarray:
        """Return the time at which survival falls to one half; NaN where it does not, (rows,).

        Args:
            risks: (rows,) log-risks.
        """
        needed = np.log(2) * np.exp(-np.clip(np.asarray(risks, "float64"), -50, 50))
        place = np.searchsorted(self.hazard, needed - 1e-12)
        return np.append(self.times, np.nan)[place]


def stepped(knots: np.ndarray, values: np.ndarray, times: np.ndarray, before: float) -> np.ndarray:
    """Return a step function at some times: the value of the last knot that is not later.

    Args:
        knots: (knots,) ascending times.
        values: (knots,) values from each knot on.
        times: Times of any shape.
        before: Value before the first knot.
    """
    places = np.searchsorted(knots, times, side="right")
    return np.append(before, values)[places]


def censoring(
    targets: np.ndarray, times: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the probability of being observed beyond some times, by Kaplan-Meier.

    An event at the same time as a censored row is counted as the earlier.

    Args:
        targets: (rows, 2) time and event.
        times: Times of any shape.
        weights: (rows,) weight of each row; None: all rows count alike.
    """
    observed, events = targets.T
    own, weights = np.unique(observed[events == 0]), _or_ones(weights, len(observed))
    lost, at_risk = _counts(observed, (1 - events) * weights, own, weights)
    at_risk = at_risk - _counts(observed, events * weights, own, weights)[0]
    return stepped(own, np.cumprod(1 - lost / at_risk), times, 1.0)


def expected_events(targets: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the events that a model without genes expects until the time of each row, (rows,).

    Args:
        targets: (rows, 2) time and event.
        weights: (rows,) weight of each row; None: all rows count alike.
    """
    return Baseline.of(targets, np.zeros(len(targets)), weights).hazard_at(targets[:, 0])


def martingale_residuals(targets: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return events less those that a model without genes expects, (rows,).

    Args:
        targets: (rows, 2) time and event.
        weights: (rows,) weight of each row; None: all rows count alike.
    """
    return targets[:, 1] - expected_events(targets, weights)


def _or_ones(weights, count):
    return np.ones(count) if weights is None else np.asarray(weights, "float64")


def _counts(times, events, own, shares):
    """Return at each time of `own` the sum of events, and the sum of shares still observed."""
    rows = (events > 0) & np.isin(times, own)
    places = np.searchsorted(own, times[rows])
    deaths = np.bincount(places, np.asarray(events, "float64")[rows], minlength=len(own))
    order = np.argsort(times, kind="stable")
    left = np.append(np.cumsum(shares[order][::-1])[::-1], 0.0)
    return deaths, left[np.searchsorted(times[order], own, side="left")]
