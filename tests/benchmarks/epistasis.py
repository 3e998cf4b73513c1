"""What epistatic regularisation is worth on few measured genotypes, beside Lasso on products.

    python tests/benchmarks/epistasis.py
    python tests/benchmarks/epistasis.py --tables planted --seeds 2

`landscape`: brightness of a fluorescent protein for all 2^13 genotypes of 13 sites (Poelwijk et al.
2019); so many to train and to validate, all others test. `planted`: a function of 10 sites, the sum
of 8 products of 1 to 5 sites, noise a tenth of its deviation.

A network is a perceptron without dropout, of 2 layers of 16 (planted: 64) elu units; width and
activation are those that the penalised networks' validation rows of other draws preferred. `none`:
early stopping alone; `l2`, `exact`, `hashed`: with a penalty whose strength is the best of a grid
by the validation rows. `folds`: five networks, each stopped on a fifth of all labels, and averaged
(of up to three strengths, `ensemble.size` 3). `lasso`: scikit-learn's LassoCV on all products of up
to so many sites, on all labels. Networks are trained by the package's own search.

R2 and Pearson correlation of the test genotypes, mean +- standard deviation over seeds, each with
labels of its own; and the mean paired difference in R2 from the first Lasso, with its standard
error.
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn.exceptions
from sets import SHARED, sets
from sklearn.linear_model import LassoCV

import autogenome_tf as ag
from autogenome_tf import metrics
from autogenome_tf.ensemble._average import average
from autogenome_tf.nn import walsh_hadamard
from autogenome_tf.run import _console
from autogenome_tf.search import best_results, search
from autogenome_tf.simulation import landscape

STRENGTHS = [0.03, 0.01, 0.1]
L2 = [1e-3, 1e-4, 1e-2, 3e-2, 1e-1]
FOLDS = 5
# Name of the method: penalty, hyperparameters, and whether all labels take part in folds.
NETWORKS = {
    "none": (None, {}, False),
    "l2": (None, {"l2": L2}, False),
    "hashed": ({"method": "hashed", "strength": STRENGTHS}, {}, False),
    "exact": ({"method": "exact", "strength": STRENGTHS}, {}, False),
    "none, folds": (None, {}, True),
    "exact, folds": ({"method": "exact", "strength": STRENGTHS}, {}, True),
}


def split(samples, count, seed, in_folds):
    """Rows of a split file: so many to train and to validate, in folds or not; the rest to test."""
    drawn = np.random.default_rng(seed).permutation(len(samples))[: 2 * count]
    frame = pd.DataFrame({"sample": samples, "part": "test", "fold": 0})
    frame.loc[drawn, "part"] = "train"
    if in_folds:
        frame.loc[drawn, "fold"] = np.arange(2 * count) % FOLDS + 1
        return frame
    frame.loc[drawn[count:], "part"] = "validation"
    return frame.drop(columns="fold")


def predicted(name, frame, target, parts, units, seed):
    """What networks make of all genotypes, (rows,)."""
    epistasis, values, in_folds = NETWORKS[name]
    plain = {"dropout": 0.0, "input_dropout": 0.0, "l2": 0.0, "normalization": "none",
             "activation": "elu", "spectral_power": 0.0, "gene_power": 0.0}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        parts.to_csv(Path(folder) / "split.tsv", sep="\t", index=False)
        config = {
            "name": "epistasis", "seed": seed, "output_dir": folder,
            "data": {"transform": "none", "split": f"{folder}/split.tsv"},
            "task": {"type": "regression"},
            "families": {"mlp": {"layers": 2, "units": units, **plain, **values}},
            "search": {"method": "grid", "epochs": 150, "folds": FOLDS if in_folds else 1,
                       "repeats": 1},
            "training": {"epistasis": epistasis, "learning_rate": 0.01, "patience": 25,
                         "space": "genes"},
            "ensemble": {"size": 3 if in_folds else 1},
            "output": {"figures": False},
        }  # fmt: skip
        automl = ag.AutoGenome(config, data=(frame, target))
        if in_folds:
            automl.train()
            return automl._session.model().outputs(frame.to_numpy("float32"))[:, 0]
        automl._session.begun(("train",))
        _, folds = automl._session.prepared()
        best = []
        for result in search(folds, automl.config, automl.spaces):
            best = best_results([*best, result], 1, automl.config.objective, automl.spaces)
        # The network of the best trial itself: another seed's is not what validation chose.
        final = average(folds, best)
        return final.predictor.outputs(frame.to_numpy("float32"))[:, 0]


def lasso(order, frame, target, parts):
    """What the sparse linear model in products of up to so many sites makes of all genotypes."""
    products = walsh_hadamard.characters(
        frame, walsh_hadamard.subsets(frame.shape[1], order)
    ).astype("float64")
    known = (parts["part"] != "test").to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        return LassoCV(cv=FOLDS).fit(products[known], target[known]).predict(products)


def measured(draw, count, orders, units, seeds, names):
    """R2, Pearson correlation and seconds of each method for each seed: a frame."""
    lines = []
    for seed in seeds:
        frame, target = draw(seed)
        for name in [*(f"lasso, order {order}" for order in orders), *names]:
            parts = split(frame.index, count, seed, name.endswith("folds"))
            started = time.monotonic()
            if name.startswith("lasso"):
                found = lasso(int(name.split()[-1]), frame, target, parts)
            else:
                found = predicted(name, frame, target, parts, units, seed + 1)
            test = (parts["part"] == "test").to_numpy()
            scores = metrics.regression(target[test][:, None], found[test][:, None])
            line = {"method": name, "seed": seed, "seconds": time.monotonic() - started}
            line |= {key: float(scores[key][0]) for key in ("r2", "pearson")}
            lines.append(line)
            print(f"  {count} + {count}, seed {seed}, {name}: {line['r2']:.3f}", flush=True)
    return pd.DataFrame(lines)


def shown(frame):
    """Print one Markdown table."""
    first = frame["method"].iloc[0]
    print(f"| method | R2 | Pearson | R2 less that of {first} | seconds |\n|---|--:|--:|--:|--:|")
    base = frame[frame["method"] == first].set_index("seed")["r2"]
    for name, rows in frame.groupby("method", sort=False):
        away = rows.set_index("seed")["r2"] - base
        cells = [f"{rows[key].mean():.3f} ± {rows[key].std():.3f}" for key in ("r2", "pearson")]
        cells += ["–" if name == first else f"{away.mean():+.3f} ± {away.sem():.3f}"]
        print(f"| {name} | {' | '.join(cells)} | {rows['seconds'].mean():.1f} |")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--tables", nargs="+", default=["landscape", "planted"])
    parser.add_argument("--seeds", type=int, default=10, help="of the landscape")
    parser.add_argument("--planted-seeds", type=int, default=4)
    parser.add_argument("--planted-labels", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--methods", nargs="+", default=list(NETWORKS))
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    if "landscape" in parsed.tables:
        (protein,) = sets(parsed.data, ["poelwijk_fluorescence"])
        samples, values = protein.matrix()
        features = pd.read_csv(protein.features, sep="\t", index_col=0, nrows=0).columns
        drawn = pd.DataFrame(values, samples, features), protein.truth(samples)
        for count in (60, 120):
            print(f"landscape, {count} + {count} labels", flush=True)
            seeds = range(parsed.seeds)
            shown(measured(lambda _: drawn, count, (2, 3), 16, seeds, parsed.methods))
    if "planted" in parsed.tables:
        for count in parsed.planted_labels:
            print(f"planted, {count} + {count} labels", flush=True)
            seeds = range(parsed.planted_seeds)
            shown(measured(planted, count, (5,), 64, seeds, parsed.methods))


def planted(seed):
    """All genotypes of a planted landscape and their noisy values."""
    found = landscape.draw(samples=1024, features=10, terms=8, order=5, noise=0.1, seed=seed)
    return pd.DataFrame(found.values, found.samples, found.features), found.target


if __name__ == "__main__":
    main()
