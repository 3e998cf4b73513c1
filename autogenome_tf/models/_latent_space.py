"""Scores of a latent space beside principal components: clusters, labels, explained variance.

All spaces have the same number of dimensions and see the same rows: components are of transformed,
centred, unscaled values of the training rows; with a covariate there are also those of values that
ComBat has corrected for it. Clusters and neighbours are found in the latent space itself, never on
a map drawn of it.
"""

import dataclasses
import functools
import logging
import warnings
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
import sklearn.cluster
import sklearn.decomposition
import sklearn.metrics
import sklearn.neighbors

from autogenome_tf.core import chunked
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import Dataset, Split
from autogenome_tf.metrics import in_order
from autogenome_tf.models._combat import combat
from autogenome_tf.models._imputation import Imputation
from autogenome_tf.models._latent_model import PROBED, LatentModel
from autogenome_tf.models._maps import map_of
from autogenome_tf.models._scib import LISI, scib_scores
from autogenome_tf.tasks import UNLABELLED

log = logging.getLogger(__name__)

# Parts that are scored.
SCORED = ("validation", "test", "evaluate")
NEIGHBOURS = 15
# Draws of the importance-weighted bound, and resamples behind an interval.
DRAWS, RESAMPLES = 100, 200
# A unit whose means vary more, in units of its prior, is active (Burda et al. 2016).
ACTIVE = 1e-2
# A cluster has at least so many rows, and this part of all.
SMALLEST, SMALLEST_SHARE = 5, 0.01
# Of a part.
MOST_ROWS = 10_000
# Distances between more rows are those of a sample.
COMPARED = 5000


@dataclasses.dataclass(frozen=True)
class Reduction:
    """Keep the rows in few dimensions and their clusters there.

    Attributes:
        points: (rows, dimensions).
        kmeans: (rows,) cluster numbers from 1 at the number of labels, centres from training rows;
            None without labels.
        hdbscan: (rows,) cluster numbers from 1, -1 for noise.
    """

    points: np.ndarray
    kmeans: np.ndarray | None
    hdbscan: np.ndarray


