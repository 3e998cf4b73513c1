"""Survival: the time to an event, which for some rows is only known to be later."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._discrete_survival import DiscreteSurvival
from autogenome_tf.tasks._task import Task
from autogenome_tf.tasks._time_to_event import TimeToEvent
from autogenome_tf.tasks.hazards import Baseline
from autogenome_tf.tasks.partial_likelihood import RiskSets
from autogenome_tf.tasks.survival_metrics import calibrating_divisor


@dataclasses.dataclass(frozen=True)
class Survival(TimeToEvent):
    """Time to an event under proportional hazards; the network's output is the log-risk.

    Attributes:
        targets: Names of the columns of time and event.
        loss: "cox": the partial likelihood, ties by Efron's method. Of "hazard", see
            `DiscreteSurvival`.
        baseline: Curves that make survival of a log-risk; None before the final model is fitted.
    """

    loss: str = "cox"
    baseline: Baseline | None = None

    linear_losses = ("cox",)
    is_of_sets = True
    explained = "the log-risk (ln of the hazard, less that of the average sample)"
    outputs = 1
    output_names = ("risk",)

    @classmethod
    def for_loss(cls, loss: str | None) -> type[Task]:
        """Return the class of survival in discrete time for its loss, else that of Cox models."""
        return DiscreteSurvival if loss == DiscreteSurvival.loss else cls

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "Survival":
        """Return the task with the names of its columns."""
        return cls(list(rows.target_names), settings.loss)

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Return times and events unchanged: single precision would make ties of close times."""
        return np.asarray(targets, "float64")

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the loss of each row in the risk sets of these rows."""
        if isinstance(outputs, np.ndarray):
            return RiskSets(*np.asarray(targets).T).losses(outputs[:, 0])
        return self.stacked_losses(targets[None], outputs[None])[0]

    def stacked_losses(self, targets: Any, outputs: Any, weights: Any = None) -> Any:
        """Compute the loss of each row against the risk sets of its own set of rows."""
        from autogenome_tf.tasks import _cox_loss

        return _cox_loss.losses(targets, outputs[..., 0], weights)

    def part_losses(
        self, parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]
    ) -> list[np.ndarray]:
        """Return the losses of several sets of rows, each by itself."""
        return [
            RiskSets(targets[:, 0], targets[:, 1], weights).losses(outputs[:, 0])
            if len(targets)
            else np.zeros(0)
            for targets, outputs, weights in parts
        ]

    def comparable(self, outputs: np.ndarray) -> np.ndarray:
        """Return log-risks of mean 0: a partial likelihood leaves their level open."""
        return outputs - outputs.mean(axis=0) if len(outputs) else outputs

    def log_likelihoods(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Return the log partial likelihood an event, each network's at the best of some divisors.

        Args:
            targets: (rows, 2) time and event.
            outputs: (networks, rows, 1) log-risks, comparable over rows.
            weights: (rows,) weight of each row.
        """
        from autogenome_tf.tasks.class_metrics import TEMPERATURES

        sets = RiskSets(*targets[:, :2].T)
        return np.array(
            [
                max(
                    sets.mean_log_likelihood(own[:, 0] / divisor, weights[None])[0]
                    for divisor in TEMPERATURES
                )
                for own in outputs
            ]
        )

    def temperature(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """Return the divisor of log-risks that maximises their partial likelihood."""
        return calibrating_divisor(targets, outputs[:, 0], weights)

    def output_scale(self, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return one over the temperature, and no offset."""
        return np.full(1, 1.0 / temperature), np.zeros(1)

    def with_baseline(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> "Survival":
        """Return the task with the curves behind log-risks of rows that were not trained on."""
        return dataclasses.replace(self, baseline=Baseline.of(targets, outputs[:, 0], weights))

    def risks(self, outputs: np.ndarray) -> np.ndarray:
        """Return the risk of each row, (rows,): higher is an earlier event.

        Args:
            outputs: (rows, outputs) of a predictor.
        """
        return np.asarray(outputs, "float64")[:, 0]

    def _for_curves(self, outputs: np.ndarray) -> np.ndarray:
        """Return log-risks."""
        return self.risks(outputs)

    @property
    def has_curves(self) -> bool:
        """Return whether there are curves: with the final model."""
        return self.baseline is not None

    def outputs_of(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the outputs behind the columns of predictions.tsv, (rows, outputs).

        Args:
            frame: Rows of predictions.tsv.
        """
        return frame[["risk"]].to_numpy("float64")

    def risk_in_graph(self, outputs: Any) -> Any:
        """Return the risk of a tensor (rows, outputs), (rows, 1).

        Args:
            outputs: (rows, outputs) of the model.
        """
        return outputs

    def survival_in_graph(self, outputs: Any) -> Any:
        """Return the survival at the quartiles of the times of events, (rows, 3).

        Args:
            outputs: (rows, outputs) of the model, a tensor.
        """
        from keras import ops

        hazard = self.curves.hazard_at(self.curves.quartiles).astype("float32")
        return ops.exp(-hazard * ops.exp(outputs))

    @property
    def curves(self) -> Any:
        """Return the curves of a fitted model: its baseline.

        Raises:
            ValueError: No model is fitted yet.
        """
        if self.baseline is None:
            raise ValueError("no baseline hazard yet: it comes with the final model.")
        return self.baseline

    def drawn(
        self, outputs: np.ndarray, targets: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Draw times of events by the survival that log-risks give, censored as other rows are.

        Args:
            outputs: (rows, 1) log-risks.
            targets: (rows, 2) time and event.
            random: Generator of the draw.
        """
        baseline = Baseline.of(targets, outputs[:, 0])
        needed = random.exponential(size=len(targets)) * np.exp(-outputs[:, 0].astype("float64"))
        last = targets[:, 0].max()
        places = np.searchsorted(baseline.hazard, needed)
        times = np.append(baseline.times, np.inf)[places]
        ends = np.where(targets[:, 1] > 0, last, targets[:, 0])
        ends = random.permutation(ends)
        return np.stack([np.minimum(times, ends), (times <= ends).astype("float64")], axis=1)

    def names(self) -> dict[str, Any]:
        """Return the names of the columns and the baseline hazard."""
        known = {} if self.baseline is None else {"baseline": self.baseline.as_json()}
        return {"targets": list(self.targets), "outputs": list(self.output_names), **known}

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> "Survival":
        """Return the task that `names` described."""
        known = names.get("baseline")
        return cls(names["targets"], baseline=Baseline.from_json(known) if known else None)
