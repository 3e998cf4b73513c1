"""Time to an event: what predictions, curves and metrics of survival have in common."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._gene_statistics import Batches, of_correlation
from autogenome_tf.tasks._survival_kind import SurvivalKind
from autogenome_tf.tasks._task import Task
from autogenome_tf.tasks.hazards import martingale_residuals
from autogenome_tf.tasks.survival_metrics import METRICS, SurvivalRows


@dataclasses.dataclass(frozen=True)
class TimeToEvent(SurvivalKind, Task):
    """Time to an event, under whatever model of its hazard.

    Attributes:
        targets: Names of the columns of time and event.
        loss: The loss that the network learns by.
    """

    targets: Sequence[str]
    loss: str = ""

    @property
    @abc.abstractmethod
    def has_curves(self) -> bool:
        """Return whether there are survival curves."""

    @property
    @abc.abstractmethod
    def curves(self) -> Any:
        """Return the survival curves, such as a `Baseline`.

        Raises:
            ValueError: There are none yet.
        """

    @abc.abstractmethod
    def _for_curves(self, outputs: np.ndarray) -> np.ndarray:
        """Return the outputs as `curves` takes them."""

    @abc.abstractmethod
    def risks(self, outputs: np.ndarray) -> np.ndarray:
        """Return the risk of each row, (rows,): higher is an earlier event.

        Args:
            outputs: (rows, outputs) of a predictor.
        """

    def survival(self, outputs: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return the probability of no event until each time, (rows, times).

        Args:
            outputs: (rows, outputs) of a predictor.
            times: (times,) times; (rows, times) for times of each row.
        """
        return self.curves.survival(self._for_curves(outputs), times)

    @property
    def times(self) -> dict[str, list[str]]:
        """Return the quartiles of the times of events, as text."""
        return {"times": [f"{time:g}" for time in self.curves.quartiles] if self.has_curves else []}

    @abc.abstractmethod
    def outputs_of(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the outputs behind the columns of predictions.tsv, (rows, outputs).

        Args:
            frame: Rows of predictions.tsv.
        """

    @abc.abstractmethod
    def risk_in_graph(self, outputs: Any) -> Any:
        """Return the risk of a tensor (rows, outputs), (rows, 1).

        Args:
            outputs: (rows, outputs) of the model.
        """

    @abc.abstractmethod
    def survival_in_graph(self, outputs: Any) -> Any:
        """Return the survival at the quartiles of the times of events, (rows, 3).

        Args:
            outputs: (rows, outputs) of the model, a tensor.
        """

    def gene_statistics(
        self, batches: Batches, targets: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Compute the F statistic of each gene's correlation with martingale residuals."""
        known = list(batches)
        rows = np.concatenate([index for index, _ in known])
        residuals = np.full((len(targets), 1), np.nan)
        residuals[rows, 0] = martingale_residuals(targets[rows, :2], weights[rows])
        return of_correlation(known, residuals, weights)

    def rows(
        self,
        targets: np.ndarray,
        outputs: np.ndarray,
        index: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> SurvivalRows:
        """Return the scorer of some rows; without fitted curves, by the curves of these rows.

        Args:
            targets: (rows, 2) time and event; a row that lacks one is left out.
            outputs: (rows, outputs) of a predictor.
            index: (resamples, rows) row numbers, or None for the rows themselves.
            weights: (rows,) weight of each row; None: all rows count alike.
        """
        targets = np.asarray(targets)[:, :2]
        drawn = self.drawn_weights(index, weights, len(targets))
        known = ~np.isnan(targets).any(axis=1)
        if not known.all():
            targets, outputs, drawn = targets[known], outputs[known], drawn[:, known]
            weights = None if weights is None else weights[known]
        own: Any = self if self.has_curves else self.with_baseline(targets, outputs, weights)
        risks = self.risks(outputs)
        return SurvivalRows(
            targets, risks, own.curves, drawn, weights, lambda times: own.survival(outputs, times)
        )

    def _metrics(self, targets, outputs, index, weights, name=None):
        rows = self.rows(targets, outputs, index, weights)
        return rows.all(METRICS if name is None else [name])

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return the columns of predictions.tsv: risk, survival at three times, median time.

        Args:
            outputs: (rows, outputs) of a predictor.
        """
        frame = pd.DataFrame({"risk": self.risks(outputs)})
        if not self.has_curves:
            return frame
        quartiles = self.curves.quartiles
        for time, column in zip(quartiles, self.survival(outputs, quartiles).T, strict=True):
            frame[f"survival_{time:g}"] = column
        return frame.assign(median=self.curves.median(self._for_curves(outputs)))

    def target_columns(self, targets: np.ndarray | None, count: int) -> list[tuple[str, Any]]:
        """Return the columns target_<time> and target_<event>."""
        known = np.full((count, 2), np.nan) if targets is None else targets
        return [(f"target_{name}", known[:, i]) for i, name in enumerate(self.targets)]