class LatentSpace:
    """Compare the latent space of a `LatentModel` with principal components of the same rows.

    Of a part of more than 10,000 rows so many are drawn: clusters, maps and components need all
    of them at once.

    Args:
        model: The `LatentModel`.
        dataset: The `Dataset` of the run; its targets are labels ("" for none), or None.
        parts: Its `data.Split`.
        scored: A further `Dataset` to score, or None.
        seed: Of k-means, components and maps.
    """

    def __init__(
        self,
        model: LatentModel,
        dataset: Dataset,
        parts: Split,
        scored: Dataset | None,
        seed: int,
    ):
        rows = _gathered(model, dataset, parts.part, scored, seed)
        self.model, self.labels = model, rows.labels
        self._values, self._samples, self._part = rows.values, rows.samples, rows.part
        self._is_train, self._seed = rows.part == "train", derive(seed, "representation") % 2**32
        self._imputed: dict[str, Imputation] = {}
        self._covariate = _first_covariate(model, rows.values)
        self.transformed, self.latent = _transformed(model, rows.values), model.outputs(rows.values)
        self._pca = self._fitted_pca(self.transformed)
        self._components = self._pca.transform(self.transformed)
        points = self.latent
        if model.autoencoder.get_config()["scale"] is None:
            # Models of earlier versions are in units of the prior.
            points = points * model.reaches(self.latent[self._is_train][:PROBED])
        self.spaces = {"latent": self._space(points), "pca": self._space(self._components)}
        if self._covariate is not None:
            corrected = combat(self.transformed, self._covariate, self._is_train)
            components = self._fitted_pca(corrected).transform(corrected)
            self.spaces["combat"] = self._space(components)

    def _fitted_pca(self, values):
        """Return principal components of training rows, as many as the latent space has units."""
        train = values[self._is_train]
        count = min(self.latent.shape[1], *train.shape)
        return sklearn.decomposition.PCA(count, random_state=self._seed).fit(train)

    def scores(self) -> dict[str, dict]:
        """Score the parts that were not trained on.

        Returns:
            Dict of part to name to {"value", "low", "high"}, 95 % bootstrap intervals over rows;
            elbo, reconstruction (negative log likelihood), kl and importance_weighted_bound in
            nats a row; active_units; explained (share of the variance of transformed values); of
            rows with labels ari, nmi (k-means at their number), hdbscan_ari, hdbscan_noise (share),
            silhouette (of the labels), knn_accuracy (15 nearest training rows); with covariates
            covariate_knn_accuracy (of the first covariate's levels: low is well mixed); and those
            of the components with the prefix ``pca_``, after ComBat ``combat_``. Parts of at least
            90 rows with labels also have the figures of `scib_scores`, each called ``scib_`` and
            its name, without an interval (low and high are None); the first covariate is the batch.
            Where labels shaped the space: label_accuracy of the classifier, and labels_held_out,
            the number of rows with a label; labels of the validation part, which have chosen the
            epoch, do not score. Of counts also imputed_deviance and imputed_error; see
            `Imputation.measures`.
        """
        return {part: self._scores(part) for part in SCORED if len(self._rows(part))}

    def _rows(self, part):
        """Return the positions of the rows of a part."""
        return np.flatnonzero(self._part == part)

    def _scores(self, part):
        """Return the metrics of a part."""
        rows, labelled = self._rows(part), self._labelled(part)
        bounds = self.model.bounds(self._values[rows], self._seed, DRAWS)
        prior = self.latent[rows] / self.model.autoencoder.deviation
        measures = {
            "elbo": _mean(-bounds[:, 0] - bounds[:, 1]),
            "reconstruction": _mean(bounds[:, 0]),
            "kl": _mean(bounds[:, 1]),
            "importance_weighted_bound": _mean(-bounds[:, 2]),
            "active_units": lambda index: float((prior[index].var(axis=0) > ACTIVE).sum()),
        }
        measures["explained"] = self._explained(rows, self._reconstructed(rows))
        decoded = self._pca.inverse_transform(self._components[rows])
        measures["pca_explained"] = self._explained(rows, decoded)
        if (imputation := self._imputation(part)) is not None:
            measures |= imputation.measures()
        of_labels, without_interval = {}, {}
        for name, space in self.spaces.items():
            prefix = "" if name == "latent" else f"{name}_"
            if self._covariate is not None:
                mixed = self._neighbours(space, rows, self._covariate)
                measures[f"{prefix}covariate_knn_accuracy"] = mixed
            if len(labelled):
                own = self._of_labels(space, labelled)
                of_labels |= {prefix + key: measure for key, measure in own.items()}
            # Resampled rows are their own neighbours, so that these figures have no interval.
            for key, value in self._of_integration(space, labelled).items():
                without_interval[f"{prefix}scib_{key}"] = _plain_figure(value)
        if len(self.model.task.classes) and len(labelled):
            of_labels["label_accuracy"] = self._label_accuracy(labelled)
            without_interval["labels_held_out"] = _plain_figure(len(labelled))
        found = self._with_intervals(measures, len(rows))
        return found | self._with_intervals(of_labels, len(labelled)) | without_interval

    def _label_accuracy(self, rows):
        """Measure how often the classifier of the latent space predicts the label of a row."""
        probabilities = self.model.run(self._values[rows], "probabilities")
        predicted = np.array(self.model.task.classes, object)[probabilities.argmax(axis=1)]
        return _mean((predicted == self.labels[rows]).astype(float))

    def _labelled(self, part):
        """Return the positions of the rows of a part whose label may score."""
        rows = self._rows(part)
        is_used = part == "validation" and self.model.task.classes
        if self.labels is None or is_used:
            return rows[:0]
        return rows[self.labels[rows] != UNLABELLED]

    def _with_intervals(self, measures, count):
        """Return measures of so many rows, each with its interval over resamples."""
        drawn = np.random.default_rng(self._seed).integers(0, max(count, 1), (RESAMPLES, count))
        return {name: _with_interval(one, drawn) for name, one in measures.items()}

    def clusters(self) -> pd.DataFrame:
        """Return the rows of clusters.tsv: sample, part, target, then k-means and HDBSCAN."""
        frame = pd.DataFrame({"sample": self._samples, "part": self._part})
        frame["target"] = self.labels
        frame["target"] = frame["target"].replace(UNLABELLED, None)
        frame["kmeans"] = self.spaces["latent"].kmeans
        frame["hdbscan"] = self.spaces["latent"].hdbscan
        return frame

    def imputed_genes(self) -> pd.DataFrame | None:
        """Return the rows of imputation.tsv, of the part most independent of training.

        None without held-out rows, or where the likelihood is not of counts.
        """
        parts = [part for part in in_order(SCORED) if len(self._rows(part))]
        found = self._imputation(parts[0]) if parts else None
        return found and found.frame(self.model.kept_features)

    def maps(self) -> pd.DataFrame:
        """Return the rows of maps.tsv: sample, part, two coordinates on a map of each space.

        The map is UMAP (McInnes et al. 2018) where it is installed, else components; its columns
        are its title with 1 and 2 behind it.
        """
        frame = pd.DataFrame({"sample": self._samples, "part": self._part})
        for name, title in (("latent", "Res-VAE"), ("pca", "PCA")):
            title, two = map_of(self.spaces[name].points, title, self._seed)
            frame[[f"{title} 1", f"{title} 2"]] = two
        return frame

    def _space(self, points):
        count, kmeans = len(points), None
        if self.labels is not None:
            groups = min(len(set(self.labels) - {UNLABELLED}), int(self._is_train.sum()))
            found = sklearn.cluster.KMeans(groups, n_init=10, random_state=self._seed)
            kmeans = found.fit(points[self._is_train]).predict(points) + 1
        least = min(max(SMALLEST, round(SMALLEST_SHARE * count)), count)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            dense = sklearn.cluster.HDBSCAN(min_cluster_size=max(2, least)).fit(points).labels_
        return Reduction(points, kmeans, np.where(dense < 0, -1, dense + 1))

    def _neighbours(self, space, rows, names):
        """Measure the k-NN accuracy of names, by the nearest training rows that have one."""
        train = np.flatnonzero(self._is_train & (names != UNLABELLED))
        nearest = sklearn.neighbors.KNeighborsClassifier(min(NEIGHBOURS, len(train)))
        nearest.fit(space.points[train], names[train])
        return _mean((nearest.predict(space.points[rows]) == names[rows]).astype(float))

    def _reconstructed(self, rows):
        """Return (rows, kept genes) expected values as the transform gives them."""
        values = self._values[rows]
        found = self.model.run(values, "reconstruction")
        if not self.model.autoencoder.likelihood.of_raw:
            return found
        (_, kept) = self.model.sources[0]
        raw = np.concatenate(list(chunked.batches(values)))
        raw[:, kept[: found.shape[1]]] = found
        return _transformed(self.model, raw)

    def _explained(self, rows, decoded):
        transformed = self.transformed[rows]
        error = ((decoded - transformed) ** 2).sum(axis=1)
        spread = ((transformed - self._pca.mean_) ** 2).sum(axis=1)
        return lambda index: 1 - error[index].sum() / max(spread[index].sum(), 1e-30)

    @functools.cached_property
    def _has_gaps(self):
        """Return whether any value is missing; only counts are asked, as all rows are read."""
        return any(np.isnan(batch).any() for batch in chunked.batches(self._values))

    def _imputation(self, part):
        """Impute the rows of a part from half of their molecules; None if values are no counts."""
        if self.model.autoencoder.likelihood.shared != "dispersion" or self._has_gaps:
            return None
        if part not in self._imputed:
            rows = self._rows(part)
            known = self.model, self._values, self._is_train, rows, self._seed
            self._imputed[part] = Imputation.of(*known)
        return self._imputed[part]

    def _of_labels(self, space, rows):
        # Numbers are compared sooner than names, two hundred times a metric.
        _, labels = np.unique(self.labels[rows].astype(str), return_inverse=True)
        points = space.points
        kmeans, hdbscan = space.kmeans[rows], space.hdbscan[rows]
        measures = {
            "ari": lambda i: sklearn.metrics.adjusted_rand_score(labels[i], kmeans[i]),
            "nmi": lambda i: sklearn.metrics.normalized_mutual_info_score(labels[i], kmeans[i]),
            "hdbscan_ari": lambda i: sklearn.metrics.adjusted_rand_score(labels[i], hdbscan[i]),
            "hdbscan_noise": _mean((hdbscan < 0).astype(float)),
            "knn_accuracy": self._neighbours(space, rows, self.labels.astype(str)),
        }
        some = np.arange(len(rows))[:COMPARED]
        if 1 < len(set(labels[some])) < len(some):
            widths = sklearn.metrics.silhouette_samples(points[rows][some], labels[some])
            measures["silhouette"] = lambda i: float(widths[i[i < COMPARED]].mean())
        return measures

    def _of_integration(self, space, rows):
        if len(rows) < LISI:
            return {}
        labels, batches = self.labels[rows].astype(str), self._covariate
        if not 1 < len(set(labels)) < len(rows):
            return {}
        if batches is not None:
            batches = batches[rows] if len(set(batches[rows])) > 1 else None
        before = self._components[rows]
        return scib_scores(space.points[rows], labels, batches, before, seed=self._seed)


