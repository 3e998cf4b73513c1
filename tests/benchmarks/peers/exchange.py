"""What passes between the benchmark and a peer: rows.npz in, predictions.npy out."""

import sys

import numpy as np
from sklearn.impute import SimpleImputer


def filled(train, test):
    """Return both with the means of training rows in place of missing values."""
    fill = SimpleImputer(keep_empty_features=True).fit(train)
    return fill.transform(train), fill.transform(test)


def answer(predict):
    """Read the rows, let a peer predict, write the predictions.

    Args:
        predict: Called with task, training rows, their truth (class numbers from 0, or values),
            test rows, seconds and seed; returns the predictions.
    """
    task, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    with np.load("rows.npz") as rows:
        train, truth, test = rows["train"], rows["truth"], rows["test"]
    if task == "classification":
        names, truth = np.unique(truth, return_inverse=True)
    predictions = np.asarray(predict(task, train, truth, test, seconds, seed)).ravel()
    if predictions.shape != (len(test),):
        raise SystemExit("no predictions")
    if task == "classification":
        predictions = names[predictions.astype(int)]
    np.save("predictions.npy", predictions)


def of_networks(classifier, regressor):
    """Return a function for `answer` by networks of pytabkit, with their defaults.

    Args:
        classifier: Class of networks of classes.
        regressor: Class of networks of numbers.
    """

    def predict(task, train, truth, test, seconds, seed):
        train, test = filled(train, test)
        kind = classifier if task == "classification" else regressor
        return kind(random_state=seed, device="cpu", n_threads=2).fit(train, truth).predict(test)

    return predict
