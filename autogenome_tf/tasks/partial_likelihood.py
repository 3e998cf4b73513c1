"""Cox's partial likelihood with Efron's treatment of ties, in NumPy."""

import numpy as np

LEAST = np.finfo("float64").tiny


class RiskSets:
    """Order rows by time and note ties: the part of a partial likelihood that no model changes.

    The risk set of an event is all rows that were still observed then. Of events at the same time,
    the l-th of d (from 0) leaves out l / d of what all d contribute to it (Efron 1977).

    Args:
        times: (rows,) times.
        events: (rows,) 1 for an event, 0 for a censored row.
    """

    def __init__(self, times: np.ndarray, events: np.ndarray):
        times, events = np.asarray(times, "float64"), np.asarray(events, "float64")
        self.order = np.argsort(-times, kind="stable")
        ordered, self.events = times[self.order], events[self.order]
        is_first = np.append(True, ordered[1:] != ordered[:-1])
        self._starts = np.flatnonzero(is_first)
        self._group = np.cumsum(is_first) - 1
        self._last = np.append(self._starts[1:], len(times)) - 1
        self._tied = np.add.reduceat(self.events, self._starts)[self._group]
        before = np.cumsum(self.events) - self.events
        place = before - before[self._starts][self._group]
        self._share = self.events * place / np.maximum(self._tied, 1)

    def losses(self, risks: np.ndarray) -> np.ndarray:
        """Return minus the log partial likelihood of each row's event, (rows,) in their order.

        Args:
            risks: (rows,) log-risks.
        """
        found = np.empty(len(self.order))
        own = np.asarray(risks, "float64")[self.order]
        found[self.order] = self._losses(own)[0]
        return found

    def losses_and_slopes(self, risks: np.ndarray) -> tuple[float, np.ndarray]:
        """Return minus the log partial likelihood and its derivatives by the log-risks, (rows,).

        Args:
            risks: (rows,) log-risks.
        """
        own = np.asarray(risks, "float64")[self.order]
        losses, shares, inverse = self._losses(own)
        sums = np.add.reduceat(inverse, self._starts)
        later = np.cumsum(sums[::-1])[::-1][self._group]
        tied = np.add.reduceat(inverse * self._share, self._starts)[self._group]
        slopes = np.empty(len(own))
        slopes[self.order] = shares * (later - self.events * tied) - self.events
        return float(losses.sum()), slopes

    def mean_log_likelihood(self, risks: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the log partial likelihood an event, (resamples,), of weighted rows.

        Args:
            risks: (rows,) log-risks.
            weights: (resamples, rows) how often each row was drawn.
        """
        own = np.asarray(risks, "float64")[self.order]
        weights = weights[:, self.order]
        highest = own.max()
        shares = weights * np.exp(own - highest)
        denominators = self._denominators(shares)
        # Events at the same time share their weights, as in R's survival.
        weighed = weights * self.events
        means = np.add.reduceat(weighed, self._starts, axis=1)[:, self._group]
        means = means / np.maximum(self._tied, 1) * self.events
        logs = np.log(np.maximum(denominators, LEAST)) + highest
        total = (weighed * own).sum(axis=1) - (means * logs).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return total / weighed.sum(axis=1)

    def _losses(self, risks):
        """Return loss, exp(risk), event over denominator of each row, all in order of time."""
        highest = risks.max()
        shares = np.exp(risks - highest)
        denominators = np.maximum(self._denominators(shares[None])[0], LEAST)
        losses = self.events * (np.log(denominators) + highest - risks)
        return losses, shares, self.events / denominators

    def _denominators(self, shares):
        """Return the sums over each row's risk set, (resamples, rows), ties by Efron."""
        at_risk = np.cumsum(shares, axis=1)[:, self._last][:, self._group]
        tied = np.add.reduceat(shares * self.events, self._starts, axis=1)[:, self._group]
        return at_risk - self._share * tied