class _Rows(NamedTuple):
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


def _gathered(model, dataset, part, scored, seed):
    """Draw the rows that are scored; warn of those of `data.evaluate` that are on another scale."""
    dataset, part = _some(dataset, part, seed)
    rows = _Rows(dataset.values, dataset.samples, part, dataset.targets)
    if scored:
        scored, behind = _some(scored, np.full(len(scored), "evaluate", object), seed)
        model.compare_scale(scored)
        unknown = np.full(len(scored), UNLABELLED, object)
        labels = unknown if scored.targets is None else scored.targets
        rows = _Rows(
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


def _plain_figure(value):
    """Return a figure without an interval."""
    return {"value": value, "low": None, "high": None}


def _mean(each):
    return lambda index: float(each[index].mean())


def _with_interval(measure, drawn):
    found = [measure(index) for index in drawn]
    low, high = np.percentile(found, [2.5, 97.5])
    value = measure(np.arange(drawn.shape[1]))
    return {"value": float(value), "low": float(low), "high": float(high)}


def _transformed(model, values):
    """Return (rows, kept genes) transformed, missing values filled, unscaled."""
    (branch,) = model.branches
    mean, variance, _ = branch.preprocessing.get_layer("scaling").get_weights()
    seen = branch.seen(values)[:, : len(mean)]
    layers = branch.preprocessing.layers
    unit = np.prod([layer.scale for layer in layers if isinstance(layer, keras.layers.Rescaling)])
    return (seen * np.sqrt(variance) + mean) / unit


def _first_covariate(model, values):
    """Return the (rows,) levels of the first covariate, or None."""
    count = model.covariates
    if not count:
        return None
    names = [name for name in model.features[len(model.features) - count :]]
    first = [name.split("=")[0] == names[0].split("=")[0] for name in names]
    coded = chunked.dense(values[:, values.shape[1] - count :])
    return np.array(names)[first][coded[:, first].argmax(axis=1)]
