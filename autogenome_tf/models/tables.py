"""Tables of a fitted model and its rows: metrics, confusion matrix, predictions, latent means."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf import metrics
from autogenome_tf.data import Dataset
from autogenome_tf.models._fold_networks import FoldNetworks
from autogenome_tf.models._latent_model import LatentModel
from autogenome_tf.models._predictor import Predictor
from autogenome_tf.tasks import Task


def scores(
    task: Task,
    targets: np.ndarray,
    outputs: np.ndarray,
    seed: int,
    weights: np.ndarray | None = None,
) -> dict[str, dict]:
    """Compute metrics with 95 % bootstrap intervals.

    Args:
        task: A task with targets, such as a `tasks.Classification`.
        targets: (rows,) class names, or (rows, targets) in original units.
        outputs: (rows, outputs) of the predictor.
        seed: Of the resampling.
        weights: (rows,) weight of each row; None: all rows count alike.

    Returns:
        Dict of metric name to {"value", "low", "high"}.
    """
    return metrics.with_intervals(task, task.as_scored(targets), outputs, seed, weights=weights)


def beside(
    task: Task,
    targets: np.ndarray,
    outputs: np.ndarray,
    baseline: np.ndarray,
    seed: int,
    weights: np.ndarray | None = None,
) -> dict[str, dict]:
    """Compute a baseline's metrics, each with its `difference`: the model's less the baseline's.

    Args:
        task: As for `scores`.
        targets: As for `scores`.
        outputs: (rows, outputs) of the predictor.
        baseline: (rows, outputs) of the baseline.
        seed: Of the resampling.
        weights: (rows,) weight of each row; None: all rows count alike.
    """
    targets = task.as_scored(targets)
    found = metrics.with_intervals(task, targets, baseline, seed, weights=weights)
    apart = metrics.differences(task, targets, outputs, baseline, seed, weights=weights)
    return {name: found[name] | {"difference": apart[name]} for name in found}


def without_genes(
    predictor: Predictor,
    dataset: Dataset,
    genes: Sequence[str],
    seed: int,
    *,
    fold: np.ndarray | None = None,
) -> tuple[dict[str, dict], dict[str, dict]]:
    """Score rows with all genes, and with the values of some genes missing.

    Args:
        predictor: The fitted model.
        dataset: Labelled rows in the model's gene order.
        genes: Names of the genes without values.
        seed: Of the resampling.
        fold: (rows,) number of the fold, from 0, whose networks alone compute the outputs of a
            row; None: the whole model computes all.

    Returns:
        Twice a dict of metric name to {"value", "low", "high"}.
    """
    lacking, run = set(genes), _runner(predictor, fold)
    columns = [place for place, name in enumerate(predictor.features) if name in lacking]
    outputs, first = [], 0
    for batch in predictor.checked(dataset):
        without, rows = batch.copy(), slice(first, first + len(batch))
        without[:, columns], first = np.nan, rows.stop
        outputs.append((run(batch, rows), run(without, rows)))
    full, without = (np.concatenate(part) for part in zip(*outputs, strict=True))
    targets, weights = dataset.known_targets, dataset.weights
    return (
        scores(predictor.task, targets, full, seed, weights),
        scores(predictor.task, targets, without, seed, weights),
    )


def _runner(predictor, fold):
    """Return a function of raw values and their place among all rows that computes outputs."""
    if fold is None:
        return lambda values, rows: predictor.outputs(values)
    networks = FoldNetworks(predictor, fold.max() + 1)
    return lambda values, rows: networks.outputs(values, fold[rows])


def confusion_matrix(task: Any, targets: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
    """Count rows as a frame: rows the true classes, columns the predicted ones.

    Args:
        task: A classification.
        targets: (rows,) class names.
        outputs: (rows, classes) logits.
    """
    true, predicted = task.encode(targets), np.asarray(outputs).argmax(1)
    counts = np.zeros((task.outputs, task.outputs), int)
    np.add.at(counts, (true, predicted), 1)
    return pd.DataFrame(counts, index=pd.Index(task.classes, name="true"), columns=task.classes)


def confusion_matrices(task: Any, targets: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
    """Count rows of each target of classes: target, true, predicted, count.

    Args:
        task: Of targets of several kinds.
        targets: (rows, columns) as files have them; rows without a target are left out.
        outputs: (rows, outputs) of the predictor.
    """
    encoded, lines = task.encode(targets), []
    for part in task.parts:
        if part.task.has_classes:
            own = encoded[:, part.columns.start]
            known = ~np.isnan(own)
            labels = np.array(part.task.classes)[own[known].astype(int)]
            counts = confusion_matrix(part.task, labels, outputs[known][:, part.outputs])
            lines += [
                (part.name, true, predicted, count)
                for true, row in counts.iterrows()
                for predicted, count in row.items()
            ]
    return pd.DataFrame.from_records(lines, columns=["target", "true", "predicted", "count"])


def predictions(predictor: Predictor, dataset: Dataset, part: Any) -> pd.DataFrame:
    """Return the columns of predictions.tsv for a `Dataset`.

    Args:
        predictor: The fitted model.
        dataset: Rows in the model's gene order; targets are shown where they are known.
        part: (rows,) the part that each row belongs to, or one word for all.

    Returns:
        A frame: sample, part, target, prediction, then a column a class (p_<class>); with several
        regression targets, target_<name> and prediction_<name> in their place.
    """
    frame = predictor.predict(dataset)
    frame.insert(1, "part", part)
    columns = predictor.task.target_columns(dataset.targets, len(dataset))
    for position, (name, column) in enumerate(columns, 2):
        frame.insert(position, name, column)
    return frame


def latent(model: LatentModel, dataset: Dataset, part: Any) -> pd.DataFrame:
    """Return the columns of latent.tsv for a `Dataset`: sample, part, z1 ... or names of sets.

    Where labels shaped the space, behind them prediction, the most probable label, and p_<label>.

    Args:
        model: Model of a representation.
        dataset: Rows to encode.
        part: (rows,) names of parts.
    """
    frame = pd.DataFrame({"sample": list(dataset.samples), "part": part})
    points = pd.DataFrame(model.outputs(dataset), columns=pd.Index(model.latent_names))
    frame, classes = pd.concat([frame, points], axis=1), model.task.classes
    if not classes:
        return frame
    found = model.run(dataset, "probabilities")
    frame["prediction"] = np.array(classes, object)[found.argmax(axis=1)]
    columns = pd.Index([f"p_{name}" for name in classes])
    return pd.concat([frame, pd.DataFrame(found, columns=columns)], axis=1)


def reconstruction(model: LatentModel, dataset: Dataset, part: Any) -> pd.DataFrame:
    """Return the columns of reconstruction.tsv.gz for a `Dataset`: sample, part, then the genes.

    Args:
        model: Model of a representation.
        dataset: Rows to decode.
        part: (rows,) names of parts.
    """
    frame = pd.DataFrame({"sample": list(dataset.samples), "part": part})
    decoded = model.run(dataset, "reconstruction")
    return pd.concat([frame, pd.DataFrame(decoded, columns=pd.Index(model.kept_features))], axis=1)
