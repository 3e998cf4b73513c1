"""Train a fixed pool of networks on the folds of a set, and score them on rows that no fold has.

Rows are divided as by accuracy.py, its first split, with at most 600 rows to learn from. The pool
has a network of each of six structures, whose dropouts, L2 and powers are drawn once. The loss is
log loss at the temperature of a trial, or RMSE in standard deviations of the target, out of fold
("valid") and for the mean of the folds' networks on the test rows ("test").
"""

import dataclasses
import tempfile
from pathlib import Path

import accuracy
import numpy as np
import pandas as pd
import portfolio
import tensorflow as tf
from scipy.special import log_softmax

from autogenome_tf import families
from autogenome_tf.automl._rows import rows_of
from autogenome_tf.config import Config
from autogenome_tf.nn.trees import forest_network
from autogenome_tf.nn.vectorized import VectorizedNetwork
from autogenome_tf.tasks import task_of
from autogenome_tf.training import Configuration, TrainingSettings, Trial, cross_validation

ROWS, FOLDS = 600, 5
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


def pool(seed):
    """Return family and hyperparameters of each network."""
    random, found = np.random.default_rng(seed), []
    for family, own in STRUCTURES:
        space = families.space(family)
        drawn = {name: random.choice(space[name].options).item() for name in DRAWN}
        found.append((family, portfolio.complete(family, own | drawn)))
    return found


class Rows:
    """The rows of a set: folds of those to learn from, beside test rows that no fold has.

    Args:
        one: The set.
        seed: Of the split.
        draw: Number of a draw of a quarter of the rows to learn from, which take the place of the
            test rows, so that something can be chosen by them; None: the test rows of the split.
        most: Rows to learn from, at most.
    """

    def __init__(self, one, seed, draw=None, most=ROWS):
        ((_, problem),) = accuracy.problems(one, [0], 60.0, seed)
        if draw is not None:
            problem = _within(problem, draw)
        with tempfile.TemporaryDirectory() as folder:
            given = accuracy._config(problem, folder)
            path = Path(given["data"]["targets"])
            labelled = pd.read_csv(path, sep="\t").iloc[portfolio.kept(problem, most)]
            labelled["part"] = labelled["part"].replace("validation", "train")
            labelled.to_csv(path, sep="\t", index=False)
            given["search"]["folds"] = FOLDS
            config = Config.of(given)
            rows = rows_of(config)
            dataset, parts = rows.labelled
            learn, own = rows.learnable
        task = task_of(config.task, learn, own.part == "train")
        self.folds = cross_validation(dataset, parts, task, TrainingSettings.of(config))
        self.test = np.flatnonzero(parts.part == "test")
        self.learnt = np.flatnonzero(parts.part != "test")

    def whole(self):
        """Return the cross-validation of a final fit, which learns from all rows but those."""
        return self.folds.with_splits([(self.learnt, np.zeros(0, int))])

    def losses(self, family, values, fit):
        """Return the loss out of fold and on the test rows, by `SCORES`."""
        result = self.folds.judge(Trial(1, family, values), fit)
        test = self.outputs(Configuration(family, values), fit).mean(axis=0) / result.temperature
        found = self.loss_of(result), self.loss(self.test, test)
        return dict(zip(SCORES, found, strict=True))

    def outputs(self, configuration, fit, folds=None):
        """Return (replicas, rows, outputs) of a fit for the test rows.

        Args:
            configuration: Family and hyperparameters.
            fit: Trained replicas.
            folds: The cross-validation that trained them; None: that of the folds.
        """
        folds = folds or self.folds
        if families.is_of_trees(configuration.family):
            inputs, pairs = folds.fold_inputs(configuration), enumerate(fit.weights[0])
            return np.stack([self._of_forest(inputs, *pair) for pair in pairs])
        x, network = weighed(folds, configuration)[:, self.test], folds.network(configuration)
        pairs = zip(network.weights, fit.weights, strict=True)
        stacks = {variable.path: tf.constant(stack) for variable, stack in pairs}
        x = np.tile(x, (len(fit.weights[0]) // len(x), 1, 1))
        outputs, _ = VectorizedNetwork(network)(tf.constant(x, tf.float32), stacks)
        return outputs.numpy()

    def _of_forest(self, inputs, replica, trees):
        """Return (rows, outputs) of a forest for the test rows."""
        fold = replica % len(inputs.constants)
        x = inputs.preprocessed(fold, self.test)
        return forest_network(trees, x.shape[1]).predict(x, verbose=0)

    def loss_of(self, result):
        """Return the loss of a `TrialResult` out of fold."""
        unseen = self.folds.validation_rows
        return self.loss(unseen, result.calibrated[unseen])

    def loss(self, rows, outputs):
        """Return the loss of (rows, outputs) for rows by their numbers."""
        targets = self.folds.targets[rows]
        if self.folds.task.has_classes:
            return -float(log_softmax(outputs, axis=1)[np.arange(len(rows)), targets].mean())
        return float(np.sqrt(np.mean((outputs.ravel() - targets.ravel()) ** 2)))


def weighed(folds, configuration):
    """Return (folds, rows, inputs) as a network or learner sees the rows."""
    x, factors = np.asarray(folds.fold_inputs(configuration).rows), folds.factors(configuration)
    return x if factors is None else x * factors[:, None]


def _within(problem, draw):
    """Return a problem of the rows to learn from alone, a quarter of which are to test."""
    train = problem.train
    test = np.searchsorted(train, accuracy.held_out(problem.truth, train, 0.25, draw))
    own = {name: getattr(problem, name)[train] for name in ("samples", "values", "truth")}
    return dataclasses.replace(problem, test=test, **own)
