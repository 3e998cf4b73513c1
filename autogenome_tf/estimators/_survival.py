"""The estimator of survival, by scikit-survival's conventions; it need not be installed."""

import dataclasses
from typing import Any, Self

import numpy as np

from autogenome_tf.core.errors import InputError
from autogenome_tf.estimators._estimator import Supervised, weighed
from autogenome_tf.tasks import TimeToEvent
from autogenome_tf.tasks.hazards import stepped


@dataclasses.dataclass(frozen=True)
class StepFunction:
    """The survival of one row over time.

    Attributes:
        x: (times,) ascending times.
        y: (times,) probability of no event until each.
    """

    x: np.ndarray
    y: np.ndarray

    def __call__(self, times: Any) -> np.ndarray:
        """Return the probability of no event until some times.

        Args:
            times: A time, or an array of times.
        """
        return stepped(self.x, self.y, np.asarray(times, float), 1.0)


class AutoGenomeSurvival(Supervised):
    """Search and train a network that predicts the risk of an event; see `AutoGenomeClassifier`.

    Attributes:
        unique_times_: (times,) times of events, at which survival falls.
        leaderboard_: DataFrame of the trials, best first.
        predictor_: The fitted `models.Predictor`.
        n_features_in_: Number of genes.
    """

    _task = "survival"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from X (samples, genes) and y (samples,) of events and times.

        Args:
            X: (samples, genes) DataFrame, array or sparse matrix.
            y: (samples,) structured array with a field of booleans, whether the event was seen, and
                a field of times, as scikit-survival's `Surv` makes it.
            sample_weight: As for `AutoGenomeClassifier.fit`.

        Raises:
            InputError: y is no such array, lacks a time, or has another length than X.
        """
        targets = _targets(y)
        X = self._checked(X)  # noqa: N806
        if len(targets) != X.shape[0]:
            raise InputError(f"y: {len(targets)} rows; X has {X.shape[0]}.")
        self._learn(*weighed(X, targets, sample_weight))
        self.unique_times_ = self._curves.times
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return log-risks (samples,): higher is an earlier event.

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        return self._fitted.risks(self._outputs(X))

    def predict_survival_function(self, X: Any, return_array: bool = False) -> np.ndarray:  # noqa: N803
        """Return the survival of each row: (samples,) of functions of time.

        Args:
            X: (samples, genes) rows with the genes of training.
            return_array: Whether to return (samples, times) at `unique_times_` instead.
        """
        found = self._fitted.survival(self._outputs(X), self.unique_times_)
        if return_array:
            return found
        functions = np.empty(len(found), object)
        functions[:] = [StepFunction(self.unique_times_, one) for one in found]
        return functions

    def score(self, X: Any, y: Any) -> float:  # noqa: N803
        """Return Harrell's C.

        Args:
            X: (samples, genes) rows with the genes of training.
            y: (samples,) structured array, as for `fit`.
        """
        own = _targets(y)
        targets = np.stack([own["time"], own["event"]], axis=1)
        return float(self._fitted.metric("concordance", targets, self._outputs(X))[0])

    @property
    def _fitted(self) -> TimeToEvent:
        return self.predictor_.task

    @property
    def _curves(self):
        return self._fitted.curves


def _targets(y):
    """Return y as a structured array of event and time."""
    y = np.asarray(y)
    names = y.dtype.names or ()
    kinds = [y.dtype[name].kind for name in names]
    if sorted(kind == "b" for kind in kinds) != [False, True]:
        raise InputError(
            "y: expected a structured array of a field of booleans (the event) and a field of "
            f"times; received {y.dtype}."
        )
    event, time = (names[kinds.index("b")], names[1 - kinds.index("b")])
    found = np.empty(len(y), [("event", bool), ("time", float)])
    found["event"], found["time"] = y[event], y[time]
    if np.isnan(found["time"]).any():
        row = int(np.isnan(found["time"]).argmax())
        raise InputError(f"y: row {row}: received no time; leave such rows out of X and y.")
    return found
