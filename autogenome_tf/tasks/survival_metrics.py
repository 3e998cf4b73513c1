"""Metrics of survival, all resamples at once; equal to scikit-survival's on the rows themselves.

A resample is a row of weights: how often each row was drawn. The censoring distribution, by which
Uno's C, the areas and Brier scores weigh rows, is estimated once from the rows themselves.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autogenome_tf.tasks._calibration import best_divisor
from autogenome_tf.tasks.hazards import censoring
from autogenome_tf.tasks.partial_likelihood import RiskSets

# Risks that differ by less are equal.
TIE = 1e-8
# Times of the integrated Brier score: so many between two quantiles of the observed times.
GRID, INNER = 100, (0.1, 0.9)
# Rows that are compared with all others at once.
BLOCK = 1000
BINS = 10


class SurvivalRows:
    """Score the rows of one part; a metric is computed where it is asked for.

    Args:
        targets: (rows, 2) time and event.
        risks: (rows,) log-risks.
        baseline: Curves of the rows that were learned from, such as a `Baseline`.
        weights: (resamples, rows), or None for the rows themselves.
        row_weights: (rows,) weight of each row, which is in `weights` too; None: all count alike.
        survival: Function of times (times,) or (rows, times) to probabilities of no event, (rows,
            times); None: that of the baseline for the log-risks.
    """

    def __init__(
        self,
        targets: np.ndarray,
        risks: np.ndarray,
        baseline: Any,
        weights: np.ndarray | None = None,
        row_weights: np.ndarray | None = None,
        survival: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self._targets = np.asarray(targets, "float64")
        self._times, self._events = self._targets.T
        self._risks, self._baseline = np.asarray(risks, "float64"), baseline
        self._weights = np.ones((1, len(targets))) if weights is None else weights
        self._row_weights = row_weights
        self._survival = survival or (lambda times: baseline.survival(self._risks, times))
        self._observed = censoring(self._targets, self._times, row_weights)

    def all(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Compute metrics.

        Args:
            names: Of `METRICS`.

        Returns:
            Dict of name to (resamples,); NaN where one is undefined.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return {name: METRICS[name](self) for name in names}

    def log_likelihood(self) -> np.ndarray:
        """Return the log partial likelihood an event, less that of equal risks."""
        if not self._events.any():
            return np.full(len(self._weights), np.nan)
        sets = RiskSets(self._times, self._events)
        own = sets.mean_log_likelihood(self._risks, self._weights)
        return own - sets.mean_log_likelihood(np.zeros(len(self._risks)), self._weights)

    def harrell(self) -> np.ndarray:
        """Return Harrell's C: share of comparable pairs whose earlier event has the higher risk."""
        return self._concordance(self._events, self._is_later)

    def uno(self) -> np.ndarray:
        """Return Uno's C: Harrell's with pairs weighed by the inverse probability of being seen."""
        return self._concordance(self._inverse() ** 2, self._is_later)

    def area(self, quartile: int) -> np.ndarray:
        """Return the area under the curve of events until a quartile of the times of events.

        Args:
            quartile: 0, 1 or 2.
        """
        time = self._baseline.quartiles[quartile]
        is_late = self._times > time
        return self._concordance(self._inverse() * ~is_late, lambda rows: is_late[None])

    def brier(self) -> np.ndarray:
        """Return the integrated Brier score (Graf et al. 1999)."""
        return self._integrated(self._survival(self.grid))

    def brier_ratio(self) -> np.ndarray:
        """Return the integrated Brier score by that of the Kaplan-Meier estimate."""
        known = self._baseline.without_genes(self.grid)
        return self.brier() / self._integrated(np.tile(known, (len(self._times), 1)))

    def calibration(self) -> np.ndarray:
        """Return the share of rows in the wrong tenth of survival (Haider et al. 2020)."""
        shares = self._weights @ self.tenths() / self._weights.sum(axis=1, keepdims=True)
        return np.abs(shares - 1 / BINS).sum(axis=1) / 2

    @property
    def grid(self) -> np.ndarray:
        """Return the times of the integrated Brier score."""
        low, high = np.quantile(self._times, INNER)
        return np.linspace(low, high, GRID)

    def brier_curve(self, survival: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return the Brier score at each time, (resamples, times).

        Args:
            survival: (rows, times) probabilities of no event.
            times: (times,) times.
        """
        is_late = self._times[:, None] > times
        after = censoring(self._targets, times, self._row_weights)
        late = is_late * (1 - survival) ** 2 / after
        early = ~is_late * survival**2 * self._inverse()[:, None]
        total = self._weights @ np.where(is_late, late, early)
        return total / self._weights.sum(axis=1, keepdims=True)

    def tenths(self) -> np.ndarray:
        """Return the share that each row has in each tenth of survival, (rows, 10).

        A row is in the tenth of its predicted survival at its event; a censored row is spread over
        those below.
        """
        at_end = self._survival(self._times[:, None])[:, 0]
        lower = np.arange(BINS) / BINS
        place = np.minimum((at_end * BINS).astype(int), BINS - 1)
        seen = np.eye(BINS)[place]
        below = np.clip(at_end[:, None] - lower, 0, 1 / BINS) / np.maximum(at_end, 1e-12)[:, None]
        below = np.where(at_end[:, None] > 0, below, np.eye(BINS)[0])
        return np.where(self._events[:, None] > 0, seen, below)

    def _inverse(self):
        """Return the inverse probability of having been observed, 0 for censored rows."""
        return np.where(
            (self._events > 0) & (self._observed > 0), 1 / np.maximum(self._observed, 1e-300), 0.0
        )

    def _integrated(self, survival):
        """Return the Brier score's mean over the grid of times."""
        times = self.grid
        curve = self.brier_curve(survival, times)
        return np.trapezoid(curve, times, axis=1) / (times[-1] - times[0])

    def _is_later(self, rows):
        """Return which of all rows outlive each of some, (some, rows)."""
        own, is_event = self._times[rows, None], self._events > 0
        return (self._times > own) | ((self._times == own) & ~is_event)

    def _concordance(self, factors, partners: Callable[[np.ndarray], np.ndarray]):
        """Return the weighed share of pairs in which the first row has the higher risk.

        Args:
            factors: (rows,) weight of each row as the first of a pair.
            partners: Function of row numbers to which of all rows are compared with them.
        """
        right = total = np.zeros(len(self._weights))
        first = np.flatnonzero(factors)
        # Counts and halves of them are exact in single precision.
        kind = "float32" if self._row_weights is None else "float64"
        weights = self._weights.astype(kind)
        for rows in np.array_split(first, max(1, -(-len(first) // BLOCK))):
            apart = self._risks[rows, None] - self._risks
            higher = np.where(np.abs(apart) <= TIE, 0.5, apart > 0).astype(kind)
            is_partner, own = partners(rows), self._weights[:, rows] * factors[rows]
            right = right + (own * (weights @ (is_partner * higher).T)).sum(axis=1)
            total = total + (own * (weights @ is_partner.astype(kind).T)).sum(axis=1)
        return right / total


METRICS: dict[str, Callable[[SurvivalRows], np.ndarray]] = {
    "partial_log_likelihood": SurvivalRows.log_likelihood,
    "concordance": SurvivalRows.harrell,
    "concordance_uno": SurvivalRows.uno,
    "auc_q25": lambda rows: rows.area(0),
    "auc_median": lambda rows: rows.area(1),
    "auc_q75": lambda rows: rows.area(2),
    "brier": SurvivalRows.brier,
    "brier_ratio": SurvivalRows.brier_ratio,
    "d_calibration": SurvivalRows.calibration,
}


def calibrating_divisor(
    targets: np.ndarray, risks: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Return the divisor of log-risks that maximises their partial likelihood, in [0.05, 20].

    Its inverse is the slope of a Cox model whose only gene is the log-risk.

    Args:
        targets: (rows, 2) time and event.
        risks: (rows,) log-risks of rows that the networks have not seen.
        weights: (rows,) weight of each row; None: all rows count alike.
    """
    risks = np.asarray(risks, "float64")
    if not np.isfinite(risks).all():
        return 1.0
    times, events = np.asarray(targets, "float64").T
    sets = RiskSets(times, events, weights)
    return best_divisor(lambda divisor: sets.losses_and_slopes(risks / divisor)[0])
