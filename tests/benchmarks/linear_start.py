"""Compare networks that begin as a linear learner with the same networks at random.

    python tests/benchmarks/linear_start.py --scores linear_start.jsonl
    python tests/benchmarks/linear_start.py --scores linear_start.jsonl --sets alon_colon riboflavin

The protocol, written before it was run on these sets; the quick start's rows, which are not among
them, gave the idea. Rows are divided as by accuracy.py, its first split, with at most 600 rows to
learn from. The pool has a network of each of six structures, whose dropouts, L2 and powers are
drawn once. Each is trained on five folds as a trial of a search is, for 20 epochs, by
`linear_start` 0 and by each of three values of L2.

The loss is log loss at the temperature of a trial, or RMSE in standard deviations of the target,
out of fold ("valid") and for the mean of the folds' networks on the test rows ("test"), by which
nothing is chosen. The gain of a value on a set is the median over networks of the log of the ratio
of the losses without and with it; beside it that of the best network of the pool, and the best
network's gain over the linear baseline.

The value of the best median gain out of fold is chosen, leave-one-set-out, and judged on the set
that is left out. If the median over sets of these gains is above 0 out of fold and on test rows,
for the median and the best network alike, searches try `linear_start` and begin with it.
"""

import time

import numpy as np
import pandas as pd
from fixed_pool import SCORES, Rows, pool
from sets import all_lines

from autogenome_tf.core.seeds import derive
from autogenome_tf.search._linear import LinearTrials
from autogenome_tf.training import Configuration, Plan

SEED, PLAN = 11, Plan(20)
STARTS = (0.0, 0.01, 0.1, 1.0)


def measured(one):
    """Yield a line for the baseline, and for each network and value."""
    rows = Rows(one, SEED)
    found = LinearTrials(rows.folds, {}, PLAN, SEED).baseline()
    yield {"number": 0, "start": "linear"} | rows.losses("linear", found.trial.values, found.fit)
    for number, (family, values) in enumerate(pool(SEED), 1):
        for start in STARTS:
            started, own = time.process_time(), values | {"linear_start": start}
            fit = rows.folds.fit(Configuration(family, own), PLAN, derive(SEED, str(number)))
            seconds = time.process_time() - started
            known = {"number": number, "start": str(start), "seconds": seconds}
            yield known | {"best_epoch": fit.best_epoch} | rows.losses(family, own, fit)


def gains(frame, start, score):
    """Return the gain of a value on each set: of the median and of the best network."""
    wide = frame.pivot_table(index=["set", "number"], columns="start", values=score)
    best = wide.groupby("set").min()
    return pd.DataFrame({
        "median": np.log(wide["0.0"] / wide[start]).groupby("set").median(),
        "best": np.log(best["0.0"] / best[start]),
        "best over linear": np.log(best["linear"] / best[start]),
    })  # fmt: skip


def table(frame):
    """Return the medians over sets of the gains of each value, out of fold and on test rows."""
    lines = {}
    for start in map(str, STARTS):
        found = {score: gains(frame, start, score) for score in SCORES}
        lines[start] = {f"{s}, {of}": own[of].median() for s, own in found.items() for of in own}
    return pd.DataFrame.from_dict(lines, "index")


def left_out(frame):
    """Return for each set the value that the other sets choose, and its gains there."""
    found = {s: {score: gains(frame, s, score) for score in SCORES} for s in map(str, STARTS[1:])}
    valid = pd.DataFrame({start: own["valid"]["median"] for start, own in found.items()})
    lines = {}
    for one in valid.index:
        start = valid.drop(one).median().idxmax()
        lines[one] = {"start": start} | {
            f"{score}, {of}": value
            for score in SCORES
            for of, value in found[start][score].loc[one].items()
        }
    return pd.DataFrame.from_dict(lines, "index")


def main():
    """Measure what is missing and print the tables."""
    frame = all_lines(__doc__, measured, "--data", "--sets", "--scores")
    print(table(frame).round(3).to_string())
    if frame["set"].nunique() > 1:
        judged = left_out(frame)
        print(judged.round(3).to_string(), judged.iloc[:, 1:].median().round(3), sep="\n\n")
    print(frame.groupby("start")[["seconds", "best_epoch"]].mean().round(2))


if __name__ == "__main__":
    main()
