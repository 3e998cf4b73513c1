"""Starting points of searches, chosen from what trials scored on data sets.

    python tests/benchmarks/portfolio.py --scores scores.jsonl
    python tests/benchmarks/portfolio.py --scores scores.jsonl --without khan_srbct --write

The protocol. It was written before any list was made, but for the baseline: with first scores seen,
it left the list, since every search runs it anyway, and became where the regret starts. On each
set, at most 300 rows of the training part of the first split of accuracy.py, these trials are
scored out of fold, as a search with default settings does: the baseline and every linear learner,
the default of each family of networks, and 30 random networks. These are of four structures, so
that a set compiles few steps; dropouts, L2 and powers are drawn from all their options. `--scores`
grows with each trial. A set that it holds is not run again; one that was cut off counts for
nothing.

A list has the best four linear learners beside the baseline and the best four networks, each chosen
greedily (Feurer et al. 2022, auto-sklearn 2.0): a place goes to the trial that leaves the lowest
mean over sets of the regret of the best so far, for learners of the baseline too. Regret is the
distance to the best trial of the set, in units of the distance between that and the median, at most
1. Each task has a list of its own.

A list is judged on a set that it was not chosen from: the best score of its eight trials and the
baseline, of the eight that a search without it begins with and the baseline, and of 30 random
networks; also of the networks of the list, and of the defaults of families. `--write` writes the
lists of all sets but those of `--without` to the package.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import accuracy
import numpy as np
import pandas as pd
from sets import SHARED, read_lines, sets

from autogenome_tf import families
from autogenome_tf.automl._rows import prepared, rows_of
from autogenome_tf.config import Config
from autogenome_tf.run import _console
from autogenome_tf.search._linear import LinearTrials
from autogenome_tf.search._starts import PORTFOLIO
from autogenome_tf.search._trials import run_trial
from autogenome_tf.training import Plan, Trial

ROWS, DRAWS, PLACES, SEED = 300, 30, 4, 7
DEFAULTS = [("mlp", {}), ("resnet", {}), ("densenet", {})]
STRUCTURES = [
    ("mlp", {"layers": 1, "units": 128}),
    ("mlp", {"layers": 2, "units": 64}),
    ("resnet", {"width": 64, "n_blocks": 1, "layers_per_block": 2}),
    ("densenet", {}),
]
# Forests behind them, chosen by forest_trials.py: those of larger leaves are the quicker ones.
FORESTS = [("forest", {"max_features": share, "min_leaf": 3}) for share in ("sqrt", "tenth")]
DRAWN = ("dropout", "input_dropout", "l2", "spectral_power", "gene_power")
# Hyperparameters of a learner that no path chooses.
NAMED = ("loss", "gene_power")
KINDS = ("linear", "networks")


def networks():
    """Return family and named hyperparameters of each network, the defaults first."""
    random, found = np.random.default_rng(SEED), list(DEFAULTS)
    for number in range(DRAWS):
        family, own = STRUCTURES[number % len(STRUCTURES)]
        options = {name: families.space(family)[name].options for name in DRAWN}
        drawn = {name: known[random.integers(len(known))] for name, known in options.items()}
        found.append((family, own | drawn))
    return found


def complete(family, values):
    """Return all hyperparameters of a network: the default of each that is not named."""
    return {name: hyper.options[0] for name, hyper in families.space(family).items()} | values


def kept(problem, most=ROWS):
    """Return the rows to test, and at most `most` to learn from without classes of one row."""
    rows = np.random.default_rng(SEED).permutation(problem.train)[:most]
    return np.sort(np.append(rows[~accuracy.alone(problem.truth[rows])], problem.test))


def trials(one):
    """Yield the trials of a set as they end."""
    ((_, problem),) = accuracy.problems(one, [0], 60.0, SEED)
    with tempfile.TemporaryDirectory() as folder:
        given = accuracy._config(problem, folder)
        path = Path(given["data"]["targets"])
        pd.read_csv(path, sep="\t").iloc[kept(problem)].to_csv(path, sep="\t", index=False)
        config = Config.of(given)
        folds = prepared(rows_of(config), config).cross_validation
        plan, spaces = Plan.of(config.training, config.search.epochs), families.spaces(config)
        linear = LinearTrials(folds, spaces, plan, config.seed)
        yield linear.baseline().trial
        for number, (family, values) in enumerate(networks(), 1):
            trial = Trial(number, family, complete(family, values))
            yield run_trial(folds, trial, plan, config.seed).trial
        for result in linear.learners(behind=len(networks()), finished={}):
            yield result.trial


def measure(path, found):
    """Append the trials of sets that a file lacks."""
    known = set(read(path)["set"]) if path.exists() else set()
    for one in found:
        for trial in () if one.name in known else trials(one):
            row = {"set": one.name, "task": one.task} | dataclasses.asdict(trial)
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{one.name:28}{trial.number:4} {trial.family:10}{trial.score:8.3f}",
                  file=sys.stderr, flush=True)  # fmt: skip


def read(path):
    """Return the trials of a file with the names of configurations, and scores to be maximised."""
    frame = read_lines(path)
    frame["kind"] = np.where(frame["family"] == "linear", *KINDS)
    frame["score"] *= np.where(frame["task"] == "classification", -1, 1)
    frame["name"] = [_named(row) for row in frame.itertuples()]
    counts = frame.groupby("set")["number"].transform("size")
    return frame[counts == counts.groupby(frame["task"]).transform("max")]


def _named(row):
    """Return a configuration as in the portfolio, in JSON."""
    if row.family == "linear":
        named = {name: row.values[name] for name in NAMED}
    else:
        named = networks()[row.number - 1][1]
    return json.dumps([row.family, named])


def chosen(frame):
    """Return the configurations of a list, in its order."""
    return [name for kind in KINDS for name in greedy(frame[frame["kind"] == kind])]


def greedy(frame):
    """Return the configurations that leave the lowest mean regret, one after the other."""
    wide = frame.pivot_table(index="set", columns="name", values="score", sort=False)
    best, middle = wide.max(axis=1), wide.median(axis=1)
    regret = wide.rsub(best, axis=0).div((best - middle).clip(lower=1e-9), axis=0)
    regret = regret.clip(upper=1).fillna(1)
    base = list(frame.loc[frame["number"] == 0, "name"].unique())
    found, reached = [], regret[base].min(axis=1).fillna(1)
    for _ in range(PLACES):
        left = regret.drop(columns=base + found)
        found.append(left.clip(upper=reached, axis=0).mean().idxmin())
        reached = np.minimum(reached, regret[found[-1]])
    return found


def judged(frame):
    """Return the best scores on each set by the list of the other sets of its task, and beside."""
    rows = {}
    for name, own in frame.groupby("set", sort=False):
        others = frame[(frame["task"] == own["task"].iloc[0]) & (frame["set"] != name)]
        if others.empty:
            continue
        is_base = own["number"] == 0
        listed = own[own["name"].isin(chosen(others)) | is_base]
        of_networks, first = own["kind"] == "networks", len(DEFAULTS) + DRAWS
        today = own[is_base | (own["number"] > first)].head(1 + 2 * PLACES)
        columns = {
            "list": listed,
            "today": today,
            "list, networks": listed[listed["kind"] == "networks"],
            "defaults": own[of_networks & (own["number"] <= len(DEFAULTS))],
            "random 30": own[of_networks & (own["number"] > len(DEFAULTS))],
        }
        rows[name] = {column: part["score"].max() for column, part in columns.items()}
    return pd.DataFrame.from_dict(rows, "index")


def main():
    """Measure what is missing, print how lists are judged, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=SHARED, type=Path)
    parser.add_argument("--sets", nargs="*", default=(), help="those to measure; default: all")
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=(), help="sets that lists do not see")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    _console.talk(quiet=True)
    measure(asked.scores, sets(asked.data, asked.sets))
    frame = read(asked.scores)
    scores = judged(frame)
    print(scores.round(3).to_string())
    for column in scores.columns[1:]:
        gain = scores["list"] - scores[column]
        counts = f"above in {(gain > 0).sum()}, equal in {(gain == 0).sum()} of {len(gain)} sets"
        print(f"list beside {column}: {counts}, median difference {gain.median():+.3f}")
    frame = frame[~frame["set"].isin(asked.without)]
    forests = [json.dumps(one) for one in FORESTS]
    lists = {task: [*chosen(part), *forests] for task, part in frame.groupby("task")}
    text = ",\n".join(
        f'"{task}": [\n  ' + ",\n  ".join(names) + "\n]" for task, names in lists.items()
    )
    print(text)
    if asked.write:
        PORTFOLIO.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
