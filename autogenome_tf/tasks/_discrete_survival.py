"""Survival in discrete time: the outputs are the log-odds of an event in each bin of time."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from autogenome_tf.tasks._calibration import best_divisor
from autogenome_tf.tasks._output_means import OutputMeans
from autogenome_tf.tasks._time_to_event import TimeToEvent
from autogenome_tf.tasks.discrete_hazards import Bins

LIKELIHOOD = "hazard_log_likelihood"
# Prefix of the columns of predictions.tsv that hold the hazard of each bin.
HAZARD = "hazard_"


@dataclasses.dataclass(frozen=True)
class DiscreteSurvival(TimeToEvent):
    """Time to an event in bins of time; networks learn log-odds less those of all rows.

    Attributes:
        targets: Names of the columns of time and event.
        loss: "hazard": minus the log-likelihood of a row's bins.
        bins: The bins, and the log-odds of rows about which nothing is known.
    """

    loss: str = "hazard"
    bins: Bins | None = None

    objectives: ClassVar = {LIKELIHOOD: True} | TimeToEvent.objectives
    linear_losses: ClassVar = ("hazard",)
    explained: ClassVar = "the mean log-odds of an event over the bins of time"

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "DiscreteSurvival":
        """Return the task with the bins of the training rows."""
        weights = None if rows.weights is None else rows.weights[is_train]
        return cls.of_rows(rows.target_names, rows.targets[is_train], weights)

    @classmethod
    def of_rows(
        cls, names: Sequence[str], targets: np.ndarray, weights: np.ndarray | None = None
    ) -> "DiscreteSurvival":
        """Return the task with the bins of some rows.

        Args:
            names: Of the columns of time and event.
            targets: (rows, 2) time and event.
            weights: (rows,) weight of each row; None: all rows count alike.

        Raises:
            ValueError: No row has the event.
        """
        if not (targets[:, 1] > 0).any():
            raise ValueError(
                f"{names[1]}: no training row has the event; use another seed, or another split."
            )
        return cls(list(names), bins=Bins.of(targets, weights))

    @property
    def curves(self) -> Bins:
        """Return the bins.

        Raises:
            ValueError: There are none yet.
        """
        if self.bins is None:
            raise ValueError("no bins of time yet: they come with the training rows.")
        return self.bins

    @property
    def has_curves(self) -> bool:
        """Return whether there are bins: with the training rows."""
        return self.bins is not None

    @property
    def outputs(self) -> int:
        """Return the number of bins."""
        return len(self.curves)

    @property
    def output_names(self) -> list[str]:
        """Return the last time of each bin."""
        return [f"{time:g}" for time in self.curves.edges[1:]]

    @property
    def means(self) -> OutputMeans:
        """Return the risk, the mean log-odds over bins."""
        return OutputMeans.of(["risk"], [self.outputs])

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Return time, event, the share of each bin that a row survived, and its event's bin."""
        targets = np.asarray(targets, "float64")[:, :2]
        return np.concatenate([targets, *self.curves.counts(targets)], axis=1)

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return minus the log-likelihood of each row: encoded targets, log-odds less the usual."""
        from keras import ops

        count = self.outputs
        logits = outputs + ops.cast(self.curves.logits, outputs.dtype)
        counts = ops.cast(targets[:, 2:], outputs.dtype)
        passed, found = counts[:, :count], counts[:, count:]
        each = passed * ops.softplus(logits) + found * ops.softplus(-logits)
        return ops.sum(each, axis=-1)

    @property
    def loss_key(self) -> tuple:
        """Return the cache key of `row_losses`; see `Task.loss_key`."""
        return *super().loss_key, tuple(self.curves.logits)

    def temperature(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """Return the divisor of log-odds, less the usual ones, that maximises the likelihood."""
        if not np.isfinite(outputs).all():
            return 1.0

        def loss(divisor):
            each = self._losses(targets, self._logits(outputs / divisor))
            return float(np.average(each, weights=weights))

        return best_divisor(loss)

    def output_scale(self, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return one over the temperature, and the usual log-odds."""
        return np.full(self.outputs, 1.0 / temperature), self.curves.logits

    def risks(self, outputs: np.ndarray) -> np.ndarray:
        """Return the mean log-odds over bins of (rows, bins), (rows,)."""
        return np.asarray(outputs, "float64").mean(axis=1)

    def _for_curves(self, outputs):
        return outputs

    def outputs_of(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the outputs behind the columns of predictions.tsv."""
        hazards = frame[[name for name in frame if name.startswith(HAZARD)]].to_numpy("float64")
        hazards = np.clip(hazards, 1e-15, 1 - 1e-9)
        return np.log(hazards) - np.log1p(-hazards)

    def risk_in_graph(self, outputs: Any) -> Any:
        """Return the mean log-odds of a tensor (rows, bins), (rows, 1)."""
        from keras import ops

        return ops.mean(outputs, axis=-1, keepdims=True)

    def survival_in_graph(self, outputs: Any) -> Any:
        """Return the survival at the quartiles of a tensor (rows, bins), (rows, 3)."""
        from keras import ops

        passed = self.curves.passed(self.curves.quartiles).T.astype("float32")
        return ops.exp(-ops.matmul(ops.softplus(outputs), passed))

    def _metrics(self, targets, outputs, index, weights, name=None):
        found = {}
        if name in (None, LIKELIHOOD):
            found[LIKELIHOOD] = self._gain(targets, outputs, index, weights)
        if name != LIKELIHOOD:
            found |= super()._metrics(targets, outputs, index, weights, name)
        return found

    def log_likelihoods(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Return the mean log-likelihood of rows under each of several networks, (networks,)."""
        losses = [self._losses(targets, self._logits(own)) for own in outputs]
        return -np.average(losses, axis=1, weights=weights)

    def drawn(
        self, outputs: np.ndarray, targets: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Draw times of events by log-odds, censored as other rows are; encoded.

        Args:
            outputs: (rows, bins) log-odds.
            targets: Encoded targets.
            random: Generator of the draw.
        """
        edges, ends = self.curves.edges, random.permutation(targets[:, 0])
        below = self.curves.survival(outputs, edges[1:]) > random.random(len(targets))[:, None]
        places = np.append(edges[1:], np.inf)[below.sum(axis=1)]
        found = np.stack([np.minimum(places, ends), (places <= ends).astype(float)], axis=1)
        return self.encode(found)

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return the columns of predictions.tsv: those of any survival, and the hazard of each bin.

        Args:
            outputs: (rows, bins) log-odds.
        """
        hazards = 1 / (1 + np.exp(-np.asarray(outputs, "float64")))
        names = [f"{HAZARD}{name}" for name in self.output_names]
        return pd.concat(
            [super().frame(outputs), pd.DataFrame(hazards, columns=pd.Index(names))], axis=1
        )

    def names(self) -> dict[str, Any]:
        """Return the names of the columns and the bins."""
        known = {"loss": self.loss, "bins": self.curves.as_json()}
        return {"targets": list(self.targets), **known}

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> "DiscreteSurvival":
        """Return the task that `names` described."""
        return cls(names["targets"], bins=Bins.from_json(names["bins"]))

    def _logits(self, outputs):
        """Return the log-odds of outputs of a network."""
        return np.asarray(outputs, "float64") + self.curves.logits

    def _losses(self, targets, logits):
        """Return minus the log-likelihood of each row under log-odds (rows, bins)."""
        passed, found = self.curves.counts(np.asarray(targets, "float64")[:, :2])
        each = passed * np.logaddexp(0, logits) + found * np.logaddexp(0, -logits)
        return each.sum(axis=1)

    def _gain(self, targets, outputs, index, weights):
        """Return the mean log-likelihood a row, less that of the usual log-odds, (resamples,)."""
        usual = np.broadcast_to(self.curves.logits, np.shape(outputs))
        gains = self._losses(targets, usual) - self._losses(targets, np.asarray(outputs, "float64"))
        drawn = self.drawn_weights(index, weights, len(targets))
        known = np.isfinite(gains)
        return drawn[:, known] @ gains[known] / drawn[:, known].sum(axis=1)
