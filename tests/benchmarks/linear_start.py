"""Networks that begin as a linear learner, beside the same networks at random.

    python tests/benchmarks/linear_start.py --scores linear_start.jsonl
    python tests/benchmarks/linear_start.py --scores linear_start.jsonl --sets alon_colon riboflavin

The protocol, written before it was run on these sets; the quick start's rows, which are not among
them, gave the idea. Rows are divided as by accuracy.py, its first split, with at most 600 rows to
learn from. The pool has a network of each of six structures, whose dropouts, L2 and powers are
drawn once. Each is trained on five folds as a trial of a search is, for 20 epochs, by
`linear_start` 0 and by each of three values of L2.

The loss is log loss at the temperature of a trial, or RMSE in standard deviations of the target,
out of fold ("valid") and for the mean of the folds' networks on the test rows ("test"), by which
nothing is chosen. The gain of a value on a set is the median over networks of the log of the ratio
of the losses without and with it; beside it that of the best network of the pool, and the best
network's gain over the linear baseline.

The value of the best median gain out of fold is chosen, leave-one-set-out, and judged on the set
that is left out. If the median over sets of these gains is above 0 out of fold and on test rows,
for the median and the best network alike, searches try `linear_start` and begin with it.
"""

import argparse
import json
import tempfile
import time
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
from autogenome_tf.nn.vectorized import VectorizedNetwork
from autogenome_tf.run import _console
from autogenome_tf.search._linear import baseline
from autogenome_tf.tasks import task_of
from autogenome_tf.training import Plan, TrainingSettings, Trial, cross_validation

ROWS, SEED, PLAN = 600, 11, Plan(20)
STARTS = (0.0, 0.01, 0.1, 1.0)
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
            labelled.assign(part=labelled["part"].replace("validation", "train")).to_csv(
                path, sep="\t", index=False
            )
            config = Config.of(given)
            rows = rows_of(config)
            dataset, parts = rows.labelled
            learn, own = rows.learnable
        task = task_of(config.task, learn, own.part == "train")
        self.folds = cross_validation(dataset, parts, task, TrainingSettings.of(config))
        self.test = np.flatnonzero(parts.part == "test")

    def losses(self, family, values, fit):
        """Return the loss out of fold and on the test rows."""
        result = self.folds.judge(Trial(1, family, values), fit)
        unseen = self.folds.validation_rows
        test = self._outputs(family, values, fit) / result.temperature
        found = self._loss(unseen, result.calibrated[unseen]), self._loss(self.test, test)
        return dict(zip(SCORES, found, strict=True))

    def _outputs(self, family, values, fit):
        """Return the mean outputs of the networks of all folds for the test rows."""
        x = np.asarray(self.folds.fold_inputs(family, values).rows)[:, self.test]
        factors = self.folds.factors(family, values)
        x = x if factors is None else x * factors[:, None]
        network = self.folds.network(family, values)
        stacks = {v.path: tf.constant(s) for v, s in zip(network.weights, fit.weights, strict=True)}
        repeats = len(fit.weights[0]) // len(x)
        x = tf.constant(np.tile(x, (repeats, 1, 1)), tf.float32)
        return VectorizedNetwork(network)(x, stacks)[0].numpy().mean(axis=0)

    def _loss(self, rows, outputs):
        targets = self.folds.targets[rows]
        if self.folds.task.has_classes:
            return -float(log_softmax(outputs, axis=1)[np.arange(len(rows)), targets].mean())
        return float(np.sqrt(np.mean((outputs.ravel() - targets.ravel()) ** 2)))


def measured(rows):
    """Yield a line for the baseline, and for each network and value."""
    found = baseline(rows.folds, {}, PLAN, SEED)
    yield {"number": 0, "start": "linear"} | rows.losses("linear", found.trial.values, found.fit)
    for number, (family, values) in enumerate(pool(), 1):
        for start in STARTS:
            started, own = time.process_time(), values | {"linear_start": start}
            fit = rows.folds.fit(family, own, PLAN, derive(SEED, str(number)))
            seconds = time.process_time() - started
            known = {"number": number, "start": str(start), "seconds": seconds}
            yield known | {"best_epoch": fit.best_epoch} | rows.losses(family, own, fit)


def gains(frame, start, score):
    """Return the gain of a value on each set: of the median and of the best network."""
    wide = frame.pivot_table(index=["set", "number"], columns="start", values=score)
    best = wide.groupby("set").min()
    return pd.DataFrame({
        "median": np.log(wide["0.0"] / wide[start]).groupby("set").median(),
        "best": np.log(best["0.0"] / best[start]),
        "best over linear": np.log(best["linear"] / best[start]),
    })  # fmt: skip


def table(frame):
    """Return the medians over sets of the gains of each value, out of fold and on test rows."""
    lines = {}
    for start in map(str, STARTS):
        found = {score: gains(frame, start, score) for score in SCORES}
        lines[start] = {f"{s}, {of}": own[of].median() for s, own in found.items() for of in own}
    return pd.DataFrame.from_dict(lines, "index")


def left_out(frame):
    """Return for each set the value that the other sets choose, and its gains there."""
    found = {s: {score: gains(frame, s, score) for score in SCORES} for s in map(str, STARTS[1:])}
    valid = pd.DataFrame({start: own["valid"]["median"] for start, own in found.items()})
    lines = {}
    for one in valid.index:
        start = valid.drop(one).median().idxmax()
        lines[one] = {"start": start} | {
            f"{score}, {of}": value
            for score in SCORES
            for of, value in found[start][score].loc[one].items()
        }
    return pd.DataFrame.from_dict(lines, "index")


def main():
    """Measure what is missing and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default=SHARED, type=Path)
    parser.add_argument("--sets", nargs="*", default=())
    parser.add_argument("--scores", type=Path, required=True, help="a .jsonl that grows by sets")
    asked = parser.parse_args()
    _console.talk(quiet=True)
    known = set(_read(asked.scores)["set"]) if asked.scores.exists() else set()
    for one in sets(asked.data, asked.sets):
        if one.name not in known:
            lines = [json.dumps({"set": one.name} | line) for line in measured(Rows(one))]
            with asked.scores.open("a") as file:
                file.write("\n".join(lines) + "\n")
    frame = _read(asked.scores)
    print(table(frame).round(3).to_string())
    if frame["set"].nunique() > 1:
        judged = left_out(frame)
        print(judged.round(3).to_string(), judged.iloc[:, 1:].median().round(3), sep="\n\n")
    print(frame.groupby("start")[["seconds", "best_epoch"]].mean().round(2))


def _read(path):
    return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])


if __name__ == "__main__":
    main()
