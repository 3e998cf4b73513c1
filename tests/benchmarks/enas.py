"""What shared weights and the controller are worth, against what they must beat.

    python tests/benchmarks/enas.py --output lines.jsonl
    python tests/benchmarks/enas.py --tables agreement --sets khan_srbct --arcs 6 --seeds 1
    python tests/benchmarks/enas.py --tables protocol --limit 10000 --arms evolution random

All seconds are those of the processors (`time.process_time`), also for the deadlines of the search:
what else the machine does takes nothing from any arm. A run of five seconds goes before all others,
so that no arm pays for the first use of TensorFlow.

Agreement: children drawn uniformly are scored with shared weights (a bank for each seed) and
trained stand-alone (with as many seeds). Kendall's tau-b and Spearman's rho between shared scores
and the mean stand-alone score of a child, averaged over banks, with a 95 % bootstrap interval over
children; the ceiling is the same between two stand-alone seeds: no score can agree better with
another seed than seeds do among themselves.

Protocol: test log loss of whole runs of equal `search.max_seconds`, which holds tracing, baseline
and final fit. Arms, fixed before they are run: ENAS by `lstm`, by `evolution` and by `uniform`
draws on the same bank; `random`, children of the same space drawn uniformly and trained stand-alone
in all folds; `bayesian` over all families of networks, the linear one included, begun with the
defaults of the families, since the portfolio was chosen on some of these sets. Every network trains
for at most the same epochs. Each seed has a split of its own, at most 300 rows or half of them to
learn from: the more there are to test, the less of a difference is chance. Sets: classifications of
180 or more rows, and two simulated ones. With `--limit`, `search.max_parameters`, of which
`bayesian` knows nothing, on the 1,000 genes of largest variance.
Outcome: the mean over sets of the difference of test log loss from `random`, with a 95 % interval
by a hierarchical bootstrap (sets, then seeds of each); ENAS earns its place where that interval is
below 0. Each run is a JSON line of `--output`, and is not repeated if that has it.

Cost: seconds of a search in which 100 children are sampled for the controller, divided by those of
one stand-alone training of the same epochs; the mean over arcs, the trace included.

Of the simulated sets, "twelve" has twelve classes in ten directions, so that narrow layers without
a way around them lose what is needed; "pairs" has three classes that half depend on pairs of genes,
which no linear bypass can see.
"""

import argparse
import contextlib
import itertools
import json
import tempfile
import time
from pathlib import Path
from unittest import mock

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
from autogenome_tf.training import Configuration, Plan, Trial

SIMULATED = {
    "twelve": {"features": 300, "classes": 12, "informative": 10, "interactions": 0},
    "pairs": {"features": 30, "classes": 3, "informative": 3, "interactions": 6, "blocks": 0},
}
SETS = (
    "brca_tcga_er", "brca_tcga_subtype", "cellbench_3lines", "concoct_contigs",
    "microbiome_vaginal_nugent", "pancreas_3batches", "pbmc3k", "tcga9_rnaseq", "zeisel_3types",
    *SIMULATED,
)  # fmt: skip
TABLES = ("agreement", "protocol")
CHILDREN = 100
ARMS = ("lstm", "evolution", "uniform", "random", "bayesian")
ALL_FAMILIES = ("linear", "mlp", "resnet", "densenet", "wired")
# Rows to learn from, at most, and their share; genes where there is a limit.
LEARNT, SHARE, LIMITED_GENES = 300, 0.5, 1000
# Time ends the finalists, and the draws of random search; Gaussian processes begin after a quarter.
FINALISTS, DRAWS, TRIALS = 20, 1000, 24
# Seconds of the run that no arm pays for.
FIRST_USE = 5.0
RESAMPLED = 1000


def simulated(name, folder):
    """A config of a simulated set, its files in a folder."""
    drawn = expression.draw(samples=1000, **SIMULATED[name])
    frame = pd.DataFrame(drawn.values, drawn.samples, drawn.features).rename_axis("sample")
    frame.assign(target=drawn.target).to_csv(f"{folder}/rows.tsv", sep="\t")
    data = {"features": f"{folder}/rows.tsv", "target": "target"}
    return {"name": name, "output_dir": str(folder), "data": data}


def configured(name, folder, parsed, seed, **search):
    """A config that searches wired networks of one set."""
    given = simulated(name, folder) if name in SIMULATED else sets(names=[name])[0].config(folder)
    rows = len(pd.read_csv(given["data"].get("targets", given["data"]["features"]), sep="\t"))
    share = min(SHARE, LEARNT / rows)
    data = {"split": {"test": 1 - share, "validation": share / 5}, "rare_classes": "leave_out"}
    if parsed.limit:
        data["top_variable"] = LIMITED_GENES
    space = {"layers": parsed.layers, "max_width": parsed.max_width}
    searched = {"method": "enas", "epochs": parsed.epochs, "max_parameters": parsed.limit}
    searched |= {"folds": 5} | search
    given |= {"seed": seed, "families": {"wired": space}, "search": searched}
    given["data"] |= data
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
        values, started = space.values(code), time.process_time()
        own = []
        for seed in range(1, seeds + 1):
            fit = folds.fit(Configuration("wired", values), Plan(epochs), seed)
            own.append(folds.judge(Trial(1, "wired", values), fit).trial.score)
            if seed == 1:
                seconds.append(time.process_time() - started)
        scores.append(own)
    return np.array(scores), seconds


