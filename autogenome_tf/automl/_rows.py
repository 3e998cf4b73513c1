"""The rows of a run by its config, and the cross-validation of networks on them."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from autogenome_tf.automl._bins import check_bins
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import RunData
from autogenome_tf.tasks import task_of
from autogenome_tf.training import (
    CrossValidation,
    TrainingSettings,
    WorkerCluster,
    cross_validation,
)

log = logging.getLogger(__name__)


class Prepared(NamedTuple):
    """Rows that are ready to learn from.

    Attributes:
        samples: (rows,) ids of the rows to learn from.
        cross_validation: Trains and judges networks on them.
    """

    samples: np.ndarray
    cross_validation: CrossValidation


def rows_of(
    config: Config,
    check: Callable[[], None] | None = None,
    check_split: Callable[[pd.DataFrame], None] | None = None,
) -> RunData:
    """Return the rows that a config names; none is read yet.

    Args:
        config: A `Config` with absolute paths.
        check: A function that refuses files before they are read, or None.
        check_split: A function that refuses a split, or None.
    """
    return RunData(
        config.data,
        config.task,
        folds=config.search.folds,
        seed=config.seed,
        are_genotypes=config.training.epistasis is not None,
        check=check,
        check_split=check_split,
    )


def prepared(rows: RunData, config: Config, workers: WorkerCluster | None = None) -> Prepared:
    """Read all rows and make the cross-validation on those to learn from.

    Args:
        rows: The rows of the run.
        config: Its config.
        workers: The processes that train each network together, or None.

    Raises:
        InputError: Where data is wrong, that to evaluate or to predict included.
    """
    check_bins(config)
    _, split = rows.labelled
    # What is wrong with them is said before hours of training.
    _ = rows.to_evaluate, rows.to_predict
    learn, parts = rows.learnable
    counts = zip(*np.unique(split.part.astype(str), return_counts=True), strict=True)
    log.info("rows: %s", ", ".join(f"{count} {part}" for part, count in counts))
    try:
        task = task_of(config.task, learn, parts.part == "train")
    except ValueError as error:
        raise InputError(f"data.split: {error}") from None
    folds = cross_validation(learn, parts, task, TrainingSettings.of(config), workers)
    # Not the folds themselves: who keeps what is logged would keep them and all their steps.
    log.info("%s", str(folds))
    return Prepared(learn.samples, folds)
