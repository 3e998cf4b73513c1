"""Scores of the integration of batches: the card of scIB, as scib-metrics computes it.

Luecken et al. (2022), Nature Methods 19:41; BRAS: Rautenstrauch and Ohler (2025). The figures are
those of the default `Benchmarker` of scib-metrics 0.5 on exact neighbours. Figures of Leiden
clusters, which it leaves out by default, are no part of the means. Its kBET of a label may differ
where single precision makes the largest eigenvalue of the diffusion map 0.99999994 instead of 1.
"""

import numpy as np
import pandas as pd
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg
import scipy.special
import sklearn.cluster
import sklearn.metrics
import sklearn.neighbors
import sklearn.preprocessing

from autogenome_tf.core.errors import InputError
from autogenome_tf.models import _leiden

# Neighbours, the cell itself among them: of LISI, of kBET, of Leiden and connected labels.
LISI, KBET, GRAPH = 90, 50, 15
BIOLOGY = ("nmi", "ari", "silhouette_label", "clisi", "isolated_labels")
MIXING = ("bras", "ilisi", "kbet", "graph_connectivity", "pcr")
BIOLOGY_SHARE = 0.6
# Cosine distances below it are 0.
ROUNDING = 1e-12
# kBET: level of its test, components of the diffusion map, cells and share of cells of a label
# that it needs, fewest and most neighbours.
LEVEL, DIFFUSED, FEWEST_CELLS, LEAST_SHARE, FEWEST, MOST = 0.05, 100, 10, 0.75, 10, 70


def scib_scores(
    points: np.ndarray,
    labels: np.ndarray,
    batches: np.ndarray | None = None,
    before: np.ndarray | None = None,
    *,
    seed: int = 0,
) -> dict[str, float | None]:
    """Score how well labels stay apart and how well batches are mixed, from 0 to 1 (best).

    Args:
        points: (cells, dimensions) coordinates, of at least 90 cells.
        labels: (cells,) names of cell types, at least two.
        batches: (cells,) names of batches, at least two, or None.
        before: (cells, components) principal components before integration; needed with `batches`.
        seed: Of k-means and Leiden.

    Returns:
        Dict of name to figure. None is one that is undefined on these cells; means leave it out.

        - Always: nmi and ari of k-means at the number of labels, silhouette_label, clisi.
        - Where the package igraph is installed: leiden_nmi and leiden_ari.
        - With batches: isolated_labels, bras, ilisi, kbet (mean over labels), graph_connectivity
          and pcr; the means bio and batch; total = 0.6 bio + 0.4 batch.

    Raises:
        InputError: With fewer cells, labels or batches, or `batches` without `before`.
    """
    _check(points, labels, batches, before)
    labels = np.unique(labels, return_inverse=True)[1]
    finder = sklearn.neighbors.NearestNeighbors(n_neighbors=LISI).fit(points)
    distances, nearest = finder.kneighbors(points)
    count = labels.max() + 1
    clusters = sklearn.cluster.KMeans(count, n_init=10, random_state=seed).fit_predict(points)
    widths = (sklearn.metrics.silhouette_samples(points, labels) + 1) / 2
    found = {
        "nmi": sklearn.metrics.normalized_mutual_info_score(labels, clusters),
        "ari": sklearn.metrics.adjusted_rand_score(labels, clusters),
        "silhouette_label": widths.mean(),
        "clisi": (count - np.median(_lisi(distances, nearest, labels))) / (count - 1),
    }
    if _leiden.is_installed():
        graph = _fuzzy(distances[:, :GRAPH], nearest[:, :GRAPH])
        found |= _leiden.leiden_scores(graph, labels, seed)
    if batches is not None:
        batches = np.unique(batches, return_inverse=True)[1]
        lisi = np.median(_lisi(distances, nearest, batches))
        found |= {
            "isolated_labels": _isolated(widths, labels, batches),
            "bras": _bras(points, labels, batches),
            "ilisi": (lisi - 1) / batches.max(),
            "kbet": _kbet(distances[:, :KBET], nearest[:, :KBET], labels, batches),
            "graph_connectivity": _connected(nearest[:, :GRAPH], labels),
            "pcr": _less_explained(before, points, batches),
        }
        for name, parts in (("bio", BIOLOGY), ("batch", MIXING)):
            found[name] = np.nanmean([found[part] for part in parts])
        found["total"] = BIOLOGY_SHARE * found["bio"] + (1 - BIOLOGY_SHARE) * found["batch"]
    return {name: None if np.isnan(one) else float(one) for name, one in found.items()}


