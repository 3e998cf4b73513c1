"""What shared weights and the controller are worth, against what they must beat.

    python tests/benchmarks/enas.py
    python tests/benchmarks/enas.py --sets khan_srbct --arcs 6 --epochs 5 --seeds 1

Agreement: arcs drawn uniformly are scored with shared weights (a bank for each seed) and trained
stand-alone (with as many seeds). Kendall's tau-b and Spearman's rho between shared scores and the
mean stand-alone score of an arc, averaged over banks, with a 95 % bootstrap interval over arcs;
the ceiling is the same between two stand-alone seeds: no score can agree better with another seed
than seeds do among themselves.

Search: the test score (balanced accuracy, R2) and the validation objective of the best trial of
whole runs: ENAS; ENAS with a controller that learns nothing, at the same cost; KerasTuner's random
search over the family wired for the seconds that ENAS took, which tries other dimensions beside the
arc (dropout, spectral power ...) too. Means over seeds, of which each has a split of its own.

Cost: seconds of a search in which 100 children are sampled for the controller, divided by those of
one stand-alone training of the same epochs; the mean over arcs, the trace included.

Of the simulated sets, "twelve" has twelve classes in ten directions, so that narrow layers without
a way around them lose what is needed.
"""

import argparse
import itertools
import tempfile
import time

import numpy as np
import pandas as pd
import scipy.stats
from sets import sets

import autogenome_tf as ag
from autogenome_tf import families
from autogenome_tf.automl._rows import prepared, rows_of
from autogenome_tf.run import _console
from autogenome_tf.search import Request
from autogenome_tf.search._enas.controller import Uniform
from autogenome_tf.search._enas.finalists import Finalists
from autogenome_tf.simulation import expression
from autogenome_tf.training import Plan, Trial

SETS = ("khan_srbct", "tcga9_rnaseq", "brca_tcga_subtype", "twelve")
TABLES = ("agreement", "searches")
CHILDREN = 100
RESAMPLED = 1000


def simulated(folder):
    """A config of twelve classes in ten directions, its files in a folder."""
    drawn = expression.draw(samples=500, features=300, classes=12, informative=10, interactions=0)
    frame = pd.DataFrame(drawn.values, drawn.samples, drawn.features).rename_axis("sample")
    frame.assign(target=drawn.target).to_csv(f"{folder}/rows.tsv", sep="\t")
    data = {"features": f"{folder}/rows.tsv", "target": "target"}
    return {"name": "twelve", "output_dir": str(folder), "data": data}


def configured(name, folder, parsed, seed, **search):
    """A config that searches wired networks of one set."""
    (one,) = sets(names=[name]) or [None]
    given = one.config(folder) if one else simulated(folder)
    space = {"layers": parsed.layers, "max_width": parsed.max_width}
    searched = {"method": "enas", "epochs": parsed.epochs} | search
    given |= {"seed": seed, "families": {"wired": space}, "search": searched}
    return ag.Config.of(given | {"training": {"epochs": parsed.epochs}})


def searcher_of(config, folds):
    """The search of a config, ready to begin."""
    given = families.spaces(config), config.search, config.training, config.objective
    return Finalists(Request(*given, config.seed, folds))


def drawn_arcs(wiring, count, seed=1):
    """Different arcs, (count, decisions)."""
    arcs = np.unique(Uniform(wiring.allowed, seed).sample(20 * count), axis=0)
    return np.random.default_rng(seed).permutation(arcs)[:count]


def alone(folds, wiring, arcs, epochs, seeds):
    """(arcs, seeds) scores of stand-alone networks, and the seconds of each first training."""
    scores, seconds = [], []
    for arc in arcs:
        values, started = wiring.values(arc), time.monotonic()
        own = []
        for seed in range(1, seeds + 1):
            fit = folds.fit("wired", values, Plan(epochs), seed)
            own.append(folds.judge(Trial(1, "wired", values), fit).trial.score)
            if seed == 1:
                seconds.append(time.monotonic() - started)
        scores.append(own)
    return np.array(scores), seconds


