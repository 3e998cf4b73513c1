"""Coverage of prediction sets and intervals on test rows of real data.

    python tests/benchmarks/prediction_sets.py
    python tests/benchmarks/prediction_sets.py --sets khan_srbct wheat_yield --splits 1

For every set and split: a run of the default families, averaged, with few trials; 20 % of the rows
are its test part. Printed, for each coverage asked: the share of test rows whose set or interval
holds the true class or value, over all splits; the same for the class that is covered least, of
those with at least 20 test rows in all splits; the mean number of classes in a set, or the mean
width of an interval in standard deviations of the target. The last line is the mean over sets.
"""

import argparse
import tempfile

import numpy as np
import pandas as pd
from sets import sets

import autogenome_tf as ag
from autogenome_tf.run import _console

ASKED = (0.8, 0.9)
# Fewer test rows say too little of one class.
FEWEST = 20


def frames(one, splits, trials):
    """coverage.tsv of each split."""
    for seed in range(splits):
        with tempfile.TemporaryDirectory() as folder:
            search = {"max_trials": trials, "method": "random"}
            config = one.config(folder, **search)
            # Some sets have classes of a single row.
            config["data"]["rare_classes"] = "leave_out"
            config |= {
                "seed": seed,
                "ensemble": {"size": "auto"},
                "evaluation": {"coverage": list(ASKED)},
                "output": {"figures": False},
            }
            automl = ag.AutoGenome(config)
            automl.train()
            automl.evaluate()
            yield automl._session.run.read_table("coverage.tsv")


def line(one, frame, coverage):
    """Numbers of one set at one coverage."""
    own = frame[np.isclose(frame["coverage"], coverage) & (frame["rows"] > 0)]
    hits = (own["covered"] * own["rows"]).groupby(own["output"]).sum()
    rows, sizes = (own.groupby("output")[name] for name in ("rows", "size"))
    shares, size = hits / rows.sum(), sizes.mean()["all"]
    classes = shares[(rows.sum() >= FEWEST) & (shares.index != "all")]
    if one.task == "regression":
        size /= np.nanstd(one.truth(one.matrix()[0]))
    return shares["all"], classes.min() if len(classes) else np.nan, size


def main():
    """Print a table for each coverage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=())
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--trials", type=int, default=3)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    print("| set | " + " | ".join(f"{c:g} | least | size" for c in ASKED) + " |")
    print("|---|" + "--:|" * (3 * len(ASKED)))
    found = []
    for one in sets(names=parsed.sets):
        frame = pd.concat(frames(one, parsed.splits, parsed.trials), ignore_index=True)
        found.append([number for coverage in ASKED for number in line(one, frame, coverage)])
        _print(one.name, found[-1])
    _print("mean", np.nanmean(found, axis=0))


def _print(name, numbers):
    print(f"| {name} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |", flush=True)


if __name__ == "__main__":
    main()
