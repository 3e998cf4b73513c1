"""Counts imputed by Res-VAE beside principal components: molecular cross-validation.

    python tests/benchmarks/imputation.py
    python tests/benchmarks/imputation.py --sets zeisel_3types --seeds 1

Protocol, written before it was run. Each seed is a run of its own with its own split: the default
configuration alone, ten latent units, without labels and covariates. The molecules of each test
sample are dealt into two halves (Batson, Royer and Webber 2019). From one half, Res-VAE and as many
principal components of log-normalised values expect the other. Components are of one half of the
molecules of the training samples; Res-VAE was trained on all their molecules. Figures, mean and
standard deviation over seeds, each divided by that of the means of genes, so that 1 knows nothing
of a sample and less is better: Poisson deviance of the counts, squared error of ln(1 + counts per
10,000). Components minimise the second, the likelihood of Res-VAE resembles the first. Counts of
pbmc3k are those that its logarithms are of; fractions of reads (pancreas) are rounded, so that the
likelihood is one of counts.
"""

import argparse
import tempfile

import numpy as np
import pandas as pd
import scipy.sparse
from integration import DIMENSIONS, cell
from sets import sets

import autogenome_tf as ag
from autogenome_tf.models._imputation import Imputation
from autogenome_tf.run import _console

SETS = ("pbmc3k", "zeisel_3types", "pancreas_3batches", "cellbench_3lines")
# Sets of ln(1 + counts per 10,000); the smallest value of a sample is one molecule.
OF_LOGS = ("pbmc3k",)


def counts_of(one):
    """(samples, genes) counts of a set as a frame."""
    with np.load(one.features) as arrays:
        samples = arrays["samples"].astype(str)
    values = scipy.sparse.load_npz(one.features).toarray().astype("float64")
    if one.name in OF_LOGS:
        shares = np.expm1(values)
        least = np.where(shares > 0, shares, np.inf).min(axis=1, keepdims=True)
        values = shares / least
    return pd.DataFrame(
        np.round(values), samples, [f"gene {number}" for number in range(values.shape[1])]
    )


def scored(one, seed):
    """Scores of the test part of one run."""
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "name": one.name, "output_dir": folder, "seed": seed,
            "data": {"transform": "library_log1p"},
            "task": {"type": "representation"},
            "families": {"resvae": {"latent": DIMENSIONS}},
            "search": {"max_trials": 1}, "output": {"figures": False},
        }  # fmt: skip
        automl = ag.AutoGenome(config, data=(counts_of(one), None))
        automl.train()
        dataset, split = automl._session.rows.labelled
        test = np.flatnonzero(split.part == "test")
        known = dataset.values, split.part == "train", test, seed
        measures = Imputation.of(automl._session.model(), *known).measures()
    return {key: measure(np.arange(len(test))) for key, measure in measures.items()}


def main():
    """Print a row a set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    head = [f"{name}: {key}" for key in ("deviance", "error") for name in ("Res-VAE", "PCA")]
    print(f"| set | {' | '.join(head)} |\n|---|{'--:|' * len(head)}", flush=True)
    for one in sets(names=parsed.sets):
        frame = pd.DataFrame([scored(one, seed) for seed in range(1, parsed.seeds + 1)])
        print(f"| {one.name} | {' | '.join(cell(frame[name]) for name in frame)} |", flush=True)


if __name__ == "__main__":
    main()
