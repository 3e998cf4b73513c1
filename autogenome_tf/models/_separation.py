"""Measure how well clusters of points are separated, beside what chance separates."""

import numpy as np
import scipy.cluster.hierarchy
import scipy.spatial.distance
import sklearn.metrics

# Points that are clustered at a time, at most: all are compared with all.
CLUSTERED = 500
# Numbers of clusters that are tried, with so many points each.
CLUSTERS, POINTS_A_CLUSTER = (2, 3, 5, 8, 12, 20, 30), 10
# Clusters count where none has more than this part of the points: all but a few outliers are none.
LARGEST_SHARE = 0.9
# Draws of some of the points, and of as many without clusters.
DRAWS = 10


def separation(points: np.ndarray) -> float:
    """Return the highest mean silhouette of Ward's clusters, over numbers of clusters.

    No label is needed. Deterministic.

    Args:
        points: (rows, dimensions), at most `CLUSTERED` rows or so: all are compared with all.

    Returns:
        -1 to 1; -1 where no number of clusters divides the points.
    """
    counts = [count for count in CLUSTERS if count * POINTS_A_CLUSTER <= len(points)]
    if not counts or not np.ptp(points, axis=0).any():
        return -1.0
    distances = scipy.spatial.distance.squareform(scipy.spatial.distance.pdist(points))
    tree = scipy.cluster.hierarchy.linkage(points, "ward")
    clusters = scipy.cluster.hierarchy.cut_tree(tree, counts).T
    found = [
        float(sklearn.metrics.silhouette_score(distances, own, metric="precomputed"))
        for own in clusters
        if np.bincount(own).max() <= LARGEST_SHARE * len(points)
    ]
    return max(found, default=-1.0)


def beyond_chance(points: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Compare the `separation` of points with that of normal points of the same covariance.

    A long or flat cloud is divided well without any cluster in it; what counts is how much better
    the points are divided (the gap of Tibshirani et al. 2001, of silhouettes). Deterministic.

    Args:
        points: (rows, dimensions).
        units: (choices, dimensions) factors of the dimensions, above 0.

    Returns:
        (choices, `DRAWS`) separation in these units of two thirds of the points (`CLUSTERED` of
        them at most) less that of as many normal points; each draw is the same for all choices.
    """
    count = min(CLUSTERED, len(points) * 2 // 3)
    if not count:
        return np.zeros((len(units), DRAWS))
    random, centred = np.random.default_rng(0), points - points.mean(axis=0)

    def drawn():
        some = points[random.choice(len(points), count, replace=False)]
        normal = random.normal(size=(count, len(points))) @ centred / np.sqrt(len(points))
        return [separation(some * own) - separation(normal * own) for own in units]

    return np.array([drawn() for _ in range(DRAWS)]).T
