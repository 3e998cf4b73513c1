"""Scores of a latent space beside principal components: clusters, labels, explained variance.

All spaces have the same number of dimensions and see the same rows: components are of transformed,
centred, unscaled values of the training rows; with a covariate there are also those of values that
ComBat has corrected for it. Clusters and neighbours are found in the latent space itself, never on
a map drawn of it.
"""

import dataclasses
import importlib.util
import logging
import warnings
from typing import Any

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
from autogenome_tf.models._combat import combat
from autogenome_tf.models._latent_model import PROBED, LatentModel
from autogenome_tf.models._scib import LISI, scib_scores

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
        dataset: The `Dataset` of the run; its targets are labels, or None.
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
        dataset, part = _some(dataset, parts.part, seed)
        scored = scored and _some(scored, np.full(len(scored), "evaluate", object), seed)[0]
        self.model = model
        self.labels: Any = dataset.targets
        self._samples, self._part, values = dataset.samples, part, dataset.values
        if scored:
            model.compare_scale(scored)
            values = chunked.below(values, scored.values)
            self._samples = np.concatenate([self._samples, scored.samples])
            self._part = np.concatenate([self._part, np.full(len(scored), "evaluate", object)])
            both = self.labels is not None and scored.targets is not None
            labels: Any = [self.labels, scored.targets]
            self.labels = np.concatenate(labels) if both else None
        self._is_train = is_train = self._part == "train"
        self._values, self._seed = values, derive(seed, "representation") % 2**32
        self.transformed = _transformed(model, values)
        latent = model.outputs(values)
        train = self.transformed[is_train]
        count = min(latent.shape[1], *train.shape)
        self._pca = sklearn.decomposition.PCA(count, random_state=self._seed).fit(train)
        self._components = self._pca.transform(self.transformed)
        self._covariate = _first_covariate(model, values)
        self.latent = latent
        points = latent
        if model.autoencoder.get_config()["scale"] is None:
            # Of before, whose units are those of the prior.
            points = latent * model.reaches(latent[is_train][:PROBED])
        self.spaces = {"latent": self._space(points), "pca": self._space(self._components)}
        if self._covariate is not None:
            corrected = combat(self.transformed, self._covariate, is_train)
            own = sklearn.decomposition.PCA(count, random_state=self._seed)
            self.spaces["combat"] = self._space(own.fit(corrected[is_train]).transform(corrected))

    def scores(self) -> dict[str, dict]:
        """Score the parts that were not trained on.

        Returns:
            Dict of part to name to {"value", "low", "high"}, 95 % bootstrap intervals over rows;
            elbo, reconstruction (negative log likelihood), kl and importance_weighted_bound in
            nats a row; active_units; explained (share of the variance of transformed values); with
            labels ari, nmi (k-means at their number), hdbscan_ari, hdbscan_noise (share),
            silhouette (of the labels), knn_accuracy (15 nearest training rows); with covariates
            covariate_knn_accuracy (of the first covariate's levels: low is well mixed); and those
            of the components with the prefix ``pca_``, after ComBat ``combat_``. Parts of at least
            90 rows with labels also have the figures of `scib_scores`, each called ``scib_`` and
            its name, without an interval (low and high are None); the first covariate is the batch.
        """
        rows = {part: np.flatnonzero(self._part == part) for part in SCORED}
        return {part: self._scores(index) for part, index in rows.items() if len(index)}

    def _scores(self, rows):
        """Return the metrics of some rows, by their positions."""
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
        for name, space in self.spaces.items():
            own = self._of_labels(space, rows) if self.labels is not None else {}
            if self._covariate is not None:
                own["covariate_knn_accuracy"] = self._neighbours(space, rows, self._covariate)
            prefix = "" if name == "latent" else f"{name}_"
            measures |= {prefix + key: measure for key, measure in own.items()}
        random = np.random.default_rng(self._seed)
        drawn = random.integers(0, len(rows), (RESAMPLES, len(rows)))
        found: dict[str, dict] = {n: _with_interval(one, drawn) for n, one in measures.items()}
        for name, space in self.spaces.items():
            prefix = "scib_" if name == "latent" else f"{name}_scib_"
            # Resampled rows are their own neighbours, so that these figures have no interval.
            for key, value in self._of_integration(space, rows).items():
                found[prefix + key] = {"value": value, "low": None, "high": None}
        return found

    def clusters(self) -> pd.DataFrame:
        """Return the rows of clusters.tsv: sample, part, target, then k-means and HDBSCAN."""
        frame = pd.DataFrame({"sample": self._samples, "part": self._part})
        frame["target"] = self.labels
        frame["kmeans"] = self.spaces["latent"].kmeans
        frame["hdbscan"] = self.spaces["latent"].hdbscan
        return frame

    def maps(self) -> pd.DataFrame:
        """Return the rows of maps.tsv: sample, part, two coordinates on a map of each space.

        The map is UMAP (McInnes et al. 2018) where it is installed, else components; its columns
        are its title with 1 and 2 behind it.
        """
        titles = {"latent": "Res-VAE", "pca": "PCA"}
        has_umap = importlib.util.find_spec("umap") is not None
        frame = pd.DataFrame({"sample": self._samples, "part": self._part})
        for name in titles:
            points = self.spaces[name].points
            if has_umap and points.shape[1] > 2 and len(points) > NEIGHBOURS:
                title, two = f"UMAP of {titles[name]}", _umap(points, self._seed)
            else:
                title, two = titles[name], _two(points)
            frame[[f"{title} 1", f"{title} 2"]] = two
        return frame

    def _space(self, points):
        count, kmeans = len(points), None
        if self.labels is not None:
            groups = min(len(set(self.labels)), int(self._is_train.sum()))
            found = sklearn.cluster.KMeans(groups, n_init=10, random_state=self._seed)
            kmeans = found.fit(points[self._is_train]).predict(points) + 1
        least = min(max(SMALLEST, round(SMALLEST_SHARE * count)), count)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            dense = sklearn.cluster.HDBSCAN(min_cluster_size=max(2, least)).fit(points).labels_
        return Reduction(points, kmeans, np.where(dense < 0, -1, dense + 1))

    def _neighbours(self, space, rows, names):
        """Measure how often the nearest training rows have a row's name."""
        train = np.flatnonzero(self._is_train)
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
        if self.labels is None or len(rows) < LISI:
            return {}
        labels, batches = self.labels[rows].astype(str), self._covariate
        if not 1 < len(set(labels)) < len(rows):
            return {}
        if batches is not None:
            batches = batches[rows] if len(set(batches[rows])) > 1 else None
        before = self._components[rows]
        return scib_scores(space.points[rows], labels, batches, before, seed=self._seed)


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


def _two(points):
    if points.shape[1] <= 2:
        return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    return sklearn.decomposition.PCA(2, random_state=0).fit_transform(points)


def _umap(points, seed):
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return umap.UMAP(random_state=seed, n_jobs=1).fit_transform(points)
