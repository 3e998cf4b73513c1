"""Test scores on every data set, beside linear models, forests, boosted trees and AutoML tools.

    python tests/benchmarks/accuracy.py --output scores.tsv
    python tests/benchmarks/accuracy.py --full --output scores.tsv
    python tests/benchmarks/accuracy.py --data FOLDER --sets alon_colon --methods default linear svm
    python tests/benchmarks/accuracy.py --table scores.tsv

A fifth of the rows is held out, stratified by class, another fifth for each split and the same for
all methods; each method learns from the others, whatever it does with them. (A class of a single
row is left out.) Scores are balanced accuracy and R2 on the held-out rows; the loss beside them is
log loss or RMSE, where a method gives probabilities. Search tools get `--seconds` each; `--full` is
5 splits and 120 seconds. The file given as `--output` grows with each score, and what it has,
failures too, is not run again. `default` is a config that names the data and the budget alone;
`ours` has an ensemble, balanced class weights and ranks as a second transform. `single`, `average`
and `trees` are `default` with the best trial, an ensemble, and an ensemble with forests; `cold` is
`default` without the portfolio of starting points, `seed` with networks of a single seed.

Differences to each rival are paired: of the same splits, a mean over sets with a 95 % interval from
a bootstrap that draws sets, and then splits of each.

XGBoost, FLAML, AutoGluon, RealMLP and TabM run in environments of their own, made in
`--environments` where they are missing, and are ended after three times their seconds. A method
that fails gets the score of the baseline (the largest class, the mean), and the table marks it.
"""

import argparse
import dataclasses
import functools
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import baselines
import foreign
import numpy as np
import pandas as pd
from sets import SHARED, Set, alone, sets
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split

import autogenome_tf as ag
from autogenome_tf.config._json import merged
from autogenome_tf.run import _console

TEST = 0.2
# Keys of our config beyond those that the data and the budget ask for.
OURS = {"ensemble": {"size": "auto"}}
UNLIMITED = 10**6
# Configs that name the data, the budget and these keys, to choose defaults by.
NETWORKS = {"mlp": {}, "resnet": {}, "densenet": {}}
VARIANTS = {
    "cold": {"search": {"start": "defaults"}},
    "seed": {"ensemble": {"seeds": 1}},
    "single": {"ensemble": {"size": 1}, "families": {"linear": {}} | NETWORKS},
    "average": {"ensemble": {"size": "auto"}, "families": {"linear": {}} | NETWORKS},
    "trees": {"ensemble": {"size": "auto"}, "families": {"linear": {}, "forest": {}} | NETWORKS},
}

HEADERS = {
    "default": "default config",
    "ours": "autogenome_tf",
    "cold": "without the portfolio",
    "seed": "networks of one seed",
    "single": "best trial",
    "average": "ensemble",
    "trees": "ensemble with forests",
    "linear": "logistic or ridge",
    "lda": "LDA or PLS",
    "svm": "linear SVM",
    "forest": "random forest",
    "baseline": "majority or mean",
    "xgboost": "XGBoost",
    "flaml": "FLAML",
    "autogluon": "AutoGluon",
    "realmlp": "RealMLP",
    "tabm": "TabM",
}
# Ours, the first that has scores is compared with all others.
OWN = ("default", "ours", "trees", "average", "single", "cold", "seed")
USUAL = [name for name in HEADERS if name == "ours" or name not in OWN]
SCORED = {"classification": "balanced accuracy", "regression": "R2"}
# Draws of the interval of a difference.
DRAWS = 10_000


class Predicted(NamedTuple):
    """Predictions of the test rows.

    Attributes:
        values: (rows,) class names or numbers.
        probabilities: (rows, classes), classes sorted by name, or None.
    """

    values: np.ndarray
    probabilities: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Problem:
    """One data set divided once: what every method gets."""

    one: Set
    samples: np.ndarray
    values: np.ndarray
    truth: np.ndarray
    test: np.ndarray
    seconds: float
    seed: int

    @property
    def train(self):
        """Numbers of the rows to learn from."""
        return np.setdiff1d(np.arange(len(self.truth)), self.test)

    def scores(self, predicted):
        """Return score and loss of what a method has predicted of the test rows."""
        truth, task = self.truth[self.test], self.one.task
        found = {"score": baselines.SCORES[task](truth, predicted.values), "loss": np.nan}
        if task == "regression":
            found["loss"] = root_mean_squared_error(truth, predicted.values)
        elif predicted.probabilities is not None:
            names = np.unique(self.truth)
            found["loss"] = log_loss(truth, predicted.probabilities, labels=names)
        return found


