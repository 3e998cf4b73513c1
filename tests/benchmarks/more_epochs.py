"""Ask whether networks of a search shall have more than 20 epochs at most.

    python tests/benchmarks/more_epochs.py --scores more_epochs.jsonl

The protocol, written before it was run. The pool of fixed_pool.py, six networks of six structures,
is trained on five folds by the loop of a search, with 20 epochs and with 60 at most, from the same
initial weights and batches; both end after 15 epochs without gain. No test row of accuracy.py is
seen: a quarter of the rows to learn from of its first split is held out in one draw; at most 2,500
rows are learned from. The gain of 60 epochs is the log of the ratio of losses, on the held-out rows
by the mean of the folds' networks: of the median network, and of the network that is best out of
fold, each among those of its own number of epochs.

60 becomes the default of `search.epochs` if the mean gain over sets is above 0 for both, the 95 %
interval of neither (bootstrap over sets) holds a loss of 1 %, and the processor seconds are at most
twice those of 20 epochs in the median of the sets.
"""

import time

import numpy as np
import pandas as pd
from fixed_pool import Rows, pool
from refits import tell
from sets import all_lines

from autogenome_tf.training import Configuration, Plan

SEED, MOST = 7, 2500
EPOCHS = (20, 60)


def measured(one):
    """Yield a line for each network of the pool and each number of epochs."""
    rows = Rows(one, SEED, 0, MOST)
    for number, (family, values) in enumerate(pool(SEED)):
        for epochs in EPOCHS:
            plan = Plan.of(rows.folds.settings.training, epochs)
            # The step is compiled before the clock starts.
            rows.folds.fit(
                Configuration(family, values), Plan.of(rows.folds.settings.training, 1), SEED
            )
            started = time.process_time()
            fit = rows.folds.fit(Configuration(family, values), plan, SEED)
            seconds = time.process_time() - started
            losses = rows.losses(family, values, fit)
            yield {"network": number, "epochs": epochs, "best": fit.best_epoch,
                   "seconds": seconds, **losses}  # fmt: skip


def gains(frame):
    """Return the gains of each set, and how many times the processor seconds are."""
    few, many = (frame[frame["epochs"] == epochs].reset_index(drop=True) for epochs in EPOCHS)
    found = {}
    for name, _ in few.groupby("set"):
        one, other = (part[part["set"] == name].reset_index(drop=True) for part in (few, many))
        best = [part["test"][part["valid"].idxmin()] for part in (one, other)]
        found[name] = {
            "median network": float(np.median(np.log(one["test"] / other["test"]))),
            "best network": float(np.log(best[0] / best[1])),
            "times the seconds": float(other["seconds"].sum() / one["seconds"].sum()),
            "best epoch of 20": float(one["best"].median()),
            "best epoch of 60": float(other["best"].median()),
        }
    return pd.DataFrame(found).T


def main():
    """Measure what is missing and print the table."""
    tell(gains(all_lines(__doc__, measured, "--data", "--sets", "--scores")))


if __name__ == "__main__":
    main()
