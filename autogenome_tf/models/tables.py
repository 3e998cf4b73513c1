"""A fitted model and rows it has not seen: metrics, the confusion matrix, predictions."""

import numpy as np
import pandas as pd

from autogenome_tf import metrics


def scores(task, targets, outputs, seed):
    """Metrics with 95 % bootstrap intervals.

    Args:
        task: A `tasks.Classification` or `tasks.Regression`.
        targets: (rows,) class names, or (rows, targets) in original units.
        outputs: (rows, outputs) of the predictor.
        seed: Of the resampling.

    Returns:
        Dict of metric name to {"value", "low", "high"}.
    """
    return metrics.with_intervals(task, _truth(task, targets), outputs, seed)


def beside(task, targets, outputs, baseline, seed):
    """The same of a baseline, each metric with its `difference`: the model's less the baseline's.

    Args:
        task: As for `scores`.
        targets: As for `scores`.
        outputs: (rows, outputs) of the predictor.
        baseline: (rows, outputs) of the baseline.
        seed: Of the resampling.
    """
    truth = _truth(task, targets)
    found = metrics.with_intervals(task, truth, baseline, seed)
    apart = metrics.differences(task, truth, outputs, baseline, seed)
    return {name: found[name] | {"difference": apart[name]} for name in found}


def confusion_matrix(task, targets, outputs):
    """Counts as a frame: rows the true classes, columns the predicted ones."""
    truth, predicted = task.encode(targets), np.asarray(outputs).argmax(1)
    counts = np.zeros((task.outputs, task.outputs), int)
    np.add.at(counts, (truth, predicted), 1)
    return pd.DataFrame(counts, index=pd.Index(task.classes, name="true"), columns=task.classes)


def predictions(predictor, dataset, part):
    """The columns of predictions.tsv for a `Dataset`.

    Args:
        predictor: The fitted model.
        dataset: Rows in the model's gene order; targets are shown where they are known.
        part: (rows,) which part each row belongs to, or one word for all.

    Returns:
        A frame: sample, part, target, prediction, then a column a class (p_<class>); with several
        regression targets, target_<name> and prediction_<name> in their place.
    """
    frame = predictor.predict(dataset)
    frame.insert(1, "part", part)
    for position, (name, column) in enumerate(_targets(predictor.task, dataset), 2):
        frame.insert(position, name, column)
    return frame


def latent(embedding, dataset, part):
    """The columns of latent.tsv for a `Dataset`: sample, part, z1, z2, ... or names of sets."""
    frame = pd.DataFrame({"sample": list(dataset.samples), "part": part})
    points = pd.DataFrame(embedding.outputs(dataset.values), columns=embedding.latent_names)
    return pd.concat([frame, points], axis=1)


def reconstruction(embedding, dataset, part):
    """The columns of reconstruction.tsv.gz for a `Dataset`: sample, part, then a column a gene."""
    frame = pd.DataFrame({"sample": list(dataset.samples), "part": part})
    told = embedding.run(dataset.values, "reconstruction")
    return pd.concat([frame, pd.DataFrame(told, columns=embedding.kept_features)], axis=1)


def _truth(task, targets):
    return task.encode(targets) if task.type == "classification" else np.asarray(targets)


def _targets(task, dataset):
    if task.type == "classification" or task.outputs == 1:
        unknown = np.full(len(dataset), None, dtype=object)
        return [("target", unknown if dataset.targets is None else np.ravel(dataset.targets))]
    if dataset.targets is None:
        return [(f"target_{name}", np.full(len(dataset), np.nan)) for name in task.targets]
    return [(f"target_{name}", dataset.targets[:, i]) for i, name in enumerate(task.targets)]
