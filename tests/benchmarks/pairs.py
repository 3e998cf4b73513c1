"""Ask whether a network and a linear learner together are better than the better of them.

    python tests/benchmarks/pairs.py --scores pairs.jsonl

The protocol, written before it was run. No test row of accuracy.py is seen: of the rows to learn
from of its first split (at most 600), a quarter is held out, in two draws. On the rest, the pool of
fixed_pool.py (six networks) and all linear learners of a search are judged out of fold. The best
network is judged again and trained on all rows as five networks that differ in their seed, the best
linear learner and the best of another loss as a final fit trains them. Outputs are calibrated, by
each one's temperature; those of several are averaged:

- `best`: the network or the linear learner, whichever has the lower loss out of fold;
- `half`: the mean of both;
- `weighed`: their mean with the weight of 0, 1/4, 1/2, 3/4 or 1 that has the lowest loss out of
  fold;
- `linear`: the mean of the two linear learners, or the first alone where it has the lower loss;
- `three`: the mean of all three;
- `chosen`: of all seven means of one, two or three of them, the one with the lowest loss out of
  fold.

A gain over `best` is the log of the ratio of the losses (log loss, or RMSE), or the difference of
the scores (balanced accuracy or R2), the mean over draws. A way takes the place of `best` if the
median and the mean over sets of its gain in loss are above 0, the 95 % interval over sets
(bootstrap) of the mean gain in loss holds no loss of 1 % and that in score none of 0.005; of
several, the one with the highest mean gain in loss.
"""

import itertools

import numpy as np
import pandas as pd
from fixed_pool import Rows, pool
from refits import score, tell
from sets import all_lines

from autogenome_tf import families
from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._refit import judge, train
from autogenome_tf.search._linear import LinearTrials
from autogenome_tf.search._trials import run_trial
from autogenome_tf.training import Plan, Trial

SEED, DRAWS, SEEDS = 11, 2, 5
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
WAYS = ("best", "half", "weighed", "linear", "three", "chosen")


def measured(one):
    """Yield a line for each draw."""
    for draw in range(DRAWS):
        rows = Rows(one, SEED, draw)
        unseen = rows.folds.validation_rows
        known, held = zip(*members(rows), strict=True)
        found = ways(rows, np.stack([each[unseen] for each in known]), unseen)
        line = {"draw": draw, "network": found["best"][0]}
        for way, weights in found.items():
            mean = np.tensordot(weights, np.stack(held), 1)
            line |= {f"{way} loss": rows.loss(rows.test, mean), f"{way} score": score(rows, mean)}
        yield line


def tried(rows):
    """Return the results of the pool's networks, and of all linear learners of a search."""
    folds = rows.folds
    plan = Plan.of(folds.settings.training, 20)
    networks = [
        run_trial(folds, Trial(number, family, values), plan, SEED)
        for number, (family, values) in enumerate(pool(SEED), 1)
    ]
    return networks, learners(rows, behind=len(networks))


def learners(rows, behind=0):
    """Return the results of all linear learners of a search, behind so many trials."""
    folds = rows.folds
    spaces = {"linear": families.space("linear", task=folds.task)}
    trials = LinearTrials(folds, spaces, Plan.of(folds.settings.training, 20), SEED)
    return [trials.baseline(), *trials.learners(behind=behind, finished={})]


def members(rows):
    """Return outputs out of fold and of held-out rows: the network and two linear learners."""
    whole = rows.whole()
    networks, linear = tried(rows)
    network = min(networks, key=rows.loss_of)
    first = min(linear, key=rows.loss_of)
    others = [one for one in linear if one.trial.values["loss"] != first.trial.values["loss"]]
    for found in (network, first, min(others, key=rows.loss_of)):
        yield final_outputs(rows, found, whole, SEEDS if found is network else 1)


def final_outputs(rows, result, whole, seeds):
    """Return calibrated outputs out of fold, and of held-out rows by the final fit of a trial."""
    trial, seed = result.trial, derive(SEED, str(result.trial.number))
    judged, _ = judge(rows.folds, trial, seed, seeds, float("inf"))
    last = train(rows.folds, trial, seed, seeds, whole=whole, judged=judged)
    held = rows.outputs(trial.configuration, last.fit, whole).mean(axis=0)
    return judged.calibrated, held / judged.temperature


def scores_of_choices(rows, chosen, networks):
    """Return loss and score on held-out rows of the final fit of what each way has chosen.

    Args:
        rows: The `Rows`.
        chosen: Result by way; one of several ways is trained once.
        networks: Those of the results that are trained as several seeds.
    """
    whole, trained, line = rows.whole(), {}, {}
    for way, result in chosen.items():
        name = result.trial.family, str(result.trial.values)
        if name not in trained:
            seeds = SEEDS if result in networks else 1
            _, trained[name] = final_outputs(rows, result, whole, seeds)
        line[f"{way} loss"] = rows.loss(rows.test, trained[name])
        line[f"{way} score"] = score(rows, trained[name])
    return line


def ways(rows, known, unseen):
    """Return the weights of the network and of the two linear learners in each way."""

    def lowest(candidates):
        losses = [rows.loss(unseen, np.tensordot(one, known, 1)) for one in candidates]
        return candidates[int(np.argmin(losses))]

    one = list(np.eye(3))
    means = [np.mean(some, axis=0) for n in (1, 2, 3) for some in itertools.combinations(one, n)]
    return {
        "best": lowest(one[:2]),
        "half": (one[0] + one[1]) / 2,
        "weighed": lowest([share * one[0] + (1 - share) * one[1] for share in WEIGHTS]),
        "linear": lowest([one[1], (one[1] + one[2]) / 2]),
        "three": np.mean(one, axis=0),
        "chosen": lowest(means),
    }


def gains(frame, others=WAYS[1:]):
    """Return the gains of other ways over `best` on each set."""
    found = {}
    for way in others:
        found[f"{way} loss"] = np.log(frame["best loss"] / frame[f"{way} loss"])
        found[f"{way} score"] = frame[f"{way} score"] - frame["best score"]
    return pd.DataFrame(found).groupby(frame["set"]).mean()


def main():
    """Measure what is missing and print the table."""
    tell(gains(all_lines(__doc__, measured, "--data", "--sets", "--scores")))


if __name__ == "__main__":
    main()
