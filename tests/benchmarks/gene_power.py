"""Recovery of few planted genes among very many by gene power, and test accuracy.

    python tests/benchmarks/gene_power.py
    python tests/benchmarks/gene_power.py --genes 2000 --seeds 1 --powers 0 2
    python tests/benchmarks/gene_power.py --powers --default 120

Eight classes of samples x genes of standard normal noise, in which each of 40 genes is shifted by 2
in one class: half of the samples to learn from, half to test. The linear family, its L2 chosen by
five folds, with each gene power: test accuracy, and planted genes among the 40 whose kernels are
largest. The same on shuffled labels must be chance. Means over seeds.

`--default SECONDS` runs the default config with that budget; its foremost genes are those of
attributions.tsv.
"""

import argparse
import tempfile

import numpy as np
import pandas as pd

import autogenome_tf as ag
from autogenome_tf.run import _console

CLASSES, PLANTED, SHIFT = 8, 40, 2.0
UNLIMITED = 10**6


def simulated(samples, genes, seed):
    """Return (samples, genes) float32 and the class of each sample."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(samples) % CLASSES)
    rows = random.normal(size=(samples, genes)).astype("float32")
    for gene in range(PLANTED):
        rows[labels == gene % CLASSES, gene] += SHIFT
    return rows, labels


def measured(rows, labels, changes, folder, seed):
    """Return test accuracy, and the number of planted genes among the foremost."""
    samples = [f"sample_{sample}" for sample in range(len(rows))]
    frame = pd.DataFrame(rows, samples, [f"gene_{gene}" for gene in range(rows.shape[1])])
    targets = pd.Series([f"class_{label}" for label in labels], samples, name="target")
    config = {
        "name": f"run_{seed}", "seed": seed, "output_dir": folder,
        "data": {"split": {"test": 0.5}, "transform": "none"},
        "output": {"figures": False}, **changes,
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(frame, targets))
    automl.train()
    accuracy = automl.evaluate()["test"]["accuracy"]["value"]
    foremost = _by_attribution(automl) if "families" not in changes else _by_kernel(automl)
    return accuracy, np.sum(foremost < PLANTED)


def _by_kernel(automl):
    """Return the numbers of the genes with the largest weights."""
    network = ag.models.Predictor.load(automl.folder / "model.keras").branches[0].network
    kernel = network.get_weights()[0]
    return np.argsort(-np.linalg.norm(kernel, axis=1))[:PLANTED]


def _by_attribution(automl):
    """Return the numbers of the genes with the largest attributions."""
    ranked = automl.explain().sort_values("rank")["feature"]
    return ranked.str.removeprefix("gene_").astype(int).to_numpy()[:PLANTED]


def main():
    """Print a line for each gene power."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--powers", type=float, nargs="*", default=[0.0, 0.5, 1.0, 2.0])
    parser.add_argument("--default", type=float, help="seconds of the default config")
    asked = parser.parse_args()
    _console.talk(quiet=True)
    runs = {f"{power:g}": {"families": {"linear": {"gene_power": power}}} for power in asked.powers}
    if asked.default:
        runs["default"] = {"search": {"max_seconds": asked.default, "max_trials": UNLIMITED}}
    print(f"{'power':>8} {'accuracy':>9} {'planted':>8} {'shuffled':>9}")
    for name, changes in runs.items():
        found = []
        for seed in range(asked.seeds):
            rows, labels = simulated(asked.samples, asked.genes, seed)
            shuffled = np.random.default_rng(seed).permutation(labels)
            with tempfile.TemporaryDirectory() as folder:
                own = measured(rows, labels, changes, folder, seed)
                chance = measured(rows, shuffled, changes, folder, seed + 1000)
            found.append([*own, chance[0]])
        accuracy, planted, chance = np.mean(found, axis=0)
        print(f"{name:>8} {accuracy:9.3f} {planted:8.1f} {chance:9.3f}", flush=True)


if __name__ == "__main__":
    main()
