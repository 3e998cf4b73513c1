"""The figures of a run folder, drawn from its files alone."""

import numpy as np
import pandas as pd

from autogenome_tf.files import safe_names
from autogenome_tf.metrics import HIGHER_IS_BETTER
from autogenome_tf.plots._save import save
from autogenome_tf.plots.confusion_matrix import confusion_matrix
from autogenome_tf.plots.importance_bar import importance_bar
from autogenome_tf.plots.importance_dot import importance_dot
from autogenome_tf.plots.importance_total import importance_total
from autogenome_tf.plots.importance_violin import importance_violin
from autogenome_tf.plots.latent_space import latent_space
from autogenome_tf.plots.learning_curves import learning_curves
from autogenome_tf.plots.predicted_vs_true import predicted_vs_true
from autogenome_tf.plots.search_progress import search_progress
from autogenome_tf.plots.shared_search import shared_search

# Kinds of figures of importance.
IMPORTANCE = ("bar", "dot", "violin")


def draw_training(run, objective):
    """Draw the search and the final fit of a `Run` into its folder plots."""
    trials = run.read_table("leaderboard.tsv")
    # The linear reference stands outside the search.
    trials["trial"] = trials["trial"].where(trials["trial"] > 0)
    figure = search_progress(
        trials, objective=objective, higher_is_better=HIGHER_IS_BETTER[objective]
    )
    save(figure, run.path("plots/search_progress"))
    save(learning_curves(run.read_table("history.tsv")), run.path("plots/learning_curves"))
    if run.has("search/enas/candidates.tsv"):
        tables = (run.read_table(f"search/enas/{name}.tsv") for name in ("curves", "candidates"))
        save(shared_search(*tables, objective=objective), run.path("plots/shared_search"))


def draw_evaluation(run):
    """Draw the confusion matrix of a `Run`, where it has one."""
    if run.has("confusion_matrix.tsv"):
        path = run.path("confusion_matrix.tsv")
        counts = pd.read_csv(path, sep="\t", index_col=0, keep_default_na=False)
        counts.index = counts.index.astype(str)
        save(confusion_matrix(counts), run.path("confusion_matrix"))


def draw_latent(run, maps):
    """Draw maps of the latent space of a `Run`, by its labels and clusters."""
    clusters = run.read_table("clusters.tsv")
    labels = clusters["target"]
    labels = None if labels.isna().all() else labels.astype(str).to_numpy()
    figure = latent_space(maps, labels=labels, clusters=clusters["hdbscan"].to_numpy())
    save(figure, run.path("plots/latent_space"))


def draw_predictions(run, targets):
    """Draw predicted against true values of each regression target of a `Run`."""
    frame = run.read_table("predictions.tsv")
    for name, safe in zip(targets, safe_names(targets), strict=True):
        end = "" if len(targets) == 1 else f"_{name}"
        columns = {f"target{end}": "target", f"prediction{end}": "prediction"}
        one = frame[["sample", "part", *columns]].rename(columns=columns)
        one["prediction"] = one["prediction"].astype(float)
        save(predicted_vs_true(one), run.path(f"plots/predicted_vs_true_{safe}"))


def draw_explanation(run, top, kinds=IMPORTANCE):
    """Draw what genes contribute in a `Run`: in all, and for each output figures of some kinds."""
    table = run.read_table("attributions.tsv")
    arrays = run.read_arrays("attributions.npz")
    features = arrays["features"]
    save(importance_total(table, top=top), run.path("plots/importance_total"))
    safe = safe_names(arrays["outputs"])
    for position, name in enumerate(arrays["outputs"]):
        values, options = arrays["values"][:, :, position], {"output": str(name), "top": top}
        means = pd.Series(np.abs(values).mean(axis=0), features)
        draw = {
            "bar": lambda m=means, o=options: importance_bar(m, **o),
            "dot": lambda v=values, o=options: importance_dot(v, arrays["data"], features, **o),
            "violin": lambda v=values, o=options: importance_violin(v, features, **o),
        }
        for kind in kinds:
            save(draw[kind](), run.path(f"plots/importance_{kind}_{safe[position]}"))
