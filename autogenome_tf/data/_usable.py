"""Requirements of training on rows that are read and matched."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.tasks import UNLABELLED, kind_of, natural


def check_learnable(dataset, data, task_type="classification"):
    """Refuse rows that nothing can be learned from.

    Args:
        dataset: Labelled rows.
        data: The config's `data` section, which names their files.
        task_type: Targets of a representation only score it.

    Raises:
        InputError: Where no gene varies, a target is constant, or a class has a single member.
    """
    _check_genes(dataset, data.features)
    where = data.target_source
    if dataset.targets is None:
        return
    try:
        kind_of(task_type).check_learnable(dataset.targets, dataset.target_names)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


def check_measured(dataset, is_train):
    """Refuse a target that is missing in all training rows.

    Args:
        dataset: Labelled rows.
        is_train: (rows,) whether each is a training row.

    Raises:
        InputError: Naming the target.
    """
    if dataset.targets is None or dataset.targets.ndim < 2:
        return
    for name, column in zip(dataset.target_names, dataset.targets[is_train].T, strict=True):
        if pd.isna(column).all():
            raise InputError(
                f"data.split: {name} has no measured value in the training rows; use another "
                "seed, or remove it from data.target."
            )


def check_labels(dataset, is_train):
    """Refuse rows whose labels cannot shape a latent space.

    Args:
        dataset: The rows; their targets are labels.
        is_train: (rows,) whether each is a training row.

    Raises:
        InputError: There are no labels, or those of training rows are fewer than two.
    """
    if dataset.targets is None:
        raise InputError(
            "task.labels: semi learns from labels; expected their column in data.target; received "
            "none."
        )
    known = sorted(set(dataset.targets[is_train]) - {UNLABELLED}, key=natural)
    if len(known) < 2:
        raise InputError(
            "task.labels: semi needs training samples of 2 labels or more; received "
            f"{', '.join(known) or 'none'}. Fill data.target, or set task.labels none."
        )


def check_class_weight(dataset, class_weight):
    """Refuse weights of classes that no row has.

    Args:
        dataset: Labelled rows.
        class_weight: The config's `task.class_weight`.

    Raises:
        InputError: Naming the first such class and the nearest one that rows have.
    """
    if isinstance(class_weight, dict):
        classes = sorted(set(dataset.targets), key=natural)
        for name in class_weight:
            if name not in classes:
                raise unknown("task.class_weight", name, classes)


def check_missing(dataset, missing, source, *, is_new=False):
    """Refuse missing values where `data.missing` is "error".

    Args:
        dataset: The rows.
        missing: The config's `data.missing`.
        source: Where the rows come from.
        is_new: Whether they are for a fitted model, whose config cannot be changed.

    Raises:
        InputError: Naming the first sample and gene, and how many values are missing.
    """
    if missing != "error":
        return
    if dataset.lacking:
        lacking = set(dataset.lacking)
        known = [place for place, name in enumerate(dataset.features) if name not in lacking]
        values = chunked.columns(dataset.values, known, dataset.limit)
        features = [dataset.features[place] for place in known]
        dataset = dataclasses.replace(dataset, values=values, features=features)
    first, count = ("", ""), 0
    for start, block in chunked.blocks(dataset.values):
        flat = block.data if scipy.sparse.issparse(block) else block
        here = np.count_nonzero(np.isnan(flat))
        if here and not count:
            row, column = np.argwhere(np.isnan(next(chunked.batches(block))))[0]
            first = dataset.samples[start + row], dataset.features[column]
        count += here
    if count:
        way_out = "a number, or data.missing set to mean, median or zero."
        if is_new:
            way_out = (
                "a number, since the model was trained with data.missing error. Fill the values, "
                "leave out the samples, or train a model with data.missing mean, median or zero."
            )
        raise InputError(
            f"{source}: sample {str(first[0])!r}, gene {first[1]!r}: missing ({count} in all); "
            f"expected {way_out}"
        )


def check_genotypes(
    values: Any, samples: Sequence[str] | np.ndarray, features: Sequence[str], source: str
) -> None:
    """Refuse values other than 0 and 1.

    Args:
        values: (rows, sites), an array or CSR.
        samples: Names of the rows.
        features: Names of the sites.
        source: Where they come from.

    Raises:
        InputError: Naming the first sample and site.
    """
    for number, batch in enumerate(chunked.batches(values)):
        places = np.argwhere((batch != 0) & (batch != 1))
        if len(places):
            row, column = places[0]
            raise InputError(
                f"{source}: sample {str(samples[number * chunked.BLOCK + row])!r}, site "
                f"{features[column]!r}: received {batch[row, column]:g}; epistasis needs "
                "genotypes, where every value is 0 or 1."
            )


def _check_genes(dataset, source):
    """Refuse a matrix without a single gene that varies."""
    genes = len(dataset.features) - dataset.covariates
    if len(dataset) < 2:
        raise InputError(f"{source}: {len(dataset)} sample; expected at least 2.")
    low, high = np.inf, -np.inf
    for batch in chunked.batches(dataset.values):
        low = np.fmin(low, np.fmin.reduce(batch[:, :genes], axis=0))
        high = np.fmax(high, np.fmax.reduce(batch[:, :genes], axis=0))
        if np.any(high > low):
            return
    are = "constant" if np.any(high >= low) else "missing in every sample"
    raise InputError(f"{source}: all {genes} genes are {are}; there is nothing to learn from.")
