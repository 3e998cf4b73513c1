"""From the files a config names to one checked `Dataset`: rows matched by sample id."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.data._beside import ALL, TARGETS, with_columns
from autogenome_tf.data._checked import check_names, has_names
from autogenome_tf.data._columns import (
    grouped,
    of_whole_pairs,
    target_values,
    with_covariates,
    with_sites,
    with_weights,
)
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._files import check_file, numbered_lines
from autogenome_tf.data._id_columns import ids_of
from autogenome_tf.data._labels import labelled_rows
from autogenome_tf.data._origins import origins
from autogenome_tf.data._read import find_reader, read_table
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._targets import read_targets
from autogenome_tf.data._turn import turned
from autogenome_tf.tasks import kind_of

log = logging.getLogger(__name__)


def load_labelled(
    data: Any,
    task_type: str,
    rows: tuple[str, Any] | None = None,
    levels: Sequence[str] | None = None,
    *,
    kinds: Mapping[str, str] | None = None,
    genes: Sequence[str] = (),
) -> Dataset:
    """Read the matrix and the targets of a config and match them.

    Args:
        data: The config's `data` section.
        task_type: The config's `task.type`.
        rows: Another matrix and its file of targets (those of `data.evaluate`).
        levels: Names of the covariates' columns in training, for another matrix.
        kinds: Kind of task of targets by their names, where their values do not show it.
        genes: Names of the genes of training, for another matrix: columns beside them may hold
            text.

    Returns:
        A checked `Dataset` with targets.

    Raises:
        InputError: Naming file, row or column, what came and what was expected.
    """
    source, files = rows or (data.features, data.targets)
    frames = _read_targets(files, data)
    table = _read(source, data, frames, genes)
    if not rows:
        _check_excluded(table, data, source)
    # Further rows may name their genes, and are matched by the names.
    if not (rows and has_names(table)):
        table = named(table, data.feature_names, source)
    may_lack = not (kind_of(task_type).has_targets or _needs_columns(data))
    dataset, columns = with_columns(table, frames, data, source, may_lack=may_lack)
    names = _target_names(columns, data, task_type, table.features if files is None else ())
    where = columns.attrs["source"]
    columns = of_whole_pairs(columns, data.pairs)
    dataset, columns = labelled_rows(dataset, columns, names, where, kind_of(task_type))
    if names:
        found = target_values(columns[names], task_type, where, kinds)
        dataset = dataclasses.replace(dataset, targets=found, target_names=names)
    dataset = with_covariates(dataset, columns, data.covariates, where, levels)
    dataset = dataclasses.replace(dataset, origins=origins(columns, names, dataset.owners))
    dataset = with_sites(dataset, columns, data.sites, where, is_optional=rows is not None)
    dataset = with_weights(dataset, columns, data.weight, where, is_optional=rows is not None)
    return grouped(dataset, columns, data.group, where, is_optional=rows is not None)


def _needs_columns(data):
    """Return whether every row needs what the files of targets say beside the targets."""
    return bool(data.covariates or data.sites or data.weight or data.group)


def _check_excluded(table, data, source):
    """Refuse a name or pattern of `data.exclude` that no column has."""
    known = [] if table.extra is None else list(table.extra.columns)
    for pattern in data.exclude:
        if not any(fnmatchcase(name, pattern) for name in (*known, table.id_column or "")):
            raise unknown(f"{source}: data.exclude", pattern, [*known, *table.features])


def _read_targets(files, data):
    """Return the files of targets, each as it stands."""
    paths = [files] if isinstance(files, str) else files or []
    if data.targets_sheet is not None:
        _check_sheets(paths, data)
    frames = [read_targets(path, ReadOptions.of(data)) for path in paths]
    for frame in frames:
        log.info("%s", frame.attrs["said"])
    return frames


def _check_sheets(paths, data):
    """Refuse the name of a sheet where no file of targets has sheets."""
    if not any("targets_sheet" in find_reader(path).takes for path in paths):
        raise InputError(
            f"data.targets_sheet: received {data.targets_sheet!r}, but no file of data.targets has "
            "sheets; expected null."
        )


def _target_names(columns, data, task_type, genes):
    """Return the names of the targets: those of the config, all, or the only one."""
    where = columns.attrs["source"]
    known = [name for name in columns.attrs[TARGETS] if name != data.weight]
    is_optional = not kind_of(task_type).has_targets
    if data.target_names == [ALL]:
        if not (known or is_optional):
            raise InputError(
                f"{where}: data.target: {ALL!r} stands for every column of the files of "
                "data.targets; expected these files, or the names of the columns to predict."
            )
        return known
    for name in data.target_names:
        if name not in columns.columns:
            error = unknown(f"{where}: data.target", name, [*known, *genes])
            if not data.targets:
                hint = " Labels in another file, or in another sheet, need data.targets."
                raise InputError(f"{error}{hint}")
            raise error
    if data.target_names or is_optional:
        return data.target_names
    if not data.targets:
        raise InputError(f"{where}: data.target: expected the name of a column to predict.")
    if len(known) != 1:
        raise InputError(
            f"{where}: data.target: expected one of the columns {some(known)}; received none."
        )
    return known


def named(table, path, source):
    """Return a `Table` with gene names from a file of its own, one per line.

    Raises:
        InputError: Where their number is not that of the columns, a name comes twice or is empty,
            or the matrix has names already.
    """
    if path is None:
        return table
    check_file(path)
    names = [line.strip() for _, line in numbered_lines(path)]
    while names and not names[-1]:
        names.pop()
    count = len(table.features)
    if has_names(table):
        raise InputError(f"{source}: the file has gene names; remove data.feature_names.")
    if len(names) != count:
        raise InputError(f"{path}: {len(names)} names; {source} has {count} columns.")
    check_names(path, "gene name", names)
    return dataclasses.replace(table, features=names)


def joined(first, second):
    """Append the rows of a second `Dataset` of the same genes.

    Ids of the second that the first has too get its part's name before them.
    """
    taken = set(first.samples)
    samples = [f"validation/{name}" if name in taken else name for name in second.samples]
    targets = first.targets is not None and np.concatenate([first.targets, second.targets])
    return dataclasses.replace(
        first,
        values=chunked.below(first.values, second.values, first.limit),
        samples=np.array([*first.samples, *samples], dtype=object),
        targets=None if first.targets is None else targets,
        groups=_joined_groups(first, second, samples),
        origins=None,
        sites=None,
        weights=_joined_weights(first, second),
        warnings=(*first.warnings, *second.warnings),
    )


def _joined_groups(first, second, samples):
    """Return the groups of both; rows of a file without the column are a group each."""
    if first.groups is None:
        return None
    return np.concatenate([first.groups, samples if second.groups is None else second.groups])


def _joined_weights(first, second):
    """Return the weights of both; rows of a file without the column count once each."""
    if first.weights is None:
        return None
    behind = np.ones(len(second)) if second.weights is None else second.weights
    return np.concatenate([first.weights, behind])


def _read(source, data, frames, genes):
    known = frozenset().union(*(ids_of(frame, data.target_names) for frame in frames))
    options = dataclasses.replace(ReadOptions.of(data), known_ids=known, genes=frozenset(genes))

    def turn(table):
        return turned(table, frames, data, source)

    table = read_table(source, options=options, turn=turn)
    log.info("%s", table.said)
    return table
