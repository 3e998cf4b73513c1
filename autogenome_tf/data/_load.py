"""From the files a config names to one checked `Dataset`: rows matched by sample id."""

import dataclasses
import logging

import numpy as np
import pandas as pd

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.data._checked import check_line, check_names, numbered_features
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._files import check_file, numbered_lines
from autogenome_tf.data._labels import labelled_rows
from autogenome_tf.data._origins import origins
from autogenome_tf.data._read import read_table
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._targets import read_columns

log = logging.getLogger(__name__)

# As `data.target`: every column of the file of targets.
ALL = "*"
# Columns of both files that are looked at where rows match by order.
COMPARED = 5


def load_labelled(data, task_type, rows=None, levels=None):
    """Read the matrix and the targets of a config and match them.

    Args:
        data: The config's `data` section.
        task_type: "classification" or "regression".
        rows: Another matrix and its file of targets (those of `data.evaluate`).
        levels: Names of the covariates' columns in training, for another matrix.

    Returns:
        A checked `Dataset` with targets.

    Raises:
        InputError: Naming file, row or column, what came and what was expected.
    """
    source, files = rows or (data.features, data.targets)
    targets = data.target_names
    table = _read(source, data)
    # Further rows may name their genes, and are matched by the names.
    if not (rows and has_names(table)):
        table = named(table, data.feature_names, source)
    is_optional = task_type == "representation"
    columns, where = _columns(data, files, table, source, targets, is_optional)
    if columns is None:
        return dataclasses.replace(dataset_of(table), limit=data.limit, source=source)
    if targets == [ALL]:
        targets = list(columns.columns)
    names = targets or ([] if is_optional else _only_column(columns, where))
    for name in names:
        if name not in columns.columns:
            beside = table.features if files is None else ()
            raise unknown(f"{where}: data.target", name, [*columns.columns, *beside])
    dataset, columns = _matched(table, columns, source, where, data.limit)
    dataset, columns = labelled_rows(dataset, columns, names, where)
    if names:
        found = _targets(columns[names], task_type, where)
        dataset = dataclasses.replace(dataset, targets=found, target_names=names)
    dataset = with_covariates(dataset, columns, data.covariates, where, levels)
    dataset = dataclasses.replace(dataset, origins=origins(columns, names))
    group = None if rows else data.group
    return _grouped(dataset, columns, group, where) if group else dataset


def with_covariates(dataset, columns, names, where, known=None):
    """Put a column of 0 and 1 for each level of covariates behind the genes.

    Args:
        dataset: The rows.
        columns: Frame of the same rows that holds the covariates.
        names: Of the covariates.
        where: The file of the columns, for errors.
        known: Names ``column=level`` of training, in their order; None to take the levels found.

    Raises:
        InputError: For a missing column or value, or a level that training did not have.
    """
    if not names:
        return dataset
    for name in names:
        if name not in columns.columns:
            raise unknown(f"{where}: data.covariates", name, columns.columns)
        if columns[name].isna().any():
            sample = dataset.samples[columns[name].isna().to_numpy().argmax()]
            raise InputError(f"{where}: {name}: missing for sample {str(sample)!r}.")
    levels = np.stack([columns[name].map(lambda x, n=name: f"{n}={_as_text(x)}") for name in names])
    if known is None:
        known = [level for own in levels for level in sorted(set(own))]
    new = sorted(set(levels.ravel()) - set(known))
    if new:
        raise InputError(
            f"{where}: data.covariates: levels that training did not have: {some(new)}."
        )
    coded = (levels[:, :, None] == np.array(known, object)).any(axis=0).astype("float32")
    return dataclasses.replace(
        dataset,
        values=chunked.beside(dataset.values, coded, dataset.limit),
        features=[*dataset.features, *known],
        covariates=len(known),
    )


def has_names(table):
    """Whether a `Table` came with names of its genes."""
    return table.features != numbered_features(len(table.features))


