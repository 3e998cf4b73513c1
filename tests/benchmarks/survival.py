"""Survival on data sets of scikit-survival: runs of this package beside its rivals.

    python tests/benchmarks/survival.py
    python tests/benchmarks/survival.py --sets breast_cancer --splits 1 --seconds 120 --loss hazard

Protocol, written before the first run. Five sets; of each, five times a quarter of the rows is held
out, by `train_test_split(test_size=0.25, random_state=split)`. Categories become 0/1 columns;
nothing else is done to the values. Methods:

- default: a run with the defaults and a budget in seconds, and its `baseline` (ridge Cox);
- deepsurv: one network of ours, as DeepSurv's (two layers of 32 rectifiers, dropout 0.4);
- coxnet: elastic net, penalty by five folds on the training rows, standardised columns;
- forest: 500 random survival trees with leaves of at least 10 rows; boosting: 100 steps of
  gradient boosting, both with scikit-survival's other defaults.

Harrell's C, and the integrated Brier score from the 10 % to the 90 % quantile of all times, weighed
by the censoring of all rows. A line of JSON a method and split; then a table of means over splits,
and the mean rank over sets. Nothing is chosen by these rows: one split has few events.
"""

import argparse
import json
import tempfile

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv import datasets
from sksurv.column import encode_categorical
from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.metrics import concordance_index_censored, integrated_brier_score

import autogenome_tf as ag

SETS = {
    "breast_cancer": datasets.load_breast_cancer,
    "gbsg2": datasets.load_gbsg2,
    "whas500": datasets.load_whas500,
    "veterans": datasets.load_veterans_lung_cancer,
    "aids": datasets.load_aids,
}
GRADES = {"I": 1.0, "II": 2.0, "III": 3.0}
DEEPSURV = {"layers": 2, "units": 32, "dropout": 0.4, "activation": "relu"}
OTHERS = ("coxnet", "forest", "boosting")


def rows_of(name):
    """Columns of numbers, and the structured array of event and time."""
    x, y = SETS[name]()
    if "tgrade" in x:
        x = x.assign(tgrade=x["tgrade"].map(GRADES).astype(float))
    x = encode_categorical(x).astype(float)
    return x.set_index(pd.Index([f"patient_{row}" for row in range(len(x))])), y


def fitted(method, seed):
    """A rival of scikit-survival, not fitted."""
    if method == "forest":
        return RandomSurvivalForest(n_estimators=500, min_samples_leaf=10, random_state=seed)
    if method == "boosting":
        return GradientBoostingSurvivalAnalysis(random_state=seed)
    alphas = [[alpha] for alpha in np.geomspace(1, 1e-3, 15)]
    net = CoxnetSurvivalAnalysis(l1_ratio=0.5, fit_baseline_model=True)
    scaled = make_pipeline(StandardScaler(), net)
    return GridSearchCV(scaled, {f"{scaled.steps[1][0]}__alphas": alphas}, error_score=0.5)


def of_rivals(x, y, others, grid, seed):
    """Yield each rival's name, risks and survival (rows, times)."""
    for method in OTHERS:
        model = fitted(method, seed).fit(x, y)
        curves = getattr(model, "best_estimator_", model).predict_survival_function(others)
        yield method, model.predict(others), np.stack([_on(curve, grid) for curve in curves])


def _on(curve, grid):
    low, high = curve.domain
    return curve(np.clip(grid, low, high))


def of_runs(x, y, others, grid, asked):
    """Yield name, risks and survival of runs of this package."""
    for name, search, families in (
        ("default", {"max_seconds": asked.seconds}, {}),
        ("deepsurv", {"max_trials": 1}, {"families": {"mlp": DEEPSURV}}),
    ):
        with tempfile.TemporaryDirectory() as folder:
            task = {"type": "survival", "loss": asked.loss}
            automl = ag.AutoGenome({
                "name": "run", "output_dir": folder, "task": task, "search": search,
                "data": {"split": {"test": 0}}, "output": {"figures": False}, **families,
            }, data=(x, y))  # fmt: skip
            automl.train()
            models = {name: automl._session.model()}
            if name == "default":
                models["baseline"] = automl._session.baseline() or models[name]
            for own, model in models.items():
                outputs = model.outputs(others.to_numpy("float32"))
                yield own, model.task.risks(outputs), model.task.survival(outputs, grid)


def lines_of(name, split, asked):
    """Yield a dict for each method on a split of a set."""
    x, y = rows_of(name)
    event, time = y.dtype.names
    train, test, own, truth = train_test_split(x, y, test_size=0.25, random_state=split)
    low, high = np.percentile(y[time], [10, 90])
    grid = np.linspace(low, min(high, 0.999 * truth[time].max()), 100)
    models = [of_runs(train, own, test, grid, asked), of_rivals(train, own, test, grid, split)]
    for method, risks, survival in (one for own_models in models for one in own_models):
        yield {
            "set": name, "split": split, "method": method,
            "c": concordance_index_censored(truth[event], truth[time], risks)[0],
            "brier": integrated_brier_score(y, truth, survival, grid),
        }  # fmt: skip


def main():
    """Score all methods on splits of each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--loss", default="cox", choices=("cox", "hazard"))
    asked, lines = parser.parse_args(), []
    for name in asked.sets:
        for split in range(asked.splits):
            for line in lines_of(name, split, asked):
                lines.append(line)
                print(json.dumps(line), flush=True)
    frame = pd.DataFrame(lines)
    for score, is_low in (("c", False), ("brier", True)):
        table = frame.pivot_table(index="set", columns="method", values=score, sort=False)
        table.loc["mean rank"] = table.rank(axis=1, ascending=is_low).mean()
        print(f"\n| {score} | " + " | ".join(table.columns) + " |\n|---|" + "--:|" * table.shape[1])
        for name, numbers in table.iterrows():
            print(f"| {name} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |")


if __name__ == "__main__":
    main()
