"""Scores on unseen samples, beside a linear model."""

import numpy as np
import sklearn.metrics

from autogenome_tf import plots
from autogenome_tf.core.files import on_a_line
from autogenome_tf.metrics import HIGHER_IS_BETTER, in_order
from autogenome_tf.report._model import is_convex
from autogenome_tf.report._page import Beside, Part, Section, Table, interval, number, pictures
from autogenome_tf.run import Run

MEANING = {
    "accuracy": "share of samples whose class is predicted",
    "balanced_accuracy": "share of each class that is predicted, averaged over classes",
    "f1_macro": "harmonic mean of precision and recall, averaged over classes",
    "mcc": "Matthews' correlation: 0 is guessing, 1 is without error",
    "roc_auc": "probability that a sample of a class gets a higher probability of it than another",
    "log_loss": "mean surprise, -ln of the true class's probability; less is better",
    "r2": "share of the variance explained; 0 is predicting the mean",
    "pearson": "linear correlation of predicted and true values",
    "spearman": "correlation of their ranks",
    "rmse": "root of the mean squared error, in the target's units; less is better",
    "mae": "mean absolute error, in the target's units; less is better",
}


def section(run: Run) -> Section | None:
    """Return metrics beside the baseline's, then each class or target, and pictures."""
    task = run.config().task.kind
    if not run.has("metrics.json") or not task.has_targets:
        return None
    scores = run.read_json("metrics.json")
    baseline = run.read_json("baseline.json") if run.has("baseline.json") else {}
    text = "Intervals are 95 % bootstrap intervals over samples. "
    if baseline:
        text += (
            "The linear model (logistic or ridge regression, its penalty chosen by the same folds) "
            "saw the same samples; differences are of the same resamples, so an interval without 0 "
            "is a difference beyond chance."
        )
    elif is_convex(run):
        text += "The model is linear itself."
    parts: list[Part | None] = [text]
    parts += [_metrics(part, scores[part], baseline.get(part)) for part in in_order(scores)]
    parts.append(Beside(pictures(run, "scores")))
    if run.has("predictions.tsv"):
        part, frame = plots.unseen(run)
        parts.append(_classes(part, frame) if task.has_classes else _targets(part, frame))
        parts.append(Beside(pictures(run, "predictions")))
    return Section("scores", "Scores", [part for part in parts if part])


def _metrics(part, own, linear):
    head = ["metric", "model", *(["linear model", "difference"] if linear else []), "meaning"]
    rows = []
    for name, metric in own.items():
        row = [name, interval(metric)]
        if linear:
            row += [interval(linear[name]), _difference(linear[name]["difference"], name)]
        rows.append([*row, MEANING[name]])
    seen = " (not trained on, but trials were ranked by it)" if part == "validation" else ""
    return Table(head, rows, f"{part}{seen}", left=(0, len(head) - 1))


def _difference(apart, name):
    if apart["value"] is None:
        return "–"
    gains = sum((apart["low"] > 0, -(apart["high"] < 0)))
    gains = gains if HIGHER_IS_BETTER[name] else -gains
    return interval(apart) + {1: ", better", 0: "", -1: ", worse"}[gains]


def _classes(part, frame):
    """Return precision, recall and areas of each class, the hardest first."""
    targets, predicted = frame["target"].to_numpy(), frame["prediction"].to_numpy()
    names = [name.removeprefix("p_") for name in frame if name.startswith("p_")]
    by_class = sklearn.metrics.precision_recall_fscore_support(
        targets, predicted, labels=names, zero_division=np.nan
    )
    rows = []
    for name, precision, recall, f1, count in zip(names, *by_class, strict=True):
        is_it, probability = targets == name, frame[f"p_{name}"]
        area = average = None
        if 0 < count < len(frame):
            area = float(sklearn.metrics.roc_auc_score(is_it, probability))
            average = float(sklearn.metrics.average_precision_score(is_it, probability))
        measures = [float(value) for value in (recall, precision, f1)]
        rows.append([name, int(count), *measures, area, average])
    rows.sort(key=lambda row: (not np.isfinite(row[2]), row[2]))
    head = ["class", "samples", "recall", "precision", "F1", "ROC area", "average precision"]
    shown = [[on_a_line(row[0]), *(number(value) for value in row[1:])] for row in rows]
    return Table(head, shown, f"Each class in {part}, the hardest first.")


def _targets(part, frame):
    """Return the scores of each target by itself, where there are several."""
    names = [name.removeprefix("target_") for name in frame if name.startswith("target_")]
    if len(names) < 2:
        return None
    rows = []
    for name in names:
        known = frame[[f"target_{name}", f"prediction_{name}"]].dropna()
        if len(known) < 2:
            continue
        true, predicted = known.to_numpy(float).T
        rows.append(
            [
                on_a_line(name), number(float(sklearn.metrics.r2_score(true, predicted))),
                number(float(np.corrcoef(true, predicted)[0, 1])),
                number(float(sklearn.metrics.root_mean_squared_error(true, predicted))),
            ]
        )  # fmt: skip
    return Table(["target", "R2", "Pearson", "RMSE"], rows, f"Each target in {part}.")
