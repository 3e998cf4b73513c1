"""Ten thousand samples of 20,000 genes in 33 classes: the default config beside other tools.

    python tests/benchmarks/large.py
    python tests/benchmarks/large.py --samples 2000 --genes 2000 --classes 5 --seconds 60

Simulated expression, a fifth of the samples as test rows. Each method is a process of its own, one
after the other: the default config with `max_seconds` (no figures, no explanation), scikit-learn's
logistic regression by L-BFGS (the C of five that scores best on a tenth of the training rows), one
Keras `fit` of a multilayer perceptron, and XGBoost where it is installed. Printed are seconds, the
peak of the resident memory above that of the matrix, log loss and accuracy of the test rows, and
for ours the trials that were scored and the seconds of the baseline.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

METHODS = ("default", "logistic", "keras", "xgboost")
INVERSE_PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


def peak():
    """MiB that this process had resident at most."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024


def default(values, classes, train, test, seconds):
    """The default config; probabilities of the test rows, and what the search did."""
    import autogenome_tf as ag

    names = np.array([f"class_{number:02d}" for number in classes])
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "name": "large", "output_dir": folder, "search": {"max_seconds": seconds},
            "data": {"split": {"test": 0.0}}, "output": {"figures": False},
        }  # fmt: skip
        automl = ag.AutoGenome(config, data=(values[train], names[train]))
        board = automl.train()
        found = automl.predict(values[test])
    shares = found[[name for name in found if name.startswith("p_")]].to_numpy()
    scored = board[board["score"].notna()]
    baseline = board.loc[board["trial"] == 0, "seconds"].iloc[0]
    return shares, {"trials": len(scored), "baseline_seconds": float(baseline)}


def standardised(values, train):
    """Take logarithms and standardise by training rows, in place."""
    np.log1p(values, out=values)
    values -= values[train].mean(0)
    values /= np.maximum(values[train].std(0), 1e-6)
    return values


def logistic(values, classes, train, test, seconds):
    """Logistic regression along five penalties, strongest first, each begun at the last."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    values, held = standardised(values, train), train[::10]
    rest = np.setdiff1d(train, held)
    model = LogisticRegression(max_iter=500, warm_start=True)
    losses = {}
    for inverse in INVERSE_PENALTIES:
        model.set_params(C=inverse).fit(values[rest], classes[rest])
        losses[inverse] = log_loss(classes[held], model.predict_proba(values[held]))
    model.set_params(C=min(losses, key=losses.get)).fit(values[train], classes[train])
    return model.predict_proba(values[test]), {}


def keras(values, classes, train, test, seconds):
    """One multilayer perceptron on the genes."""
    import keras

    values, held = standardised(values, train), train[::10]
    rest = np.setdiff1d(train, held)
    layers = keras.layers
    network = keras.Sequential(
        [
            layers.Dense(256, "relu"), layers.BatchNormalization(), layers.Dropout(0.3),
            layers.Dense(int(classes.max()) + 1, "softmax"),
        ]
    )  # fmt: skip
    network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    network.fit(
        values[rest], classes[rest], batch_size=64, epochs=50, verbose=0, callbacks=[stop],
        validation_data=(values[held], classes[held]),
    )  # fmt: skip
    return network.predict(values[test], verbose=0), {}


def xgboost(values, classes, train, test, seconds):
    """Boosted trees with histograms and default settings."""
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=100, tree_method="hist").fit(values[train], classes[train])
    return model.predict_proba(values[test]), {}


def measure(method, given):
    """Run one method in this process and print a JSON line."""
    from sklearn.metrics import log_loss

    values, classes = np.load(given.matrix), np.load(given.classes_file)
    order = np.random.default_rng(0).permutation(len(values))
    test, train = np.sort(order[: len(order) // 5]), np.sort(order[len(order) // 5 :])
    before, started = peak(), time.monotonic()
    shares, more = globals()[method](values, classes, train, test, given.seconds)
    line = {
        "method": method,
        "seconds": time.monotonic() - started,
        "peak_mib": peak() - before + values.nbytes / 2**20,
        "log_loss": float(log_loss(classes[test], shares.astype("float64"))),
        "accuracy": float((shares.argmax(1) == classes[test]).mean()),
    }
    print(json.dumps(line | more))


def draw(given, folder):
    """Write a matrix and its classes; return their paths."""
    from autogenome_tf.simulation import expression

    drawn = expression.draw(
        samples=given.samples, features=given.genes, classes=given.classes, informative=100,
        noise=2.0, seed=7, counts=False,
    )  # fmt: skip
    paths = [os.path.join(folder, name) for name in ("matrix.npy", "classes.npy")]
    np.save(paths[0], drawn.values)
    np.save(paths[1], np.unique(drawn.target, return_inverse=True)[1])
    return paths


def main():
    """Print a JSON line a method."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--samples", type=int, default=10_000)
    asked.add_argument("--genes", type=int, default=20_000)
    asked.add_argument("--classes", type=int, default=33)
    asked.add_argument("--seconds", type=float, default=600)
    asked.add_argument("--methods", nargs="+", default=METHODS)
    asked.add_argument("--matrix", help=argparse.SUPPRESS)
    asked.add_argument("--classes-file", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.matrix:
        measure(given.methods[0], given)
        return
    with tempfile.TemporaryDirectory() as folder:
        matrix, classes = draw(given, folder)
        for method in given.methods:
            command = [
                sys.executable, __file__, "--methods", method, "--seconds", str(given.seconds),
                "--matrix", matrix, "--classes-file", classes,
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(json.dumps({"method": method, "error": done.stderr.splitlines()[-1]}))
                continue
            print(done.stdout.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