def held_out(truth, rows, share, seed):
    """Some of `rows`, sorted: a share of each class; a row that is alone in its class stays."""
    rows = rows[~alone(truth[rows])]
    labels = None if truth.dtype.kind == "f" else truth[rows]
    return np.sort(train_test_split(rows, test_size=share, random_state=seed, stratify=labels)[1])


def default(problem):
    """Run the main job by a config that names the data and the budget alone."""
    with tempfile.TemporaryDirectory() as folder:
        return _trained(_config(problem, folder), problem)


def variant(keys, problem):
    """Run the main job by a config that names some keys beside the data and the budget."""
    with tempfile.TemporaryDirectory() as folder:
        return _trained(merged(_config(problem, folder), keys), problem)


def ours(problem):
    """Run the main job by a config for the scores of this table."""
    with tempfile.TemporaryDirectory() as folder:
        config = _config(problem, folder) | OURS
        named = config["data"].get("transform", "auto")
        config["data"] |= {"transform": [named, "rank"]}
        if problem.one.task == "classification":
            # The score counts every class alike, so that every search is told to do so.
            config["task"] |= {"class_weight": "balanced"}
        return _trained(config, problem)


def _config(problem, folder):
    """Return the config that names data and budget; targets and split are written to a folder."""
    limits = {"max_seconds": problem.seconds, "max_trials": UNLIMITED}
    config = problem.one.config(folder, **limits) | {"seed": problem.seed}
    rows = Path(folder) / "rows.tsv"
    _labelled(problem).to_csv(rows, sep="\t", index=False)
    config["data"] |= {"targets": str(rows), "split": str(rows), "missing": "mean"}
    return config


def _trained(config, problem):
    """Train and predict by a config."""
    _console.talk(quiet=True)
    automl = ag.AutoGenome(config)
    automl.train()
    found = automl.predict().set_index("sample").loc[problem.samples[problem.test]]
    values = found["prediction"].to_numpy(problem.truth.dtype)
    if problem.one.task == "regression":
        return Predicted(values)
    names = np.unique(problem.truth)
    return Predicted(values, found[[f"p_{name}" for name in names]].to_numpy())


def _labelled(problem):
    """Targets and split for our config, with validation rows where folds would not rank."""
    from autogenome_tf.data import number_of_folds

    part = np.full(len(problem.truth), "train", dtype=object)
    part[problem.test] = "test"
    if number_of_folds("auto", *problem.values.shape) == 1:
        share = TEST / (1 - TEST)
        part[held_out(problem.truth, problem.train, share, problem.seed)] = "validation"
    return pd.DataFrame({"sample": problem.samples, "target": problem.truth, "part": part})


