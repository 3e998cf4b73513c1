"""The contract of a kind of task: what it declares, and how its targets are read and checked."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pandas as pd

from autogenome_tf.tasks._target_columns import TargetColumns


class TaskKind(abc.ABC):
    """A kind of task, before any data set is known; `Task` says how networks learn it.

    Attributes:
        type: Name of the kind in configs.
        losses: Losses that `task.loss` may name; the first is the default.
        objectives: Metrics that may rank trials, each with whether higher is better; the first is
            the default.
        families: Families that are searched where a config names none.
        linear_losses: What `families.linear.loss` may name; the first is the baseline's.
        has_targets: Whether networks learn targets. Otherwise they learn to reconstruct the rows,
            labels are optional, and rows without one are kept.
        has_classes: Whether targets are classes, so that outputs are logits.
        has_units: Whether targets are numbers in units, which networks learn standardised.
        has_times: Whether targets are times to an event, and outputs log-risks.
        is_of_sets: Whether the loss of a row depends on the other rows of its fold, so that each
            step of training sees all of them.
        needs_all_targets: Whether a row that lacks one of several targets cannot be learned from.
        may_have_gaps: Whether a row may lack some of its targets.
        is_of_several: Whether the targets of a row are of several kinds.
        skill: Metric that is above `skill_of_none` for a model that is better than one that looks
            at no gene; "" where there are no targets.
        skill_of_none: Value of `skill` without looking at a gene.
        headlines: Metrics of the report's card, the foremost first.
        tested: Metrics of the permutation test, the foremost first; () where it is not made.
        no_skill: What a model that looks at no gene does, for the report.
        explained: What contributions of genes add up to, for the report.
        directions: What a contribution above 0 and one below 0 do to an output, for the report.
    """

    type: ClassVar[str]
    losses: ClassVar[tuple[str, ...]]
    objectives: ClassVar[dict[str, bool]]
    families: ClassVar[tuple[str, ...]] = ("linear", "mlp", "resnet", "densenet")
    linear_losses: ClassVar[tuple[str, ...]] = ()
    has_targets: ClassVar[bool] = True
    has_classes: ClassVar[bool] = False
    has_units: ClassVar[bool] = False
    has_times: ClassVar[bool] = False
    is_of_sets: ClassVar[bool] = False
    needs_all_targets: ClassVar[bool] = False
    may_have_gaps: ClassVar[bool] = False
    is_of_several: ClassVar[bool] = False
    skill: ClassVar[str] = ""
    skill_of_none: ClassVar[float] = 0.0
    headlines: ClassVar[tuple[str, ...]] = ()
    tested: ClassVar[tuple[str, ...]] = ()
    no_skill: ClassVar[str] = ""
    explained: ClassVar[str]
    directions: ClassVar[tuple[str, str]] = ("higher", "lower")

    @classmethod
    @abc.abstractmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return targets in original units from their columns, indexed by sample.

        Args:
            columns: DataFrame of target columns.

        Raises:
            ValueError: Naming column and sample of the first value that is no target.
        """

    @classmethod
    def check_names(cls, names: Sequence[str]) -> None:
        """Refuse columns that are not as many as a target of this kind has.

        Args:
            names: Of the columns.

        Raises:
            ValueError: With what was expected.
        """
        return None

    @classmethod
    def read_of_kinds(cls, columns: pd.DataFrame, kinds: Mapping[str, str]) -> np.ndarray:
        """Return targets as `read`, some of them of a kind that their values do not show.

        Args:
            columns: As for `read`.
            kinds: Kind of task by the names of targets; only targets of several kinds have any.
        """
        return cls.read(columns)

    @classmethod
    def check_learnable(cls, targets: np.ndarray, names: Sequence[str]) -> None:
        """Refuse targets that nothing can be learned of.

        Args:
            targets: In original units, or class names, of all rows to learn from.
            names: Of the columns.

        Raises:
            ValueError: Naming the column, what it holds and what was expected.
        """
        return None

    @classmethod
    def strata(cls, targets: np.ndarray) -> np.ndarray | None:
        """Return the label of each row that all parts of a split have equal shares of, or None.

        Args:
            targets: In original units, or class names.
        """
        return None

    @classmethod
    def doubts(
        cls, targets: np.ndarray, is_test: np.ndarray, names: Sequence[str] = ()
    ) -> list[str]:
        """Return warnings about targets that make scores uncertain.

        Args:
            targets: In original units, or class names.
            is_test: (rows,) whether each is a test row.
            names: Of the columns.
        """
        return []

    @classmethod
    def labels(cls, targets: np.ndarray, names: Sequence[str]) -> set[str]:
        """Return the classes that some rows have; none where targets are no classes.

        Args:
            targets: In original units, or class names.
            names: Of the columns.
        """
        return set()

    @classmethod
    def targets_of(cls, targets: np.ndarray, names: Sequence[str]) -> Sequence[TargetColumns]:
        """Return the columns of each target, where the targets are of several kinds; else none.

        Args:
            targets: In original units, or class names.
            names: Of the columns.
        """
        return ()
