"""The final model of a run: its trials and their families."""

import json

import pandas as pd

from autogenome_tf import families
from autogenome_tf.run import Run


def trials(run: Run) -> pd.DataFrame:
    """Return the rows of the leaderboard whose networks make the final model, best first."""
    board, history = run.read_table("leaderboard.tsv"), run.read_table("history.tsv")
    if "trial" in history:
        return board.set_index("trial", drop=False).loc[list(dict.fromkeys(history["trial"]))]
    return board[[_is_asked(line, run.config().families) for line in board.itertuples()]][:1]


def _is_asked(line, asked):
    return families.is_asked(line.family, json.loads(line.hyperparameters), asked)


def latent_scores(run: Run) -> list[str]:
    """Return the metrics by which a latent space is compared with principal components.

    Those maximise the explained variance of transformed values, as a gaussian likelihood does;
    other likelihoods are of other values, so that the comparison would be unfair to them.
    """
    likelihood = run.model_names().get("autoencoder", {}).get("likelihood", "gaussian")
    return ["explained", "knn_accuracy"] if likelihood == "gaussian" else ["knn_accuracy"]


def gene_powers(run: Run) -> list[float]:
    """Return the values of `gene_power` above 0 among the networks of the model, sorted."""
    values = [json.loads(text) for text in trials(run)["hyperparameters"]]
    return sorted({float(own.get("gene_power", 0.0)) for own in values} - {0.0})


def is_convex(run: Run) -> bool:
    """Return whether all networks of the model have a loss with a single minimum: linear ones."""
    used = set(trials(run)["family"])
    # A run may outlive the file of its family.
    return used <= set(families.names()) and all(families.member(one).is_convex for one in used)
