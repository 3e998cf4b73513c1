"""Maps of points in two dimensions."""

import importlib.util
import warnings

import numpy as np
import sklearn.decomposition
import sklearn.neighbors

# UMAP needs more points than it takes neighbours by default.
NEIGHBOURS = 15
# From so many points on UMAP searches approximate neighbours, which takes longer than exact ones.
APPROXIMATE = 4096


def map_of(points: np.ndarray, title: str, seed: int) -> tuple[str, np.ndarray]:
    """Return the title of a map and its (rows, 2) coordinates.

    The map is UMAP (McInnes et al. 2018) where it is installed, else components.

    Args:
        points: (rows, dimensions).
        title: What the points are.
        seed: Of UMAP.
    """
    has_umap = importlib.util.find_spec("umap") is not None
    if has_umap and points.shape[1] > 2 and len(points) > NEIGHBOURS:
        return f"UMAP of {title}", _umap(points, seed)
    return title, _two(points)


def _two(points):
    if points.shape[1] <= 2:
        return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    return sklearn.decomposition.PCA(2, random_state=0).fit_transform(points)


def _umap(points, seed):
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = {"precomputed_knn": _neighbours(points)} if len(points) >= APPROXIMATE else {}
        return umap.UMAP(random_state=seed, n_jobs=1, **known).fit_transform(points)


def _neighbours(points):
    """Return numbers and distances of the nearest points of each, itself first."""
    finder = sklearn.neighbors.NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute")
    distances, nearest = finder.fit(points).kneighbors(points)
    return nearest, distances
