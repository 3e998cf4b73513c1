"""Ask whether every search shall try forests beside linear learners and networks.

    python tests/benchmarks/forest_trials.py --scores forest_trials.jsonl

The protocol, written before it was run. Rows, pool and linear learners are those of pairs.py: no
test row of accuracy.py is seen, a quarter of the rows to learn from of its first split is held out,
in two draws. Beside them are forests of the family's space, 300 trees each. What has the lowest
loss out of fold is trained as a final fit trains it (a network as five that differ in their seed):

- `without`: of networks and linear learners;
- `one`: of these and of the forest of the default values;
- `four`: of these and of all four forests;
- `balanced`: as `four`, by the score out of fold in place of the loss, and `balanced without`.

A gain over `without` is the log of the ratio of the losses (log loss, or RMSE), or the difference
of the scores (balanced accuracy or R2), the mean over draws. Searches try forests by default if the
mean over sets of the gain of `one` or `four` is above 0 in loss and in score, and the 95 % interval
over sets (bootstrap) of neither holds a loss of 1 % nor 0.005 of the score. `balanced` tells
whether the choice by loss is what keeps forests back; it decides nothing.
"""

import itertools
import time

import numpy as np
import pandas as pd
from fixed_pool import Rows
from pairs import DRAWS, SEED, scores_of_choices, tried
from refits import score, tell
from sets import all_lines

from autogenome_tf.families.forest import Forest
from autogenome_tf.search._trials import run_trial
from autogenome_tf.training import Plan, Trial

WAYS = ("one", "four", "balanced")


def measured(one):
    """Yield a line for each draw."""
    for draw in range(DRAWS):
        rows = Rows(one, SEED, draw)
        networks, linear = tried(rows)
        others = [*networks, *linear]
        started = time.process_time()
        forests = list(forests_of(rows))
        line = {"draw": draw, "forest seconds": time.process_time() - started}
        candidates = {"without": others, "one": [*others, forests[0]], "four": others + forests}
        chosen = {way: min(known, key=rows.loss_of) for way, known in candidates.items()}
        for way, known in (("balanced without", others), ("balanced", others + forests)):
            chosen[way] = max(known, key=lambda result: unseen_score(rows, result))
        line |= {way: result.trial.family for way, result in chosen.items()}
        yield line | scores_of_choices(rows, chosen, networks)


def forests_of(rows):
    """Yield the result of each forest of the space, the default first."""
    space, plan = Forest.space, Plan.of(rows.folds.settings.training, 20)
    names = ("max_features", "min_leaf")
    for number, own in enumerate(itertools.product(*(space[name].options for name in names))):
        values = {"trees": space["trees"].options[0], **dict(zip(names, own, strict=True))}
        yield run_trial(rows.folds, Trial(number, "forest", values), plan, SEED)


def unseen_score(rows, result):
    """Return balanced accuracy or R2 out of fold."""
    unseen = rows.folds.validation_rows
    return score(rows, result.calibrated[unseen], unseen)


def gains(frame):
    """Return the gains of each way on each set."""
    found = {}
    for way in WAYS:
        base = "balanced without" if way == "balanced" else "without"
        found[f"{way} loss"] = np.log(frame[f"{base} loss"] / frame[f"{way} loss"])
        found[f"{way} score"] = frame[f"{way} score"] - frame[f"{base} score"]
    table = pd.DataFrame(found).groupby(frame["set"]).mean()
    table["forest chosen"] = (frame["four"] == "forest").groupby(frame["set"]).mean()
    return table


def main():
    """Measure what is missing and print the table."""
    tell(gains(all_lines(__doc__, measured, "--data", "--sets", "--scores")))


if __name__ == "__main__":
    main()