def named(table, path, source):
    """A `Table` with the genes' names from a file of its own, one a line.

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
        raise InputError(f"{source}: names its genes itself; leave data.feature_names out.")
    if len(names) != count:
        raise InputError(f"{path}: {len(names)} names; {source} has {count} columns.")
    check_names(path, "gene name", names)
    return dataclasses.replace(table, features=names)


def joined(first, second):
    """Rows of two `Dataset`s of the same genes, one behind the other.

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
        groups=None,
        origins=None,
        warnings=(*first.warnings, *second.warnings),
    )


def dataset_of(table):
    """A `Table` as a `Dataset` without targets; rows without ids are numbered."""
    return Dataset(table.values, _sample_names(table), list(table.features))


def aligned(dataset, features, source="the matrix"):
    """Bring a `Dataset`'s genes into the order of training.

    Raises:
        InputError: Where genes lack; extra ones are ignored and said.
    """
    if list(dataset.features) == list(features):
        return dataset
    if dataset.features == numbered_features(len(dataset.features)):
        if len(dataset.features) != len(features):
            raise InputError(
                f"{source}: {len(dataset.features)} unnamed columns; expected {len(features)}, "
                "the genes of training in their order."
            )
        return dataclasses.replace(dataset, features=list(features))
    position = {name: index for index, name in enumerate(dataset.features)}
    lacking = [name for name in features if name not in position]
    if lacking:
        raise InputError(
            f"{source}: lacks {len(lacking)} of the {len(features)} genes of training: "
            f"{some(lacking)}."
        )
    extra = len(position) - len(features)
    if extra:
        log.info("%s: genes that training did not have are ignored: %d", source, extra)
    places = [position[name] for name in features]
    values = chunked.columns(dataset.values, places, dataset.limit)
    return dataclasses.replace(dataset, values=values, features=list(features))


def _read(source, data):
    table = read_table(source, options=ReadOptions.of(data))
    log.info(table.said)
    return table


def _columns(data, files, table, source, targets, is_optional):
    """The table that holds the targets, and where it came from; None where it need not be."""
    if files is None:
        extra = pd.DataFrame() if table.extra is None else table.extra
        if is_optional and not targets and not data.covariates:
            return None, source
        if not targets and not is_optional:
            raise InputError(f"{source}: data.target: expected the name of a column to predict.")
        return extra, source
    columns = read_columns(files, ReadOptions.of(data))
    where = columns.attrs["source"]
    log.info(columns.attrs["said"])
    if table.extra is not None and columns.attrs["has_ids"] == (table.samples is not None):
        columns = _with_extra(columns, table)
    return columns, where


def _with_extra(columns, table):
    """Columns of the matrix file (such as a group) beside those of the target file."""
    extra = table.extra.drop(columns=[c for c in table.extra if c in columns.columns])
    if table.samples is not None:
        extra = extra.set_axis(list(table.samples))
    attrs = columns.attrs
    columns = columns.join(extra)
    columns.attrs = attrs
    return columns


def _only_column(columns, where):
    if len(columns.columns) != 1:
        raise InputError(
            f"{where}: data.target: expected one of the columns {some(columns.columns)}; "
            "received none."
        )
    return [columns.columns[0]]


def _sample_names(table):
    if table.samples is not None:
        return np.array(table.samples, dtype=object)
    return np.array([f"row_{i}" for i in range(1, table.values.shape[0] + 1)], dtype=object)


def _matched(table, columns, source, where, limit):
    """Rows in both, and their columns; by order only where one of the files has no ids."""
    dataset = Dataset(
        table.values, _sample_names(table), list(table.features), limit=limit, source=source
    )
    if columns is table.extra:
        return dataset, columns
    has_ids = columns.attrs.get("has_ids", True)
    if table.samples is None or not has_ids:
        if len(columns) != len(dataset):
            raise InputError(
                f"{where}: {len(columns)} rows, but {source} has {len(dataset)}; without sample "
                "ids in both files the counts must agree."
            )
        _check_order(dataset, columns, source, where)
        if (table.samples is None) != (not has_ids):
            log.warning("only one of %s and %s has sample ids: rows are matched by order",
                     source, where)  # fmt: skip
        return dataset, columns
    return _matched_by_id(dataset, columns, source, where)


