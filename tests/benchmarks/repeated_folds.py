"""Scores of a small set of two classes by repeated cross-validation, the search inside each fold.

    python tests/benchmarks/repeated_folds.py --output folds.tsv
    python tests/benchmarks/repeated_folds.py --set alon_colon --methods default svm --seconds 20

Protocol: the folds are scikit-learn's RepeatedStratifiedKFold, 5 folds 5 times, seed 42. In each,
every method learns from the other rows alone, whatever it does with them, and is scored on the
fold: accuracy, balanced accuracy and the area under the ROC curve. Means over all folds, and paired
differences of the first method to each other with the corrected interval of Nadeau and Bengio
(2003), since folds share rows to learn from. The file given as `--output` grows with each fold, and
what it has is not run again.
"""

import argparse
import sys
from pathlib import Path

import accuracy
import foreign
import numpy as np
import pandas as pd
import scipy.stats
from sets import SHARED, sets
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold

FOLDS, REPEATS, SEED = 5, 5, 42
SCORES = ("accuracy", "balanced_accuracy", "auc")


def problems(one, seconds):
    """Yield the number of each fold and the `Problem` that holds it out."""
    samples, values = one.matrix()
    truth = one.truth(samples)
    if len(np.unique(truth)) != 2:
        raise SystemExit(f"{one.name}: expected two classes; received {len(np.unique(truth))}.")
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SEED)
    for fold, (_, test) in enumerate(folds.split(values, truth)):
        yield fold, accuracy.Problem(one, samples, values, truth, test, seconds, SEED + fold)


def scored(problem, predicted):
    """Return the scores of predictions of the fold; no area where a method gives classes alone."""
    truth = problem.truth[problem.test]
    found = [accuracy_score(truth, predicted.values)]
    found.append(balanced_accuracy_score(truth, predicted.values))
    has_chances = predicted.probabilities is not None
    chance = predicted.probabilities[:, 1] if has_chances else None
    found.append(roc_auc_score(truth == max(problem.truth), chance) if has_chances else np.nan)
    return dict(zip(SCORES, found, strict=True))


def run(one, parsed):
    """Return a row for each fold and method, those of the file first."""
    has_some = parsed.output and parsed.output.exists()
    rows = pd.read_csv(parsed.output, sep="\t").to_dict("records") if has_some else []
    done = {(row["fold"], row["method"]) for row in rows}
    made = accuracy.methods(parsed.methods, foreign.CACHE)
    for fold, problem in problems(one, parsed.seconds):
        for name in made:
            if (fold, name) in done:
                continue
            rows.append({"fold": fold, "method": name} | scored(problem, made[name](problem)))
            print(*rows[-1].values(), file=sys.stderr, flush=True)
            if parsed.output:
                pd.DataFrame(rows).to_csv(parsed.output, sep="\t", index=False)
    return pd.DataFrame(rows)


def difference(own, other):
    """Return the mean of own - other over folds, and its corrected 95 % interval."""
    found, count = own - other, len(own)
    error = np.sqrt((1 / count + 1 / (FOLDS - 1)) * found.var(ddof=1))
    reach = scipy.stats.t.ppf(0.975, count - 1) * error
    return found.mean(), found.mean() - reach, found.mean() + reach


def main():
    """Print mean scores and differences as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default=SHARED, type=Path)
    parser.add_argument("--set", default="alon_colon")
    parser.add_argument(
        "--methods", nargs="+", default=["default", "linear", "svm", "lda", "forest"]
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="budget of each search")
    parser.add_argument("--output", type=Path, help="a .tsv that grows, and that is gone on with")
    parsed = parser.parse_args()
    (one,) = sets(parsed.data, [parsed.set])
    frame = run(one, parsed)
    wide = {score: frame.pivot(index="fold", columns="method", values=score) for score in SCORES}
    own = parsed.methods[0]
    print(f"| method | {' | '.join(SCORES)} | accuracy, {accuracy.HEADERS[own]} above |")
    print("|---|--:|--:|--:|--:|")
    for name in parsed.methods:
        means = " | ".join(f"{wide[score][name].mean():.3f}" for score in SCORES).replace("nan", "")
        mean, low, high = difference(wide["accuracy"][own], wide["accuracy"][name])
        beside = "" if name == own else f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
        print(f"| {accuracy.HEADERS[name]} | {means} | {beside} |")


if __name__ == "__main__":
    main()