def _check(points, labels, batches, before):
    """Refuse cells that have no neighbourhoods, or nothing to tell apart."""
    if len(points) < LISI:
        raise InputError(f"points: received {len(points)} cells; expected at least {LISI}.")
    for name, given in (("labels", labels), ("batches", batches)):
        if given is not None and len(set(given)) < 2:
            raise InputError(f"{name}: received one level; expected at least two.")
    if batches is not None and before is None:
        raise InputError("before: expected the principal components, as batches are given.")


def _crossing(excess, count, *, steps):
    """Return where each of `count` decreasing functions of a positive number is 0, by bisection.

    Start, steps and tolerance are those of LISI and UMAP, which stop at the first number that is
    close enough.
    """
    low, high, at = np.zeros(count), np.full(count, np.inf), np.ones(count)
    for _ in range(steps):
        over = excess(at)
        is_open = np.abs(over) >= 1e-5
        low = np.where(is_open & (over > 0), at, low)
        high = np.where(is_open & (over <= 0), at, high)
        between = np.where(np.isinf(high), 2 * at, (low + high) / 2)
        at = np.where(is_open, between, at)
    return at


def _lisi(distances, nearest, names):
    """Return the (cells,) effective number of names among neighbours (Korsunsky et al. 2019)."""
    is_own = nearest == np.arange(len(nearest))[:, None]
    apart = np.where(is_own, np.inf, distances)
    # Probabilities do not change, and none of a far neighbourhood underflows.
    apart = apart - apart.min(axis=1, keepdims=True)
    wanted = np.log(nearest.shape[1] // 3)

    def weights(beta):
        mass = np.exp(-apart * beta[:, None])
        return mass / mass.sum(axis=1, keepdims=True)

    def excess(beta):
        return scipy.special.entr(weights(beta)).sum(axis=1) - wanted

    share = weights(_crossing(excess, len(nearest), steps=50))
    sums = [(share * (names[nearest] == name)).sum(axis=1) for name in np.unique(names)]
    return 1 / np.square(sums).sum(axis=0)


def _isolated(widths, labels, batches):
    """Return the mean silhouette of the labels that the fewest batches have."""
    counts = (pd.crosstab(labels, batches) > 0).sum(axis=1).to_numpy()
    rare = np.flatnonzero(counts == counts.min())
    return np.mean([widths[labels == label].mean() for label in rare])


def _bras(points, labels, batches):
    """Return the batch silhouette of cosine distances, to the cells of all other batches.

    Cosine distances to a group add up to its size less a product with its summed directions.
    """
    directions = sklearn.preprocessing.normalize(points)
    means = []
    for label in np.unique(labels):
        own, codes = directions[labels == label], batches[labels == label]
        levels, codes = np.unique(codes, return_inverse=True)
        if len(levels) in (1, len(own)):
            continue
        is_of = np.eye(len(levels))[codes]
        sizes = is_of.sum(axis=0)
        apart = sizes - own @ (is_of.T @ own).T
        inside, size = (is_of * apart).sum(axis=1), sizes[codes]
        outside = (apart.sum(axis=1) - inside) / (len(own) - size)
        inside /= np.maximum(size - 1, 1)
        widest = np.maximum(outside, inside)
        width = np.abs(outside - inside) / np.where(widest > ROUNDING, widest, np.inf)
        means.append((1 - np.where(size == 1, 0, width)).mean())
    return np.mean(means) if means else np.nan


def _connected(nearest, labels):
    """Return the mean over labels of the share of cells in the largest connected part."""
    graph = _graph(nearest, np.ones(nearest.shape))
    shares = []
    for label in np.unique(labels):
        own = labels == label
        sizes = np.bincount(_parts(graph[own][:, own]))
        shares.append(sizes.max() / own.sum())
    return np.mean(shares)


def _less_explained(before, after, batches):
    """Return by which share the variance that batches explain is less than before."""
    was, is_ = (_explained(points, batches) for points in (before, after))
    return max(0.0, (was - is_) / was) if was > 0 else np.nan


def _explained(points, batches):
    """Return the share of variance between batches; a turn to components does not change it."""
    centred = pd.DataFrame(points - points.mean(axis=0))
    between = centred.groupby(batches).transform("mean").to_numpy()
    return (between**2).sum() / (centred.to_numpy() ** 2).sum()


def _kbet(distances, nearest, labels, batches):
    """Return the mean over labels of the share of cells whose neighbours have batches by chance."""
    graph = _fuzzy(distances, nearest)
    accepted, components = [], DIFFUSED
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        levels = np.unique(batches[own], return_counts=True)[1]
        if len(own) < FEWEST_CELLS or len(levels) == 1:
            continue
        count = min(MOST, max(FEWEST, int(levels.mean() / 4)))
        part = _parts(graph[own][:, own])
        if part.max() > 0:
            own = own[np.bincount(part)[part] >= 3 * count]
            if len(own) < LEAST_SHARE * len(part):
                accepted.append(0.0)
                continue
        # The fewest so far: scib-metrics keeps them too.
        components = min(components, len(own) - 1)
        places = _diffused(graph[own][:, own], components)
        finder = sklearn.neighbors.NearestNeighbors(n_neighbors=min(count + 1, len(own)))
        near = finder.fit(places).kneighbors(places, return_distance=False)
        accepted.append(_by_chance(near, np.unique(batches[own], return_inverse=True)[1]))
    return np.mean(accepted) if accepted else np.nan


def _by_chance(nearest, batches):
    """Return the share of cells at which a chi-square test accepts the batches of neighbours."""
    is_of = np.eye(batches.max() + 1)[batches]
    expected = is_of.mean(axis=0) * nearest.shape[1]
    statistic = ((is_of[nearest].sum(axis=1) - expected) ** 2 / expected).sum(axis=1)
    return (scipy.special.chdtrc(batches.max(), statistic) >= LEVEL).mean()


def _fuzzy(distances, nearest):
    """Return the symmetric graph of UMAP (McInnes et al. 2018) between neighbours."""
    closest = np.where(distances > 0, distances, np.inf).min(axis=1, keepdims=True)
    beyond = np.maximum(distances - np.where(np.isinf(closest), 0, closest), 0)
    wanted = np.log2(distances.shape[1])

    def lack(width):
        return wanted - np.exp(-beyond[:, 1:] / width[:, None]).sum(axis=1)

    width = np.maximum(_crossing(lack, len(nearest), steps=64), 1e-3 * distances.mean(axis=1))
    strength = np.exp(-beyond / width[:, None])
    strength[nearest == np.arange(len(nearest))[:, None]] = 0
    graph = _graph(nearest, strength)
    graph.eliminate_zeros()
    return scipy.sparse.csr_matrix(graph + graph.T - graph.multiply(graph.T))


def _diffused(graph, components):
    """Return (cells, components) of a diffusion map in which all numbers of steps are summed."""
    for power in (1, 0.5):
        scale = scipy.sparse.diags(1 / np.asarray(graph.sum(axis=0)).ravel() ** power)
        graph = scale @ graph @ scale
    start = np.random.default_rng(0).random(graph.shape[0])
    try:
        values, vectors = scipy.sparse.linalg.eigsh(graph, k=components, v0=start)
    except scipy.sparse.linalg.ArpackNoConvergence as error:
        values, vectors = error.eigenvalues, error.eigenvectors
    # In single precision the value of the stationary state is 1 and not almost 1.
    values, vectors = values.astype("float32") + np.float32(1e-8), vectors.astype("float32")
    return vectors * np.where(values == 1, 1, values / np.where(values == 1, 1, 1 - values))


def _graph(nearest, weights):
    """Return the (cells, cells) sparse matrix of the weights of neighbours."""
    starts = np.arange(0, nearest.size + 1, nearest.shape[1])
    return scipy.sparse.csr_matrix((weights.ravel(), nearest.ravel(), starts), (len(nearest),) * 2)


def _parts(graph):
    """Return the (cells,) number of the strongly connected part of each cell."""
    return scipy.sparse.csgraph.connected_components(graph, connection="strong")[1]