def _check_order(dataset, columns, source, where):
    """Refuse to match by order where a column that both have says that the order is another."""
    known = set(columns.columns)
    places = [place for place, name in enumerate(dataset.features) if name in known][:COMPARED]
    if not places:
        return
    values = np.concatenate([batch[:, places] for batch in chunked.batches(dataset.values)])
    for place, ours in zip(places, values.T, strict=True):
        name = dataset.features[place]
        theirs = pd.to_numeric(columns[name], errors="coerce").to_numpy("float32")
        is_same = np.array_equal(np.sort(ours), np.sort(theirs))
        if is_same and not np.array_equal(ours, theirs):
            raise InputError(
                f"{source} and {where}: both have the column {name!r}, with the same numbers in "
                "another order, and rows would be matched by order; if these are sample ids, call "
                "the column sample."
            )


def _matched_by_id(dataset, columns, source, where):
    known = set(columns.index)
    shared = np.array([sample in known for sample in dataset.samples])
    if not shared.any():
        raise InputError(
            f"no sample id is in both files: {source} has {some(dataset.samples, 3)}; "
            f"{where} has {some(columns.index, 3)}."
        )
    lost, unused = int((~shared).sum()), len(known) - int(shared.sum())
    if lost:
        log.warning("%s: samples without a target in %s are left out: %d", source, where, lost)
    if unused:
        log.info("%s: samples without a row in %s are not used: %d", where, source, unused)
    if lost:
        dataset = dataset.rows(np.flatnonzero(shared))
    return dataset, columns.loc[list(dataset.samples)]


def _targets(columns, task_type, where):
    for name in columns:
        empty = columns[name].isna()
        if empty.any():
            raise InputError(
                f"{where}: {name}: missing for {int(empty.sum())} samples: "
                f"{some(columns.index[empty])}."
            )
    if task_type == "regression":
        return np.stack([_numbers(columns[name], where) for name in columns], axis=1)
    if len(columns.columns) > 1:
        raise InputError(f"{where}: classification predicts one column; received {list(columns)}.")
    labels = columns.iloc[:, 0].map(_as_text).to_numpy(dtype=object)
    empty = np.flatnonzero([not label.strip() for label in labels])
    if len(empty):
        sample = columns.index[empty[0]]
        raise InputError(f"{where}: {columns.columns[0]}: empty for sample {str(sample)!r}.")
    check_line(where, columns.columns[0], labels)
    return labels


def _numbers(column, where):
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = ~np.isfinite(numbers.astype("float64"))
    if wrong.any():
        sample, value = column.index[wrong][0], column[wrong].iloc[0]
        raise InputError(
            f"{where}: {column.name}: sample {sample}: expected a number; received {value!r}."
        )
    return numbers.to_numpy("float64")


def _as_text(label):
    """Whole numbers lose a trailing .0, so that 1 and 1.0 are one class."""
    is_whole = isinstance(label, (float, np.floating)) and float(label).is_integer()
    return str(int(label)) if is_whole else str(label)


def _grouped(dataset, columns, group, where):
    if group not in columns.columns:
        raise unknown(f"{where}: data.split.group", group, columns.columns)
    empty = columns[group].isna().to_numpy()
    if empty.any():
        sample = dataset.samples[empty.argmax()]
        raise InputError(
            f"{where}: {group}: missing for {empty.sum()} samples, first {str(sample)!r}; "
            "data.split.group needs a value for each."
        )
    groups = columns[group].map(str).to_numpy(dtype=object)
    return dataclasses.replace(dataset, groups=groups)
