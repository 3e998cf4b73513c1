"""Scores of a latent space beside principal components: clusters, labels, explained variance.

All spaces have the same number of dimensions and see the same rows: components are of transformed,
centred, unscaled values of the training rows; with a covariate there are also those of values that
ComBat has corrected for it. Clusters and neighbours are found in the latent space itself, never on
a map drawn of it.
"""

import functools

import keras
import numpy as np
import pandas as pd
import sklearn.decomposition

from autogenome_tf import metrics
from autogenome_tf.core import chunked
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import Dataset, Split
from autogenome_tf.models._combat import combat
from autogenome_tf.models._imputation import Imputation
from autogenome_tf.models._latent_model import PROBED, LatentModel
from autogenome_tf.models._maps import map_of
from autogenome_tf.models._reduction import Reduction, mean_measure
from autogenome_tf.models._scib import LISI, scib_scores
from autogenome_tf.models._scored_rows import scored_rows
from autogenome_tf.tasks import UNLABELLED

# Parts that are scored.
SCORED = ("validation", "test", "evaluate")
# Draws of the importance-weighted bound, and resamples behind an interval.
DRAWS, RESAMPLES = 100, 200
# A unit whose means vary more, in units of its prior, is active (Burda et al. 2016).
ACTIVE = 1e-2


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
        rows = scored_rows(model, dataset, parts.part, scored, seed)
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
        self.spaces = {"latent": self._reduced(points), "pca": self._reduced(self._components)}
        if self._covariate is not None:
            corrected = combat(self.transformed, self._covariate, self._is_train)
            components = self._fitted_pca(corrected).transform(corrected)
            self.spaces["combat"] = self._reduced(components)

    def _fitted_pca(self, values):
        """Return principal components of training rows, as many as the latent space has units."""
        train = values[self._is_train]
        count = min(self.latent.shape[1], *train.shape)
        return sklearn.decomposition.PCA(count, random_state=self._seed).fit(train)

    def scores(self) -> dict[str, dict]:
        """Score the parts that were not trained on.

        Returns:
            Dict of part to name to {"value", "low", "high"}, 95 % bootstrap intervals over rows.

            - Of all rows: elbo, reconstruction (negative log likelihood), kl and
              importance_weighted_bound, in nats a row; active_units; explained, the share of the
              variance of transformed values.
            - Of rows with labels: ari and nmi of k-means at the number of labels; hdbscan_ari and
              hdbscan_noise (share of rows); silhouette of the labels; knn_accuracy by the 15
              nearest training rows.
            - With covariates: covariate_knn_accuracy of the first one's levels. Low is well mixed.
            - Of principal components the same with the prefix ``pca_``, after ComBat ``combat_``.
            - Of at least 90 rows with labels: the figures of `scib_scores`, each with the prefix
              ``scib_`` and without an interval (low and high are None). The first covariate is the
              batch.
            - Where labels shaped the space: label_accuracy of the classifier, and labels_held_out,
              the number of rows with a label. Labels of the validation part have chosen the epoch,
              so they do not score.
            - Of counts: imputed_deviance and imputed_error; see `Imputation.measures`.
        """
        return {part: self._scores(part) for part in SCORED if len(self._rows(part))}

    def _rows(self, part):
        """Return the positions of the rows of a part."""
        return np.flatnonzero(self._part == part)

    def _scores(self, part):
        """Return the metrics of a part."""
        rows, labelled = self._rows(part), self._labelled(part)
        measures = self._measures_of_model(rows)
        if (imputation := self._imputation(part)) is not None:
            measures |= imputation.measures()
        of_labels, without_interval = {}, {}
        for name, space in self.spaces.items():
            prefix = "" if name == "latent" else f"{name}_"
            if self._covariate is not None:
                mixed = space.neighbour_accuracy(rows, self._covariate)
                measures[f"{prefix}covariate_knn_accuracy"] = mixed
            if len(labelled):
                own = space.label_measures(labelled)
                of_labels |= {prefix + key: measure for key, measure in own.items()}
            # Resampled rows are their own neighbours, so that these figures have no interval.
            for key, value in self._of_integration(space, labelled).items():
                without_interval[f"{prefix}scib_{key}"] = _plain_figure(value)
        if len(self.model.task.classes) and len(labelled):
            of_labels["label_accuracy"] = self._label_accuracy(labelled)
            without_interval["labels_held_out"] = _plain_figure(len(labelled))
        found = self._with_intervals(measures, len(rows))
        return found | self._with_intervals(of_labels, len(labelled)) | without_interval

    def _measures_of_model(self, rows):
        """Return measures of bounds and reconstruction, which need neither labels nor distances."""
        bounds = self.model.bounds(self._values[rows], self._seed, DRAWS)
        prior = self.latent[rows] / self.model.autoencoder.deviation
        decoded = self._pca.inverse_transform(self._components[rows])
        return {
            "elbo": mean_measure(-bounds[:, 0] - bounds[:, 1]),
            "reconstruction": mean_measure(bounds[:, 0]),
            "kl": mean_measure(bounds[:, 1]),
            "importance_weighted_bound": mean_measure(-bounds[:, 2]),
            "active_units": lambda index: float((prior[index].var(axis=0) > ACTIVE).sum()),
            "explained": self._explained(rows, self._reconstructed(rows)),
            "pca_explained": self._explained(rows, decoded),
        }

    def _label_accuracy(self, rows):
        """Measure how often the classifier of the latent space predicts the label of a row."""
        probabilities = self.model.run(self._values[rows], "probabilities")
        predicted = np.array(self.model.task.classes, object)[probabilities.argmax(axis=1)]
        return mean_measure((predicted == self.labels[rows]).astype(float))

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
        rows = np.arange(count)
        return {
            name: metrics.interval(measure(rows), np.array([measure(own) for own in drawn]))
            for name, measure in measures.items()
        }

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
        parts = [part for part in metrics.in_order(SCORED) if len(self._rows(part))]
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

    def _reduced(self, points):
        """Return rows in few dimensions with their clusters there."""
        return Reduction.of(points, self.labels, self._is_train, self._seed)

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


def _plain_figure(value):
    """Return a figure without an interval."""
    return {"value": value, "low": None, "high": None}


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
