"""The contract of a task: how networks learn and predict the targets of one data set."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._conformal import Conformal
from autogenome_tf.tasks._gene_statistics import Batches
from autogenome_tf.tasks._output_means import OutputMeans
from autogenome_tf.tasks._scored import Scored


class Task(Scored):
    """A task of one data set, whose classes or units it knows; `TaskKind` has what kinds declare.

    Outputs are those of a network, (rows, outputs). Targets are (rows,) or (rows, targets), as
    `encode` makes them for networks unless a method says otherwise.

    Attributes:
        output_names: Names of the outputs.
    """

    output_names: Any

    @classmethod
    def for_loss(cls, loss: str | None) -> type[Task]:
        """Return the class of the kind that learns by a loss; for most kinds the kind itself.

        Args:
            loss: One of `losses`; None for the default.
        """
        return cls

    @classmethod
    @abc.abstractmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> Task:
        """Return the task of a data set; see `task_of`.

        Args:
            settings: Section `task` of the config.
            rows: Dataset with targets.
            is_train: (rows,) whether a row is a training row.
        """

    @property
    def means(self) -> OutputMeans | None:
        """Return the means of outputs that are explained in their place; None: each output is."""
        return None

    def by_output(self, values: Any) -> Any:
        """Return the number of each output, (outputs,), or one for all.

        Args:
            values: The number for all; or of several targets a dict of that of each by its name.
        """
        return values

    @property
    def times(self) -> dict[str, list[str]]:
        """Return the times at which a served model predicts survival, as text, by their name."""
        return {}

    @abc.abstractmethod
    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Return targets as networks learn them, from original units or class names.

        Args:
            targets: Targets in original units, or class names.
        """

    @abc.abstractmethod
    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the loss of each row, (rows,), as a tensor.

        Args:
            targets: Encoded targets.
            outputs: (rows, outputs) network outputs.
        """

    @property
    def loss_key(self) -> tuple:
        """Return the cache key of `row_losses`: tasks that agree in it share compiled steps."""
        return type(self), self.outputs

    def stacked_losses(self, targets: Any, outputs: Any, weights: Any = None) -> Any:
        """Return the loss of each row of several sets of rows, (sets, rows), as a tensor.

        Args:
            targets: (sets, rows) or (sets, rows, targets) encoded.
            outputs: (sets, rows, outputs) network outputs.
            weights: (sets, rows) weight of each row, by which the losses will be averaged; a loss
                that compares rows needs them itself. None: all rows count alike.
        """
        from keras import ops

        flat = ops.reshape(outputs, (-1, self.outputs))
        each = self.row_losses(ops.reshape(targets, (-1, *targets.shape[2:])), flat)
        return ops.reshape(each, ops.shape(targets)[:2])

    def part_losses(
        self, parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]
    ) -> list[np.ndarray]:
        """Return the losses of the rows of several parts, an array a part.

        Args:
            parts: For each part encoded targets, (rows, outputs) network outputs, and the (rows,)
                weights by which the losses will be averaged.
        """
        targets, outputs, _ = (np.concatenate(each) for each in zip(*parts, strict=True))
        each = np.asarray(self.row_losses(targets, outputs))
        return np.split(each, np.cumsum([len(part) for part, *_ in parts])[:-1])

    def comparable(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs of one network that can be compared with those of another.

        Args:
            outputs: (rows, outputs) for rows that it has not seen.
        """
        return outputs

    def row_weights(self, targets: np.ndarray, given: np.ndarray | None = None) -> np.ndarray:
        """Return the weight of each row in the loss, (rows,) float32 with mean 1.

        Args:
            targets: Encoded targets.
            given: (rows,) weights of `data.weight`, above 0; None: all rows count alike.
        """
        weights = np.ones(len(targets)) if given is None else np.asarray(given, "float64")
        weights = weights * self._target_weights(targets, weights)
        return (weights / max(weights.mean(), np.finfo("float32").tiny)).astype("float32")

    def _target_weights(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray | float:
        """Return the factor of each row that follows from its target, (rows,).

        Args:
            targets: Encoded targets.
            weights: (rows,) weights so far.
        """
        return 1.0

    def gene_statistics(
        self, batches: Batches, targets: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Compute how closely each gene is associated with the targets, for `gene_power`.

        Args:
            batches: Pairs of row numbers (n,) and these rows preprocessed (n, genes), of training
                rows alone; gone through once.
            targets: Of all rows, as networks learn them.
            weights: (all rows,) weight of each row in the loss.

        Returns:
            (genes,) F statistics, at least 0.
        """
        raise NotImplementedError(f"task.type {self.type}: genes have no statistic of targets")

    def temperature(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> float | np.ndarray:
        """Return the divisor of logits that calibrates them, above 0; 1 for outputs of other kinds.

        Of targets of several kinds (outputs,) divisors.

        Args:
            targets: (rows,) as networks learn them.
            outputs: (rows, outputs) for rows that the networks have not seen.
            weights: (rows,) weight in the loss, or None.
        """
        return 1.0

    def conformal(
        self, targets: np.ndarray, outputs: np.ndarray, coverage: Sequence[float]
    ) -> Conformal | None:
        """Fit prediction sets or intervals with a stated coverage; None where a kind has neither.

        Args:
            targets: As networks learn them.
            outputs: (rows, outputs) for rows that the networks have not seen: calibrated logits, or
                values in original units.
            coverage: Shares of rows, each between 0 and 1.
        """
        return None

    def known_conformal(self, found: dict[str, Any]) -> Conformal | None:
        """Rebuild the prediction sets or intervals of a model file.

        Args:
            found: What `Conformal.as_json` returned.
        """
        return None

    def drawn(
        self, outputs: np.ndarray, targets: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Draw encoded targets from the distribution that a model with these outputs predicts.

        Args:
            outputs: (rows, outputs): logits, or values in original units.
            targets: (rows,) or (rows, targets) as networks learn them.
            random: Draws them.

        Raises:
            NotImplementedError: Where there are no targets.
        """
        raise NotImplementedError(f"{self.type} has no targets that could be drawn")

    def with_baseline(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> Task:
        """Return the task with its baseline hazard; tasks without one stay as they are.

        Args:
            targets: (rows,) or (rows, targets) as networks learn them.
            outputs: (rows, outputs) calibrated, for rows that the networks have not seen.
            weights: (rows,) weight of each row; None: all rows count alike.
        """
        return self

    @property
    def text_columns(self) -> list[str]:
        """Return the columns of predictions.tsv that are text though they may look like numbers."""
        return ["target"] if self.has_classes else []

    @property
    def columns(self) -> list[str]:
        """Return the columns of predictions.tsv that hold targets and what is predicted of them."""
        targets = [name for name, _ in self.target_columns(None, 0)]
        return [*targets, *self.frame(np.zeros((0, self.outputs)))]

    def target_columns(self, targets: np.ndarray | None, count: int) -> list[tuple[str, Any]]:
        """Return the columns of predictions.tsv that hold targets, pairs of name and values.

        Args:
            targets: In original units, or class names; None where they are not known.
            count: Number of rows.
        """
        unknown = np.full(count, None, dtype=object)
        return [("target", unknown if targets is None else np.ravel(targets))]

    def names(self) -> dict[str, Any]:
        """Return the task as JSON values for the model file; `from_names` reads them."""
        raise NotImplementedError(f"task.type {self.type}: its models have a file of their own")

    def keras_loss(self, label_smoothing: float = 0.0) -> Any:
        """Return the loss of a compiled Keras model; that of Cox compares the rows of a batch.

        Args:
            label_smoothing: Part of the loss that is for equal probabilities of all classes, from
                0 (the default) to below 1; tasks without classes ignore it.
        """
        return lambda targets, outputs: self.row_losses(targets, outputs)

    def keras_metrics(self) -> list[str]:
        """Return the metrics that Keras shows during training; most kinds have none there."""
        return []

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> Task:
        """Return the task that `names` described.

        Args:
            names: As a model's file has them.
        """
        raise NotImplementedError(f"task.type {cls.type}: its models have a file of their own")

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return outputs (rows, outputs) as the columns of predictions.tsv.

        Args:
            outputs: (rows, outputs) of a predictor.
        """
        raise NotImplementedError(f"task.type {self.type}: nothing is predicted")

    def log_likelihoods(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Return the mean log-likelihood of some rows under each of several networks, (networks,).

        Args:
            targets: As networks learn them.
            outputs: (networks, rows, outputs).
            weights: (rows,) weight of each row.
        """
        raise NotImplementedError(f"task.type {self.type}: networks cannot share weights")

    def taught_losses(self, taught: Any, outputs: Any) -> Any:
        """Return the distance of outputs from another network's, (sets, rows), as a tensor.

        Args:
            taught: (sets, rows, outputs) of the network that teaches.
            outputs: (sets, rows, outputs) of the one that learns.
        """
        from keras import ops

        return ops.mean((outputs - taught) ** 2, axis=-1)
