"""All rows a config names, checked before anything is trained."""

import functools
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from autogenome_tf import data
from autogenome_tf.errors import InputError, some
from autogenome_tf.folds import AUTO_FOLDS, Folds, number_of_folds
from autogenome_tf.generative import GenerativeFolds
from autogenome_tf.tasks import Representation, task_of

log = logging.getLogger(__name__)


class ConfiguredRows:
    """The rows of one config, each kind read once.

    Args:
        config: A `Config` with absolute paths.
    """

    def __init__(self, config):
        self._config = config

    @functools.cached_property
    def labelled(self):
        """The rows to learn from and to test on, a `Dataset`, and their `Parts`."""
        config = self._config
        dataset = data.load_labelled(config.data, config.task.type)
        data.check_learnable(dataset, config.data, config.task.type)
        data.check_missing(dataset, config.data.missing, config.data.features)
        split = config.data.split
        test = 0.0 if isinstance(split, str) else split.test
        learn = round(len(dataset) * (1 - test))
        folds = number_of_folds(config.search.folds, learn, len(dataset.features))
        if config.search.folds == "auto" and config.task.type == "representation":
            folds = 1
        if config.search.folds == "auto" and folds == AUTO_FOLDS:
            pieces = len(dataset) if dataset.groups is None else len(set(dataset.groups))
            folds = max(1, min(folds, round(pieces * (1 - test))))
        is_exact = config.search.folds != "auto"
        parts = data.split(dataset, split, folds, config.seed, is_exact)
        self._check_parts(dataset, parts)
        return dataset, parts

    @functools.cached_property
    def scored(self):
        """The rows of `data.evaluate` with their targets, or None."""
        source = self._config.data.evaluate
        if not source:
            return None
        features = self.labelled[0].features
        kind = self._config.task.type
        dataset = data.load_labelled(self._config.data, kind, source, self._levels(features))
        dataset = data.aligned(dataset, features, source)
        data.check_missing(dataset, self._config.data.missing, source)
        self._check_classes(dataset.targets, source)
        return dataset

    @functools.cached_property
    def asked(self):
        """The rows of `data.predict`, or None."""
        source = self._config.data.predict
        return self.new(source, self.labelled[0].features) if source else None

    def new(self, rows, features):
        """Further rows, a path or rows in memory, brought into the order of `features`."""
        named = self._config.data
        if not isinstance(rows, (str, Path)):
            source, table = "the given rows", data.table_of(rows, named.covariates)
        else:
            source = str(rows)
            table = data.read_table(source, columns=data.columns_apart(named))
            log.info(table.said)
        dataset = data.dataset_of(table)
        if named.covariates:
            extra = pd.DataFrame(index=range(len(dataset))) if table.extra is None else table.extra
            levels = self._levels(features)
            dataset = data.with_covariates(dataset, extra, named.covariates, source, levels)
        dataset = data.aligned(dataset, features, source)
        data.check_missing(dataset, named.missing, source)
        return dataset

    def folds(self):
        """The rows to learn from (a `Dataset`), and `Folds` on them."""
        config = self._config
        dataset, parts = self.labelled
        rows = np.flatnonzero(parts.part != "test")
        learn = dataset.rows(rows)
        is_train = parts.part[rows] == "train"
        if config.task.type == "representation":
            kind, task = GenerativeFolds, Representation(dataset.covariates)
            truth = np.zeros(len(learn), "float32")
        else:
            kind, task = Folds, task_of(config.task, learn.targets, learn.target_names, is_train)
            truth = task.encode(learn.targets)
        pairs = data.Parts(parts.part[rows], parts.fold[rows]).pairs()
        counts = zip(*np.unique(parts.part.astype(str), return_counts=True), strict=True)
        log.info("rows: %s", ", ".join(f"{count} {part}" for part, count in counts))
        folds = kind(learn.values, truth, task, config, pairs)
        log.info("%s", folds)
        return learn, folds

    def _levels(self, features):
        """The names of covariates' levels among the features of training."""
        count = self.labelled[0].covariates
        return list(features[len(features) - count :])

    def _check_parts(self, dataset, parts):
        """Refuse a split that leaves nothing to learn from, to rank by, or a class unlearned."""
        if not all(len(train) for train, _ in parts.pairs()):
            raise InputError("data.split: no rows are left to learn from.")
        if not all(len(held) for _, held in parts.pairs()):
            raise InputError(
                "data.split: no rows are left to rank trials by; hold rows out for validation, or "
                "set search.folds above 1."
            )
        if self._config.task.type == "classification":
            lost = set(dataset.targets) - set(dataset.targets[parts.part != "test"])
            if lost:
                raise InputError(
                    f"data.split: all rows of {some(sorted(lost))} fell into the test part; use "
                    "another seed or a smaller data.split.test, or merge rare classes."
                )

    def _check_classes(self, targets, source):
        if self._config.task.type == "classification":
            new = set(targets) - set(self.labelled[0].targets)
            if new:
                raise InputError(
                    f"{source}: classes that training does not have: {some(sorted(new))}."
                )
