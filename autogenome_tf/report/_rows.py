"""Samples by part: training, validation, test and further files."""

import pandas as pd

from autogenome_tf.core.files import on_a_line
from autogenome_tf.report._page import Section, Table, number
from autogenome_tf.run import Run

PARTS = ("train", "validation", "test", "evaluate", "predict")


def section(run: Run) -> Section:
    """Return the table of samples by class and part."""
    config = run.config()
    split = run.read_table("split.tsv")
    folds = split.loc[split["fold"] > 0, "fold"].nunique() if "fold" in split else 0
    if folds > 1:
        ranked = (
            f"Trials were ranked by {folds}-fold cross-validation of the training samples: each "
            "sample is predicted by a model that was not trained on it."
        )
    else:
        ranked = "Trials were ranked by their score on the validation part."
    if config.data.group:
        ranked += f" Samples with the same {on_a_line(config.data.group)} are in the same part."
    frame, target = split.assign(target="samples"), None
    if run.has("predictions.tsv") and config.task.kind.has_classes:
        frame = run.predictions()
        target = "class"
    counts = pd.crosstab(frame["target"].fillna("unknown"), frame["part"])
    if target:
        order = [name for name in run.model_names()["classes"] if name in counts.index]
        counts = counts.loc[[*order, *counts.index.difference(order)]]
    parts = [part for part in PARTS if part in counts]
    rows = [
        [on_a_line(name), *(number(int(line[part])) for part in parts), number(int(line.sum()))]
        for name, line in counts.iterrows()
    ]
    if target:
        totals = [number(int(counts[part].sum())) for part in parts]
        rows.append(["all", *totals, number(int(counts.to_numpy().sum()))])
    table = Table([target or "", *parts, "all"], rows, "Samples per part.")
    return Section("samples", "Samples", [ranked, table])
