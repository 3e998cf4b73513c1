"""All rows a config names, checked before anything is trained."""

import functools
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from autogenome_tf import data
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.tasks import task_of
from autogenome_tf.training import (
    TrainingSettings,
    cross_validation,
    number_of_folds,
)

log = logging.getLogger(__name__)


class RunData:
    """The rows of one config, each kind read once.

    Args:
        config: A `Config` with absolute paths.
        check: A function that refuses files before they are read, or None.
    """

    def __init__(self, config, check=None):
        self._config, self._check = config, check

    @functools.cached_property
    def labelled(self):
        """The rows to learn from and to test on, a `Dataset`, and their `Parts`."""
        config = self._config
        if self._check:
            self._check()
        dataset = data.load_labelled(config.data, config.task.type)
        further = self._further("validation", dataset)
        data.check_learnable(dataset, config.data, config.task.type)
        data.check_class_weight(dataset, config.task.class_weight)
        data.check_missing(dataset, config.data.missing, config.data.features)
        if config.training.epistasis:
            self._check_genotypes(dataset, config.data.features)
        if further is not None:
            return self._beside(dataset, further)
        split = config.data.split
        test = 0.0 if isinstance(split, str) else split.test
        learn = round(len(dataset) * (1 - test))
        folds = number_of_folds(
            config.search.folds, learn, len(dataset.features), config.data.limit
        )
        if config.search.folds == "auto" and not config.task.kind.has_targets:
            folds = 1
        is_exact = config.search.folds != "auto"
        parts = data.split(dataset, split, folds, config.seed, is_exact)
        self._check_parts(dataset, parts)
        return dataset, parts

    @functools.cached_property
    def scored(self):
        """The rows of `data.evaluate` with their targets, or None."""
        return self._further("evaluate", self.labelled[0])

    @functools.cached_property
    def asked(self):
        """The rows of `data.predict`, or None."""
        source = self._config.data.predict
        return self.new(source, self.labelled[0].features) if source else None

    def new(self, rows, features):
        """Further rows, a path or rows in memory, brought into the order of `features`."""
        named = self._config.data
        if not isinstance(rows, (str, Path)):
            source, table = "the given rows", data.table_of(rows, named.columns)
        else:
            source = str(rows)
            table = data.read_table(source, options=data.ReadOptions.of(named))
            log.info(table.said)
        dataset = data.dataset_of(table, source)
        if named.covariates:
            extra = pd.DataFrame(index=range(len(dataset))) if table.extra is None else table.extra
            levels = _levels(self.labelled[0])
            dataset = data.with_covariates(dataset, extra, named.covariates, source, levels)
        dataset = data.aligned(dataset, features, source)
        data.check_missing(dataset, named.missing, source)
        return dataset

    def folds(self, workers=None):
        """Return the rows to learn from, a `Dataset`, and the `CrossValidation` on them.

        Args:
            workers: The `WorkerCluster` whose processes train together, or None.
        """
        config = self._config
        dataset, parts = self.labelled
        rows = np.flatnonzero(parts.part != "test")
        learn = dataset.rows(rows)
        is_train = parts.part[rows] == "train"
        task = task_of(config.task, learn, is_train)
        split = data.Split(parts.part[rows], parts.fold[rows])
        counts = zip(*np.unique(parts.part.astype(str), return_counts=True), strict=True)
        log.info("rows: %s", ", ".join(f"{count} {part}" for part, count in counts))
        folds = cross_validation(learn, split, task, TrainingSettings.of(config), workers)
        # Not the folds themselves: who keeps what is logged would keep them and all their steps.
        log.info("%s", str(folds))
        return learn, folds

    def _further(self, name, learned):
        """The rows of `data.validation` or `data.evaluate` like those to learn from, or None."""
        rows = self._config.data.further(name)
        if rows is None:
            return None
        kind, source, levels = self._config.task.type, rows[0], _levels(learned)
        dataset = data.load_labelled(self._config.data, kind, rows, levels)
        dataset = data.aligned(dataset, learned.features, source)
        data.check_missing(dataset, self._config.data.missing, source)
        if self._config.training.epistasis:
            self._check_genotypes(dataset, source)
        self._check_classes(dataset.targets, learned.targets, source)
        return dataset

    def _beside(self, dataset, further):
        """Rows to learn from and to test on, and behind them those that validate."""
        split = self._config.data.split.model_copy(update={"validation": 0.0})
        parts = data.split(dataset, split, 1, self._config.seed)
        part = np.concatenate([parts.part, np.full(len(further), "validation", dtype=object)])
        both, parts = data.joined(dataset, further), data.Split(part, np.zeros(len(part), int))
        self._check_parts(both, parts)
        return both, parts

    def _check_parts(self, dataset, parts):
        """Refuse a split that leaves nothing to learn from, to rank by, or a class unlearned."""
        if not all(len(train) for train, _ in parts.pairs()):
            raise InputError("data.split: no rows are left to learn from.")
        if not all(len(held) for _, held in parts.pairs()):
            raise InputError(
                "data.split: no rows are left to rank trials by; hold rows out for validation, or "
                "set search.folds above 1."
            )
        if self._config.task.kind.has_classes:
            lost = set(dataset.targets) - set(dataset.targets[parts.part != "test"])
            if lost:
                raise InputError(
                    f"data.split: all rows of {some(sorted(lost))} fell into the test part; use "
                    "another seed or a smaller data.split.test, or merge rare classes."
                )

    @staticmethod
    def _check_genotypes(dataset, source):
        data.check_genotypes(dataset.values, dataset.samples, dataset.features, source)

    def _check_classes(self, targets, learned, source):
        if self._config.task.kind.has_classes:
            new = set(targets) - set(learned)
            if new:
                raise InputError(
                    f"{source}: classes that training does not have: {some(sorted(new))}."
                )


def _levels(dataset):
    """The names of covariates' levels among the features of rows to learn from."""
    return list(dataset.features[len(dataset.features) - dataset.covariates :])
