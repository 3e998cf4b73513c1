"""Coverage of the learning curve: does its band hold the score that twice the samples bring?

    python tests/benchmarks/learning_curve.py
    python tests/benchmarks/learning_curve.py --sets khan_srbct wheat_yield --splits 1

The protocol, written before it was run. Of every set and split a random half of the rows (of each
class) is searched by linear learners and a multilayer perceptron, and its best trial has a learning
curve (`evaluation.learning_curve`), which ends at twice the samples with a band of 95 %. Then the
same configuration is trained on all rows. Printed: the out-of-fold score of the half, the one
predicted for twice the samples with its band, and the one measured on all rows. The last lines are
the share of bands that hold what is measured, and the mean distance to it, beside that of the
prediction that nothing changes. What is measured has a sampling error of its own, which the band
does not include: a coverage of 0.95 is not to be expected.
"""

import argparse
import json
import tempfile

import numpy as np
import pandas as pd
from sets import SHARED, sets
from sklearn.model_selection import train_test_split

import autogenome_tf as ag
from autogenome_tf.run import _console

FAMILIES = {"linear": {"gene_power": [0.0, 1.0]}, "mlp": {}}
# Cells and contigs by the thousand teach nothing about studies of few samples.
MOST_ROWS = 600


def rows_of(one, seed):
    """Values and targets of a set, at most `MOST_ROWS` rows, and the positions of a half."""
    samples, values = one.matrix()
    truth = one.truth(samples)
    if truth.dtype.kind == "U":
        names, counts = np.unique(truth, return_counts=True)
        kept = np.isin(truth, names[counts >= 10])
        values, truth = values[kept], truth[kept]
    strata = truth if truth.dtype.kind == "U" else None
    every = np.arange(len(truth))
    if len(every) > MOST_ROWS:
        every, _ = train_test_split(every, train_size=MOST_ROWS, stratify=strata, random_state=seed)
    own = None if strata is None else strata[every]
    half, _ = train_test_split(every, train_size=0.5, stratify=own, random_state=seed)
    return values, truth, every, half


def trained(one, values, truth, families, trials, seed, has_curve):
    """A run on some rows, without a test part: its best trial, headline score and curve."""
    names = [f"s{row}" for row in range(len(truth))]
    x = pd.DataFrame(values, names, [f"g{gene}" for gene in range(values.shape[1])])
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "name": one.name,
            "output_dir": folder,
            "seed": seed,
            "data": {"transform": "none", "split": {"test": 0.0}},
            "task": {"type": one.task},
            "families": families,
            "search": {"method": "random", "max_trials": trials},
            "evaluation": {"learning_curve": has_curve},
            "output": {"figures": False},
        }
        automl = ag.AutoGenome(config, data=(x, pd.Series(truth, names, name="target")))
        best = automl.train().iloc[0]
        automl.evaluate()
        run = automl._session.run
        curve = run.read_table("learning_curve.tsv") if has_curve else None
        return best, run.read_json("metrics.json")["validation"], curve


def measured(one, seed, trials):
    """Numbers of one set and split: now, predicted, low, high, measured."""
    values, truth, every, half = rows_of(one, seed)
    best, _, curve = trained(one, values[half], truth[half], FAMILIES, trials, seed, True)
    now = curve[curve["kind"] == "measured"].iloc[-1]
    twice = curve[curve["kind"] == "fitted"].iloc[-1]
    chosen = {best["family"]: json.loads(best["hyperparameters"])}
    _, scores, _ = trained(one, values[every], truth[every], chosen, 1, seed, False)
    found = scores[now["metric"]]["value"]
    return (
        len(half),
        now["metric"],
        now["value"],
        twice["value"],
        twice["low"],
        twice["high"],
        found,
    )


def main():
    """Print a line for each set and split, and the coverage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=SHARED, help="folder of the sets")
    parser.add_argument("--sets", nargs="*", default=())
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--trials", type=int, default=3)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    print("| set | samples | metric | score | twice: predicted (band) | measured | inside |")
    print("|---|--:|---|--:|--:|--:|---|")
    lines = []
    for one in sets(parsed.data, names=parsed.sets):
        for seed in range(parsed.splits):
            samples, metric, now, value, low, high, found = measured(one, seed, parsed.trials)
            is_inside = low <= found <= high
            lines.append((is_inside, abs(value - found), abs(now - found)))
            print(
                f"| {one.name} | {samples} | {metric} | {now:.3f} | {value:.3f} ({low:.3f} to "
                f"{high:.3f}) | {found:.3f} | {'yes' if is_inside else 'no'} |",
                flush=True,
            )
    inside, predicted, unchanged = np.mean(lines, axis=0)
    print(f"{100 * inside:.0f} % of {len(lines)} bands hold the measured score")
    print(f"mean distance: predicted {predicted:.3f}, nothing changes {unchanged:.3f}")


if __name__ == "__main__":
    main()
