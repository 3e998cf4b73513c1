"""Columns of targets of several kinds: numbers, text for classes, or a time and its event."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from autogenome_tf.tasks._classification import Classification
from autogenome_tf.tasks._discrete_survival import DiscreteSurvival
from autogenome_tf.tasks._regression import Regression
from autogenome_tf.tasks._target_columns import TargetColumns, has, is_known
from autogenome_tf.tasks._task import Task

# Kinds of task that one of several targets may have.
KINDS: dict[str, type[Task]] = {
    kind.type: kind for kind in (Classification, Regression, DiscreteSurvival)
}


def targets_of(cells: np.ndarray, names: Sequence[str]) -> list[TargetColumns]:
    """Part columns by targets: one of events belongs to the times before it.

    Args:
        cells: (rows, columns) as `cells_of` returns them.
        names: Names of the columns.
    """
    found: list[TargetColumns] = []
    for place, name in enumerate(names):
        own = cells[:, [place]]
        if has(own, bool):
            time = found.pop()
            both = np.hstack([time.cells, own])
            found.append(TargetColumns(DiscreteSurvival.type, [*time.names, name], both))
        else:
            kind = Classification if has(own, str) else Regression
            found.append(TargetColumns(kind.type, [name], own))
    return found


def cells_of(columns: pd.DataFrame, kinds: Mapping[str, str]) -> np.ndarray:
    """Return columns of targets as objects, (rows, columns), None for gaps.

    Args:
        columns: Cells of any type; those of a category are text.
        kinds: Kind of some targets by their names. Unnamed ones are numbers where all their values
            are, else classes; the column behind a time is its event.

    Raises:
        ValueError: Naming column and sample of the first cell that its kind cannot have.
    """
    found, names = [], iter(columns.columns)
    for name in names:
        kind = KINDS[kinds.get(name) or _shown(columns[name])]
        own = [name, *itertools.islice(names, 1 if kind.has_times else 0)]
        has_cells = is_known(columns[own].to_numpy(object))
        cells = np.full((len(columns), len(own)), None, object)
        values = kind.read(columns.loc[has_cells, own])
        cells[has_cells] = values.reshape(-1, len(own))
        if kind.has_times:
            cells[has_cells, 1] = [bool(event) for event in values[:, 1]]
        found.append(cells)
    return np.hstack(found)


def check_output_names(targets: Sequence[TargetColumns]) -> None:
    """Refuse targets of which two outputs have one name, which would repeat a column.

    Args:
        targets: The targets.

    Raises:
        ValueError: A target has the name of another's class or bin of time, behind its name and a
            colon.
    """
    owners: dict[str, str] = {}
    for target in targets:
        for output in _output_names(target):
            if output in owners:
                raise _repeated(owners[output], target.name, output)
            owners[output] = target.name
    for time in targets:
        for output, owner in owners.items():
            if KINDS[time.type].has_times and output.startswith(f"{time.name}:"):
                raise _repeated(time.name, owner, output)


def _output_names(target) -> Iterator[str]:
    if KINDS[target.type].has_classes:
        yield from (f"{target.name}:{label}" for label in sorted(set(target.known)))
    else:
        yield target.name


def _repeated(one, other, output):
    return ValueError(
        f"targets {one!r} and {other!r} both have an output {output!r}. Rename one of the columns."
    )


def _shown(column):
    """Return the kind of a column that its values show."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return Classification.type
    cells = column.dropna().to_numpy(object)
    is_number = ~np.isnan(np.asarray(pd.to_numeric(cells, errors="coerce"), "float64"))
    is_of_numbers = is_number.all() and not has(cells, (bool, np.bool_))
    return Regression.type if is_of_numbers else Classification.type
