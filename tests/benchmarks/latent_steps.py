"""Compare learning rates of kernels on many genes by the held-out ELBO of a Res-VAE.

    python tests/benchmarks/latent_steps.py --json CHOICE --epochs 20 --arms start same 1024 256 64
    python tests/benchmarks/latent_steps.py --json FILE --seeds 1 2 --arms start same kept
    python tests/benchmarks/latent_steps.py --table FILE

Protocol, written before it was run. Res-VAE starts as principal components. On tcga9_rnaseq (two
seeds) and golub_leukemia (one) it was seen that the first epoch destroys them: the held-out ELBO
falls by thousands of nats and does not come back, since each step moves every weight by about the
learning rate, and the components' encoder has weights of order 1 / genes. There a rate divided by
inputs / 64 helped; these two sets and this number are therefore not untouched. Arms:

    start     principal components of the training rows, as the network begins; nothing is trained
    same      one learning rate for all weights, as it was
    N         kernels of more than N inputs have the rate times N / inputs
    kept      the chosen N; and the start is kept where no epoch has a better ELBO (after the first
              sets of the choice it was seen that on some of them no epoch has)

All bulk sets of `gene_scaling.py`; the split of the seed, ten units, the default configuration, no
label. An arm is chosen by its mean over these sets, first seed, of what it gains over `same` in the
ELBO of validation rows, at its best epoch, in nats a gene; at most 20 epochs. It becomes the rule
where it gains on most sets, with each set left out in turn too. Labels choose nothing.

Then final fits of `same` and `kept` as a run makes them (at most 200 epochs, early stopping), two
seeds, all bulk sets and four sets of cells, pancreas_3batches with its batches as covariate.
Figures of all rows, in the coordinates of latent.tsv: share of rows whose class is that of most of
their 15 nearest other rows (R2 of the neighbours' mean for a target of numbers), adjusted Rand
index of k-means at the true number, and of batches. Yardsticks are `same` and ten components of all
rows. The aim: on each bulk set the mean of the first figure is at least that of components less
0.01; on sets of cells no mean falls by more than 0.01 against `same`. What misses it is told.
`start` tells what training adds or takes.
"""

import argparse
import json
import tempfile
from pathlib import Path
from unittest import mock

import gene_scaling
import integration
import numpy as np
import pandas as pd
from gene_scaling import BULK
from integration import BATCHED, DIMENSIONS, batches_of, cell, components
from sets import SHARED, sets

import autogenome_tf as ag
from autogenome_tf.run import _console
from autogenome_tf.training import Configuration, Fit
from autogenome_tf.training._engines import AutoencoderEngine, _autoencoder
from autogenome_tf.training._engines._steps import SHARED as SHARED_STEPS

CELLS = ("pbmc3k", "zeisel_3types", "cellbench_3lines", "pancreas_3batches")
SHOWN = ("knn", "ari", "batch_knn", "ilisi")


def configured(one, folder, seed, epochs):
    """A run without labels, whose one configuration is trained for so many epochs at most."""
    config = one.config(folder, max_trials=1, epochs=1)
    del config["data"]["targets"], config["data"]["target"]
    if one.name in BATCHED:
        config["data"]["targets"] = str(one.folder / "sample_info.tsv")
        config["data"]["covariates"] = ["batch"]
    return config | {
        "seed": seed,
        "task": {"type": "representation"},
        "families": {"resvae": {"latent": DIMENSIONS}},
        "training": {"epochs": epochs},
    }


def begun(session, seed):
    """The model as training begins, and the negative ELBO of its validation rows."""
    folds = session.prepared().cross_validation
    values = {name: hyper.options[0] for name, hyper in session.spaces["resvae"].items()}
    network = folds.network(Configuration("resvae", values), seed)
    folds._start(network, 0, seed)
    engine = AutoencoderEngine(network, folds.task, "adam")
    engine.set_rows(folds._rows(network, 0))
    engine.begin([network], seed)
    loss = float(engine.validation_outputs()[0].sum(axis=1).mean())
    fit = Fit([weight.numpy()[None] for weight in network.weights], [], 1, [])
    return folds.final_model(Configuration("resvae", values), fit, 1.0), loss


