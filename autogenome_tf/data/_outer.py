"""Outer folds of a nested cross-validation: the test part of a split for each."""

import dataclasses
from typing import NamedTuple

import numpy as np

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.core.seeds import derive
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._split import Split, split


class Fractions(NamedTuple):
    """Fractions of a split, as the config's `data.split` has them."""

    test: float
    validation: float


def outer_splits(dataset: Dataset, parts: Split, count: int, seed: int) -> list[Split]:
    """Divide the rows to learn from into outer folds, and those of each fold's run into inner ones.

    Args:
        dataset: All rows; text targets are stratified over, groups stay on one side.
        parts: Their split; the rows of its test part stay in the test part. Folds that are given
            stay whole, since they may keep rows of one patient together.
        count: Number of outer folds, at least 2.
        seed: Of the shuffling.

    Returns:
        A split for each outer fold.

    Raises:
        InputError: For fewer rows, or groups, than folds.
    """
    learn = np.flatnonzero(parts.part != "test")
    if parts.has_given_folds:
        dataset = dataclasses.replace(dataset, groups=parts.fold.astype(str).astype(object))
    rows = _without_values(dataset, learn)
    _check(rows, count)
    outer = split(rows, Fractions(0.0, 0.0), count, derive(seed, "outer"), is_exact=True).fold
    inner = max(1, len(np.unique(parts.fold[parts.fold > 0])))
    drawn = Fractions(0.0, float((parts.part[learn] == "validation").mean()))
    found = []
    for number in range(1, count + 1):
        kept = learn[outer != number]
        own = split(_without_values(dataset, kept), drawn, inner, derive(seed, f"outer/{number}"))
        part, fold = np.full(len(dataset), "test", dtype=object), np.zeros(len(dataset), int)
        part[kept], fold[kept] = own.part, own.fold
        found.append(Split(part, fold))
    return found


def check_classes(dataset: Dataset, parts: Split, count: int) -> None:
    """Refuse more outer folds than rows of a class.

    Args:
        dataset: All rows, their targets class names.
        parts: Their split.
        count: Number of outer folds.

    Raises:
        InputError: Naming the classes.
    """
    learned = dataset.known_targets[parts.part != "test"].astype(str)
    names, counts = np.unique(learned, return_counts=True)
    few = [f"{name} ({n})" for name, n in zip(names, counts, strict=True) if n < count]
    if few:
        raise InputError(
            f"search.outer: {count} outer folds need at least as many rows of each class to learn "
            f"from; fewer have {some(few)}. Use fewer folds, or data.rare_classes."
        )


def _without_values(dataset, rows):
    """Return some rows without genes: a split is drawn by targets and groups."""
    empty = dataclasses.replace(
        dataset, values=np.zeros((len(dataset), 0), "float32"), features=[], covariates=0
    )
    return empty.rows(rows)


def _check(rows, count):
    """Refuse more folds than rows or groups."""
    pieces = len(rows) if rows.groups is None else len(np.unique(rows.groups))
    if pieces < count:
        raise InputError(
            f"search.outer: {count} outer folds need at least as many rows (or groups, or folds of "
            f"a file) to learn from; there are {pieces}."
        )
