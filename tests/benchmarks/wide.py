"""Ask whether kernels of infinitely wide networks gain over linear learners.

    python tests/benchmarks/wide.py --scores wide.jsonl

The rule below was written after a first look at 15 of the sets, by a script of the same kernels. No
test row of accuracy.py is seen: of the rows to learn from of its first split (at most 600), a
quarter is held out, in two draws.
Kernels are products of the rows with genes weighed by `gene_power` 0, 0.5, 1 and 2 ("linear"), and
the arc-cosine kernel of them, of depth 1 to 3 (Cho and Saul 2009; "wide"), with a constant of a
tenth of the mean square of a row. By each, ridge or logistic regression (scikit-learn's, in the
coordinates of the kernel's span) is solved for a path of penalties, folds by their own training
rows. The one with the lowest loss out of fold (log loss at one temperature, or RMSE) is chosen
among the linear ones, and among all.

The gain is the log of the ratio of their losses on held-out rows, or the difference of the scores
(balanced accuracy or R2), the mean over draws. Wide kernels become a family if the median and the
95 % interval over sets (bootstrap) of the gain in loss are above 0, without sets whose linear
kernels have an R2 below half that of the wide ones: there the networks that exist are as good.
"""

import warnings

import numpy as np
import pandas as pd
from fixed_pool import Rows, weighed
from refits import interval, score
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sets import all_lines
from sklearn.linear_model import LogisticRegression

from autogenome_tf.training import Configuration

SEED, DRAWS = 11, 2
POWERS, DEPTHS = (0.0, 0.5, 1.0, 2.0), (0, 1, 2, 3)
CONSTANT = 0.1
INVERSE_PENALTIES = 10.0 ** np.arange(-2, 5)
# In units of the largest eigenvalue.
RIDGES = (1e-5, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


def measured(one):
    """Yield a line for each draw."""
    for draw in range(DRAWS):
        frame = candidates(Rows(one, SEED, draw))
        line = {"draw": draw}
        for name, own in {"linear": frame[frame["depth"] == 0], "all": frame}.items():
            best = own.loc[own["valid"].idxmin()]
            line |= {f"{name} {key}": float(best[key]) for key in ("depth", "loss", "score")}
        yield line


def candidates(rows):
    """Return loss out of fold, loss and score on held-out rows of every kernel and penalty."""
    folds, found = rows.folds, []
    targets, unseen = folds.targets.ravel(), folds.validation_rows
    whole, learnt = rows.whole(), rows.learnt
    solve = _logistic if folds.task.has_classes else _ridge
    for power in POWERS:
        values = {"gene_power": power}
        asked = Configuration("linear", values)
        parts, (every,) = (weighed(own, asked) for own in (folds, whole))
        for depth in DEPTHS:
            valid = 0.0
            for part, (train, held) in zip(parts, folds.splits, strict=True):
                outputs = solve(coordinates(part, train, depth), targets, train)
                valid = valid + np.where(
                    np.isin(np.arange(len(targets)), held)[:, None], outputs, 0
                )
            last = solve(coordinates(every, learnt, depth), targets, learnt)
            for known, outputs in zip(valid, last, strict=True):
                heat = _temperature(known[unseen], targets[unseen]) if solve is _logistic else 1.0
                loss = rows.loss(unseen, known[unseen] / heat)
                test = outputs[rows.test] / heat
                found.append((depth, loss, rows.loss(rows.test, test), score(rows, test)))
    return pd.DataFrame(found, columns=["depth", "valid", "loss", "score"])


def coordinates(x, learnt, depth):
    """Return (rows, rank) coordinates in the span of learnt rows, whose products are the kernel."""
    products = x @ x.T
    products = products / np.trace(products[np.ix_(learnt, learnt)]) * len(learnt)
    products = products + (CONSTANT if depth else 0.0)
    norms = np.sqrt(np.outer(np.diag(products), np.diag(products)))
    for _ in range(depth):
        cosine = np.clip(products / np.maximum(norms, 1e-12), -1, 1)
        angle = np.arccos(cosine)
        products = norms / np.pi * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine)
    means = products[:, learnt].mean(axis=1)
    products = products - means[:, None] - means + means[learnt].mean()
    eigenvalues, vectors = np.linalg.eigh(products[np.ix_(learnt, learnt)])
    kept = eigenvalues > 1e-7 * eigenvalues.max()
    return products[:, learnt] @ (vectors[:, kept] / np.sqrt(eigenvalues[kept]))


def _logistic(x, targets, learnt):
    outputs, model = [], LogisticRegression(max_iter=150, warm_start=True, tol=1e-3)
    for inverse in INVERSE_PENALTIES:
        model.set_params(C=inverse / np.sqrt(len(learnt))).fit(x[learnt], targets[learnt])
        logits = model.decision_function(x)
        pair = np.stack([-logits / 2, logits / 2], axis=1) if logits.ndim == 1 else logits
        # A class that a fold does not have is never predicted by it.
        outputs.append(np.full((len(x), targets.max() + 1), -1e3))
        outputs[-1][:, model.classes_] = pair
    return np.stack(outputs)


def _ridge(x, targets, learnt):
    mean = targets[learnt].mean()
    eigenvalues, vectors = np.linalg.eigh(x[learnt].T @ x[learnt])
    turned, products = x @ vectors, vectors.T @ (x[learnt].T @ (targets[learnt] - mean))
    penalties = np.multiply(RIDGES, eigenvalues.max())
    return np.stack([turned @ (products / (eigenvalues + own)) + mean for own in penalties])[
        ..., None
    ]


def _temperature(logits, targets):
    def loss(log):
        own = log_softmax(logits / np.exp(log), axis=1)
        return -own[np.arange(len(targets)), targets].mean()

    return np.exp(minimize_scalar(loss, bounds=(-3, 4), method="bounded").x)


def gains(frame):
    """Return the gains of all kernels over the linear ones on each set, and how deep they are."""
    # Losses below a thousandth are as good as none.
    loss = np.log(frame["linear loss"].clip(1e-3) / frame["all loss"].clip(1e-3))
    gained = frame["all score"] - frame["linear score"]
    known = {"depth": frame["all depth"], "loss": loss, "score": gained}
    held = {name: frame[f"{name} score"] for name in ("linear", "all")}
    return pd.DataFrame(known | held).groupby(frame["set"]).mean()


def main():
    """Measure what is missing and print the table."""
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    table = gains(all_lines(__doc__, measured, "--data", "--sets", "--scores"))
    print(table.round(3).to_string())
    counted = table[table["linear"] > table["all"] / 2]
    for name in ("loss", "score"):
        print(
            f"{name}, {len(counted)} sets: median {counted[name].median():.4f}, mean "
            f"{counted[name].mean():.4f}, 95 % {interval(counted[name].to_numpy())}"
        )


if __name__ == "__main__":
    main()
