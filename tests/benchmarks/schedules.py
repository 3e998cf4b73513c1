"""Learning-rate schedules, averages of weights and weight decay, by a fixed pool of networks.

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
structure; for want of time it was halved when plateau and cosine had been seen on one set.
"""

import argparse
import collections
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import accuracy
import numpy as np
import pandas as pd
import portfolio
import tensorflow as tf
from scipy.special import log_softmax
from sets import SHARED, sets

from autogenome_tf import families
from autogenome_tf.automl._rows import rows_of
from autogenome_tf.config import Config
from autogenome_tf.core.seeds import derive
from autogenome_tf.nn.vectorized import PENALTIES, VectorizedNetwork, structure
from autogenome_tf.run import _console
from autogenome_tf.search._linear import baseline
from autogenome_tf.tasks import task_of
from autogenome_tf.training import Plan, TrainingSettings, Trial, cross_validation
from autogenome_tf.training._engines import InMemory, Objective
from autogenome_tf.training._loop import fit

ROWS, EPOCHS, SEED = 600, 20, 7
LAST, DECAY = 5, 100.0
STRUCTURES = [
    ("mlp", {"layers": 1, "units": 128}),
    ("mlp", {"layers": 1, "units": 512, "normalization": "none"}),
    ("mlp", {"layers": 2, "units": 64}),
    ("resnet", {"width": 64, "n_blocks": 1, "layers_per_block": 2}),
    ("resnet", {"width": 64, "n_blocks": 1, "layers_per_block": 2, "normalization": "none"}),
    ("densenet", {}),
]
DRAWN = ("dropout", "input_dropout", "l2", "spectral_power", "gene_power")
SCORES = ("valid", "test")


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
        for place, layer in enumerate(self._network._network.layers):
            if isinstance(getattr(layer, "kernel_regularizer", None), tuple(PENALTIES)):
                variable = self._variables[self._trained.index(layer.kernel.path)]
                rate = self._optimizer.learning_rate * DECAY * self._strengths[place]
                variable.assign(variable * tf.maximum(1 - rate, 0))


def cosine(epochs):
    """Half a cosine from 1, which would be 0 behind the last epoch."""
    return (1 + np.cos(np.pi * np.arange(epochs) / epochs)) / 2


def one_cycle(epochs):
    """A quarter of the epochs up from a tenth, then half a cosine."""
    up = epochs // 4
    return np.concatenate([np.linspace(0.1, 1, up, endpoint=False), cosine(epochs - up)])


@dataclasses.dataclass(frozen=True)
class Arm:
    """How the networks of the pool are trained.

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


def pool():
    """Return family and hyperparameters of each network."""
    random, found = np.random.default_rng(SEED), []
    for family, own in STRUCTURES:
        space = families.space(family)
        drawn = {name: random.choice(space[name].options).item() for name in DRAWN}
        found.append((family, portfolio.complete(family, own | drawn)))
    return found


class Rows:
    """The rows of a set: folds of those to learn from, beside test rows that no fold has."""

    def __init__(self, one):
        ((_, problem),) = accuracy.problems(one, [0], 60.0, SEED)
        with tempfile.TemporaryDirectory() as folder:
            given = accuracy._config(problem, folder)
            path = Path(given["data"]["targets"])
            labelled = pd.read_csv(path, sep="\t").iloc[portfolio.kept(problem, ROWS)]
            labelled["part"] = labelled["part"].replace("validation", "train")
            labelled.to_csv(path, sep="\t", index=False)
            config = Config.of(given)
            rows = rows_of(config)
            dataset, parts = rows.labelled
            learn, own = rows.learnable
        task = task_of(config.task, learn, own.part == "train")
        self.folds = cross_validation(dataset, parts, task, TrainingSettings.of(config))
        self.test = np.flatnonzero(parts.part == "test")
        self._engines = {}

    def trained(self, kind, plan, family, values):
        """Return the `Fit` of a network by an engine and a plan."""
        folds = self.folds
        own = {name: value for name, value in values.items() if name != "gene_power"}
        seed = derive(SEED, json.dumps([family, own], sort_keys=True))
        network, rows = folds.network(family, values, seed), folds.rows(family, values)
        key, given = (
            (kind, structure(network)),
            (folds.factors(family, values), Objective.of(values)),
        )
        if key not in self._engines:
            self._engines[key] = kind(network, 1, rows, folds.task)
        self._engines[key].set_rows(rows)
        return fit(self._engines[key], [network], plan, seed, *given)

    def losses(self, family, values, found):
        """Return the loss out of fold and on the test rows."""
        folds = self.folds
        result = folds.judge(Trial(1, family, values), found)
        unseen = folds.validation_rows
        test = self._outputs(family, values, found) / result.temperature
        return self._loss(unseen, result.calibrated[unseen]), self._loss(self.test, test)

    def _outputs(self, family, values, found):
        """Return the mean outputs of the networks of all folds for the test rows."""
        x = np.asarray(self.folds.fold_inputs(family, values).rows)[:, self.test]
        factors, network = self.folds.factors(family, values), self.folds.network(family, values)
        x = x if factors is None else x * factors[:, None]
        pairs = zip(network.weights, found.weights, strict=True)
        stacks = {variable.path: tf.constant(stack) for variable, stack in pairs}
        outputs, _ = VectorizedNetwork(network)(tf.constant(x, tf.float32), stacks)
        return outputs.numpy().mean(axis=0)

    def _loss(self, rows, outputs):
        targets = self.folds.targets[rows]
        if self.folds.task.has_classes:
            return float(-log_softmax(outputs, axis=1)[np.arange(len(rows)), targets].mean())
        return float(np.sqrt(np.mean((outputs.ravel() - targets.ravel()) ** 2)))


def measured(rows, names):
    """Yield a line for the baseline and for each network and arm; plateau gives the rate."""
    found = baseline(rows.folds, {}, Plan(EPOCHS), SEED)
    values = found.trial.values
    yield {"arm": "linear", "number": 0} | _scores(rows, "linear", values, found.fit)
    for number, (family, values) in enumerate(pool(), 1):
        rate = None
        for name in ("plateau", *(other for other in names if other != "plateau")):
            arm, started = ARMS[name], time.process_time()
            trained = rows.trained(arm.engine, arm.plan(rate), family, values)
            known = {"arm": name, "number": number, "seconds": time.process_time() - started}
            rate = rate or trained.rates[0]
            yield known | _scores(rows, family, values, trained)


def _scores(rows, family, values, trained):
    scores = dict(zip(SCORES, rows.losses(family, values, trained), strict=True))
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
    known = set(_read(asked.scores)["set"]) if asked.scores.exists() else set()
    found = [] if asked.table else sets(asked.data, asked.sets)
    for one in (one for one in found if one.name not in known):
        lines = []
        for line in measured(Rows(one), asked.arms):
            lines.append(json.dumps({"set": one.name, "task": one.task} | line))
            print(one.name, line["number"], line["arm"], f"{line['valid']:.4f}",
                  f"{line['test']:.4f}", file=sys.stderr, flush=True)  # fmt: skip
        with asked.scores.open("a") as file:
            file.write("\n".join(lines) + "\n")
    frame = _read(asked.scores)
    found = table(frame)
    print(found.round(3).T.to_string(), found.median().round(3).to_string(), sep="\n\n")
    if len(found) > 1:
        print(left_out(found).round(3).to_string())
    print(frame.groupby("arm", sort=False)[["seconds", "best_epoch", "epochs"]].mean().round(2))


def _read(path):
    return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])


if __name__ == "__main__":
    main()
