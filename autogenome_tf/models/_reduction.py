"""Rows in few dimensions: their clusters there, and how far these and neighbours agree with labels.

A measure is a function of the numbers of the rows that are counted, each as often as it comes, so
that resamples are measured as the rows are.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import sklearn.cluster
import sklearn.metrics
import sklearn.neighbors

from autogenome_tf.tasks import UNLABELLED

Measure = Callable[[np.ndarray], float]

NEIGHBOURS = 15
# A cluster has at least so many rows, and this part of all.
SMALLEST, SMALLEST_SHARE = 5, 0.01
# Neighbours that tell the density at a row, at most: of many rows more take long and tell no more.
MOST_NEIGHBOURS = 50
# Distances between more rows are those of a sample.
COMPARED = 5000


def mean_measure(values: np.ndarray) -> Measure:
    """Return the measure that is the mean of a value of each row.

    Args:
        values: (rows,) values.
    """
    return lambda index: float(values[index].mean())


def dense_clusters(points: np.ndarray, least: int, neighbours: int) -> np.ndarray:
    """Find clusters by HDBSCAN (Campello et al. 2013), whose number is not given.

    Args:
        points: (rows, dimensions).
        least: Rows of a cluster, at least; 2 or more.
        neighbours: Rows by whose distance the density at a row is measured.

    Returns:
        (rows,) cluster numbers from 1, -1 for noise.
    """
    finder = sklearn.cluster.HDBSCAN(least, min_samples=neighbours, copy=True)
    found = finder.fit(points).labels_
    return np.where(found < 0, -1, found + 1)


@dataclasses.dataclass(frozen=True)
class Reduction:
    """Keep the rows in few dimensions and their clusters there.

    Attributes:
        points: (rows, dimensions).
        labels: (rows,) labels, `UNLABELLED` for none; None where there are none.
        is_train: (rows,) whether a row is of the training part.
        kmeans: (rows,) cluster numbers from 1 at the number of labels, centres from training rows;
            None without labels.
        hdbscan: (rows,) cluster numbers from 1, -1 for noise.
    """

    points: np.ndarray
    labels: np.ndarray | None
    is_train: np.ndarray
    kmeans: np.ndarray | None
    hdbscan: np.ndarray

    @classmethod
    def of(
        cls, points: np.ndarray, labels: np.ndarray | None, is_train: np.ndarray, seed: int
    ) -> "Reduction":
        """Find the clusters of rows.

        Args:
            points: (rows, dimensions).
            labels: See the class.
            is_train: See the class.
            seed: Of k-means.
        """
        count, kmeans = len(points), None
        if labels is not None:
            groups = min(len(set(labels) - {UNLABELLED}), int(is_train.sum()))
            found = sklearn.cluster.KMeans(groups, n_init=10, random_state=seed)
            kmeans = found.fit(points[is_train]).predict(points) + 1
        least = max(2, min(max(SMALLEST, round(SMALLEST_SHARE * count)), count))
        dense = dense_clusters(points, least, min(least, MOST_NEIGHBOURS))
        return cls(points, labels, is_train, kmeans, dense)

    def neighbour_accuracy(self, rows: np.ndarray, names: np.ndarray) -> Measure:
        """Measure how often the nearest training rows that have a name have that of a row.

        Args:
            rows: (n,) numbers of the rows that are measured.
            names: (all rows,) names, `UNLABELLED` for none.
        """
        train = np.flatnonzero(self.is_train & (names != UNLABELLED))
        nearest = sklearn.neighbors.KNeighborsClassifier(min(NEIGHBOURS, len(train)))
        nearest.fit(self.points[train], names[train])
        return mean_measure((nearest.predict(self.points[rows]) == names[rows]).astype(float))

    def label_measures(self, rows: np.ndarray) -> dict[str, Measure]:
        """Measure how far clusters, distances and neighbours of rows agree with their labels.

        Args:
            rows: (n,) numbers of rows that have a label.
        """
        if self.labels is None or self.kmeans is None:
            return {}
        # Numbers are compared sooner than names, two hundred times a metric.
        _, labels = np.unique(self.labels[rows].astype(str), return_inverse=True)
        kmeans, hdbscan = self.kmeans[rows], self.hdbscan[rows]
        measures: dict[str, Measure] = {
            "ari": lambda i: sklearn.metrics.adjusted_rand_score(labels[i], kmeans[i]),
            "nmi": lambda i: sklearn.metrics.normalized_mutual_info_score(labels[i], kmeans[i]),
            "hdbscan_ari": lambda i: sklearn.metrics.adjusted_rand_score(labels[i], hdbscan[i]),
            "hdbscan_noise": mean_measure((hdbscan < 0).astype(float)),
            "knn_accuracy": self.neighbour_accuracy(rows, self.labels.astype(str)),
        }
        some = np.arange(len(rows))[:COMPARED]
        if 1 < len(set(labels[some])) < len(some):
            widths = sklearn.metrics.silhouette_samples(self.points[rows][some], labels[some])
            measures["silhouette"] = lambda i: float(widths[i[i < COMPARED]].mean())
        return measures
