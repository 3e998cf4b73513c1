"""Extra trees beside random forests and boosted trees: the protocol that chose family `forest`.

    python tests/benchmarks/trees.py --output trees.tsv

Rows are divided as by accuracy.py. Every kind is fitted on five folds of the training rows, whose
out-of-fold logits give the temperature, and on all of them for the held-out rows. Scores are
balanced accuracy or R2; losses are log loss at that temperature, or RMSE. Logits of forests are the
mean over trees of the class shares of a leaf ("share") or of their logarithms ("log"), both linear
in the trees. A kind that takes longer than `--limit` seconds a fit has no score.

The kind with the best mean rank of held-out scores is taken; of two within 0.25 ranks, the quicker.
"""

import argparse
import signal
import time
from pathlib import Path

import accuracy
import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sets import SHARED, sets
from sklearn import ensemble
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold

SETS = (
    "microbiome_vaginal_nugent", "cellbench_3lines", "tcga9_rnaseq", "liver_toxicity",
    "riboflavin", "alon_colon", "poelwijk_fluorescence",
)  # fmt: skip
TREES = 300
# Rows of prior in a leaf's log share.
PRIOR = 1.0


def forest(name, **options):
    """Return a function from a task's name to one of scikit-learn's forests."""
    kinds = {task: f"{name}{end}" for task, end in accuracy_ends().items()}
    return lambda task: getattr(ensemble, kinds[task])(TREES, random_state=1, **options)


def accuracy_ends():
    """Return the end of a class's name by the task."""
    return {"classification": "Classifier", "regression": "Regressor"}


def boosting(task):
    """Return scikit-learn's histogram boosting."""
    name = f"HistGradientBoosting{accuracy_ends()[task]}"
    return getattr(ensemble, name)(max_iter=100, early_stopping=False, random_state=1)


KINDS = {
    "extra": forest("ExtraTrees", max_features="sqrt"),
    "extra leaf 3": forest("ExtraTrees", max_features="sqrt", min_samples_leaf=3),
    "extra tenth": forest("ExtraTrees", max_features=0.1),
    "random": forest("RandomForest", max_features="sqrt"),
    "boosting": boosting,
}


def outputs(model, rows, rule):
    """Return (rows, outputs) logits by a rule, or values."""
    if not hasattr(model, "classes_"):
        return model.predict(rows)[:, None]
    if rule == "raw":
        found = model.decision_function(rows)
        return found if found.ndim > 1 else np.stack([0 * found, found], axis=1)
    if rule == "share":
        return model.predict_proba(rows)
    return np.mean([_log_shares(tree, rows, model) for tree in model.estimators_], axis=0)


def _log_shares(tree, rows, model):
    inner, leaves = tree.tree_, tree.apply(rows.astype("float32"))
    shares, counts = inner.value[:, 0], inner.weighted_n_node_samples[:, None]
    return np.log((shares * counts + PRIOR * shares[:1]) / (counts + PRIOR))[leaves]


def rules(name, task):
    """Return the ways from trees to logits."""
    return ("raw",) if task == "regression" or name == "boosting" else ("share", "log")


def loss(truth, logits, inverse):
    """Return the log loss of class positions, or the RMSE of numbers."""
    if logits.shape[1] == 1:
        return float(np.sqrt(np.mean((truth - logits[:, 0]) ** 2)))
    chances = log_softmax(logits * inverse, axis=1)
    return float(-chances[np.arange(len(truth)), truth].mean())


def score(truth, logits):
    """Return balanced accuracy or R2."""
    if logits.shape[1] == 1:
        return r2_score(truth, logits[:, 0])
    return balanced_accuracy_score(truth, logits.argmax(axis=1))


def measured(problem, name, limit):
    """Yield a row for each rule of a kind on one division of a set."""
    task, x = problem.one.task, problem.values.astype("float32")
    truth = problem.truth
    if task == "classification":
        truth = np.unique(truth, return_inverse=True)[1]
    train, test, started = problem.train, problem.test, time.monotonic()
    folds = (KFold if task == "regression" else StratifiedKFold)(5, shuffle=True, random_state=1)
    unseen = {rule: {} for rule in rules(name, task)}
    for inside, outside in folds.split(train, None if task == "regression" else truth[train]):
        model = _fitted(KINDS[name](task), x[train[inside]], truth[train[inside]], limit)
        for rule, found in unseen.items():
            found |= dict(zip(train[outside], outputs(model, x[train[outside]], rule), strict=True))
    model = _fitted(KINDS[name](task), x[train], truth[train], limit)
    for rule, found in unseen.items():
        logits = np.array([found[row] for row in train])
        inverse = _inverse(truth[train], logits)
        known = outputs(model, x[test], rule)
        yield {
            "kind": f"{name} ({rule})", "seconds": (time.monotonic() - started) / 6,
            "out_of_fold": score(truth[train], logits), "held_out": score(truth[test], known),
            "fold_loss": loss(truth[train], logits, inverse),
            "loss": loss(truth[test], known, inverse),
        }  # fmt: skip


def _inverse(truth, logits):
    """Return the inverse of the temperature that calibrates logits."""
    if logits.shape[1] == 1:
        return 1.0
    found = minimize_scalar(
        lambda power: loss(truth, logits, np.exp(power)), bounds=(-5, 6), method="bounded"
    )
    return float(np.exp(found.x))


def _fitted(model, rows, truth, limit):
    def stop(*_):
        raise TimeoutError(f"longer than {limit} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(limit)
    try:
        return model.fit(rows, truth)
    finally:
        signal.alarm(0)


def main():
    """Measure all kinds on all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--limit", type=int, default=30)
    parser.add_argument("--output", type=Path, required=True)
    parsed = parser.parse_args()
    rows = []
    for one in sets(SHARED, SETS):
        for split, problem in accuracy.problems(one, range(parsed.splits), 0, 107):
            for name in KINDS:
                place = {"set": one.name, "split": split}
                try:
                    rows += [place | row for row in measured(problem, name, parsed.limit)]
                except TimeoutError as error:
                    print(one.name, split, name, error, flush=True)
                pd.DataFrame(rows).to_csv(parsed.output, sep="\t", index=False)
    frame = pd.DataFrame(rows)
    print(frame.groupby(["set", "kind"]).mean(numeric_only=True).drop(columns="split").round(3))


if __name__ == "__main__":
    main()
