"""Mixed targets as files have them: how they are read and checked."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from autogenome_tf.tasks._classification import Classification, check_classes
from autogenome_tf.tasks._discrete_survival import DiscreteSurvival
from autogenome_tf.tasks._mixed_columns import KINDS, cells_of, check_output_names, targets_of
from autogenome_tf.tasks._number_doubts import are_few_whole, numbers_among_words, uneven
from autogenome_tf.tasks._target_columns import TargetColumns
from autogenome_tf.tasks._task_kind import TaskKind


class MixedKind(TaskKind):
    """Several targets of different kinds a row; `Mixed` says how networks learn them."""

    type = "mixed"
    losses = ("joint",)
    objectives = {"skill": True}
    linear_losses = ("joint",)
    may_have_gaps = True
    is_of_several = True
    skill, no_skill = "skill", "knowing no gene"
    headlines = ("skill",)
    explained = (
        "its calibrated logit (of a class), the predicted value in the target's units (of a "
        "number) or the mean log-odds of the event over the bins of time (of a time)"
    )

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return targets, (rows, columns) objects: float, or text where a column has any text."""
        return cls.read_of_kinds(columns, {})

    @classmethod
    def read_of_kinds(cls, columns: pd.DataFrame, kinds: Mapping[str, str]) -> np.ndarray:
        """Return targets as `read`; behind a time, of kind "survival", is its event, a bool."""
        return cells_of(columns, kinds)

    @classmethod
    def check_learnable(cls, targets: np.ndarray, names: Sequence[str]) -> None:
        """Refuse a single target, one that teaches nothing, and outputs of one name."""
        each = targets_of(targets, names)
        if len(each) < 2:
            raise ValueError(
                f"{cls.type}: expected several targets in data.target; received {list(names)}. "
                f"Set task.type to {' or '.join(KINDS)} for one."
            )
        for target in each:
            kind = KINDS[target.type]
            if kind.has_classes:
                ways = "Leave their cells empty, or merge them with others."
                doubts = numbers_among_words(target.known, target.name)
                check_classes(target.known, target.name, " ".join([ways, *doubts]))
            else:
                kind.check_learnable(target.known, target.names)
        check_output_names(each)

    @classmethod
    def strata(cls, targets: np.ndarray) -> np.ndarray | None:
        """Return the classes, or else the events, of the first target that has any; or None.

        A gap is a label of its own.
        """
        each = targets_of(targets, [str(place) for place in range(targets.shape[1])])
        for type_ in (Classification.type, DiscreteSurvival.type):
            for target in each:
                if target.type == type_:
                    own = target.cells[:, -1]
                    return np.array([str(cell) for cell in own], object)
        return None

    @classmethod
    def doubts(
        cls, targets: np.ndarray, is_test: np.ndarray, names: Sequence[str] = ()
    ) -> list[str]:
        """Return warnings of odd numbers, of numbers among words, and of few events."""
        found = []
        for target in targets_of(targets, names):
            kind = KINDS[target.type]
            if kind.has_times:
                own = kind.doubts(target.known, is_test[target.is_known], target.names)
                found += [f"{target.name}: {text}" for text in own]
            if kind.has_classes:
                found += numbers_among_words(target.known, target.name)
            if not kind.has_units:
                continue
            numbers = target.known.astype(float).ravel()
            if are_few_whole(numbers):
                found.append(
                    f"{target.name}: {len(set(numbers))} different whole numbers are learned as "
                    f'numbers. If they are codes of classes, set task.kinds {{"{target.name}": '
                    f'"{Classification.type}"}}.'
                )
            found += uneven(numbers, target.name)
        return found

    @classmethod
    def labels(cls, targets: np.ndarray, names: Sequence[str]) -> set[str]:
        """Return the classes of all targets, each behind the name of its target."""
        return {
            f"{target.name}: {label}"
            for target in targets_of(targets, names)
            if KINDS[target.type].has_classes
            for label in target.known
        }

    @classmethod
    def targets_of(cls, targets: np.ndarray, names: Sequence[str]) -> Sequence[TargetColumns]:
        """Return the columns of each target."""
        return targets_of(targets, names)
