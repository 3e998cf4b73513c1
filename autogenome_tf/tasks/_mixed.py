"""Mixed: several targets of different kinds a row, each with gaps."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._classification import Classification
from autogenome_tf.tasks._discrete_survival import DiscreteSurvival
from autogenome_tf.tasks._gene_statistics import Batches
from autogenome_tf.tasks._labels import natural
from autogenome_tf.tasks._mixed_columns import KINDS, targets_of
from autogenome_tf.tasks._mixed_kind import MixedKind
from autogenome_tf.tasks._mixed_part import MixedPart
from autogenome_tf.tasks._mixed_parts import PARTS
from autogenome_tf.tasks._output_means import OutputMeans
from autogenome_tf.tasks._regression import Regression
from autogenome_tf.tasks._target_columns import is_known
from autogenome_tf.tasks._task import Task


@dataclasses.dataclass(frozen=True)
class Mixed(MixedKind, Task):
    """Several targets: classes, numbers, times to events; any may be missing in a row.

    Targets are (rows, columns): text, numbers and bools of events as objects, or encoded as numbers
    with class positions, standardised values and what `TimePart` says, NaN where one is missing.

    Attributes:
        parts: The targets.
        loss: "joint": mean over targets of the cross-entropy, the squared error of standardised
            values or the loss "hazard" of times, each relative to that of a model without genes.
    """

    parts: Sequence[MixedPart]
    loss: str = "joint"

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "Mixed":
        """Return the task with classes, scales and bins, each loss relative to one without genes.

        Raises:
            ValueError: No training row has an event of some target.
        """
        weights = np.ones(len(is_train)) if rows.weights is None else rows.weights
        each = targets_of(rows.targets, rows.target_names)
        tasks = [_task_of(target, is_train, weights) for target in each]
        task = cls.of([target.name for target in each], tasks)
        encoded = task.encode(rows.targets)
        return task.weighed(encoded[is_train], weights[is_train])

    @classmethod
    def of(cls, names: Sequence[str], tasks: Sequence[Task]) -> "Mixed":
        """Return the task of some targets, all losses of factor 1.

        Args:
            names: Names of the targets.
            tasks: Task of each.
        """
        kinds = [PARTS[task.type] for task in tasks]
        outputs = _slices(task.outputs for task in tasks)
        columns = _slices(kind.width_of(task) for kind, task in zip(kinds, tasks, strict=True))
        each = zip(kinds, names, tasks, outputs, columns, strict=True)
        return cls([kind(name, task, own, places) for kind, name, task, own, places in each])

    def weighed(self, targets: np.ndarray, weights: np.ndarray) -> "Mixed":
        """Return the task whose targets count alike, whatever their kind and their gaps.

        The mean of the losses stays that of the parts' own, so that a single target without gaps is
        learned as by a run of its own.

        Args:
            targets: (rows, columns) encoded, of training rows.
            weights: (rows,) weight of each row.
        """
        shares, of_none = [], []
        for part, own in self._by_part(targets):
            known = is_known(own)
            shares.append(weights[known].sum() / weights.sum())
            of_none.append(part.loss_without_genes(own[known], weights[known]))
        factors = np.mean(of_none) / (
            np.array(of_none) * np.maximum(shares, 1e-12) * len(self.parts)
        )
        pairs = zip(self.parts, factors.tolist(), strict=True)
        return dataclasses.replace(
            self, parts=[dataclasses.replace(part, factor=factor) for part, factor in pairs]
        )

    def _by_part(self, targets: np.ndarray) -> Iterator[tuple[MixedPart, np.ndarray]]:
        """Yield each part with its columns of encoded or scored targets."""
        targets = np.asarray(targets)
        for part in self.parts:
            yield part, targets[:, part.columns]

    def _by_cells(self, cells: np.ndarray) -> Iterator[tuple[MixedPart, np.ndarray]]:
        """Yield each part with its columns as files have them."""
        places = _slices(len(part.column_names) for part in self.parts)
        for part, place in zip(self.parts, places, strict=True):
            yield part, cells[:, place]

    @property
    def outputs(self) -> int:
        """Return the number of outputs of all targets."""
        return sum(part.task.outputs for part in self.parts)

    @property
    def output_names(self) -> list[str]:
        """Return the name of each output: that of its target, behind a colon that of its class."""
        return [name for part in self.parts for name in part.output_names]

    @property
    def means(self) -> OutputMeans:
        """Return the outputs of classes and numbers, and the risk of each time."""
        explained = [one for part in self.parts for one in part.explained]
        return OutputMeans.of(*zip(*explained, strict=True))

    @property
    def times(self) -> dict[str, list[str]]:
        """Return the times of each time-to-event target, their name behind that of the target."""
        return {
            f"{part.name}_{name}": times
            for part in self.parts
            for name, times in part.task.times.items()
        }

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Return class positions, standardised values, and times in bins, (rows, columns)."""
        return np.hstack([part.encode(cells) for part, cells in self._by_cells(targets)])

    def as_scored(self, targets: np.ndarray) -> np.ndarray:
        """Return class positions, values in original units, and times in bins."""
        return np.hstack([part.as_scored(cells) for part, cells in self._by_cells(targets)])

    def in_units(self, targets: np.ndarray) -> np.ndarray:
        """Return encoded targets with values in original units."""
        return np.hstack([part.in_units(own) for part, own in self._by_part(targets)])

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the loss of each row, the sum over its known targets."""
        from keras import ops

        targets = ops.cast(targets, "float32")
        return sum(part.losses(targets[:, part.columns], outputs) for part in self.parts)

    def by_output(self, values: Any) -> Any:
        """Return for each output the number of its target."""
        if not isinstance(values, Mapping):
            return values
        return np.concatenate(
            [np.full(part.task.outputs, values[part.name]) for part in self.parts]
        )

    def target_losses(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray
    ) -> dict[str, float]:
        """Return the mean loss of each target by its name; rows without it have none.

        Args:
            targets: (rows, columns) encoded.
            outputs: (rows, outputs) network outputs.
            weights: (rows,) weight of each row.
        """
        outputs = np.asarray(outputs, "float32")
        return {
            part.name: float(
                np.average(part.losses(own.astype("float32"), outputs), weights=weights)
            )
            for part, own in self._by_part(targets)
        }

    @property
    def loss_key(self) -> tuple:
        """Return the cache key of `row_losses`; see `Task.loss_key`."""
        return *super().loss_key, *((part.task.loss_key, part.factor) for part in self.parts)

    def gene_statistics(
        self, batches: Batches, targets: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Average the statistics of each gene over targets, each of the rows that have it.

        A target that no row of a fold has is left out.
        """
        kept = list(batches)
        found = []
        for part, own in self._by_part(targets):
            known = is_known(own)
            batches = [(rows[known[rows]], values[known[rows]]) for rows, values in kept]
            batches = [pair for pair in batches if len(pair[0])]
            if not batches:
                continue
            # Rows without the target are in no batch.
            taken = part.taken(np.where(known[:, None], own, 0))
            found.append(part.task.gene_statistics(batches, taken, weights))
        return np.mean(found, axis=0)

    def temperature(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the divisor of each output, (outputs,): one a target; 1 for values."""
        divisors = []
        for part, own in self._by_part(targets):
            known = is_known(own)
            counts = None if weights is None else weights[known]
            divisor = 1.0
            if known.any():
                taken = part.taken(own[known])
                divisor = part.task.temperature(taken, outputs[known, part.outputs], counts)
            divisors += [divisor] * part.task.outputs
        return np.array(divisors)

    def output_scale(self, temperature: Any = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return factor and offset of the outputs, each those of its target.

        Args:
            temperature: One divisor, or (outputs,).
        """
        divisors = temperature * np.ones(self.outputs)
        pairs = [part.task.output_scale(float(divisors[part.outputs.start])) for part in self.parts]
        scales, offsets = zip(*pairs, strict=True)
        return np.concatenate(scales), np.concatenate(offsets)

    def drawn(
        self, outputs: np.ndarray, targets: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Draw each target where it is known; see `Task.drawn`."""
        found = np.full_like(targets, np.nan)
        for part, own in self._by_part(targets):
            known = is_known(own)
            taken = part.taken(own[known])
            drawn = part.task.drawn(outputs[known, part.outputs], taken, random)
            found[known, part.columns] = drawn.reshape(len(taken), -1)
        return found

    def _metrics(self, targets, outputs, index, weights, name=None):
        """Compute the skill, and the metrics of each target behind its name and a point."""
        found = {"skill": self._skill(targets, outputs, index, weights)}
        if name in found:
            return found
        for part, own in self._by_part(targets):
            each = part.metrics(own, outputs, index, weights)
            found |= {f"{part.name}.{key}": values for key, values in each.items()}
        return found

    def _skill(self, targets, outputs, index, weights):
        """Return the mean skill over targets where it is defined, (resamples,)."""
        each = np.stack(
            [part.skill(own, outputs, index, weights) for part, own in self._by_part(targets)]
        )
        known = np.isfinite(each)
        with np.errstate(invalid="ignore"):
            return np.where(known, each, 0).sum(axis=0) / known.sum(axis=0)

    def target_columns(self, targets: np.ndarray | None, count: int) -> list[tuple[str, Any]]:
        """Return a column target_<name> for each column of targets."""
        names = [name for part in self.parts for name in part.column_names]
        known = np.full((count, len(names)), None, object) if targets is None else targets
        written = np.vectorize(_written, otypes=[object])(known)
        return [(f"target_{name}", written[:, place]) for place, name in enumerate(names)]

    @property
    def text_columns(self) -> list[str]:
        """Return the columns of predictions.tsv that hold classes."""
        names = [part.name for part in self.parts if part.task.has_classes]
        return [f"{what}_{name}" for name in names for what in ("target", "prediction")]

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return the columns of each target, its name behind a word.

        That is prediction_<name>, of classes p_<name>:<class>; of a time risk_<name>,
        survival_<name>:<time>, median_<name> and hazard_<name>:<time>.

        Args:
            outputs: (rows, outputs): logits, and values in original units.
        """
        return pd.concat([part.frame(outputs) for part in self.parts], axis=1)

    def names(self) -> dict[str, Any]:
        """Return the names and the kind of each target, and what a model's file holds of it."""
        known = [
            {"name": one.name, "task": one.task.type, **one.task.names()} for one in self.parts
        ]
        return {"parts": known}

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> "Mixed":
        """Return the task of some targets."""
        parts = names["parts"]
        tasks = [KINDS[one["task"]].from_names(one) for one in parts]
        return cls.of([one["name"] for one in parts], tasks)


def _written(cell):
    """Return a cell as predictions.tsv has it: an event is 1 or 0, as of the type survival."""
    return float(cell) if isinstance(cell, bool) else cell


def _slices(counts):
    """Return the places of several groups of so many each."""
    ends = np.cumsum([0, *counts]).tolist()
    return [slice(*pair) for pair in zip(ends[:-1], ends[1:], strict=True)]


def _task_of(target, is_train, weights):
    """Return the task of a target: its classes, or its scale or bins in training rows."""
    if target.type == Classification.type:
        return Classification(sorted(set(target.known), key=natural))
    rows = target.is_known & is_train
    values = target.values[rows]
    if target.type == DiscreteSurvival.type:
        return DiscreteSurvival.of_rows(target.names, values, weights[rows])
    scale = np.array([values.std() or 1.0])
    return Regression([target.name], mean=values.mean(axis=0), scale=scale)
