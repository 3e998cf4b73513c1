"""What shared weights and the controller are worth, against what they must beat.

    python tests/benchmarks/enas.py
    python tests/benchmarks/enas.py --sets khan_srbct --arcs 6 --epochs 5 --seeds 1
    python tests/benchmarks/enas.py --tables protocol --seconds 40 --seeds 2

Agreement: children drawn uniformly are scored with shared weights (a bank for each seed) and
trained stand-alone (with as many seeds). Kendall's tau-b and Spearman's rho between shared scores
and the mean stand-alone score of a child, averaged over banks, with a 95 % bootstrap interval over
children; the ceiling is the same between two stand-alone seeds: no score can agree better with
another seed than seeds do among themselves.

Protocol: test log loss of whole runs of equal `search.max_seconds`, which holds tracing, baseline
and final fit. Arms, fixed before they are run: ENAS by `lstm`, by `evolution` and by `uniform`
draws on the same bank; `random`, KerasTuner's random search over the family wired, stand-alone in
the same space with all folds as replicas; `bayesian` over all families of networks, the linear one
included. Every network trains for at most the same epochs. Each seed has a split of its own.
Outcome: the mean over sets of the difference of test log loss from `random`, with a 95 % bootstrap
interval over sets; ENAS earns its place where that interval is below 0. Each run is printed as a
JSON line.

Cost: seconds of a search in which 100 children are sampled for the controller, divided by those of
one stand-alone training of the same epochs; the mean over arcs, the trace included.

Of the simulated sets, "twelve" has twelve classes in ten directions, so that narrow layers without
a way around them lose what is needed.
"""

import argparse
import itertools
import json
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
from autogenome_tf.search._enas.finalists import Finalists
from autogenome_tf.simulation import expression
from autogenome_tf.training import Plan, Trial

SIMULATED = "twelve"
SETS = ("khan_srbct", "tcga9_rnaseq", "brca_tcga_subtype", SIMULATED)
TABLES = ("agreement", "protocol")
CHILDREN = 100
ARMS = ("lstm", "evolution", "uniform", "random", "bayesian")
ALL_FAMILIES = ("linear", "mlp", "resnet", "densenet", "wired")
MOST_TRIALS = 10**6
# Finalists at most: time ends them.
FINALISTS = 20
RESAMPLED = 1000


def simulated(folder):
    """A config of twelve classes in ten directions, its files in a folder."""
    drawn = expression.draw(samples=500, features=300, classes=12, informative=10, interactions=0)
    frame = pd.DataFrame(drawn.values, drawn.samples, drawn.features).rename_axis("sample")
    frame.assign(target=drawn.target).to_csv(f"{folder}/rows.tsv", sep="\t")
    data = {"features": f"{folder}/rows.tsv", "target": "target"}
    return {"name": SIMULATED, "output_dir": str(folder), "data": data}


def configured(name, folder, parsed, seed, **search):
    """A config that searches wired networks of one set."""
    given = simulated(folder) if name == SIMULATED else sets(names=[name])[0].config(folder)
    space = {"layers": parsed.layers, "max_width": parsed.max_width}
    searched = {"method": "enas", "epochs": parsed.epochs} | search
    given |= {"seed": seed, "families": {"wired": space}, "search": searched}
    return ag.Config.of(given | {"training": {"epochs": parsed.epochs}})


def searcher_of(config, folds):
    """The search of a config, ready to begin."""
    given = families.spaces(config), config.search, config.training, config.objective
    return Finalists(Request(*given, config.seed, folds))


def drawn_codes(shared, count, seed=1):
    """Different children, (count, decisions)."""
    codes = np.unique(shared.uniform("drawn").sample(20 * count), axis=0)
    return np.random.default_rng(seed).permutation(codes)[:count]


def alone(folds, space, codes, epochs, seeds):
    """(children, seeds) scores of stand-alone networks, and the seconds of each first training."""
    scores, seconds = [], []
    for code in codes:
        values, started = space.values(code), time.monotonic()
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
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        config = configured(name, folder, parsed, 1)
        _, folds = prepared(rows_of(config), config)
        codes = drawn_codes(searcher_of(config, folds).shared, parsed.arcs)
        for seed in range(1, parsed.seeds + 1):
            shared = searcher_of(configured(name, folder, parsed, seed), folds).shared
            bank, _ = shared.trained()
            shares.append(shared.scores(bank, codes))
        single, seconds = alone(folds, shared.space, codes, parsed.epochs, parsed.seeds)
        few = {"updates": 1, "samples": -(-CHILDREN // parsed.epochs)}
        shared = searcher_of(configured(name, folder, parsed, 1, enas=few), folds).shared
        started = time.monotonic()
        bank, controller = shared.trained()
        shared.scores(bank, controller.sample(CHILDREN))
        ratio = (time.monotonic() - started) / np.mean(seconds)
    cells = []
    for measure in (scipy.stats.kendalltau, scipy.stats.spearmanr):
        cells += agreement(np.array(shares).T, single, measure)
    return [*cells, f"{ratio:.1f}"]


def armed(arm, name, folder, parsed, seed):
    """The config of an arm of the protocol."""
    limits = {"max_seconds": parsed.seconds, "max_trials": MOST_TRIALS, "epochs": parsed.epochs}
    if arm in ("random", "bayesian"):
        config = configured(name, folder, parsed, seed, method=arm, **limits)
        if arm == "random":
            return config
        given = config.model_dump()
        space = given["families"] | {one: {} for one in ALL_FAMILIES if one != "wired"}
        return ag.Config.of(given | {"families": space})
    limits |= {"max_trials": FINALISTS, "top_k": FINALISTS, "enas": {"controller": arm}}
    return configured(name, folder, parsed, seed, **limits)


def run(arm, name, parsed, seed):
    """A line of the protocol: the test log loss of a whole run, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        config, started = armed(arm, name, folder, parsed, seed), time.monotonic()
        automl = ag.AutoGenome(config)
        board = automl.train()
        seconds = time.monotonic() - started
        score = automl.evaluate()["test"]["log_loss"]["value"]
    best = board[board["trial"] > 0].iloc[0]
    return {
        "arm": arm, "set": name, "seed": seed, "test_log_loss": score, "seconds": seconds,
        "trials": int((board["trial"] > 0).sum()), "validation": float(best["score"]),
        "parameters": int(best["parameters"]),
    }  # fmt: skip


def protocol(parsed):
    """Print a JSON line a run, and the differences from random search."""
    lines = []
    for name, seed, arm in itertools.product(parsed.sets, range(1, parsed.seeds + 1), parsed.arms):
        lines.append(run(arm, name, parsed, seed))
        print(json.dumps(lines[-1]), flush=True)
    means = pd.DataFrame(lines).pivot_table(index="set", columns="arm", values="test_log_loss")
    print(means.round(3).to_string())
    if "random" not in means:
        return
    random = np.random.default_rng(1)
    for arm in means.columns.drop("random"):
        difference = (means[arm] - means["random"]).to_numpy()
        drawn = random.choice(difference, (RESAMPLED, len(difference))).mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        print(f"{arm} - random: {difference.mean():+.3f} ({low:+.3f} to {high:+.3f})", flush=True)


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
    parser.add_argument("--arms", nargs="*", default=ARMS, choices=ARMS)
    parser.add_argument("--seconds", type=float, default=60.0)
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
    if "protocol" in parsed.tables:
        protocol(parsed)


if __name__ == "__main__":
    main()
