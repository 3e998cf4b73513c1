"""Compare learning-rate schedules, averages of weights and weight decay by a fixed pool.

    python tests/benchmarks/schedules.py --scores schedules.jsonl --sets alon_colon --arms cosine

The protocol, written before it was run. Rows are divided as by accuracy.py, its first split, with
at most 600 rows to learn from. The pool has a network of each of six structures, whose dropouts, L2
and powers are drawn once. Each is trained on five folds by the engine and the loop of a search,
from the same initial weights and batches whatever the arm:

    plateau      the rule of a search: 0.3 times the rate after 5 epochs without gain, 20 epochs
    plateau 2    after 2 epochs without gain
    cosine       from the rate of the range test along half a cosine to 0 (Loshchilov, Hutter 2017)
    both         plateau, whose rate is multiplied by that cosine
    cosine x3    from three times that rate
    one cycle    a quarter of the epochs up from a tenth of three times that rate, then a cosine
                 (Smith, Topin 2018)
    average      plateau; what validates is the mean of the weights of the last 5 epochs (LAWA,
                 Kaddour 2022)
    decay        plateau; in place of L2 a decoupled decay (AdamW, Loshchilov, Hutter 2019) of
                 100 times its strength

In all arms each fold keeps its weights of the best epoch and is scored at the epoch best for the
others. The loss is log loss at the temperature of a trial, or RMSE in standard deviations of the
target, out of fold ("out of fold") and for the mean of the folds' networks on the test rows
("test"), which nothing was chosen by. An arm's gain over plateau on a set is the median over
networks of the log of the ratio of losses; beside it stands that of the network best out of fold.

The arm of the best median gain out of fold is chosen, leave-one-set-out, and judged on the set that
is left out. It becomes the default if the median of these gains is above 0 out of fold and on test
rows, for the median and the best network alike.

Changed since: `both` joined when one set had been seen. The pool was to have two networks a
structure; for want of time it was halved when plateau and cosine had been seen on one set. Arms of
10 and 40 epochs, and a comparison at equal processor seconds, were dropped. The best network on
test rows was first the one of lowest test loss; it is the one best out of fold since results came.
"""

import argparse
import collections
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from fixed_pool import SCORES, Rows, pool
from sets import SHARED, grown, sets

from autogenome_tf.core.seeds import derive
from autogenome_tf.nn.vectorized import PENALTIES, structure
from autogenome_tf.run import _console
from autogenome_tf.search._linear import LinearTrials
from autogenome_tf.training import Configuration, Plan
from autogenome_tf.training._engines import InMemory, Objective
from autogenome_tf.training._loop import fit

EPOCHS, SEED = 20, 7
LAST, DECAY = 5, 100.0


class Annealed(InMemory):
    """Multiply the rates of the loop by half a cosine."""

    def begin(self, *given, **options):
        """Start anew."""
        super().begin(*given, **options)
        self._shares = iter(cosine(EPOCHS))

    def epoch(self, index, rates, is_validated=True):
        """Train for an epoch; a range test is left as it is."""
        share = next(self._shares) if is_validated else 1.0
        return super().epoch(index, (rates * share).astype("float32"), is_validated)


class Averaged(InMemory):
    """Validate and keep the mean of the weights of the last epochs."""

    def begin(self, *given, **options):
        """Start anew."""
        super().begin(*given, **options)
        self._kept = collections.deque(maxlen=LAST)

    def epoch(self, index, rates, is_validated=True):
        """Train for an epoch by the weights as they are."""
        losses, _ = super().epoch(index, rates, False)
        if not is_validated:
            return losses, []
        own = self.state()
        count = len(self._variables) + len(self._moving)
        self._kept.append((super().weights(), own[:count]))
        self.restore(_mean(one for _, one in self._kept) + own[count:])
        outputs = self.validation_outputs()
        self.restore(own)
        return losses, outputs

    def weights(self):
        """Return the means."""
        return _mean(one for one, _ in self._kept)


def _mean(lists):
    """Return the means of the arrays of several lists, place by place."""
    return [np.mean(each, axis=0) for each in zip(*lists, strict=True)]


class Decayed(InMemory):
    """Shrink penalised kernels after each step in place of a penalty in the loss."""

    def _penalty(self, network, stacks, seed):
        return tf.constant(0.0)

    def _apply(self, gradients):
        super()._apply(gradients)
        stacks = self.stacks()
        for place, layer in enumerate(self._network.network.layers):
            if isinstance(getattr(layer, "kernel_regularizer", None), tuple(PENALTIES)):
                rate = self._optimizer.learning_rate * DECAY * self._strengths[place]
                stacks[layer.kernel.path] *= tf.maximum(1 - rate, 0)
        self._assign_trained(stacks)


def cosine(epochs):
    """Half a cosine from 1, which would be 0 behind the last epoch."""
    return (1 + np.cos(np.pi * np.arange(epochs) / epochs)) / 2


def one_cycle(epochs):
    """A quarter of the epochs up from a tenth, then half a cosine."""
    up = epochs // 4
    return np.concatenate([np.linspace(0.1, 1, up, endpoint=False), cosine(epochs - up)])


