"""Mixed: several targets of different kinds a row, classes and numbers, each with gaps."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._classification import Classification, check_classes
from autogenome_tf.tasks._gene_statistics import Batches
from autogenome_tf.tasks._labels import natural
from autogenome_tf.tasks._mixed_columns import cells_of, check_output_names, is_text
from autogenome_tf.tasks._mixed_part import MixedPart
from autogenome_tf.tasks._regression import Regression
from autogenome_tf.tasks._task import Task

# A target of at most so many whole numbers may be codes of classes.
FEW_NUMBERS = 5
# Kinds of task that a part may have.
PARTS: dict[str, type[Task]] = {kind.type: kind for kind in (Classification, Regression)}


@dataclasses.dataclass(frozen=True)
class Mixed(Task):
    """Several targets, each one of some classes or a number; any may be missing in a row.

    Targets are (rows, targets): text and numbers as objects, or encoded as float32 with class
    positions and standardised values, NaN where one is missing.

    Attributes:
        parts: The targets.
        loss: "joint": mean over targets of the cross-entropy, or the squared error of standardised
            values, each relative to that of a model without genes.
    """

    parts: Sequence[MixedPart]
    loss: str = "joint"

    type = "mixed"
    losses = ("joint",)
    objectives = {"skill": True}
    linear_losses = ("joint",)
    may_have_gaps = True
    is_of_several = True
    skill, no_skill = "skill", "knowing no gene"
    headlines = ("skill",)
    explained = "its calibrated logit (of a class), or the predicted value in the target's units"

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return targets, (rows, targets) objects: float, or text where a column has any text.

        Raises:
            ValueError: A label is empty, or a number not finite.
        """
        return np.stack([cells_of(column) for _, column in columns.items()], axis=1)

    @classmethod
    def check_learnable(cls, targets: np.ndarray, names: Sequence[str]) -> None:
        """Refuse a single target, one that teaches nothing, and outputs of one name."""
        if len(names) < 2:
            raise ValueError(
                f"{cls.type}: expected several columns in data.target; received {list(names)}. "
                f"Set task.type to {' or '.join(PARTS)} for one."
            )
        for name, column in zip(names, targets.T, strict=True):
            known = column[~pd.isna(column)]
            if is_text(column):
                check_classes(known, name, "Leave their cells empty, or merge them with others.")
            else:
                Regression.check_learnable(known.astype("float64")[:, None], [name])
        check_output_names(targets, names)

    @classmethod
    def strata(cls, targets: np.ndarray) -> np.ndarray | None:
        """Return the classes of the first target that has any, with a label for gaps; or None."""
        column = next((column for column in targets.T if is_text(column)), None)
        return None if column is None else np.where(pd.isna(column), "", column).astype(object)

    @classmethod
    def doubts(
        cls, targets: np.ndarray, is_test: np.ndarray, names: Sequence[str] = ()
    ) -> list[str]:
        """Return warnings of numbers that may be codes of classes."""
        found = []
        for name, column in zip(names, targets.T, strict=True):
            numbers = set() if is_text(column) else set(column[~pd.isna(column)])
            if 0 < len(numbers) <= FEW_NUMBERS and all(value % 1 == 0 for value in numbers):
                found.append(
                    f"{name}: {len(numbers)} different whole numbers are learned as numbers. If "
                    f'they are codes of classes, set task.kinds {{"{name}": '
                    f'"{Classification.type}"}}.'
                )
        return found

    @classmethod
    def labels(cls, targets: np.ndarray, names: Sequence[str]) -> set[str]:
        """Return the classes of all targets, each behind the name of its target."""
        return {
            f"{name}: {label}"
            for name, column in zip(names, targets.T, strict=True)
            if is_text(column)
            for label in column[~pd.isna(column)]
        }

    @classmethod
    def kinds_of(cls, targets: np.ndarray, names: Sequence[str]) -> dict[str, str]:
        """Return whether each target is a classification or a regression."""
        pairs = zip(names, targets.T, strict=True)
        return {
            name: (Classification if is_text(column) else Regression).type for name, column in pairs
        }

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "Mixed":
        """Return the task with classes and scales, each loss relative to one without genes."""
        tasks = [_task_of(*pair, is_train) for pair in _columns(rows)]
        task = cls.of(list(rows.target_names), tasks)
        weights = np.ones(len(is_train)) if rows.weights is None else rows.weights
        encoded = task.encode(rows.targets)
        return task.weighed(encoded[is_train], weights[is_train])

    @classmethod
    def of(cls, names: Sequence[str], tasks: Sequence[Task]) -> "Mixed":
        """Return the task of some targets, all losses of factor 1.

        Args:
            names: Names of the columns.
            tasks: Task of each.
        """
        ends = np.cumsum([0, *(task.outputs for task in tasks)]).tolist()
        slices = [slice(*pair) for pair in zip(ends[:-1], ends[1:], strict=True)]
        return cls([MixedPart(*known) for known in zip(names, tasks, slices, strict=True)])

    def weighed(self, targets: np.ndarray, weights: np.ndarray) -> "Mixed":
        """Return the task whose targets count alike, whatever their kind and their gaps.

        The mean of the losses stays that of the parts' own, so that a single target without gaps is
        learned as by a run of its own.

        Args:
            targets: (rows, targets) encoded, of training rows.
            weights: (rows,) weight of each row.
        """
        known = ~np.isnan(targets)
        shares = weights @ known / weights.sum()
        of_none = np.array(
            [part.loss_without_genes(column, weights) for part, column in self._by_part(targets)]
        )
        factors = of_none.mean() / (of_none * np.maximum(shares, 1e-12) * len(self.parts))
        pairs = zip(self.parts, factors.tolist(), strict=True)
        return dataclasses.replace(
            self, parts=[dataclasses.replace(part, factor=factor) for part, factor in pairs]
        )

    def _by_part(self, targets):
        return zip(self.parts, np.asarray(targets).T, strict=True)

    @property
    def outputs(self) -> int:
        """Return the number of outputs of all targets."""
        return sum(part.task.outputs for part in self.parts)

    @property
    def output_names(self) -> list[str]:
        """Return the name of each output: that of its target, behind a colon that of its class."""
        return [name for part in self.parts for name in part.output_names]

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Return class positions and standardised values, (rows, targets) float32."""
        columns = [part.encode(column) for part, column in self._by_part(targets)]
        return np.stack(columns, axis=1).astype("float32")

    def as_scored(self, targets: np.ndarray) -> np.ndarray:
        """Return class positions and values in original units, (rows, targets)."""
        columns = [
            part.encode(column) if part.task.has_classes else column.astype("float64")
            for part, column in self._by_part(targets)
        ]
        return np.stack(columns, axis=1)

    def in_units(self, targets: np.ndarray) -> np.ndarray:
        """Return encoded targets with values in original units."""
        columns = [
            column if part.task.has_classes else np.ravel(part.task.in_units(column[:, None]))
            for part, column in self._by_part(targets)
        ]
        return np.stack(columns, axis=1)

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the loss of each row, the sum over its known targets."""
        from keras import ops

        targets = ops.cast(targets, "float32")
        return sum(part.losses(targets[:, place], outputs) for place, part in enumerate(self.parts))

    @property
    def loss_key(self) -> tuple:
        """Return the cache key of `row_losses`; see `Task.loss_key`."""
        return *super().loss_key, *((part.task.loss_key, part.factor) for part in self.parts)

    def keras_loss(self, label_smoothing: float = 0.0) -> Any:
        """Return the loss of a compiled Keras model.

        Args:
            label_smoothing: Of classes; not used here.
        """
        return lambda targets, outputs: self.row_losses(targets, outputs)

    def keras_metrics(self) -> list[str]:
        """Return no metrics: Keras has none of outputs of several kinds."""
        return []

    def gene_statistics(
        self, batches: Batches, targets: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Average the statistics of each gene over targets, each of the rows that have it."""
        kept = list(batches)
        found = []
        for part, column in self._by_part(targets):
            known = part.known(column)
            own = [(rows[known[rows]], values[known[rows]]) for rows, values in kept]
            own = [pair for pair in own if len(pair[0])]
            scored, _ = part.scored(column, None)
            found.append(part.task.gene_statistics(own, scored, weights))
        return np.mean(found, axis=0)

    def temperature(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the divisor of each output, (outputs,): one a target; 1 for values."""
        divisors = []
        for part, column in self._by_part(targets):
            known = part.known(column)
            own, _ = part.scored(column[known], None)
            counts = None if weights is None else weights[known]
            divisor = 1.0
            if known.any():
                divisor = part.task.temperature(own, outputs[known, part.outputs], counts)
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
        found = np.full(targets.shape, np.nan, "float32")
        for place, (part, column) in enumerate(self._by_part(targets)):
            known = part.known(column)
            own, _ = part.scored(column[known], None)
            drawn = part.task.drawn(outputs[known, part.outputs], own, random)
            found[known, place] = np.ravel(drawn)
        return found

    def metrics(
        self,
        targets: np.ndarray,
        outputs: np.ndarray,
        index: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Compute the skill, and the metrics of each target behind its name and a point."""
        found = {"skill": self.metric("skill", targets, outputs, index, weights)}
        for part, column in self._by_part(targets):
            own = part.metrics(column, outputs, index, weights)
            found |= {f"{part.name}.{name}": values for name, values in own.items()}
        return found

    def metric(
        self,
        name: str,
        targets: np.ndarray,
        outputs: np.ndarray,
        index: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compute one of `metrics`; the skill is the mean over targets where it is defined."""
        if name != "skill":
            return super().metric(name, targets, outputs, index, weights)
        each = np.stack(
            [part.skill(column, outputs, index, weights) for part, column in self._by_part(targets)]
        )
        known = np.isfinite(each)
        with np.errstate(invalid="ignore"):
            return np.where(known, each, 0).sum(axis=0) / known.sum(axis=0)

    def target_columns(self, targets: np.ndarray | None, count: int) -> list[tuple[str, Any]]:
        """Return a column target_<name> for each target."""
        known = np.full((count, len(self.parts)), None, object) if targets is None else targets
        return [(f"target_{part.name}", known[:, i]) for i, part in enumerate(self.parts)]

    @property
    def text_columns(self) -> list[str]:
        """Return the columns of predictions.tsv that hold classes."""
        names = [part.name for part in self.parts if part.task.has_classes]
        return [f"{what}_{name}" for name in names for what in ("target", "prediction")]

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return a column prediction_<name> for each target, p_<name>:<class> for its classes.

        Args:
            outputs: (rows, outputs): logits, and values in original units.
        """
        frames = []
        for part in self.parts:
            own = part.task.frame(np.asarray(outputs)[:, part.outputs])
            names = [f"p_{name}" for name in part.output_names] if part.task.has_classes else []
            frames.append(own.set_axis([f"prediction_{part.name}", *names], axis=1))
        return pd.concat(frames, axis=1)

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
        tasks = [PARTS[one["task"]].from_names(one) for one in parts]
        return cls.of([one["name"] for one in parts], tasks)


def _columns(rows):
    return zip(rows.target_names, rows.targets.T, strict=True)


def _task_of(name, column, is_train):
    """Return the task of a column of objects: its classes, or its scale in training rows."""
    known = ~pd.isna(column)
    if is_text(column):
        return Classification(sorted(set(column[known]), key=natural))
    values = column[known & is_train].astype("float64")
    spread = values.std()
    return Regression([name], mean=values.mean(keepdims=True), scale=np.array([spread or 1.0]))
