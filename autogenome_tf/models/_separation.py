"""How well clusters of points are separated: the silhouette at the number that suits best."""

import numpy as np
import sklearn.cluster
import sklearn.metrics

# Points that are clustered, at most; numbers of clusters that are tried, with so many points each.
CLUSTERED = 1000
MOST_CLUSTERS, POINTS_A_CLUSTER = 15, 10
# Clusters count where none has more than this part of the points: all but a few outliers are none.
LARGEST_SHARE = 0.9


def separation(points: np.ndarray) -> float:
    """Return the highest mean silhouette of k-means clusters, over numbers of clusters.

    No label is needed. Deterministic.

    Args:
        points: (rows, dimensions), at most `CLUSTERED` rows or so: all are compared with all.

    Returns:
        -1 to 1; -1 where no number of clusters divides the points.
    """
    found = [-1.0]
    for count in range(2, min(MOST_CLUSTERS, len(points) // POINTS_A_CLUSTER) + 1):
        means = sklearn.cluster.KMeans(count, n_init=3, random_state=0).fit(points)
        sizes = np.bincount(means.labels_)
        if (sizes > 0).sum() > 1 and sizes.max() <= LARGEST_SHARE * len(points):
            found.append(float(sklearn.metrics.silhouette_score(points, means.labels_)))
    return max(found)
