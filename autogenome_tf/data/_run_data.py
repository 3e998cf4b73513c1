"""Rows of all files of a config, checked before anything is trained."""

import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._gene_names import aligned
from autogenome_tf.data._groups import check_classes_of_groups
from autogenome_tf.data._lacking import lacks
from autogenome_tf.data._load import joined, load_labelled
from autogenome_tf.data._match import NoCommonId
from autogenome_tf.data._new_rows import load_new
from autogenome_tf.data._outer import check_classes, outer_splits
from autogenome_tf.data._rare import without_rare_classes
from autogenome_tf.data._split import Split, number_of_folds, split
from autogenome_tf.data._usable import (
    check_class_weight,
    check_genotypes,
    check_labels,
    check_learnable,
    check_measured,
    check_missing,
)
from autogenome_tf.tasks import Survival

# Rows to train on below which nothing can vary.
LEAST_ROWS = 2


class RunData:
    """The rows of one run, each kind read once.

    Args:
        data: The config's `data` section, its paths absolute.
        task: The config's `task` section.
        folds: The config's `search.folds`.
        seed: Of the split.
        are_genotypes: Whether every value must be 0 or 1.
        check: A function that refuses files before they are read, or None.
        check_split: A function that refuses a split, of which it gets `Split.frame`, or None.
    """

    def __init__(
        self,
        data: Any,
        task: Any,
        *,
        folds: int | Literal["auto"] = "auto",
        seed: int = 7,
        are_genotypes: bool = False,
        check: Callable[[], None] | None = None,
        check_split: Callable[[pd.DataFrame], None] | None = None,
    ):
        self._data, self._task = data, task
        self._check, self._check_split = check, check_split
        self._seed, self._are_genotypes = seed, are_genotypes
        self._folds: int | Literal["auto"] = folds

    @functools.cached_property
    def labelled(self) -> tuple[Dataset, Split]:
        """Return the rows to learn from and to test on, and their split.

        Raises:
            InputError: At the first thing wrong in a file, or where the split leaves a part empty.
        """
        if self._check:
            self._check()
        dataset = self._without_rare(self._load())
        validation = self._further("validation", dataset)
        try:
            check_learnable(dataset, self._data, self._task.type)
        except InputError as error:
            raise InputError(f"{error}{_left_out(dataset)}") from None
        check_class_weight(dataset, self._task.class_weight)
        self._check_values(dataset, self._data.features)
        if validation is None:
            parts = self._divided(dataset)
        else:
            dataset, parts = self._beside(dataset, validation)
        self._check_parts(dataset, parts)
        if self._check_split:
            self._check_split(parts.frame(dataset.samples))
        return dataset, parts

    @property
    def learnable(self) -> tuple[Dataset, Split]:
        """Return the rows to learn from, training and validation rows, and their split."""
        dataset, parts = self.labelled
        rows = np.flatnonzero(parts.part != "test")
        if len(rows) == len(dataset):
            return dataset, parts
        return dataset.rows(rows), Split(parts.part[rows], parts.fold[rows])

    def outer_splits(self, count: int) -> list[Split]:
        """Return the split of each outer fold, whose test part is the fold and the test part.

        Args:
            count: Number of outer folds, at least 2.

        Raises:
            InputError: For a class, or groups, of fewer rows than folds.
        """
        dataset, parts = self.labelled
        strata = self._stratified(dataset)
        if self._task.kind.has_classes:
            check_classes(strata, parts, count)
        found = outer_splits(strata, parts, count, self._seed)
        for number, own in enumerate(found, 1):
            try:
                self._check_parts(dataset, own)
            except InputError as error:
                raise InputError(f"search.outer: fold {number}: {error}") from None
        return found

    def moved(self, data: Any) -> "RunData":
        """Return the rows with files at other places; what was read is not read again.

        Args:
            data: The config's `data` section, which differs in paths alone.
        """
        found = copy.copy(self)
        found._data = data
        dataset, parts = self.__dict__.get("labelled", (None, None))
        if dataset is not None and dataset.warnings:
            old, new = str(self._data.features), str(data.features)
            warnings = tuple((about, text.replace(old, new)) for about, text in dataset.warnings)
            found.__dict__["labelled"] = dataclasses.replace(dataset, warnings=warnings), parts
        return found

    def divided(self, data: Any, parts: Split) -> "RunData":
        """Return the labelled rows with another split; none is read again.

        Args:
            data: The config's `data` section, which names no further rows.
            parts: Part and fold of each row.
        """
        found = self.moved(data)
        found.__dict__["labelled"] = self.labelled[0], parts
        for name in ("to_evaluate", "to_predict"):
            found.__dict__.pop(name, None)
        return found

    @functools.cached_property
    def to_evaluate(self) -> Dataset | None:
        """Return the rows of `data.evaluate` with their targets, or None."""
        return self._further("evaluate", self.labelled[0])

    @functools.cached_property
    def to_predict(self) -> Dataset | None:
        """Return the rows of `data.predict`, or None."""
        source = self._data.predict
        return self.new(source, self.labelled[0].features) if source else None

    def new(self, rows: Any, features: list[str]) -> Dataset:
        """Return further rows with their genes in the order of `features`.

        Args:
            rows: A path, or rows in memory.
            features: Names of the genes, covariates' levels behind them.

        Raises:
            InputError: Where rows lack genes, covariates or values.
        """
        levels = _means(self.labelled[0]) if self._data.covariates else {}
        dataset = load_new(self._data, rows, features, levels)
        if dataset.lacking and not self._may_lack:
            raise lacks(dataset.source, dataset.lacking, len(features))
        return dataset

    @property
    def _may_lack(self):
        """Return whether new rows may lack some genes: of representations none."""
        return self._data.missing_genes > 0 and self._task.kind.has_targets

    def _further(self, name, learned):
        """Return the rows of `data.validation` or `data.evaluate`, or None."""
        rows = self._data.further(name)
        if rows is None:
            return None
        source = rows[0]
        try:
            dataset = self._load(rows, learned)
        except NoCommonId as error:
            if rows[1] != self._data.targets:
                raise
            raise InputError(
                f"{error} data.{name}_targets names the targets of {source}, which may be the "
                "same file."
            ) from None
        may_lack = name == "evaluate" and self._may_lack
        dataset = self._without_rare(aligned(dataset, learned.features, may_lack), learned)
        self._check_values(dataset, source)
        known = self._labels(learned)
        new = self._labels(dataset) - known
        if new:
            raise InputError(
                f"{source}: classes that the training data does not have: {some(sorted(new))}; "
                f"expected {some(sorted(known))}."
            )
        return dataset

    def _load(self, rows=None, learned=None):
        """Return the labelled rows of the config, or further ones, whose targets are as learned."""
        kinds = self._task.kinds | {time: Survival.type for time, _ in self._data.pairs}
        levels, genes = None, []
        if learned is not None:
            levels, names, genes = _levels(learned), learned.target_names, learned.features
            if learned.targets is not None:
                each = self._task.kind.targets_of(learned.targets, names)
                kinds = {one.name: one.type for one in each}
        return load_labelled(self._data, self._task.type, rows, levels, kinds=kinds, genes=genes)

    def _labels(self, dataset, rows=slice(None)):
        """Return the classes of some rows."""
        if dataset.targets is None:
            return set()
        return self._task.kind.labels(dataset.targets[rows], dataset.target_names)

    def _without_rare(self, dataset, learned=None):
        """Return rows without the classes that `data.rare_classes` leaves out or merges."""
        if not self._task.kind.has_classes:
            return dataset
        return without_rare_classes(dataset, self._data.rare_classes, learned)

    def _divided(self, dataset):
        """Draw the split, in as many folds as are asked for or as fit."""
        drawn, folds = self._data.split, self._folds
        if dataset.groups is not None and self._task.kind.has_classes:
            check_classes_of_groups(dataset.groups, dataset.targets, self._data.group)
        test = 0.0 if isinstance(drawn, str) else drawn.test
        learn = round(len(dataset) * (1 - test))
        count = number_of_folds(folds, learn, len(dataset.features), self._data.limit)
        if folds == "auto" and not self._task.kind.has_targets:
            count = 1
        return split(self._stratified(dataset), drawn, count, self._seed, folds != "auto")

    def _beside(self, dataset, validation):
        """Return rows to learn from and to test on with those of `data.validation` behind them."""
        drawn = self._data.split.model_copy(update={"validation": 0.0})
        parts = split(self._stratified(dataset), drawn, 1, self._seed)
        behind = np.full(len(validation), "validation", dtype=object)
        part = np.concatenate([parts.part, behind])
        return joined(dataset, validation), Split(part, np.zeros(len(part), int))

    def _stratified(self, dataset):
        """Return rows whose targets are the labels that a split is stratified over."""
        targets = dataset.targets
        strata = None if targets is None else self._task.kind.strata(targets)
        return dataclasses.replace(dataset, targets=strata)

    def _check_values(self, dataset, source):
        check_missing(dataset, self._data.missing, source)
        if self._are_genotypes:
            check_genotypes(dataset.values, dataset.samples, dataset.features, source)

    def _check_parts(self, dataset, parts):
        """Refuse a split that leaves nothing to learn from, to rank by, or a class unlearned."""
        if (fewest := min(len(train) for train, _ in parts.pairs())) < LEAST_ROWS:
            raise InputError(
                f"data.split: {fewest} rows to train on{' in a fold' if parts.fold.any() else ''}; "
                f"expected at least {LEAST_ROWS}. Hold out fewer rows."
            )
        if not all(len(validation) for _, validation in parts.pairs()):
            raise InputError(
                "data.split: no rows are left to rank trials by; hold rows out for validation, or "
                "set search.folds above 1."
            )
        check_measured(dataset, parts.part == "train")
        if self._task.labels != "none":
            check_labels(dataset, parts.part == "train")
        lost = self._labels(dataset) - self._labels(dataset, parts.part != "test")
        if lost:
            raise InputError(
                f"data.split: all rows of {some(sorted(lost))} fell into the test part; use "
                "another seed, a smaller data.split.test, or data.rare_classes."
            )


def _left_out(dataset):
    """Return the warnings about rows that were left out, for an error about too few rows."""
    texts = [text for about, text in dataset.warnings if about in ("matching", "labels", "classes")]
    return "".join(f" {text}" for text in texts)


def _levels(dataset):
    """Return the names of covariates' levels among the features of rows to learn from."""
    return list(dataset.features[len(dataset.features) - dataset.covariates :])


def _means(dataset):
    """Return the names of covariates' levels, and their means over the rows."""
    names = _levels(dataset)
    first = len(dataset.features) - dataset.covariates
    coded = chunked.columns(dataset.values, np.arange(first, len(dataset.features)))
    means = np.asarray(coded.mean(axis=0)).ravel()
    return dict(zip(names, means.tolist(), strict=True))
