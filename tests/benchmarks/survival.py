"""Survival of clinical and expression data of scikit-survival: a default run, held-out scores.

    python tests/benchmarks/survival.py --output survival.tsv

A quarter of the rows is held out (`train_test_split(test_size=0.25)`), the rest goes to a run with
the defaults and a budget. C is Harrell's; the integrated Brier score is taken from the 10 % to the
90 % quantile of all times, weighed by the censoring of all rows. One split has few events: compare
means over several seeds.
"""

import argparse
import tempfile

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sksurv import datasets
from sksurv.column import encode_categorical
from sksurv.metrics import concordance_index_censored, integrated_brier_score

import autogenome_tf as ag
from autogenome_tf.models import Predictor

GRADES = {"I": 1.0, "II": 2.0, "III": 3.0}


def breast_cancer():
    """Return 76 genes and four clinical columns of 198 patients, and their times."""
    x, y = datasets.load_breast_cancer()
    return encode_categorical(x).astype(float), y


def gbsg2():
    """Return eight clinical columns of 686 patients, and their times."""
    x, y = datasets.load_gbsg2()
    x = x.assign(tgrade=x["tgrade"].map(GRADES).astype(float))
    return encode_categorical(x).astype(float), y


def scored(folder, train, test, budget, loss):
    """Yield the name of a model and its C and Brier score, of a default run and its baseline."""
    (x, y), (others, truth), (_, event, time, known) = train, test[:2], test[2]
    config = {
        "name": "run", "output_dir": folder, "task": {"type": "survival", "loss": loss},
        "data": {"split": {"test": 0}}, "search": {"max_seconds": budget},
        "output": {"figures": False},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(x, y))
    automl.train()
    low, high = np.percentile(known[time], [10, 90])
    grid = np.linspace(low, min(high, 0.999 * truth[time].max()), 100)
    for file in ("model.keras", "baseline.keras"):
        if not (automl.folder / file).exists():
            continue
        model = Predictor.load(automl.folder / file)
        outputs = model.outputs(others.to_numpy("float32"))
        risks = model.task.risks(outputs)
        c = concordance_index_censored(truth[event], truth[time], risks)[0]
        survival = model.task.survival(outputs, grid)
        yield file.removesuffix(".keras"), c, integrated_brier_score(known, truth, survival, grid)


def main():
    """Score default runs on splits of each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--loss", default="cox")
    asked, lines = parser.parse_args(), []
    for load in (breast_cancer, gbsg2):
        for seed in asked.seeds:
            x, y = load()
            x.index = [f"patient_{number}" for number in range(len(x))]
            event, time = y.dtype.names
            train, test, own, truth = train_test_split(x, y, test_size=0.25, random_state=seed)
            known = (test, truth, (load, event, time, y))
            with tempfile.TemporaryDirectory() as folder:
                for found in scored(folder, (train, own), known, asked.seconds, asked.loss):
                    lines.append([load.__name__, seed, asked.loss, *found])
                    print(*lines[-1], flush=True)
    columns = ["set", "seed", "loss", "model", "concordance", "brier"]
    pd.DataFrame(lines, columns=columns).to_csv(asked.output, sep="\t", index=False)


if __name__ == "__main__":
    main()
