"""Columns beside the rows as what they are for: targets, groups, covariates."""

import dataclasses
import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.data._checked import check_line
from autogenome_tf.data._groups import levels_alike
from autogenome_tf.tasks import as_text, kind_of

log = logging.getLogger(__name__)

# Rows of equal weight that the weights of all should be worth.
FEWEST_OF_WEIGHT = 10
# Weights that single precision, by which networks learn, holds without becoming 0 or infinite.
LEAST_WEIGHT, MOST_WEIGHT = 1e-30, 1e30


def with_covariates(dataset, columns, names, where, known=None, averages=None):
    """Put a column of 0 and 1 for each level of covariates behind the genes.

    Args:
        dataset: The rows.
        columns: Frame of the same rows that holds the covariates.
        names: Of the covariates.
        where: The file of the columns, for errors.
        known: Names ``column=level`` of training, in their order; None to take the levels found.
        averages: Means of these columns in training, which rows of another level get, with a
            warning; None to refuse such rows.

    Raises:
        InputError: For a missing column or value, or a level that training did not have.
    """
    if not names:
        return dataset
    for name in names:
        _check_covariate(dataset, columns, name, where)
    levels = np.stack([columns[name].map(lambda x, n=name: f"{n}={as_text(x)}") for name in names])
    if known is None:
        known = [level for own in levels for level in sorted(set(own))]
        for name, own in zip(names, levels, strict=True):
            for text in _doubts_of_levels(name, own, dataset.target_names):
                dataset = dataset.warned("covariates", f"{where}: data.covariates: {text}")
    coded = (levels[:, :, None] == np.array(known, object)).any(axis=0).astype("float32")
    if new := sorted(set(levels.ravel()) - set(known)):
        text = f"{where}: data.covariates: values that the training rows do not have: {some(new)}"
        if averages is None:
            raise InputError(f"{text}.")
        dataset = dataset.warned("covariates", f"{text}; they get the mean level of training.")
        for name, own in zip(names, levels, strict=True):
            own_levels = [level.startswith(f"{name}=") for level in known]
            rows = ~np.isin(own, known)
            coded[np.ix_(rows, own_levels)] = np.asarray(averages, "float32")[own_levels]
    return dataclasses.replace(
        dataset,
        values=chunked.beside(dataset.values, coded, dataset.limit),
        features=[*dataset.features, *known],
        covariates=len(known),
    )


def _check_covariate(dataset, columns, name, where):
    """Refuse a covariate that is not there, or has no value for some sample."""
    if not len(columns.columns):
        raise InputError(
            f"{where}: data.covariates: expected the column {name!r} beside the genes; received "
            "genes alone."
        )
    if name not in columns.columns:
        raise unknown(f"{where}: data.covariates", name, columns.columns)
    if columns[name].isna().any():
        sample = dataset.samples[columns[name].isna().to_numpy().argmax()]
        raise InputError(f"{where}: {name}: missing for sample {str(sample)!r}.")


def _doubts_of_levels(name, levels, targets):
    """Yield texts on levels ``name=level`` of training: alike, single, of samples, or labels."""
    yield from levels_alike([level.removeprefix(f"{name}=") for level in levels], name)
    if len(set(levels)) == 1:
        yield f"{name} has one level, {levels[0]!r}, and tells the decoder nothing."
    if name in targets:
        yield (
            f"{name} is data.target too. The decoder gets it, so the latent space need not contain "
            "these labels, and is scored by them."
        )
    if 2 * len(set(levels)) > len(levels):
        yield (
            f"{name} has {len(set(levels))} values in {len(levels)} samples, and each is a level "
            "of its own, by which the decoder may know single samples. Name groups of samples, "
            "such as batches; part numbers into a few."
        )


def target_values(
    columns: pd.DataFrame, task_type: str, where: str, kinds: Mapping[str, str] | None = None
) -> np.ndarray:
    """Return targets in original units, NaN where one is missing, or labels as text.

    Args:
        columns: Columns of the targets, indexed by sample.
        task_type: The config's `task.type`.
        where: Their file, for errors.
        kinds: Kind of task of columns that their values do not show.

    Raises:
        InputError: Naming the column and the sample of the first value that is no target.
    """
    kind, kinds = kind_of(task_type), kinds or {}
    for name in kinds:
        if name not in columns:
            raise unknown(f"{where}: task.kinds", name, columns)
    for name in columns if not kind.may_have_gaps else ():
        empty = columns[name].isna()
        if empty.any():
            raise InputError(
                f"{where}: {name}: missing for {int(empty.sum())} samples: "
                f"{some(columns.index[empty])}."
            )
    try:
        targets = kind.read_of_kinds(columns, kinds)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None
    if targets.dtype == object:
        for name, column in zip(columns, targets.reshape(len(targets), -1).T, strict=True):
            check_line(where, name, [label for label in column if isinstance(label, str)])
    return targets


