"""Latent spaces that labels shaped, scored by labels that no training has seen.

    python tests/benchmarks/labels.py
    python tests/benchmarks/labels.py --sets zeisel_3types --seeds 2

Protocol, written before it was run. Each seed hides the labels of a fifth of the samples, drawn in
equal shares of each label; all figures are of these samples, by their true labels. Res-VAE is
trained with the split of its seed, in whose parts hidden samples lie like any others, one
configuration (the first), ten dimensions, with `task.labels`:

- none: labels are not used;
- semi: the labels that are not hidden, of the samples that the run trains on (those of validation
  samples choose the epoch);
- semi, shuffled: the same, after a fifth of the labels that are not hidden changed places among
  each other. They should cost nothing: no figure should fall below that of none beyond the spread
  over seeds.

Figures, mean and standard deviation over seeds: share of hidden samples whose true label is that
of most of their 15 nearest samples that are not hidden (their true labels); accuracy of the
classifier, where there is one; adjusted Rand index of k-means of hidden samples at the true number
of labels; silhouette of their labels; of sets with batches the share whose batch is that of most
of their 15 nearest samples, and iLISI (low and high are well mixed). Principal components of the
same number stand beside. No figure chooses anything.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn.cluster
import sklearn.metrics
import sklearn.model_selection
import sklearn.neighbors
from integration import NEIGHBOURS, batches_of, cell, components, points_of, trained
from sets import SHARED, sets

from autogenome_tf.models import scib_scores
from autogenome_tf.run import _console

HIDDEN, SHUFFLED = 0.2, 0.2
SETS = ("pbmc3k", "zeisel_3types", "cellbench_3lines", "pancreas_3batches", "tcga9_rnaseq")
SHOWN = ("knn", "accuracy", "ari", "silhouette", "batch_knn", "ilisi")


def spaces(one, samples, values, truth, hidden, seed):
    """Yield name, coordinates and predicted labels (or None) of each method."""
    yield "PCA", components(values, seed), None
    yield "none", points_of(trained(one, samples, seed)), None
    random = np.random.default_rng(seed)
    seen = np.setdiff1d(np.arange(len(truth)), hidden)
    moved = random.choice(seen, round(SHUFFLED * len(seen)), replace=False)
    shuffled = truth.copy()
    shuffled[moved] = truth[random.permutation(moved)]
    for name, labels in (("semi", truth), ("semi, shuffled", shuffled)):
        given = pd.DataFrame({"sample": samples, "target": labels})
        given.loc[hidden, "target"] = ""
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "labels.tsv")
            given.to_csv(path, sep="\t", index=False)
            frame = trained(one, samples, seed, "semi", path)
        yield name, points_of(frame), frame["prediction"].to_numpy(str)


def figures(points, predicted, truth, batches, hidden, seed):
    """The figures of hidden samples."""
    seen = np.setdiff1d(np.arange(len(truth)), hidden)
    own, labels = points[hidden], truth[hidden]
    nearest = sklearn.neighbors.KNeighborsClassifier(NEIGHBOURS)
    clusters = sklearn.cluster.KMeans(len(set(labels)), n_init=10, random_state=seed)
    found = {
        "knn": nearest.fit(points[seen], truth[seen]).score(own, labels),
        "ari": sklearn.metrics.adjusted_rand_score(labels, clusters.fit_predict(own)),
        "silhouette": sklearn.metrics.silhouette_score(own, labels),
    }
    if predicted is not None:
        found["accuracy"] = float((predicted[hidden] == labels).mean())
    if len(set(batches)) > 1:
        found["batch_knn"] = nearest.fit(points[seen], batches[seen]).score(own, batches[hidden])
        found["ilisi"] = scib_scores(own, labels, batches[hidden], own, seed=seed)["ilisi"]
    return found


def scored(one, seed):
    """Yield the figures of each method for one seed."""
    samples, values = one.matrix()
    truth, batches = one.truth(samples), batches_of(one, samples)
    rows = np.arange(len(truth))
    _, hidden = sklearn.model_selection.train_test_split(
        rows, test_size=HIDDEN, random_state=seed, stratify=truth
    )
    for name, points, predicted in spaces(one, samples, values, truth, np.sort(hidden), seed):
        found = figures(points, predicted, truth, batches, np.sort(hidden), seed)
        yield {"method": name, "seed": seed, **found}


def main():
    """Print a row a set and method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    print(f"| set | labels | {' | '.join(SHOWN)} |\n|---|---|{'--:|' * len(SHOWN)}", flush=True)
    for one in sets(parsed.data, parsed.sets):
        frame = pd.DataFrame([row for s in range(1, parsed.seeds + 1) for row in scored(one, s)])
        for method, own in frame.groupby("method", sort=False):
            shown = [cell(own[name]) if name in own else "–" for name in SHOWN]
            print(f"| {one.name} | {method} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