def agreement(shared, single, measure):
    """A rank correlation of (arcs, banks) with (arcs, seeds), its interval, and its ceiling."""

    def mean(index):
        means = single[index].mean(axis=1)
        return np.mean([measure(bank[index], means).statistic for bank in shared.T])

    everything = np.arange(len(single))
    random = np.random.default_rng(1)
    resampled = [mean(random.choice(everything, len(single))) for _ in range(RESAMPLED)]
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    pairs = itertools.combinations(single.T, 2)
    ceiling = (
        np.mean([measure(a, b).statistic for a, b in pairs]) if single.shape[1] > 1 else np.nan
    )
    return f"{mean(everything):.2f} ({low:.2f} to {high:.2f})", f"{ceiling:.2f}"


def agree(name, parsed):
    """The row of one set in the first table."""
    shared = []
    with tempfile.TemporaryDirectory() as folder:
        config = configured(name, folder, parsed, 1)
        _, folds = prepared(rows_of(config), config)
        for seed in range(1, parsed.seeds + 1):
            searcher = searcher_of(configured(name, folder, parsed, seed), folds)
            arcs = drawn_arcs(searcher.wiring, parsed.arcs)
            bank, _ = searcher.trained()
            shared.append(searcher.scores(bank, arcs))
        single, seconds = alone(folds, searcher.wiring, arcs, parsed.epochs, parsed.seeds)
        few = {"updates": 1, "samples": -(-CHILDREN // parsed.epochs)}
        searcher = searcher_of(configured(name, folder, parsed, 1, enas=few), folds)
        started = time.monotonic()
        bank, controller = searcher.trained()
        searcher.scores(bank, controller.sample(CHILDREN))
        ratio = (time.monotonic() - started) / np.mean(seconds)
    cells = []
    for measure in (scipy.stats.kendalltau, scipy.stats.spearmanr):
        cells += agreement(np.array(shared).T, single, measure)
    return [*cells, f"{ratio:.1f}"]


def run(name, parsed, seed, **search):
    """Test score of a whole run, that of its baseline, and its seconds of search."""
    with tempfile.TemporaryDirectory() as folder:
        automl = ag.AutoGenome(configured(name, folder, parsed, seed, **search))
        board = automl.train()
        scores = automl.evaluate()["test"]
        times = automl._session.run.read_json("environment.json")["times"]
        metric = "r2" if "r2" in scores else "balanced_accuracy"
    trials = int((board["trial"] > 0).sum())
    return scores[metric]["value"], float(board[board["trial"] > 0]["score"].iloc[0]), trials, times


def searches(name, parsed):
    """The row of one set in the second table."""
    found = {"lstm": [], "uniform": [], "random": []}
    spent = []
    for seed in range(1, parsed.seeds + 1):
        for controller in ("lstm", "uniform"):
            *scores, times = run(name, parsed, seed, enas={"controller": controller})
            found[controller].append(scores)
            if controller == "lstm":
                spent.append(times["search"])
        limits = {"max_seconds": spent[-1] / 0.75, "max_trials": 10**6}
        *scores, _ = run(name, parsed, seed, method="random", **limits)
        found["random"].append(scores)
    means = {one: np.mean(scores, axis=0) for one, scores in found.items()}
    cells = [f"{means[one][0]:.3f} / {means[one][1]:.3f}" for one in found]
    return [*cells, f"{means['random'][2]:.0f}", f"{np.mean(spent):.0f}"]


def show(title, columns, rows):
    """Print a table."""
    print(f"\n{title}\n\n| set | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for name, cells in rows:
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="*", default=TABLES, choices=TABLES)
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--arcs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--max-width", type=int, default=64)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    if "agreement" in parsed.tables:
        show(
            f"agreement of shared with stand-alone scores, {parsed.arcs} arcs, {parsed.seeds} "
            f"seeds; cost of a search with {CHILDREN} sampled children in stand-alone trainings",
            ["Kendall's tau (95 %)", "ceiling", "Spearman's rho (95 %)", "ceiling", "cost"],
            ((name, agree(name, parsed)) for name in parsed.sets),
        )
    if "searches" in parsed.tables:
        show(
            "searches: test score / validation objective, at equal seconds",
            ["ENAS", "uniform controller", "random search", "its trials", "seconds"],
            ((name, searches(name, parsed)) for name in parsed.sets),
        )


if __name__ == "__main__":
    main()
