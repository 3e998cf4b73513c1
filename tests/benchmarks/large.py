"""Ten thousand samples of 20,000 genes in 33 classes: the default config beside other tools.

    python tests/benchmarks/large.py
    python tests/benchmarks/large.py --samples 2000 --genes 2000 --classes 5 --seconds 60

Simulated expression, a fifth of the samples as test rows. Each method is a process of its own, one
after the other: the default config with `max_seconds` (no figures, no explanation), scikit-learn's
logistic regression by L-BFGS (the C of five that scores best on a tenth of the training rows), one
Keras `fit` of a multilayer perceptron, and XGBoost where it is installed. Printed are seconds, the
peak of the resident memory, in which the matrix that is given counts once, log loss and accuracy of
the test rows, and for ours the trials that were scored and the seconds of the baseline.
"""

import argparse
import json
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


def default(train, classes, test, seconds):
    """The default config; probabilities of the test rows, and what the search did."""
    import autogenome_tf as ag

    names = np.array([f"class_{number:02d}" for number in classes])
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "name": "large", "output_dir": folder, "search": {"max_seconds": seconds},
            "data": {"split": {"test": 0.0}}, "output": {"figures": False},
        }  # fmt: skip
        automl = ag.AutoGenome(config, data=(train, names))
        board = automl.train()
        found = automl.predict(test)
    shares = found[[name for name in found if name.startswith("p_")]].to_numpy()
    scored = board[board["score"].notna()]
    baseline = board.loc[board["trial"] == 0, "seconds"].iloc[0]
    return shares, {"trials": len(scored), "baseline_seconds": float(baseline)}


def standardised(train, test):
    """Take logarithms and standardise by training rows, in place."""
    for values in (train, test):
        np.log1p(values, out=values)
    mean, deviation = train.mean(0), np.maximum(train.std(0), 1e-6)
    for values in (train, test):
        values -= mean
        values /= deviation


def logistic(train, classes, test, seconds):
    """Logistic regression along five penalties, strongest first, each begun at the last."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    standardised(train, test)
    held, rest = parts(train)
    model = LogisticRegression(max_iter=500, warm_start=True)
    losses = {}
    for inverse in INVERSE_PENALTIES:
        model.set_params(C=inverse).fit(train[rest], classes[rest])
        losses[inverse] = log_loss(classes[held], model.predict_proba(train[held]))
    model.set_params(C=min(losses, key=losses.get)).fit(train, classes)
    return model.predict_proba(test), {}


def keras(train, classes, test, seconds):
    """One multilayer perceptron on the genes."""
    import keras

    standardised(train, test)
    held, rest = parts(train)
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
        train[rest], classes[rest], batch_size=64, epochs=50, verbose=0, callbacks=[stop],
        validation_data=(train[held], classes[held]),
    )  # fmt: skip
    return network.predict(test, verbose=0), {}


def xgboost(train, classes, test, seconds):
    """Boosted trees with histograms and default settings."""
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=100, tree_method="hist").fit(train, classes)
    return model.predict_proba(test), {}


def parts(train):
    """Numbers of the rows that are held out, a tenth, and of the rest."""
    every = np.arange(len(train))
    return every[::10], np.setdiff1d(every, every[::10])


def measure(method, given):
    """Run one method in this process and print a JSON line."""
    from sklearn.metrics import log_loss

    names = ("train", "train_classes", "test", "test_classes")
    train, classes, test, truth = (np.load(f"{given.drawn}/{name}.npy") for name in names)
    matrix = train.nbytes + test.nbytes
    before, started = peak(), time.monotonic()
    shares, more = globals()[method](train, classes, test, given.seconds)
    line = {
        "method": method,
        "seconds": time.monotonic() - started,
        "peak_mib": peak() - before + matrix / 2**20,
        "log_loss": float(log_loss(truth, shares.astype("float64"))),
        "accuracy": float((shares.argmax(1) == truth).mean()),
    }
    print(json.dumps(line | more))


def draw(given, folder):
    """Write training and test rows, drawn at random, and their classes."""
    from autogenome_tf.simulation import expression

    drawn = expression.draw(
        samples=given.samples, features=given.genes, classes=given.classes, informative=100,
        noise=2.0, seed=7, counts=False,
    )  # fmt: skip
    classes = np.unique(drawn.target, return_inverse=True)[1]
    order = np.random.default_rng(0).permutation(len(classes))
    test, train = np.sort(order[: len(order) // 5]), np.sort(order[len(order) // 5 :])
    for name, rows in (("train", train), ("test", test)):
        np.save(f"{folder}/{name}.npy", drawn.values[rows])
        np.save(f"{folder}/{name}_classes.npy", classes[rows])


def main():
    """Print a JSON line a method."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--samples", type=int, default=10_000)
    asked.add_argument("--genes", type=int, default=20_000)
    asked.add_argument("--classes", type=int, default=33)
    asked.add_argument("--seconds", type=float, default=600)
    asked.add_argument("--methods", nargs="+", default=METHODS)
    asked.add_argument("--drawn", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.drawn:
        measure(given.methods[0], given)
        return
    with tempfile.TemporaryDirectory() as folder:
        draw(given, folder)
        for method in given.methods:
            command = [
                sys.executable, __file__, "--methods", method, "--seconds", str(given.seconds),
                "--drawn", folder,
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(json.dumps({"method": method, "error": done.stderr.splitlines()[-1]}))
                continue
            print(done.stdout.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
