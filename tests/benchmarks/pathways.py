"""Whether networks wired by gene sets find planted ones, and what the wiring is worth on real data.

    python tests/benchmarks/pathways.py planted
    python tests/benchmarks/pathways.py real
    python tests/benchmarks/pathways.py planted --seeds 1 --samples 200 --features 400 --networks 4

Planted: simulated expression of which three of a hundred gene sets decide the class. The area under
the ROC curve (AUROC) of these sets among all, by `share` (importance alone) and by `above` (beside
both controls) of sets.tsv; the same for gene sets whose genes were exchanged for others, which must
be chance; the rank correlation of a set's size and its importance on shuffled targets (hub bias),
which needs sets of several sizes; and balanced accuracy of test rows for the sets, exchanged genes,
a dense network of as many weights, the family mlp, and logistic regression.

Real: Hallmark and Reactome on tcga9_rnaseq and pbmc3k, the same columns but AUROC, and the paired
difference from exchanged genes over splits, with its standard error. A wiring is worth something
only where it beats exchanged genes.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.stats
import sklearn.metrics
from sets import SHARED, sets

import autogenome_tf as ag
from autogenome_tf import data
from autogenome_tf.run import _console
from autogenome_tf.simulation import pathways

COLLECTIONS = {
    "hallmark": "hallmark_msigdb_v7.0.gmt",
    "reactome": "reactome_msigdb_v6.2.gmt",
}
REAL = ("tcga9_rnaseq", "pbmc3k")


def written(gene_sets, path):
    """Write gene sets, pairs of name and genes, as GMT; returns the path."""
    path.write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in gene_sets))
    return str(path)


def exchanged(gene_sets, features, seed):
    """The same sets with every measured gene exchanged for another one."""
    order = np.random.default_rng(seed).permutation(len(features))
    other = dict(zip(features, np.asarray(features)[order], strict=True))
    return [(name, [other.get(gene, gene) for gene in genes]) for name, genes in gene_sets]


def fitted(base, rows, families, folder, name):
    """An `AutoGenome` trained on one family, with its balanced accuracy on test rows."""
    config = base | {"name": name, "output_dir": str(folder), "families": families}
    automl = ag.AutoGenome(config, data=rows)
    automl.train()
    return automl, automl.evaluate()["test"]["balanced_accuracy"]["value"]


def compared(base, rows, gene_sets, features, folder, name):
    """Accuracies of one wiring and what it is compared with, and the wired run."""
    folder = Path(folder)
    own = {"gene_sets": written(gene_sets, folder / f"{name}.gmt")}
    others = exchanged(gene_sets, features, base["seed"])
    other = {"gene_sets": written(others, folder / f"{name}_other.gmt")}
    automl, accuracy = fitted(base, rows, {"pathway": own}, folder, f"{name}-own")
    control, control_accuracy = fitted(base, rows, {"pathway": other}, folder, f"{name}-other")
    size = int(automl._session.run.read_table("leaderboard.tsv")["parameters"].iloc[0])
    dense = {"mlp": {"layers": 1, "units": max(1, round(size / len(features)))}}
    found = {
        "sets": accuracy,
        "other genes": control_accuracy,
        "dense, equal size": fitted(base, rows, dense, folder, f"{name}-dense")[1],
    }
    return automl, control, found


def unmasked(base, rows, folder):
    """Accuracies of families without sets."""
    return {
        family: fitted(base, rows, {family: {}}, folder, family)[1] for family in ("mlp", "linear")
    }


def explained(automl):
    """sets.tsv of a run."""
    automl.explain()
    return automl._session.run.read_table("sets.tsv")


def planted(parsed):
    """Print the table of simulated data, a line a seed and their means."""
    columns = ["AUROC share", "AUROC above", "AUROC other genes", "size on shuffled targets",
               "sets", "other genes", "dense, equal size", "mlp", "linear"]  # fmt: skip
    print(f"| seed | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}", flush=True)
    lines = []
    for seed in range(1, parsed.seeds + 1):
        drawn = pathways.draw(samples=parsed.samples, features=parsed.features, seed=seed)
        frame = pd.DataFrame(drawn.values, drawn.samples, drawn.features)
        names = np.array(drawn.features)
        gene_sets = [
            (name, names[own].tolist())
            for name, own in zip(drawn.truth["set"], drawn.members, strict=True)
        ]
        with tempfile.TemporaryDirectory() as folder:
            base = _base(parsed, seed)
            rows = frame, drawn.target
            automl, control, found = compared(
                base, rows, gene_sets, drawn.features, folder, "planted"
            )
            table, null = explained(automl), explained(control)
            found |= unmasked(base, rows, folder)
        truth = drawn.truth.set_index("set")["role"] == "informative"
        line = [
            _auroc(truth, table, "share"), _auroc(truth, table, "above"),
            _auroc(truth, null, "above"),
            scipy.stats.spearmanr(table["genes"], table["other_labels"]).statistic
            if table["genes"].nunique() > 1 else np.nan,
            *(found[name] for name in columns[4:]),
        ]  # fmt: skip
        lines.append(line)
        _tell(seed, line)
    _tell("mean", np.mean(lines, axis=0))


def real(parsed):
    """Print a table of real data sets, a line a set and collection: means over splits."""
    columns = ["sets", "other genes", "difference", "dense, equal size", "mlp", "linear"]
    print(f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}", flush=True)
    for one in sets(names=parsed.names):
        config = one.config(".")
        found = {name: [] for name in COLLECTIONS}
        for seed in range(1, parsed.seeds + 1):
            base = _base(parsed, seed) | {"data": config["data"], "task": config["task"]}
            with tempfile.TemporaryDirectory() as folder:
                beside = unmasked(base, None, folder)
                features = _features(one)
                for name, file in COLLECTIONS.items():
                    path = SHARED / "genesets" / file
                    gene_sets = [(s.name, s.genes) for s in data.read_gene_sets([str(path)])]
                    own = compared(base, None, gene_sets, features, folder, name)[2]
                    found[name].append(own | beside)
        for name, lines in found.items():
            frame = pd.DataFrame(lines)
            change = frame["sets"] - frame["other genes"]
            error = change.std(ddof=1) / len(change) ** 0.5 if len(change) > 1 else np.nan
            cells = [f"{frame[key].mean():.3f}" for key in columns if key != "difference"]
            cells.insert(2, f"{change.mean():+.3f} ± {error:.3f}")
            print(f"| {one.name}, {name} | {' | '.join(cells)} |", flush=True)


def _base(parsed, seed):
    return {
        "seed": seed,
        "search": {"max_trials": parsed.trials, "epochs": 20},
        "explanation": {"sets": parsed.networks},
        "output": {"figures": False},
    }


def _features(one):
    return list(data.read_table(str(one.features)).features)


def _auroc(truth, table, column):
    scores = table.set_index("set")[column]
    return sklearn.metrics.roc_auc_score(truth.loc[scores.index], scores)


def _tell(name, line):
    cells = ["–" if np.isnan(value) else f"{value:.3f}" for value in line]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    """Print one of the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=["planted", "real"])
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--features", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--names", nargs="+", default=REAL, help="of real data sets")
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    {"planted": planted, "real": real}[parsed.table](parsed)


if __name__ == "__main__":
    main()
