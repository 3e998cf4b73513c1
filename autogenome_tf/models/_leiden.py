"""Leiden clusters of the graph of neighbours (Traag et al. 2019), beside labels.

By igraph, at the resolution whose clusters agree best with the labels, as scIB and scib-metrics do.
"""

import importlib.util
import random

import numpy as np
import scipy.sparse
import sklearn.metrics

RESOLUTIONS = 0.2 * np.arange(1, 11)


def is_installed() -> bool:
    """Return whether igraph, of the extra `singlecell`, is there."""
    return importlib.util.find_spec("igraph") is not None


def leiden_scores(
    graph: scipy.sparse.csr_matrix, labels: np.ndarray, seed: int
) -> dict[str, float]:
    """Score the agreement of labels with Leiden clusters at the best of ten resolutions.

    Args:
        graph: (cells, cells) symmetric strengths of neighbours.
        labels: (cells,) names of cell types.
        seed: Of the clusters.

    Returns:
        Dict of leiden_nmi, the highest over resolutions, and leiden_ari of the same clusters.
    """
    import igraph

    whole = igraph.Graph.Weighted_Adjacency(graph, mode="directed")
    whole.to_undirected(mode="each")
    found = []
    try:
        for resolution in RESOLUTIONS:
            igraph.set_random_number_generator(random.Random(seed))
            clusters = whole.community_leiden(
                objective_function="modularity", weights="weight", resolution=resolution
            ).membership
            nmi = sklearn.metrics.normalized_mutual_info_score(labels, clusters)
            ari = sklearn.metrics.adjusted_rand_score(labels, clusters)
            found.append({"leiden_nmi": nmi, "leiden_ari": ari})
    finally:
        igraph.set_random_number_generator(random)
    return max(found, key=lambda agreement: agreement["leiden_nmi"])