def fitted(model_of, problem):
    """Fit one of scikit-learn's models and predict the test rows."""
    train = problem.train
    model = model_of(problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(problem.values[train], problem.truth[train])
    test = problem.values[problem.test]
    probabilities = model.predict_proba(test) if hasattr(model, "predict_proba") else None
    return Predicted(model.predict(test).ravel(), probabilities)


def peer(name, python, problem):
    """Run a method in its own environment and predict the test rows."""
    train, test = problem.values[problem.train], problem.values[problem.test]
    truth = problem.truth[problem.train]
    budget = problem.seconds, problem.seed
    task = problem.one.task
    return Predicted(foreign.predictions(name, python, task, train, truth, test, *budget))


MODELS = {
    "linear": lambda p: baselines.linear(p.one.task),
    "lda": lambda p: baselines.lda_or_pls(p.one.task, p.values[p.train].shape, p.seed),
    "svm": lambda p: baselines.svm(p.one.task, p.seed),
    "forest": lambda p: baselines.forest(p.one.task, p.seed),
    "baseline": lambda p: baselines.constant(p.one.task),
}


def methods(names, environments):
    """Functions from a `Problem` to predictions, by name; environments are made here."""
    found = {"default": default, "ours": ours}
    found |= {name: functools.partial(variant, keys) for name, keys in VARIANTS.items()}
    found |= {name: functools.partial(fitted, model) for name, model in MODELS.items()}
    for name in foreign.REQUIREMENTS:
        if name in names:
            python = foreign.environment(name, environments)
            found[name] = functools.partial(peer, name, python)
    return {name: found[name] for name in names}


def measured(method, problem):
    """Score, loss, seconds, and the reason of a failure or nothing."""
    started, failed = time.monotonic(), ""
    try:
        predictions = method(problem)
    except Exception as error:
        failed = " ".join(f"{type(error).__name__}: {error}".split())
        predictions = fitted(MODELS["baseline"], problem)
    seconds = time.monotonic() - started
    return problem.scores(predictions) | {"seconds": seconds, "failed": failed}


def problems(one, splits, seconds, seed):
    """Divide a data set as often as asked; yields the number and the `Problem`."""
    samples, values = one.matrix()
    truth = one.truth(samples)
    kept = ~alone(truth)
    samples, values, truth = samples[kept], values[kept], truth[kept]
    for split in splits:
        test = held_out(truth, np.arange(len(truth)), TEST, seed + split)
        yield split, Problem(one, samples, values, truth, test, seconds, seed + split)


def run(parsed, done):
    """Yield a row of the file for each score that `done` lacks."""
    made = methods(parsed.methods, parsed.environments)
    budget = {"budget": parsed.seconds, "seed": parsed.seed}
    for one in sets(parsed.data, parsed.sets):
        missing = {
            split: [name for name in made if (one.name, split, name) not in done]
            for split in range(parsed.splits)
        }
        splits = [split for split, names in missing.items() if names]
        if not splits:
            continue
        for split, problem in problems(one, splits, parsed.seconds, parsed.seed):
            for name in missing[split]:
                place = {"set": one.name, "task": one.task, "split": split, "method": name}
                yield place | measured(made[name], problem) | budget


def earlier(path):
    """The rows of a file of scores; none where it does not exist."""
    if path and path.exists():
        return pd.read_csv(path, sep="\t", keep_default_na=False).to_dict("records")
    return []


def scores(parsed, parser):
    """All rows, the new ones written as they are made."""
    rows = earlier(parsed.output)
    if any((row["budget"], row["seed"]) != (parsed.seconds, parsed.seed) for row in rows):
        parser.error(f"{parsed.output} holds scores of other --seconds or another --seed")
    done = {(row["set"], row["split"], row["method"]) for row in rows}
    for row in run(parsed, done):
        rows.append(row)
        if parsed.output:
            line = pd.DataFrame([row])
            is_new = not parsed.output.exists()
            line.to_csv(parsed.output, sep="\t", index=False, mode="a", header=is_new)
        print(
            f"{row['set']:28}{row['split']:3} {row['method']:10}{row['score']:8.3f}"
            f"{row['seconds']:8.1f} s  {row['failed']}",
            file=sys.stderr,
            flush=True,
        )
    return rows


def mean_ranks(frame):
    """Mean rank of each method over the splits that every method has a score of."""
    wide = frame.pivot(index=["set", "split"], columns="method", values="score").dropna()
    return (-wide.astype(float).round(9)).rank(axis=1).mean()


def _line(name, cells):
    return f"| {name} | {' | '.join(cells)} |"


def _head(title, names):
    return [_line(title, [HEADERS[name] for name in names]), "|---|" + "---:|" * len(names)]


def _summary(frame, names):
    """The rows of mean ranks and mean seconds."""
    ranks, seconds = mean_ranks(frame), frame.groupby("method")["seconds"].mean()
    yield _line("mean rank", [f"{ranks.get(name, np.nan):.2f}" for name in names])
    yield _line("mean seconds", [f"{seconds[name]:.1f}" for name in names])


def _row(rows, names):
    """Mean scores of one data set as cells, the best bold, failures marked."""
    means = rows.groupby("method")["score"].mean().map("{:.3f}".format)
    best = max(means, key=float)
    failed = set(rows.loc[rows["failed"] != "", "method"])
    for name in names:
        cell = means.get(name, "")
        cell = f"**{cell}**" if cell == best else cell
        yield f"{cell} †" if name in failed else cell


def differences(frame, column="score"):
    """Return paired differences of our method to each rival, in favour of ours where above 0.

    Args:
        frame: Rows of the file of scores.
        column: "score", or "loss", of which less is better.

    Returns:
        A frame indexed by rival: sets, mean, low and high.
    """
    own = next(name for name in OWN if name in set(frame["method"]))
    numbers = frame.assign(number=pd.to_numeric(frame[column], errors="coerce"))
    wide = numbers.pivot(index=["set", "split"], columns="method", values="number")
    sign, found = 1 if column == "score" else -1, {}
    for name in wide.columns.drop(own, errors="ignore"):
        of_splits = sign * (wide[own] - wide[name]).dropna()
        each = [values.to_numpy() for _, values in of_splits.groupby(level="set")]
        if each:
            mean = np.mean([values.mean() for values in each])
            found[name] = [len(each), mean, *_interval(each)]
    return pd.DataFrame.from_dict(found, "index", columns=["sets", "mean", "low", "high"])


def _interval(each):
    """Return the 95 % interval of the mean over sets, given an array of splits for each."""
    random = np.random.default_rng(7)
    splits = [random.integers(len(own), size=(DRAWS, len(own))) for own in each]
    drawn = np.stack([own[chosen].mean(1) for own, chosen in zip(each, splits, strict=True)])
    chosen = random.integers(len(each), size=drawn.shape)
    return np.percentile(np.take_along_axis(drawn, chosen, axis=0).mean(0), [2.5, 97.5])


def _differences(frame, title, column):
    """Yield the lines of a table of differences."""
    found = differences(frame, column)
    if len(found):
        yield from ("", f"| {title} | sets | difference | 95 % |", "|---|--:|--:|--:|")
    for name, row in found.iterrows():
        interval = f"{row['low']:+.3f} to {row['high']:+.3f}"
        yield _line(HEADERS[name], [f"{row['sets']:.0f}", f"{row['mean']:+.3f}", interval])


def _of_tasks(frame):
    """Yield the lines of the tables of each task: scores, losses, differences."""
    for task, part in frame.groupby("task"):
        names = [name for name in HEADERS if name in set(part["method"])]
        yield from _head(f"{task}: {SCORED[task]}", names)
        for name, rows in part.groupby("set"):
            yield _line(name, _row(rows, names))
        yield from _summary(part, names)
        yield from _differences(part, f"{SCORED[task]}, ours above", "score")
        if task == "classification" and "loss" in part:
            yield from _differences(part, "log loss, ours below", "loss")
        yield ""


def table(frame):
    """The scores as Markdown: a table for each task, then ranks and seconds over all sets."""
    lines = list(_of_tasks(frame))
    names = [name for name in HEADERS if name in set(frame["method"])]
    lines += [*_head(f"all {frame['set'].nunique()} sets", names), *_summary(frame, names)]
    lines += _differences(frame, "score, ours above", "score")
    failed = frame[frame["failed"] != ""]
    if len(failed):
        lines += ["", "† failed in some split and got the score of majority or mean there:", ""]
    for row in failed.itertuples():
        lines.append(f"- {HEADERS[row.method]}, {row.set}, split {row.split}: {row.failed}")
    return "\n".join(lines)


def main():
    """Make the scores that are missing and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default=SHARED, type=Path)
    parser.add_argument("--sets", nargs="*", default=())
    parser.add_argument("--methods", nargs="*", choices=HEADERS, default=USUAL)
    parser.add_argument("--full", action="store_true", help="5 splits and 120 seconds")
    parser.add_argument("--splits", type=int)
    parser.add_argument("--seconds", type=float, help="budget of each search")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, help="a .tsv that grows, and that is gone on with")
    parser.add_argument("--environments", type=Path, default=foreign.CACHE)
    parser.add_argument("--table", type=Path, help="print the table of such a file, run nothing")
    parsed = parser.parse_args()
    parsed.splits = parsed.splits or (5 if parsed.full else 2)
    parsed.seconds = parsed.seconds or (120.0 if parsed.full else 60.0)
    rows = earlier(parsed.table) if parsed.table else scores(parsed, parser)
    if not rows:
        parser.error("there are no scores: no such data sets, or no such file")
    print(table(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
