"""Rows of a run that a latent space is scored on."""

import logging
from typing import Any, NamedTuple

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import Dataset
from autogenome_tf.models._latent_model import LatentModel
from autogenome_tf.tasks import UNLABELLED

log = logging.getLogger(__name__)

# Of a part.
MOST_ROWS = 10_000


class ScoredRows(NamedTuple):
    """Rows of a run, behind them those of `data.evaluate`.

    Attributes:
        values: (rows, features) raw, an array or CSR.
        samples: (rows,) ids.
        part: (rows,) name of the part.
        labels: (rows,) labels, `UNLABELLED` for none; None where no training row has one.
    """

    values: Any
    samples: np.ndarray
    part: np.ndarray
    labels: Any


def scored_rows(
    model: LatentModel, dataset: Dataset, part: np.ndarray, scored: Dataset | None, seed: int
) -> ScoredRows:
    """Draw the rows that are scored; warn of those of `data.evaluate` that are on another scale.

    Args:
        model: The model of the run.
        dataset: The rows of the run; their targets are labels ("" for none), or None.
        part: (rows,) name of the part of each.
        scored: The rows of `data.evaluate`, or None.
        seed: The config's.
    """
    dataset, part = _some(dataset, part, seed)
    rows = ScoredRows(dataset.values, dataset.samples, part, dataset.targets)
    if scored:
        scored, behind = _some(scored, np.full(len(scored), "evaluate", object), seed)
        model.compare_scale(scored)
        unknown = np.full(len(scored), UNLABELLED, object)
        labels = unknown if scored.targets is None else scored.targets
        rows = ScoredRows(
            chunked.below(rows.values, scored.values),
            np.concatenate([rows.samples, scored.samples]),
            np.concatenate([part, behind]),
            None if rows.labels is None else np.concatenate([rows.labels, labels]),
        )
    is_train = rows.part == "train"
    if rows.labels is not None and not (rows.labels[is_train] != UNLABELLED).any():
        return rows._replace(labels=None)
    return rows


def _some(dataset, part, seed):
    """Draw at most `MOST_ROWS` rows of each part, in their order; return their parts too."""
    random = np.random.default_rng(derive(seed, "representation/rows"))
    kinds = sorted(set(part))
    drawn = [random.permutation(np.flatnonzero(part == name))[:MOST_ROWS] for name in kinds]
    index = np.sort(np.concatenate(drawn))
    if len(index) == len(part):
        return dataset, part
    log.info("scores, clusters and maps use %d of %d rows", len(index), len(part))
    return dataset.rows(index), part[index]
