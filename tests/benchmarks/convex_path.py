"""The baseline's path of penalties beside scikit-learn's L-BFGS at the same penalties and rows.

    python tests/benchmarks/convex_path.py
    python tests/benchmarks/convex_path.py --samples 800 --genes 2000 --classes 5

Simulated expression of many genes, four fifths of the samples to learn from. Both start each
penalty at the solution of the one before, on the same preprocessed rows in float32. Printed for
each penalty are the processor seconds from the first one on, and the minimum that both found: mean
loss plus penalty times the squared kernel, in float64.
"""

import argparse
import json
import time

import numpy as np
from folds import cross_validation
from sklearn.linear_model import LogisticRegression

from autogenome_tf.families import space
from autogenome_tf.simulation import expression
from autogenome_tf.tasks import Classification
from autogenome_tf.training import Configuration

VALUES = {"loss": "logistic"}


def drawn(given):
    """Return a cross-validation of simulated rows with a single split."""
    rows = expression.draw(
        samples=given.samples, features=given.genes, classes=given.classes, informative=100,
        noise=2.0, seed=7, counts=False,
    )  # fmt: skip
    names, targets = np.unique(rows.target, return_inverse=True)
    numbers = np.arange(given.samples)
    split = numbers[numbers % 5 > 0], numbers[::5]
    task = Classification([str(name) for name in names])
    return cross_validation(rows.values, targets, task, [split], data={"transform": "log1p"})


def minimum(rows, targets, kernel, bias, l2):
    """Return what is minimised."""
    outputs = (rows @ kernel.astype("float32") + bias).astype("float64")
    outputs -= outputs.max(axis=1, keepdims=True)
    losses = np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(len(rows)), targets]
    return float(losses.mean() + l2 * (kernel.astype("float64") ** 2).sum())


def main():
    """Print a JSON line a penalty."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--samples", type=int, default=8_000)
    asked.add_argument("--genes", type=int, default=20_000)
    asked.add_argument("--classes", type=int, default=33)
    given = asked.parse_args()
    folds = drawn(given)
    train = folds.splits[0][0]
    rows, targets = (
        folds.fold_inputs(Configuration("linear", VALUES)).rows.numpy()[0][train],
        folds.targets[train],
    )
    penalties = space("linear", task=folds.task)["l2"].options
    before, ours = time.process_time(), []
    for l2, fit in folds.path(Configuration("linear", VALUES), penalties):
        kernel, bias = fit.weights[0][0], fit.weights[1][0]
        ours.append((l2, kernel, bias, time.process_time() - before))
    model, seconds = LogisticRegression(max_iter=500, warm_start=True), 0.0
    for l2, kernel, bias, own in ours:
        before = time.process_time()
        model.set_params(C=1 / (2 * l2 * len(rows))).fit(rows, targets)
        seconds += time.process_time() - before
        line = {
            "l2": l2,
            "processor_seconds": round(own, 1),
            "minimum": minimum(rows, targets, kernel, bias, l2),
            "sklearn_processor_seconds": round(seconds, 1),
            "sklearn_minimum": minimum(rows, targets, model.coef_.T, model.intercept_, l2),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