@dataclasses.dataclass(frozen=True)
class Arm:
    """Describe the training of the networks of the pool.

    Attributes:
        shape: Function from a number of epochs to the factor of each epoch's rate; None: plateau.
        peak: Factor of the rate of the range test.
        drop_after: As in a `Plan`.
        engine: Class of the engine.
    """

    shape: Callable | None = None
    peak: float = 1.0
    drop_after: int | None = None
    engine: type[InMemory] = InMemory

    def plan(self, rate):
        """Return the plan that begins at a rate; None for a range test."""
        if self.shape is None:
            return Plan(EPOCHS, drop_after=self.drop_after)
        rates = tuple(rate * self.peak * self.shape(EPOCHS))
        return Plan(EPOCHS, rates=rates, patience=EPOCHS)


ARMS = {
    "plateau": Arm(),
    "plateau 2": Arm(drop_after=2),
    "cosine": Arm(cosine),
    "both": Arm(engine=Annealed),
    "cosine x3": Arm(cosine, peak=3),
    "one cycle": Arm(one_cycle, peak=3),
    "average": Arm(engine=Averaged),
    "decay": Arm(engine=Decayed),
}


class Trained(Rows):
    """Train on the rows of a set by any engine and plan."""

    def __init__(self, one, seed):
        super().__init__(one, seed)
        self._engines = {}

    def trained(self, kind, plan, family, values):
        """Return the `Fit` of a network by an engine and a plan."""
        folds = self.folds
        own = {name: value for name, value in values.items() if name != "gene_power"}
        seed = derive(SEED, json.dumps([family, own], sort_keys=True))
        asked = Configuration(family, values)
        network, rows = folds.network(asked, seed), folds.rows(asked)
        key = kind, structure(network)
        if key not in self._engines:
            self._engines[key] = kind(network, 1, rows, folds.task)
        self._engines[key].set_rows(rows)
        factors, objective = folds.factors(asked), Objective.of(values)
        self._engines[key].begin([network], seed, factors, objective)
        return fit(self._engines[key], plan, seed)


def measured(rows, names):
    """Yield a line for the baseline and for each network and arm; plateau gives the rate."""
    found = LinearTrials(rows.folds, {}, Plan(EPOCHS), SEED).baseline()
    values = found.trial.values
    yield {"arm": "linear", "number": 0} | _scores(rows, "linear", values, found.fit)
    for number, (family, values) in enumerate(pool(SEED), 1):
        rate = None
        for name in ("plateau", *(other for other in names if other != "plateau")):
            arm, started = ARMS[name], time.process_time()
            trained = rows.trained(arm.engine, arm.plan(rate), family, values)
            known = {"arm": name, "number": number, "seconds": time.process_time() - started}
            rate = rate or trained.rates[0]
            yield known | _scores(rows, family, values, trained)


def _scores(rows, family, values, trained):
    scores = rows.losses(family, values, trained)
    epochs = {"best_epoch": trained.best_epoch, "epochs": len(trained.history)}
    return {"family": family, "values": values} | scores | epochs


def gains(frame, arm, score):
    """Return an arm's gain over plateau on each set, of the median and of the best network."""
    own = frame[frame["arm"].isin(["plateau", arm])]
    wide = own.pivot_table(index=["set", "number"], columns="arm", values=score).dropna()
    best = own.loc[own.groupby(["set", "arm"])["valid"].idxmin()]
    best = best.pivot_table(index="set", columns="arm", values=score)
    median = np.log(wide["plateau"] / wide[arm]).groupby("set").median()
    return pd.DataFrame({"median": median, "best": np.log(best["plateau"] / best[arm])}).dropna()


def table(frame):
    """Return the gains of each arm on each set, out of fold and on test rows."""
    names = [name for name in frame["arm"].unique() if name not in ("plateau", "linear")]
    each = {(name, score): gains(frame, name, score) for name in names for score in SCORES}
    return pd.concat(each, axis=1)


def left_out(found):
    """Return for each set the arm that the other sets choose, and its gains there."""
    names = found.columns.unique(0)
    medians = pd.DataFrame({name: found[name, "valid", "median"] for name in names}).dropna()
    lines = {}
    for one in medians.index:
        name = medians.drop(one).median().idxmax()
        own = found.loc[one, name].set_axis(map(" ".join, found[name])).to_dict()
        lines[one] = {"arm": name} | own
    return pd.DataFrame.from_dict(lines, "index")


def main():
    """Measure what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=SHARED, type=Path)
    parser.add_argument("--sets", nargs="*", default=())
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=list(ARMS))
    parser.add_argument("--scores", type=Path, required=True, help="a .jsonl that grows by sets")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    asked = parser.parse_args()
    _console.talk(quiet=True)

    def shown(one):
        for line in measured(Trained(one, SEED), asked.arms):
            print(one.name, line["number"], line["arm"], f"{line['valid']:.4f}",
                  f"{line['test']:.4f}", file=sys.stderr, flush=True)  # fmt: skip
            yield {"task": one.task} | line

    ones = [] if asked.table else sets(asked.data, asked.sets)
    frame = grown(asked.scores, ones, shown)
    found = table(frame)
    print(found.round(3).T.to_string(), found.median().round(3).to_string(), sep="\n\n")
    if len(found) > 1:
        print(left_out(found).round(3).to_string())
    print(frame.groupby("arm", sort=False)[["seconds", "best_epoch", "epochs"]].mean().round(2))


if __name__ == "__main__":
    main()