def of_whole_pairs(columns: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return columns of which a row that lacks a time or its event has neither.

    Args:
        columns: Columns beside the rows.
        pairs: The config's `data.pairs`, all of which are among the columns.
    """
    for pair in map(list, pairs):
        is_whole = columns[pair].notna().all(axis=1)
        columns = columns.assign(**{name: columns[name].where(is_whole) for name in pair})
    return columns


def with_sites(dataset, columns, names, where, *, is_optional):
    """Return the dataset with the columns of `data.sites`.

    Args:
        dataset: The rows.
        columns: Frame of the same rows.
        names: Names of the columns.
        where: Their file, for errors.
        is_optional: Whether the file may lack them, as further rows may.

    Raises:
        InputError: For a column that is not there, or that has a single level.
    """
    known = [name for name in names if name in columns.columns]
    if not is_optional:
        for name in names:
            if name not in known:
                raise unknown(f"{where}: data.sites", name, columns.columns)
            if (count := columns[name].nunique()) < 2:
                found = f"{name} has {'one' if count else 'no'} level"
                raise InputError(f"{where}: data.sites: {found}; expected 2 or more to compare.")
    if not known:
        return dataset
    texts = {name: columns[name].map(as_text, na_action="ignore") for name in known}
    sites = pd.DataFrame(texts).astype(object).where(columns[known].notna(), None)
    for name in known:
        for text in levels_alike(sites[name].dropna(), name):
            dataset = dataset.warned("sites", f"{where}: data.sites: {text}")
    return dataclasses.replace(dataset, sites=sites.reset_index(drop=True))


def with_weights(dataset, columns, name, where, *, is_optional):
    """Return the dataset with the column of `data.weight`.

    Args:
        dataset: The rows.
        columns: Frame of the same rows.
        name: Name of the column, or None.
        where: Its file, for errors.
        is_optional: Whether the file may lack it, as further rows may.

    Raises:
        InputError: For a column that is not there, or a weight that is no finite number above 0, or
            none of single precision.
    """
    if name is None or (is_optional and name not in columns.columns):
        return dataset
    if name not in columns.columns:
        raise unknown(f"{where}: data.weight", name, columns.columns)
    weights = np.asarray(pd.to_numeric(columns[name], errors="coerce"), "float64")
    wrong = np.flatnonzero(~((weights >= LEAST_WEIGHT) & (weights <= MOST_WEIGHT)))
    if len(wrong):
        sample, value = dataset.samples[wrong[0]], columns[name].iloc[wrong[0]]
        received = "none" if pd.isna(value) else repr(value)
        raise InputError(
            f"{where}: data.weight: {name}: sample {sample}: expected a finite number above 0 "
            f"({LEAST_WEIGHT:g} to {MOST_WEIGHT:g}); received {received} ({len(wrong)} such "
            "samples). Give these samples a weight, or leave them out of the file."
        )
    shares = weights / weights.max()
    size = shares.sum() ** 2 / (shares**2).sum()
    log.info(
        "weights: %s, from %.4g to %.4g; %d rows count as %.4g of equal weight",
        name, weights.min(), weights.max(), len(weights), size,
    )  # fmt: skip
    if size < min(FEWEST_OF_WEIGHT, len(weights) / 2):
        sample = dataset.samples[weights.argmax()]
        text = (
            f"{where}: data.weight: {name}: {len(weights)} rows count as {size:.3g} of equal "
            f"weight; sample {sample} alone has {1 / shares.sum():.0%} of all. Model and scores "
            "rest on these few."
        )
        dataset = dataset.warned("weights", text)
    return dataclasses.replace(dataset, weights=weights)


def grouped(dataset, columns, group, where, *, is_optional=False):
    """Return the dataset with the group of each sample, from a column of the targets' file."""
    is_there = group in columns.columns
    if group is None or (is_optional and not is_there):
        return dataset
    if not is_there:
        raise unknown(f"{where}: data.split.group", group, columns.columns)
    empty = columns[group].isna().to_numpy()
    if empty.any():
        if is_optional:
            return dataset
        sample = dataset.samples[empty.argmax()]
        raise InputError(
            f"{where}: {group}: missing for {empty.sum()} samples, first {str(sample)!r}; "
            "data.split.group needs a value for each."
        )
    groups = columns[group].map(str).to_numpy(dtype=object)
    return dataclasses.replace(dataset, groups=groups)
