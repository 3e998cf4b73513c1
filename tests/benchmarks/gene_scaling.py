"""Compare scalings of the genes of bulk expression before a Res-VAE, by its latent.tsv.

    python tests/benchmarks/gene_scaling.py --json FILE --seeds 1
    python tests/benchmarks/gene_scaling.py --json FILE --seeds 2 3 4 5 --arms standard centre
    python tests/benchmarks/gene_scaling.py --table FILE

Protocol, written before it was run. All bulk sets; on seed s the default Res-VAE with ten units,
one trial, the split of its seed, no label; principal components of the values that it sees, ten
too. A gaussian likelihood has one variance for all genes, so that what a gene is divided by is a
statement on its noise. Arms, of transformed, centred genes with standard deviations sd:

    standard   each gene by its sd (`data.scale` of that name)
    centre     all genes by one number (`data.scale` of that name)
    pareto     by the square root of sd (van den Berg et al. 2006)
    shrunken   by sd + the median sd (as in SAM; Tusher et al. 2001)
    trend      by the sd that genes of its mean have (a running median: variance stabilisation)
    noise      by the sd of its noise in a factor analysis of ten factors, at least half the median

Figures of all rows, as latent.tsv has them: share of rows whose class is that of most of their 15
nearest other rows; for a target of numbers R2 of the neighbours' mean. The yardstick is components
of centred values. An arm is chosen by its mean difference from the yardstick; its worth is the mean
over sets of what the arm that the other sets choose has on a set. The default becomes the arm that
all sets choose, where that worth is above the worth of `standard`. All arms have the first seed;
then `standard` and the arm that all sets choose have further ones, which must say the same.
Adjusted Rand indices of k-means at the true number are told and choose nothing. Labels score, and
nothing else.
"""

import argparse
import json
import tempfile
from pathlib import Path

import integration
import numpy as np
import pandas as pd
import sklearn.decomposition
import sklearn.metrics
import sklearn.neighbors
from integration import DIMENSIONS, NEIGHBOURS, cell, components
from sets import SHARED, sets

import autogenome_tf as ag
from autogenome_tf.run import _console
from autogenome_tf.search import search

BULK = (
    "alon_colon", "brca_tcga_er", "brca_tcga_subtype", "ctrp2_expression_drug", "golub_leukemia",
    "khan_srbct", "liver_toxicity", "riboflavin", "tcga9_rnaseq",
)  # fmt: skip
# Genes whose standard deviations say what is usual at a mean.
WINDOW = 101


def _noise(centred):
    found = sklearn.decomposition.FactorAnalysis(DIMENSIONS, random_state=0).fit(centred)
    spread = np.sqrt(found.noise_variance_)
    return np.maximum(spread, np.median(spread) / 2)


def _trend(centred, means):
    order = np.argsort(means, kind="stable")
    ordered = pd.Series(centred.std(axis=0)[order])
    usual = ordered.rolling(WINDOW, center=True, min_periods=1).median()
    spread = np.empty(len(means))
    spread[order] = usual
    return spread


def scaled(values, arm):
    """(rows, genes that vary) centred, divided by what the arm says."""
    means, spread = values.mean(axis=0), values.std(axis=0)
    varies = spread > 1e-6 * np.maximum(np.abs(means), 1)
    centred, spread = (values - means)[:, varies], spread[varies]
    divisors = {
        "standard": lambda: spread,
        "centre": lambda: np.ones(len(spread)),
        "pareto": lambda: np.sqrt(spread),
        "shrunken": lambda: spread + np.median(spread),
        "trend": lambda: _trend(centred, means[varies]),
        "noise": lambda: _noise(centred),
    }
    return centred / divisors[arm]()


ARMS = ("standard", "centre", "pareto", "shrunken", "trend", "noise")


