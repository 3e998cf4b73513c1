"""Speed of the search: beside a plain loop over folds, and how it grows with the genes.

    python tests/benchmarks/search_speed.py
    python tests/benchmarks/search_speed.py --trials 1 --epochs 2 --shapes 150x2000 --genes 500 2000

First, configurations scored per minute by 5 folds. The plain side does what a KerasTuner script
does: `HyperModel.build` and `model.fit` with the held rows as validation data, fold by fold, but
without the tuner's checkpoints. Both sides train the same networks, one a fold, with the same
values (drawn by KerasTuner's random oracle from the families' spaces), epochs, batch size and
learning rate on the same folds, standardised by each fold's training rows; nothing stops early.
They take turns, after a warm-up on a small matrix. The rates leave out what is done once a search,
which has columns of its own: standardisation, and for ours the basis of the rows. `at most` is the
ratio if our steps were nothing but the products of the dense layers (forward and backward, the five
folds together, in the coordinates of the search), measured between the two: no step, whatever it
leaves out beside them, can exceed it.

Second, the time of a whole random search with default settings for 150 rows of many genes, divided
by that of few: the folds' preparation, the baseline, and the same trials for both.
"""

import argparse
import contextlib
import math
import time

import numpy as np
import tensorflow as tf
from sklearn.model_selection import StratifiedKFold

import autogenome_tf as ag
from autogenome_tf import families
from autogenome_tf.run import _console
from autogenome_tf.search import Request, search
from autogenome_tf.search.methods.random import Random
from autogenome_tf.simulation import expression
from autogenome_tf.tasks import Classification
from autogenome_tf.training import Configuration, Plan, TrainingSettings, Trial
from autogenome_tf.training._batches import batch_size_for
from autogenome_tf.training._networks import NetworkCrossValidation

SHAPES = ("150x20000", "600x5000", "5000x2000")
FOLDS = 5
RATE = 1e-3
# Times that products are measured; the least counts.
TIMES = 8
ROWS = 150


def configured(trials, seed, transform, **options):
    """A config whose families are the networks, and their spaces."""
    config = ag.Config.of(
        {
            "name": "speed",
            "seed": seed,
            "data": {"features": "simulated", "transform": transform},
            "families": {"mlp": {}, "resnet": {}, "densenet": {}},
            "search": {"method": "random", "max_trials": trials, "folds": FOLDS} | options,
        }
    )
    return config, families.spaces(config)


def simulated(rows, genes, seed):
    """Counts, class positions, the task, and the rows of each fold."""
    drawn = expression.draw(samples=rows, features=genes, seed=seed)
    task = Classification(sorted(set(drawn.target)))
    truth = task.encode(drawn.target)
    pairs = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(drawn.values, truth)
    return drawn.values, truth, task, list(pairs)


def drawn_values(trials, seed):
    """Family and values of each trial, as KerasTuner's random oracle draws them."""
    config, spaces = configured(trials, seed, "none")
    given = spaces, config.search, config.training, config.objective, seed
    with contextlib.closing(Random(Request(*given))) as oracle:
        for _ in range(trials):
            proposal, family, values, _ = oracle.propose()
            oracle.report(proposal, 0.0)
            yield family, values


class Ours:
    """All folds in one graph: what a trial of a search does."""

    def __init__(self, values, truth, task, pairs, seed):
        config, _ = configured(1, seed, "none", repeats=1)
        self._folds = NetworkCrossValidation(
            values, truth, task, TrainingSettings.of(config), splits=pairs
        )
        self._folds.fold_inputs(Configuration("mlp", {}))
        self._seed = seed

    def score(self, family, values, epochs, batch_size):
        """Train and judge a configuration; returns its log loss."""
        plan = Plan(epochs, batch_size, learning_rate=RATE, patience=10**6)
        fit = self._folds.fit(Configuration(family, values), plan, self._seed)
        return self._folds.judge(Trial(1, family, values), fit).trial.score

    def products(self, family, values, epochs, batch_size):
        """Return the seconds of nothing but the products of what `score` trains."""
        train = max(len(train) for train, _ in self._folds.splits)
        steps = epochs * math.ceil(train / batch_size)
        return steps * products(self._folds, Configuration(family, values), FOLDS, batch_size)


class Plain:
    """One fold after the other with `model.fit`."""

    def __init__(self, values, truth, task, pairs, seed):
        self._task, self._seed, self._genes = task, seed, values.shape[1]
        self._folds = [self._standardised(values, truth, *pair) for pair in pairs]

    @staticmethod
    def _standardised(values, truth, train, held):
        mean, spread = values[train].mean(0), values[train].std(0)
        scaled = (values - mean) / np.where(spread > 0, spread, 1)
        return scaled[train], truth[train], (scaled[held], truth[held])

    def score(self, family, values, epochs, batch_size):
        """Train a configuration; returns its mean held-out loss at the best epoch of each fold."""
        losses = []
        for x, y, held in self._folds:
            hypermodel = families.hypermodel(family)(
                self._genes, self._task, learning_rate=RATE, seed=self._seed
            )
            model = hypermodel.build(values)
            history = model.fit(x, y, batch_size, epochs, validation_data=held, verbose=0).history
            losses.append(min(history["val_loss"]))
        return float(np.mean(losses))


