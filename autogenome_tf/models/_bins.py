"""Bins: contigs of one genome, as clusters of latent means."""

import numpy as np
import pandas as pd
import sklearn.neighbors

from autogenome_tf.models._reduction import dense_clusters
from autogenome_tf.tasks import UNLABELLED

# Neighbours by whose distance density is measured.
NEIGHBOURS = 2
# Contigs that are clustered, at most: so many take a minute or two.
CLUSTERED = 50_000
# A near-complete genome, by completeness and contamination (Bowers et al. 2017, MIMAG).
COMPLETE, CONTAMINATED = 0.9, 0.05


def bins_of(points: np.ndarray, bases: np.ndarray, fewest: int) -> np.ndarray:
    """Find the bins of contigs by HDBSCAN, the one of the most bases first.

    Of very many contigs the longest are clustered, since time grows with the square of their
    number; another one is of the bin of the nearest of these, where it is no farther from it than
    contigs of the bin are from each other.

    Args:
        points: (contigs, units) latent means.
        bases: (contigs,) lengths.
        fewest: Contigs of a bin, at least; 2 or more.

    Returns:
        (contigs,) numbers of bins from 1; 0: in none.
    """
    order = np.argsort(-bases, kind="stable")
    clustered, others = order[:CLUSTERED], order[CLUSTERED:]
    found = np.full(len(points), -1)
    found[clustered] = dense_clusters(points[clustered], min(fewest, len(points)), NEIGHBOURS)
    if len(others):
        found[others] = _joined(points[others], points[clustered], found[clustered])
    found = np.maximum(found, 0)
    sizes = np.bincount(found, bases)[1:].astype("int64")
    places = np.zeros(len(sizes) + 1, int)
    places[1 + np.argsort(sizes)[::-1]] = np.arange(1, len(sizes) + 1)
    return places[found]


def _joined(points, clustered, clusters):
    """Return the cluster that each of further points is of, -1 where it is of none."""
    nearest = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(clustered)
    # A point of the tree is its own nearest: without any given, that is left out.
    own, _ = nearest.kneighbors()
    reach = np.zeros(clusters.max(initial=0) + 1)
    np.maximum.at(reach, np.maximum(clusters, 0), own[:, 0])
    distance, place = (found[:, 0] for found in nearest.kneighbors(points))
    cluster = clusters[place]
    return np.where((cluster > 0) & (distance <= reach[cluster]), cluster, -1)


def bin_table(bins: np.ndarray, bases: np.ndarray, genomes: np.ndarray | None) -> pd.DataFrame:
    """Describe each bin, and compare it with the genome that it has most of.

    Args:
        bins: (contigs,) numbers from 1; 0: in none.
        bases: (contigs,) lengths.
        genomes: (contigs,) names of the genomes that contigs are of, `UNLABELLED` where that is
            not known; None: of none it is.

    Returns:
        A row a bin: `bin`, `contigs`, `bases`; where genomes are known also `genome`, the one with
        the most bases in the bin, `completeness`, the share of its bases that the bin has, and
        `contamination`, the share of the bin's bases that are of other genomes (contigs of unknown
        genome are left out of both).
    """
    count = bins.max(initial=0)
    frame = pd.DataFrame({
        "bin": np.arange(1, count + 1),
        "contigs": np.bincount(bins, minlength=count + 1)[1:],
        "bases": np.bincount(bins, bases, minlength=count + 1)[1:].astype("int64"),
    })  # fmt: skip
    known = np.zeros(len(bins), bool) if genomes is None else genomes != UNLABELLED
    if not known.any():
        return frame
    names, place = np.unique(np.asarray(genomes)[known].astype(str), return_inverse=True)
    held = np.zeros((count + 1, len(names)))
    np.add.at(held, (bins[known], place), bases[known])
    totals, held = held.sum(axis=0), held[1:]
    foremost, own = held.argmax(axis=1), held.max(axis=1)
    frame["genome"] = names[foremost]
    frame["completeness"] = own / totals[foremost]
    frame["contamination"] = 1 - own / np.maximum(held.sum(axis=1), 1)
    # Of such a bin there is nothing to compare.
    frame.loc[own == 0, ["genome", "completeness", "contamination"]] = None
    return frame


def near_complete(table: pd.DataFrame) -> int:
    """Count the genomes that some bin has at least 90 % of, with at most 5 % of others.

    Args:
        table: What `bin_table` returns, of contigs whose genomes are known.
    """
    is_good = (table["completeness"] >= COMPLETE) & (table["contamination"] <= CONTAMINATED)
    return table.loc[is_good, "genome"].nunique()