def trained(one, seed, arm, epochs):
    """Samples, coordinates, least negative ELBO of validation rows, its epoch, genes, rate."""
    named = {"start": np.inf, "same": np.inf, "kept": _autoencoder.RATED_INPUTS}
    inputs = named[arm] if arm in named else float(arm)
    # A compiled step has the rates of the arm that it was made for.
    SHARED_STEPS.clear()
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(_autoencoder, "RATED_INPUTS", inputs),
        mock.patch.object(AutoencoderEngine, "is_fitted", arm == "kept"),
    ):
        automl = ag.AutoGenome(configured(one, folder, seed, epochs))
        session, known = automl._session, {"epoch": 0, "rate": 0.0}
        if arm == "start":
            model, known["loss"] = begun(session, seed)
        else:
            automl.train()
            model, history = session.model(), session.run.read_table("history.tsv")
            best = history["validation_loss"].idxmin()
            known = {
                "epoch": int(history["epoch"][best]),
                "epochs": int(history["epoch"].max()),
                "rate": history["learning_rate"].dropna().iloc[0],
                "loss": history["validation_loss"][best],
            }
        dataset, _ = session.rows.labelled
        known["genes"] = model.autoencoder.genes
        points = pd.DataFrame(model.outputs(dataset.values), index=dataset.samples)
    return points, known


def scored(one, seed, arms, epochs):
    """Yield a line an arm, and one of components, for one seed."""
    samples, values = one.matrix()
    truth = one.truth(samples)
    batches, before = batches_of(one, samples), components(values, seed)

    def figures(points):
        if truth.dtype.kind == "f":
            return gene_scaling.figures(points, truth, seed)
        return integration.figures(points, truth, batches, before, seed)

    yield {"arm": "PCA", **figures(before)}
    for arm in arms:
        points, known = trained(one, seed, arm, epochs)
        yield {"arm": arm, **known, **figures(points.loc[samples].to_numpy())}


def told(frame):
    """Print what arms gain in ELBO, and a row a set of each figure."""
    arms = [arm for arm in frame["arm"].unique() if arm != "PCA"]
    frame["elbo"] = -frame["loss"] / frame["genes"]
    elbo = frame[frame["arm"] != "PCA"].pivot_table("elbo", "set", "arm")[arms]
    gains = elbo.sub(elbo["same"], axis=0)
    print(f"ELBO of validation rows over `same`, nats a gene:\n{gains.round(4).to_string()}")
    bulk = gains.loc[gains.index.isin(BULK)].drop(columns=["same", "start"], errors="ignore")
    if bulk.shape[1]:
        print(f"mean of bulk sets:\n{bulk.mean().round(4).to_string()}")
        print(
            f"without one: {sorted({bulk.drop(index=one).mean().idxmax() for one in bulk.index})}"
        )
    shown = ["PCA", *arms]
    for name in (name for name in SHOWN if name in frame):
        print(f"\n| {name} | {' | '.join(shown)} |\n|---|{'--:|' * len(shown)}")
        for one, own in frame.dropna(subset=[name]).groupby("set"):
            cells = [cell(own.loc[own["arm"] == arm, name]) for arm in shown]
            print(f"| {one} | {' | '.join(cells)} |")


def main():
    """Write a line a set, seed and arm; or print the tables of such a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--sets", nargs="*", default=(*BULK, *CELLS))
    parser.add_argument("--arms", nargs="*", default=("start", "same", "kept"))
    parser.add_argument("--seeds", nargs="*", type=int, default=(1,))
    parser.add_argument("--epochs", type=int, default=200, help="of a fit, at most")
    parser.add_argument("--json", help="gets a line a set, seed and arm")
    parser.add_argument("--table", help="print the tables of such a file, train nothing")
    parsed = parser.parse_args()
    if parsed.table:
        told(pd.read_json(parsed.table, lines=True).drop_duplicates(["set", "seed", "arm"]))
        return
    _console.talk(quiet=True)
    for seed in parsed.seeds:
        for one in sets(parsed.data, parsed.sets):
            for row in scored(one, seed, parsed.arms, parsed.epochs):
                with open(parsed.json, "a") as file:
                    file.write(json.dumps({"set": one.name, "seed": seed, **row}) + "\n")


if __name__ == "__main__":
    main()
