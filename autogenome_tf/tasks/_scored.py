"""The part of a task's contract by which outputs are scored."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np

from autogenome_tf.tasks._task_kind import TaskKind


class Scored(TaskKind):
    """Compute metrics of outputs: in original units, and of resamples at once.

    Attributes:
        outputs: Number of outputs a row.
    """

    outputs: Any

    @staticmethod
    def drawn_weights(
        index: np.ndarray | None, weights: np.ndarray | None, count: int
    ) -> np.ndarray:
        """Return how much each row counts in each resample, (resamples, rows) float64.

        Args:
            index: (resamples, rows) row numbers, or None for the rows themselves.
            weights: (rows,) weight of each row, or None.
            count: Number of rows.
        """
        drawn = np.ones((1, count))
        if index is not None:
            drawn = np.stack([np.bincount(row, minlength=count) for row in index]).astype("float64")
        return drawn if weights is None else drawn * weights

    def as_scored(self, targets: np.ndarray) -> np.ndarray:
        """Return targets as metrics take them: class positions, else values in original units.

        Args:
            targets: Targets in original units, or class names.
        """
        return np.asarray(targets)

    def in_units(self, targets: np.ndarray) -> np.ndarray:
        """Return targets as metrics take them, from those that networks learn.

        Args:
            targets: Encoded targets.
        """
        return targets

    def output_scale(self, temperature: Any = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return factor and offset, (outputs,) each, that lead to calibrated or original units.

        Args:
            temperature: Divisor of logits, above 0, default 1; as `temperature` returns it.
        """
        return np.ones(self.outputs), np.zeros(self.outputs)

    def metrics(
        self,
        targets: np.ndarray,
        outputs: np.ndarray,
        index: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Compute every metric of this kind.

        Args:
            targets: (rows,) class positions, or (rows, targets) in original units.
            outputs: (rows, outputs): logits, or values in original units.
            index: (resamples, rows) row numbers, or None for the rows themselves.
            weights: (rows,) weight of each row; None: all rows count alike.

        Returns:
            Dict of name to (resamples,).
        """
        return self._metrics(targets, outputs, index, weights)

    def score(
        self,
        objective: str,
        targets: np.ndarray,
        outputs: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> float:
        """Return one metric in original units of targets and outputs as networks learn them.

        Args:
            objective: Name of the metric.
            targets: Encoded targets.
            outputs: (rows, outputs) network outputs.
            weights: As for `metrics`.
        """
        scale, offset = self.output_scale()
        known = self.in_units(targets), outputs * scale + offset
        return float(self.metric(objective, *known, weights=weights)[0])

    def metric(
        self,
        name: str,
        targets: np.ndarray,
        outputs: np.ndarray,
        index: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compute one of `metrics`, (resamples,).

        Args:
            name: Name of the metric.
            targets: As for `metrics`.
            outputs: As for `metrics`.
            index: As for `metrics`.
            weights: As for `metrics`.
        """
        return self._metrics(targets, outputs, index, weights, name)[name]

    @abc.abstractmethod
    def _metrics(
        self,
        targets: np.ndarray,
        outputs: np.ndarray,
        index: np.ndarray | None,
        weights: np.ndarray | None,
        name: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Compute every metric, or at least the one of a name; see `metrics`."""
