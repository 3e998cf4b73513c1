"""Test scores beside scikit-learn's linear models on the very same split.

    python tests/benchmarks/against_linear.py --trials 20
    python tests/benchmarks/against_linear.py --data FOLDER --sets alon_colon riboflavin

Classification: balanced accuracy beside logistic regression (standardised, C by inner
cross-validation); regression: R2 beside ridge (standardised, alpha by inner cross-validation). Both
learn from all rows that are not test rows; a row that is alone in its class is left out.
"""

import argparse
import tempfile
import time
from pathlib import Path

import baselines
import numpy as np
import pandas as pd
from sets import SHARED, alone, sets

import autogenome_tf as ag


def ours(one, output, trials, seed):
    """Run the main job; returns the test score, the winner and the predictions frame."""
    config = one.config(output, max_trials=trials) | {"seed": seed}
    config["data"]["targets"] = str(learnable(one, output))
    automl = ag.AutoGenome(config)
    automl.train()
    metrics = automl.evaluate()["test"]
    name = "balanced_accuracy" if one.task == "classification" else "r2"
    board = automl.train()
    return metrics[name]["value"], board["family"].iloc[0], automl.predict()


def learnable(one, output):
    """Write the targets without rows that are alone in their class; returns the path."""
    kind = str if one.task == "classification" else float
    frame = pd.read_csv(one.folder / "target.tsv", sep="\t", dtype={"sample": str, "target": kind})
    path = Path(output) / f"{one.name}.tsv"
    frame[~alone(frame["target"].to_numpy())].to_csv(path, sep="\t", index=False)
    return path


def linear(one, predictions):
    """Fit scikit-learn's linear model on the same training rows; returns its test score."""
    samples, values = one.matrix()
    values = values[pd.Index(samples).get_indexer_for(predictions["sample"])]
    test = (predictions["part"] == "test").to_numpy()
    truth = predictions["target"].to_numpy()
    truth = truth.astype(str if one.task == "classification" else float)
    model = baselines.linear(one.task).fit(values[~test], truth[~test])
    return baselines.SCORES[one.task](truth[test], model.predict(values[test]))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=SHARED, type=Path)
    parser.add_argument("--sets", nargs="*", default=())
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="*", default=[7])
    parsed = parser.parse_args()
    differences = []
    print(f"{'set':28}{'seed':>5}{'ours':>8}{'linear':>8}{'diff':>8}  winner, seconds", flush=True)
    with tempfile.TemporaryDirectory() as output:
        for one in sets(parsed.data, parsed.sets):
            for seed in parsed.seeds:
                started = time.monotonic()
                score, winner, predictions = ours(one, output, parsed.trials, seed)
                seconds = time.monotonic() - started
                baseline = linear(one, predictions)
                differences.append(score - baseline)
                print(
                    f"{one.name:28}{seed:5}{score:8.3f}{baseline:8.3f}{differences[-1]:+8.3f}"
                    f"  {winner}, {seconds:.0f}",
                    flush=True,
                )
    mean, error = np.mean(differences), np.std(differences) / len(differences) ** 0.5
    print(f"mean difference {mean:+.3f} (standard error {error:.3f}) over {len(differences)} runs")


if __name__ == "__main__":
    main()
