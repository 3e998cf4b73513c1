"""Compare the ways from a trial to a final model: one network, those of the folds, several seeds.

    python tests/benchmarks/refits.py --scores refits.jsonl
    python tests/benchmarks/refits.py --scores refits.jsonl --sets alon_colon riboflavin
    python tests/benchmarks/refits.py --scores many.jsonl --rows 2500 --sets zeisel_3types pbmc3k

The protocol, written before it was run. No test row of accuracy.py is seen: of the rows to learn
from of its first split (at most 600, or `--rows`), a quarter is held out, in two draws. The pool
has a network of each of six structures, whose dropouts, L2 and powers are drawn once, and each is
trained as the final fit trains the best trial:

- `one`: a network on all rows, for the epochs and the rates that the folds had; the mean loss of
  five that differ in their seed;
- `folds`: the mean of the networks of the five folds, each at its own best epoch;
- `seeds`: the mean of the outputs of the five networks on all rows.

The loss on held-out rows is log loss at the temperature of the trial, or RMSE in standard
deviations of the target; the score is balanced accuracy or R2. A gain over `one` is the log of the
ratio of the losses, or the difference of the scores, the mean over draws: of the median network,
and of the one with the best loss out of fold, which a search would choose. A way takes the place
of `one` if the median over sets of both gains of the loss is above 0, the 95 % interval over sets
(bootstrap) of the best network's gain in score is not below -0.005, and it gains more than the
other way.

Of more rows there are three sets: zeisel_3types, pbmc3k and poelwijk_fluorescence. Five seeds are
used for so many rows too if the best network's loss gains at least 0.02 and its score loses at most
0.005 on each of them, which was written before `--rows` was run.
"""

import functools

import numpy as np
import pandas as pd
from baselines import SCORES
from fixed_pool import ROWS, Rows, pool
from sets import grown, parser, sets

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._refit import train
from autogenome_tf.run import _console
from autogenome_tf.training import Trial

SEED, DRAWS, SEEDS = 11, 2, 5
WAYS = ("one", "folds", "seeds")


def measured(one, most):
    """Yield a line for each draw and network, with so many rows to learn from at most."""
    for draw in range(DRAWS):
        rows = Rows(one, SEED, draw, most)
        whole = rows.whole()
        for number, (family, values) in enumerate(pool(SEED), 1):
            trial, seed = Trial(number, family, values), derive(SEED, str(number))
            found = train(rows.folds, trial, seed, SEEDS, whole=whole)
            yield {"draw": draw, "number": number} | losses(rows, found, whole)


def losses(rows, found, whole):
    """Return the loss out of fold, and loss and score of each way on held-out rows."""
    trial, temperature = found.result.trial, found.result.temperature
    folds = rows.outputs(trial.configuration, found.on_folds) / temperature
    seeds = rows.outputs(trial.configuration, found.fit, whole) / temperature
    each = {"one": list(seeds), "folds": [folds.mean(axis=0)], "seeds": [seeds.mean(axis=0)]}
    lines = {"valid": rows.loss_of(found.result)}
    for way, outputs in each.items():
        lines[f"{way} loss"] = float(np.mean([rows.loss(rows.test, own) for own in outputs]))
        lines[f"{way} score"] = float(np.mean([score(rows, own) for own in outputs]))
    return lines


def score(rows, outputs, index=None):
    """Return balanced accuracy or R2 of (rows, outputs) for rows by their numbers, or held out."""
    truth = rows.folds.targets[rows.test if index is None else index]
    has_classes = rows.folds.task.has_classes
    predicted = outputs.argmax(axis=1) if has_classes else outputs.ravel()
    return SCORES["classification" if has_classes else "regression"](truth.ravel(), predicted)


def gains(frame, way):
    """Return the gains of a way over `one` on each set."""
    frame = frame.assign(
        loss=np.log(frame["one loss"] / frame[f"{way} loss"]),
        score=frame[f"{way} score"] - frame["one score"],
    )
    best = frame.loc[frame.groupby(["set", "draw"])["valid"].idxmin()].groupby("set")
    medians = frame.groupby(["set", "draw"])[["loss", "score"]].median().groupby("set").mean()
    found = {f"{way}, median {name}": medians[name] for name in medians}
    return pd.DataFrame(found | {f"{way}, best {name}": best[name].mean() for name in medians})


def interval(values, draws=10_000):
    """Return the 95 % interval of the mean by a bootstrap over sets."""
    drawn = np.random.default_rng(0).choice(values, (draws, len(values))).mean(axis=1)
    return np.quantile(drawn, [0.025, 0.975]).round(4).tolist()


def tell(table):
    """Print the gains on each set, and their medians, means and intervals."""
    print(table.round(3).to_string(), table.median().round(4).to_string(), sep="\n\n")
    for name in table:
        print(f"{name}: mean {table[name].mean():.4f}, 95 % {interval(table[name].to_numpy())}")


def main():
    """Measure what is missing and print the tables."""
    options = parser(__doc__, "--data", "--sets", "--scores")
    options.add_argument("--rows", type=int, default=ROWS, help="to learn from, at most")
    asked = options.parse_args()
    _console.talk(quiet=True)
    found = functools.partial(measured, most=asked.rows)
    frame = grown(asked.scores, sets(asked.data, asked.sets), found)
    table = pd.concat([gains(frame, way) for way in WAYS[1:]], axis=1)
    tell(table)


if __name__ == "__main__":
    main()
