"""Latent spaces beside principal components of the same size, on the same held-out rows.

    python tests/benchmarks/representation.py
    python tests/benchmarks/representation.py --sets khan_srbct --seeds 1 --trials 1

Runs of task.type representation: the search knows no label. On test rows, means over seeds, each
with a split of its own: share of explained variance, and by the labels accuracy of the 15 nearest
training rows, adjusted Rand index and normalised mutual information of k-means at the true number,
silhouette; `Res-VAE / PCA`. `distance` is what `resvae.distance` `auto` chose, once a seed where it
differs. The last column says whether every loss of every epoch was a finite number.

Batches: the same for a set whose rows come in batches, without and with these as covariates; and
how well the batch can still be told from the nearest rows (lower is better mixed).
"""

import argparse
import tempfile

import numpy as np
import pandas as pd
from sets import sets

import autogenome_tf as ag
from autogenome_tf.models import LatentSpace
from autogenome_tf.run import _console

BATCHED = "pancreas_3batches"
SHOWN = ("explained", "knn_accuracy", "ari", "nmi", "silhouette")


def scored(config):
    """Metrics of the test rows, the history of the final fit, what distances are."""
    automl = ag.AutoGenome(config)
    automl.train()
    rows = automl._session.rows.labelled
    model = automl._session.model()
    space = LatentSpace(model, *rows, None, automl.config.seed)
    found = {name: one["value"] for name, one in space.scores()["test"].items()}
    return found, automl._session.run.read_table("history.tsv"), model.distance


def configured(one, folder, parsed, seed, **data):
    """A config of one set; targets that are numbers are left out."""
    config = one.config(folder, max_trials=parsed.trials)
    config["data"] |= data
    if one.task == "regression":
        del config["data"]["targets"], config["data"]["target"]
    return config | {"seed": seed, "task": {"type": "representation"}}


def row(one, parsed, **data):
    """Means over seeds of one set, distances, and whether all losses were finite."""
    scores, histories, distances = [], [], {}
    for seed in range(1, parsed.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            found, history, distance = scored(configured(one, folder, parsed, seed, **data))
        distances[distance] = None
        scores.append(found)
        histories.append(history)
    # Epoch 0, the start, has no loss of training rows.
    losses = [one.loc[one["epoch"] > 0, ["loss", "validation_loss"]] for one in histories]
    is_finite = all(np.isfinite(own).all(axis=None) for own in losses)
    return pd.DataFrame(scores).mean(), ", ".join(distances), is_finite


def cells(means, names):
    """`Res-VAE / PCA` of each metric."""
    return [
        f"{means[name]:.3f} / {means[f'pca_{name}']:.3f}" if name in means else "–"
        for name in names
    ]


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="*", default=())
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=3)
    parsed = parser.parse_args()
    _console.talk(quiet=True)
    columns = [*SHOWN, "distance", "finite"]
    print(f"| set | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for one in sets(names=parsed.sets):
        means, distances, is_finite = row(one, parsed)
        shown = [*cells(means, SHOWN), distances, "yes" if is_finite else "no"]
        print(f"| {one.name} | {' | '.join(shown)} |", flush=True)
    if parsed.sets and BATCHED not in parsed.sets:
        return
    (one,) = sets(names=[BATCHED])
    names = (*SHOWN[1:], "covariate_knn_accuracy")
    print(f"\n| {BATCHED} | {' | '.join(names)} |\n|---|{'---:|' * len(names)}")
    info = str(one.folder / "sample_info.tsv")
    both = {"targets": [str(one.folder / "target.tsv"), info]}
    for title, covariates in (("without covariates", []), ("batch as covariate", ["batch"])):
        means, *_ = row(one, parsed, **both, covariates=covariates)
        print(f"| {title} | {' | '.join(cells(means, names))} |", flush=True)


if __name__ == "__main__":
    main()