def latent(one, samples, values, arm, seed):
    """(rows, units) of the trial of a run where genes are scaled as the arm says."""
    with tempfile.TemporaryDirectory() as folder:
        config = one.config(folder, max_trials=1)
        if arm in ("standard", "centre"):
            config["data"]["scale"] = arm
        else:
            path = str(Path(folder) / "scaled.parquet")
            frame = pd.DataFrame(scaled(values, arm), index=pd.Index(samples, name="sample"))
            frame.add_prefix("g").reset_index().to_parquet(path)
            config["data"] |= {"features": path, "transform": "none", "scale": "centre"}
        del config["data"]["targets"], config["data"]["target"]
        config |= {
            "seed": seed,
            "task": {"type": "representation"},
            "families": {"resvae": {"latent": DIMENSIONS}},
        }
        session = ag.AutoGenome(config)._session
        folds = session.prepared().cross_validation
        (result,) = search(folds, session.config, session.spaces)
        trial = result.trial
        model = folds.final_model(trial.configuration, result.fit, result.temperature)
        dataset, _ = session.rows.labelled
        found = pd.DataFrame(model.outputs(dataset.values), index=dataset.samples)
    return found.loc[samples].to_numpy()


def figures(points, truth, seed):
    """The figures of one space."""
    if truth.dtype.kind == "f":
        finder = sklearn.neighbors.NearestNeighbors(n_neighbors=NEIGHBOURS).fit(points)
        near = truth[finder.kneighbors(return_distance=False)]
        return {"knn": sklearn.metrics.r2_score(truth, near.mean(axis=1))}
    return integration.figures(points, truth, (), None, seed)


def scored(one, seed, arms):
    """Yield the figures of both methods in each arm for one seed."""
    samples, values = one.matrix()
    truth = one.truth(samples)
    for arm in arms:
        spaces = {
            "PCA": components(scaled(values, arm), seed),
            "Res-VAE": latent(one, samples, values, arm, seed),
        }
        for method, points in spaces.items():
            known = {"set": one.name, "arm": arm, "method": method, "seed": seed}
            yield known | figures(points, truth, seed)


def told(frame):
    """Print a row a set, and what its neighbours' figures choose."""
    for name in ("knn", "ari"):
        print(f"\n| {name}, Res-VAE / PCA | {' | '.join(ARMS)} |\n|---|{'--:|' * len(ARMS)}")
        for one, own in frame.dropna(subset=[name]).groupby("set"):
            shown = [
                " / ".join(
                    cell(own.loc[(own["arm"] == arm) & (own["method"] == method), name])
                    for method in ("Res-VAE", "PCA")
                )
                for arm in ARMS
            ]
            print(f"| {one} | {' | '.join(shown)} |")
    means = frame.pivot_table("knn", "set", ["method", "arm"])
    gains = means["Res-VAE"].sub(means["PCA"]["centre"], axis=0)[list(ARMS)]
    print(f"\nmean difference from components of centred values:\n{gains.mean().round(4)}")
    chosen = {one: gains.drop(index=one).mean().idxmax() for one in gains.index}
    worth = np.mean([gains.loc[one, arm] for one, arm in chosen.items()])
    print(f"chosen by the other sets: {chosen}\nworth {worth:.4f}")


def main():
    """Write a line a set, arm, method and seed; or print the tables of such a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--sets", nargs="*", default=BULK)
    parser.add_argument("--arms", nargs="*", default=ARMS)
    parser.add_argument("--seeds", nargs="*", type=int, default=(1,))
    parser.add_argument("--json", help="gets a line a set, arm, method and seed")
    parser.add_argument("--table", help="print the tables of such a file, train nothing")
    parsed = parser.parse_args()
    if parsed.table:
        told(pd.read_json(parsed.table, lines=True))
        return
    _console.talk(quiet=True)
    for seed in parsed.seeds:
        for one in sets(parsed.data, parsed.sets):
            for row in scored(one, seed, parsed.arms):
                with open(parsed.json, "a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