def agreement(shared, single, measure):
    """A rank correlation of (arcs, banks) with (arcs, seeds), its interval, and its ceiling."""

    def mean(index):
        means = single[index].mean(axis=1)
        return np.mean([measure(bank[index], means).statistic for bank in shared.T])

    everything = np.arange(len(single))
    random = np.random.default_rng(1)
    drawn = [mean(random.choice(everything, len(single))) for _ in range(RESAMPLED)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
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
        started = time.process_time()
        bank, controller = shared.trained()
        shared.scores(bank, controller.sample(CHILDREN))
        ratio = (time.process_time() - started) / np.mean(seconds)
    cells = []
    for measure in (scipy.stats.kendalltau, scipy.stats.spearmanr):
        cells += agreement(np.array(shares).T, single, measure)
    return [*cells, f"{ratio:.1f}"]


def armed(arm, name, folder, parsed, seed):
    """The config of an arm of the protocol."""
    limits = {"max_seconds": parsed.seconds}
    if arm == "bayesian":
        limits |= {"method": arm, "max_trials": TRIALS, "start": "defaults"}
        config = configured(name, folder, parsed, seed, **limits)
        given = config.model_dump()
        space = given["families"] | {one: {} for one in ALL_FAMILIES if one != "wired"}
        return ag.Config.of(given | {"families": space})
    most = DRAWS if arm == "random" else FINALISTS
    limits |= {"max_trials": most, "top_k": most}
    controller = "uniform" if arm == "random" else arm
    return configured(name, folder, parsed, seed, **limits, enas={"controller": controller})


def without_bank(finalists):
    """Finalists drawn uniformly from the space, which no shared weights have seen."""
    codes = np.unique(finalists.shared.uniform("stand-alone").sample(DRAWS), axis=0)
    codes = np.random.default_rng(1).permutation(codes)
    return [finalists.space.line(code) | {"shared_score": np.nan} for code in codes]


# Random search refines nothing, and has no bank to report on.
WITHOUT_BANK = {
    "_found": without_bank,
    "_with_other_rates": lambda finalists: None,
    "_report": lambda finalists: None,
}


def run(arm, name, parsed, seed):
    """A line of the protocol: the test log loss of a whole run, and its seconds."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as patched:
        for method, other in WITHOUT_BANK.items() if arm == "random" else ():
            patched.enter_context(mock.patch.object(Finalists, method, other))
        automl = ag.AutoGenome(armed(arm, name, folder, parsed, seed))
        started, wall = time.process_time(), time.perf_counter()
        board = automl.train()
        seconds, wall = time.process_time() - started, time.perf_counter() - wall
        score = automl.evaluate()["test"]["log_loss"]["value"]
    tried = board[board["trial"] > 0]
    return {
        "arm": arm, "set": name, "seed": seed, "limit": parsed.limit, "test_log_loss": score,
        "seconds": seconds, "wall": wall, "trials": len(tried),
        "validation": float(tried.iloc[0]["score"]), "parameters": int(tried.iloc[0]["parameters"]),
    }  # fmt: skip


def known(path, limit):
    """The lines of an earlier protocol with this limit, none without one."""
    text = path.read_text(encoding="utf-8") if path and path.exists() else ""
    return [line for line in map(json.loads, text.splitlines()) if line["limit"] == limit]


def protocol(parsed):
    """Print a JSON line a run, and the differences from random search."""
    lines = known(parsed.output, parsed.limit)
    done = {(line["seed"], line["set"], line["arm"]) for line in lines}
    asked = itertools.product(range(1, parsed.seeds + 1), parsed.sets, parsed.arms)
    left = [one for one in asked if one not in done]
    if left:
        first = argparse.Namespace(**vars(parsed) | {"seconds": FIRST_USE})
        run(left[0][2], left[0][1], first, left[0][0])
    for seed, name, arm in left:
        lines.append(run(arm, name, parsed, seed))
        print(json.dumps(lines[-1]), flush=True)
        if parsed.output:
            with parsed.output.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(lines[-1]) + "\n")
    compared(pd.DataFrame(lines))


def compared(lines):
    """Print the test log loss of each set and arm, and differences from random search."""
    each = lines.pivot_table(index=["set", "seed"], columns="arm", values="test_log_loss").dropna()
    means = each.groupby("set").mean()
    print(means.round(3).to_string())
    for arm in each.columns.drop("random", errors="ignore") if "random" in each else ():
        difference = (each[arm] - each["random"]).groupby("set").agg(list)
        mean = np.mean([np.mean(own) for own in difference])
        low, high = np.quantile(resampled(list(difference)), [0.025, 0.975])
        print(f"{arm} - random: {mean:+.3f} ({low:+.3f} to {high:+.3f})", flush=True)


def resampled(differences):
    """Means of a hierarchical bootstrap of differences, a list of seeds a set."""
    random, count = np.random.default_rng(1), len(differences)
    return [
        np.mean([
            random.choice(differences[place], len(differences[place])).mean()
            for place in random.integers(count, size=count)
        ])
        for _ in range(RESAMPLED)
    ]  # fmt: skip


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
    parser.add_argument("--output", type=Path, help="JSON lines, which grow with each run")
    parser.add_argument("--limit", type=int, help="search.max_parameters")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--arcs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--max-width", type=int, default=64)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    # Deadlines of the package are read from this clock.
    with mock.patch.object(time, "monotonic", time.process_time):
        if "agreement" in parsed.tables:
            show(
                f"agreement of shared with stand-alone scores, {parsed.arcs} children, "
                f"{parsed.seeds} seeds; cost of {CHILDREN} children in stand-alone trainings",
                ["Kendall's tau (95 %)", "ceiling", "Spearman's rho (95 %)", "ceiling", "cost"],
                ((name, agree(name, parsed)) for name in parsed.sets),
            )
        if "protocol" in parsed.tables:
            protocol(parsed)


if __name__ == "__main__":
    main()
