"""Measure how well clusters of points are separated, by the silhouette at the best number."""

import numpy as np
import scipy.cluster.hierarchy
import scipy.spatial.distance
import sklearn.metrics

# Points that are clustered, at most; numbers of clusters that are tried, with so many points each.
CLUSTERED = 1000
MOST_CLUSTERS, POINTS_A_CLUSTER = 30, 10
# Clusters count where none has more than this part of the points: all but a few outliers are none.
LARGEST_SHARE = 0.9


def separation(points: np.ndarray) -> float:
    """Return the highest mean silhouette of Ward's clusters, over numbers of clusters.

    No label is needed. Deterministic.

    Args:
        points: (rows, dimensions), at most `CLUSTERED` rows or so: all are compared with all.

    Returns:
        -1 to 1; -1 where no number of clusters divides the points.
    """
    counts = range(2, min(MOST_CLUSTERS, len(points) // POINTS_A_CLUSTER) + 1)
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
