"""Ask whether every search shall try a network that begins as a linear learner.

    python tests/benchmarks/started_trials.py --scores started_trials.jsonl

The protocol, written before it was run. linear_start.py asked whether networks at random had better
begin as a linear learner, and the best of a pool did not gain. Here such networks stand beside it.
Rows, pool, linear learners and forests are those of forest_trials.py: no test row of accuracy.py is
seen, a quarter of the rows to learn from of its first split is held out, in two draws. The networks
are multilayer perceptrons with the defaults but for `linear_start`. What has the lowest loss out of
fold is trained as a final fit trains it (a network as five that differ in their seed):

- `without`: of networks, linear learners and the two forests of the portfolio;
- `one`: of these and of the network that begins with an L2 of 0.1;
- `three`: of these and of those that begin with 0.01, 0.1 and 1.

A gain over `without` is the log of the ratio of the losses (log loss, or RMSE), or the difference
of the scores (balanced accuracy or R2), the mean over draws. Every search tries `one` or `three`
if the mean over sets of its gain is above 0 in loss and not below 0 in score, and the 95 % interval
over sets (bootstrap) holds neither a loss of 1 % nor 0.005 of the score. `network`: the gain in
loss of the best network, started ones among them, over the best of the pool, both as five seeds;
it decides nothing.
"""

import numpy as np
import pandas as pd
import portfolio
from fixed_pool import Rows
from forest_trials import forests_of
from pairs import DRAWS, SEED, scores_of_choices, tried
from refits import tell
from sets import all_lines

from autogenome_tf.search._trials import run_trial
from autogenome_tf.training import Plan, Trial

STARTS = (0.1, 0.01, 1.0)
WAYS = ("one", "three")


def measured(one):
    """Yield a line for each draw."""
    for draw in range(DRAWS):
        rows = Rows(one, SEED, draw)
        networks, linear = tried(rows)
        forests = [found for found in forests_of(rows) if found.trial.values["min_leaf"] == 3]
        started = list(started_of(rows))
        others = [*networks, *linear, *forests]
        candidates = {
            "without": others, "one": others + started[:1], "three": others + started,
            "pool": networks, "pool and three": networks + started,
        }  # fmt: skip
        chosen = {way: min(known, key=rows.loss_of) for way, known in candidates.items()}
        line = {"draw": draw} | {way: _called(result) for way, result in chosen.items()}
        yield line | scores_of_choices(rows, chosen, networks + started)


def _called(result):
    return f"{result.trial.family} {result.trial.values.get('linear_start', '')}"


def started_of(rows):
    """Yield the result of each network that begins as a linear learner."""
    plan = Plan.of(rows.folds.settings.training, 20)
    for number, start in enumerate(STARTS):
        values = portfolio.complete("mlp", {"linear_start": start})
        yield run_trial(rows.folds, Trial(number, "mlp", values), plan, SEED)


def gains(frame):
    """Return the gains of each way on each set."""
    found = {}
    for way in WAYS:
        found[f"{way} loss"] = np.log(frame["without loss"] / frame[f"{way} loss"])
        found[f"{way} score"] = frame[f"{way} score"] - frame["without score"]
    found["network"] = np.log(frame["pool loss"] / frame["pool and three loss"])
    found["chosen"] = frame["three"].str.match(r"mlp 0\.0?1|mlp 1").astype(float)
    return pd.DataFrame(found).groupby(frame["set"]).mean()


def main():
    """Measure what is missing and print the table."""
    tell(gains(all_lines(__doc__, measured, "--data", "--sets", "--scores")))


if __name__ == "__main__":
    main()
