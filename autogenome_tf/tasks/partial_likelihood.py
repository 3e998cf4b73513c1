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
        weights: (rows,) weight of each row, above 0, as R's survival takes them: events at the same
            time share their mean weight. None: all rows count alike.
    """

    def __init__(self, times: np.ndarray, events: np.ndarray, weights: np.ndarray | None = None):
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
        weights = np.ones(len(times)) if weights is None else np.asarray(weights, "float64")
        self.weights = weights[self.order]
        self._means = self._mean_of_events(self.weights[None])[0]

    def losses(self, risks: np.ndarray) -> np.ndarray:
        """Return minus the log partial likelihood of each row's event, (rows,) in their order.

        Their sum by the weights of the rows is that of all rows.

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
        slopes[self.order] = shares * (later - self.events * tied) - self.weights * self.events
        return float((self.weights * losses).sum()), slopes

    def mean_log_likelihood(self, risks: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the log partial likelihood an event, (resamples,), of weighted rows.

        Args:
            risks: (rows,) log-risks.
            weights: (resamples, rows) how often each row was drawn, times its weight; those of the
                class are not used.
        """
        own = np.asarray(risks, "float64")[self.order]
        weights = weights[:, self.order]
        highest = own.max()
        shares = weights * np.exp(own - highest)
        denominators = self._denominators(shares)
        weighed, means = weights * self.events, self._mean_of_events(weights)
        logs = np.log(np.maximum(denominators, LEAST)) + highest
        total = (weighed * own).sum(axis=1) - (means * logs).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return total / weighed.sum(axis=1)

    def _losses(self, risks):
        """Return loss, weighted exp(risk), event over denominator of each row, in order of time."""
        highest = risks.max()
        shares = self.weights * np.exp(risks - highest)
        denominators = np.maximum(self._denominators(shares[None])[0], LEAST)
        logs = (np.log(denominators) + highest) * self._means / self.weights
        return logs - self.events * risks, shares, self._means / denominators

    def _mean_of_events(self, weights):
        """Return the mean weight of the events at the time of each, 0 for censored rows."""
        sums = np.add.reduceat(weights * self.events, self._starts, axis=1)[:, self._group]
        return sums / np.maximum(self._tied, 1) * self.events

    def _denominators(self, shares):
        """Return the sums over each row's risk set, (resamples, rows), ties by Efron."""
        at_risk = np.cumsum(shares, axis=1)[:, self._last][:, self._group]
        tied = np.add.reduceat(shares * self.events, self._starts, axis=1)[:, self._group]
        return at_risk - self._share * tied