def least(function):
    """Return the least seconds of several calls, the first of which is a warm-up."""
    function()
    return min(timed(function)[1] for _ in range(TIMES))


def products(folds, configuration, networks, rows):
    """Return the seconds of the products of the dense layers of so many networks, in a step."""
    kernels = [
        weight.shape for weight in folds.network(configuration).weights if len(weight.shape) == 2
    ]
    given = [
        [tf.random.normal((networks, *shape)) for shape in ((rows, i), (i, o), (rows, o))]
        for i, o in kernels
    ]

    @tf.function
    def multiplied():
        found = []
        for place, (x, kernel, slope) in enumerate(given):
            found += [tf.matmul(x, kernel), tf.matmul(x, slope, transpose_a=True)]
            found += [tf.matmul(slope, kernel, transpose_b=True)] if place else []
        return [tf.reduce_max(each) for each in found]

    return least(lambda: [each.numpy() for each in multiplied()])


def timed(function, *arguments):
    """What a function returns, and its seconds."""
    started = time.monotonic()
    returned = function(*arguments)
    return returned, time.monotonic() - started


def rates(shape, trials, epochs, seed):
    """Configurations a minute of both sides, and their seconds of preparation."""
    rows, genes = map(int, shape.split("x"))
    counts, *others = simulated(rows, genes, seed)
    values = np.log1p(counts)
    sides, prepared = {}, {}
    spent = {"ours": 0.0, "plain": 0.0, "products": 0.0}
    for name, side in (("ours", Ours), ("plain", Plain)):
        sides[name], prepared[name] = timed(side, values, *others, seed)
    batch_size = batch_size_for(64, rows * (FOLDS - 1) // FOLDS)
    for trial, (family, chosen) in enumerate(drawn_values(trials, seed)):
        for name in list(sides)[:: 1 if trial % 2 else -1]:
            score, seconds = timed(sides[name].score, family, chosen, epochs, batch_size)
            if not math.isfinite(score):
                raise SystemExit(f"{shape}, {name}: {family} {chosen} has no score")
            spent[name] += seconds
        spent["products"] += sides["ours"].products(family, chosen, epochs, batch_size)
    return {name: 60 * trials / seconds for name, seconds in spent.items()}, prepared


def compare(shapes, trials, epochs, seed):
    """Print configurations a minute for each shape."""
    rates("60x100", 1, 1, seed)
    print(f"configurations a minute, {FOLDS} folds, {epochs} epochs, {trials} configurations")
    print("| shape | ours | plain | ratio | at most | ours: once, s | plain: once, s |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for shape in shapes:
        rate, once = rates(shape, trials, epochs, seed)
        print(
            f"| {shape.replace('x', ' x ')} | {rate['ours']:.2f} | {rate['plain']:.2f} "
            f"| {rate['ours'] / rate['plain']:.1f} | {rate['products'] / rate['plain']:.1f} "
            f"| {once['ours']:.1f} | {once['plain']:.1f} |",
            flush=True,
        )


def search_seconds(genes, trials, seed):
    """Seconds of a random search on few rows of so many genes."""
    config, spaces = configured(trials, seed, "auto")
    values, truth, task, pairs = simulated(ROWS, genes, seed)

    def whole():
        folds = NetworkCrossValidation(
            values, truth, task, TrainingSettings.of(config), splits=pairs
        )
        return [result.trial for result in search(folds, config, spaces)]

    found, seconds = timed(whole)
    if not all(trial.is_scored for trial in found):
        raise SystemExit(f"{genes} genes: a trial failed: {found}")
    return seconds


def growth(genes, trials, seed):
    """Print the search time for many genes divided by that for few."""
    few, many = sorted(genes)
    search_seconds(few, 1, seed)
    spent = {count: search_seconds(count, trials, seed) for count in (few, many)}
    print(
        f"{trials} trials, {ROWS} rows: {spent[few]:.1f} s with {few} genes, {spent[many]:.1f} s "
        f"with {many}: ratio {spent[many] / spent[few]:.2f}"
    )


def main():
    """Print the table and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--shapes", nargs="*", default=SHAPES, help="rows x genes: 600x5000")
    parser.add_argument("--genes", nargs=2, type=int, default=(2000, 20000))
    parser.add_argument("--seed", type=int, default=7)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    compare(parsed.shapes, parsed.trials, parsed.epochs, parsed.seed)
    growth(parsed.genes, parsed.trials, parsed.seed)


if __name__ == "__main__":
    main()
