"""Ask whether an average of linear learners is better than the best of them.

    python tests/benchmarks/further_questions.py OTHERS --others
    python tests/benchmarks/linear_averages.py --scores averages.jsonl
    python tests/benchmarks/linear_averages.py --data OTHERS --scores averages.jsonl

The protocol, written before it was run. No test row of accuracy.py is seen: of the rows to learn
from of its first split (at most 600), a quarter is held out. A look at draws 0 to 2 of such
quarters gave the idea and these ways; draws 3 and 4 decide. All linear learners of a search are
judged out of fold and trained on all rows as a final fit trains them. Outputs are calibrated, by
each one's temperature, and averaged, which is a linear model again:

- `best`: the one with the lowest loss out of fold;
- `shares`: each by the share of 1,000 Bayesian bootstrap samples of the rows (Rubin 1981) on which
  it has the lowest loss out of fold;
- `likelihood`: each by its mean posterior probability over those samples (pseudo-BMA+, Yao et al.
  2018); of values the likelihood is that of a gaussian with the residual variance;
- `three`: the mean of the three with the lowest loss.

A gain over `best` is the log of the ratio of the losses (log loss, or RMSE), or the difference of
the scores (balanced accuracy or R2), the mean over draws. A way takes the place of `best`, of
classes and of values apart, if the median and the mean over sets of its gain in loss and the mean
of its gain in score are above 0, the 95 % interval over sets (bootstrap) of the mean gain in loss
holds no loss of 1 % and that in score none of 0.005; of several, the one with the highest mean gain
in loss. Sets of the same rows (the questions of liver_toxicity and of ctrp2_expression_drug) count
as one, by the mean of theirs.
"""

import numpy as np
from fixed_pool import Rows
from pairs import SEED, final_outputs, gains, learners
from refits import score, tell
from scipy.special import log_softmax, softmax
from sets import all_lines

DRAWS = (3, 4)
RESAMPLES = 1000
WAYS = ("best", "shares", "likelihood", "three")


def measured(one):
    """Yield a line for each draw."""
    for draw in DRAWS:
        rows = Rows(one, SEED, draw)
        whole, unseen = rows.whole(), rows.folds.validation_rows
        both = [final_outputs(rows, result, whole, 1) for result in learners(rows)]
        known, held = (np.stack(own) for own in zip(*both, strict=True))
        line = {"draw": draw, "classes": rows.folds.task.has_classes}
        for way, weights in ways(losses(rows, known[:, unseen], unseen), line["classes"]).items():
            mean = np.tensordot(weights, held, 1)
            line |= {f"{way} loss": rows.loss(rows.test, mean), f"{way} score": score(rows, mean)}
        yield line


def losses(rows, outputs, places):
    """Return the loss of each row by (learners, rows, outputs), (learners, rows)."""
    targets = rows.folds.targets[places]
    if rows.folds.task.has_classes:
        return -log_softmax(outputs, axis=2)[:, np.arange(len(targets)), targets]
    return ((outputs - targets.reshape(1, len(targets), -1)) ** 2).mean(axis=2)


def ways(each, is_of_classes):
    """Return the weights of the learners in each way, by their losses of rows out of fold."""
    count, rows = each.shape
    order = np.argsort(each.mean(axis=1), kind="stable")
    drawn = np.random.default_rng(SEED).dirichlet(np.ones(rows), RESAMPLES) @ each.T
    likelihoods = -rows * (drawn if is_of_classes else 0.5 * np.log(drawn))
    return {
        "best": np.eye(count)[order[0]],
        "shares": np.bincount(drawn.argmin(axis=1), minlength=count) / RESAMPLES,
        "likelihood": softmax(likelihoods, axis=1).mean(axis=0),
        "three": np.eye(count)[order[:3]].mean(axis=0),
    }


def main():
    """Measure what is missing and print a table of classes and one of values."""
    frame = all_lines(__doc__, measured, "--data", "--sets", "--scores")
    frame["set"] = frame["set"].str.partition(".")[0]
    for is_of_classes, own in frame.groupby("classes"):
        print(f"\n{'classes' if is_of_classes else 'values'}\n")
        tell(gains(own, WAYS[1:]))


if __name__ == "__main__":
    main()
