"""The choice of rows that are explained, and of the background they are explained against."""

import dataclasses

import numpy as np
import sklearn.cluster

from autogenome_tf.automl._unseen import validated_rows
from autogenome_tf.config import Explanation
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import Dataset, RunData
from autogenome_tf.models import Predictor
from autogenome_tf.run import Run

# Rows among which k-means looks for a background, at most.
CLUSTERED = 5000


@dataclasses.dataclass(frozen=True)
class ChosenRows:
    """Rows to explain and their background.

    Attributes:
        explained: Rows to explain.
        background: (rows, genes) raw values of training rows that stand for "nothing known".
    """

    explained: Dataset
    background: Matrix


def choose_rows(
    run: Run, rows: RunData, model: Predictor, settings: Explanation, seed: int
) -> ChosenRows:
    """Draw rows to explain and a background; the same arguments give the same rows.

    Args:
        run: The run, whose validation.npz names validation rows.
        rows: Its rows.
        model: Its model, which k-means goes by.
        settings: The config's `explanation` section.
        seed: The config's.
    """
    explained = _explained(run, rows, settings.samples, derive(seed, "explained"))
    return ChosenRows(explained, _background(rows, model, settings, seed))


def _explained(run, rows, count, seed):
    """Draw test rows, else rows of `data.evaluate`, else validation rows."""
    dataset, split = rows.labelled
    places = np.flatnonzero(split.part == "test")
    if not len(places) and rows.to_evaluate:
        dataset, places = rows.to_evaluate, np.arange(len(rows.to_evaluate))
    elif not len(places):
        places = np.sort(validated_rows(run, dataset))
    return dataset.rows(_drawn(places, count, seed))


def _background(rows, model, settings, seed):
    """Draw training rows, or take those nearest to centres of clusters; (rows, genes)."""
    dataset, split = rows.labelled
    places, count = np.flatnonzero(split.part == "train"), settings.background
    if settings.background_by == "random" or len(places) <= count:
        return dataset.rows(_drawn(places, count, derive(seed, "background"))).values
    some = dataset.rows(_drawn(places, CLUSTERED, derive(seed, "clustered"))).values
    return some[nearest_to_centres(model, some, count, derive(seed, "centres"))]


def _drawn(places, count, seed):
    return np.sort(np.random.default_rng(seed).permutation(places)[:count])


def nearest_to_centres(model: Predictor, values: Matrix, count: int, seed: int) -> np.ndarray:
    """Return the rows nearest to the centres of k-means on preprocessed genes.

    Args:
        model: Its first preprocessing is used.
        values: (rows, genes) raw, an array or CSR.
        count: Number of centres.
        seed: Of the first centres.

    Returns:
        Positions of at most `count` different rows, sorted.
    """
    seen = model.branches[0].seen(values)
    means = sklearn.cluster.KMeans(count, n_init=1, random_state=seed % 2**32).fit(seen)
    return np.unique(means.transform(seen).argmin(axis=0))
