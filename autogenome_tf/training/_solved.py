"""Linear learners solved for the training rows of every fold, as fits like those of networks."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autogenome_tf.training._cross_validation import CrossValidation
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._linear import SOLVERS, LinearRows, unit_scale
from autogenome_tf.training._plan import Fit
from autogenome_tf.training._trials import Configuration


def solved(
    cross_validation: CrossValidation,
    inputs: FoldInputs,
    configuration: Configuration,
    options: Iterable[float],
    deadline: float = float("inf"),
) -> Iterator[tuple[float, Fit]]:
    """Solve a linear learner in all folds for each value of its path; see `CrossValidation.path`.

    Args:
        cross_validation: Targets, weights and splits of the rows.
        inputs: The rows as the learner sees them, in memory.
        configuration: Its `loss` is a key of `SOLVERS`.
        options: Values of the path.
        deadline: `time.monotonic()` after which nothing further is solved.
    """
    solver = SOLVERS[configuration.values["loss"]]()
    options = sorted(options, reverse=solver.is_descending)
    power = configuration.values.get("spectral_power", 0.0)
    folds = list(_folds(cross_validation, inputs, inputs.factors(power)))
    paths = zip(*(solver.path(rows, options, deadline) for rows in folds), strict=True)
    for option in options:
        started = time.monotonic()
        kernels, biases = map(np.stack, zip(*next(paths), strict=True))
        if cross_validation.task.has_classes:
            scales = [unit_scale(*pair) for pair in zip(folds, kernels, strict=True)]
            scales = np.array(scales)[:, None]
            kernels, biases = kernels / scales[:, None], biases / scales
        yield option, _fit(cross_validation, folds, kernels, biases, started)
        if time.monotonic() > deadline:
            return


def _folds(cross_validation, inputs, factors):
    """Yield the training rows of each fold, with the (inputs,) factors of their inputs."""
    each = [None] * len(inputs.constants) if factors is None else factors
    parts = zip(inputs.rows.numpy(), each, cross_validation.splits, inputs.constants, strict=True)
    for values, own, (train, _), constants in parts:
        targets, weights = cross_validation.targets[train], cross_validation.weights[train]
        # Their mean is 1 over all rows; what a learner counts rows by is not to see the others.
        weights = weights / weights.mean()
        outputs, genes = cross_validation.task.outputs, len(constants.genes)
        yield LinearRows(values, targets, weights, outputs, genes, train, own)


def _fit(cross_validation, folds, kernels, biases, started):
    """Return the `Fit` of (folds, inputs, outputs) kernels and (folds, outputs) biases."""
    outputs = [rows.outputs_of(*layer) for rows, *layer in zip(folds, kernels, biases, strict=True)]
    weights = [kernels.astype("float32"), biases.astype("float32")]
    parameters = kernels[0].size + biases[0].size
    return fit_of(cross_validation, outputs, weights, parameters=parameters, started=started)


def fit_of(
    cross_validation: CrossValidation,
    outputs: list[np.ndarray],
    weights: list[Any],
    *,
    parameters: int,
    started: float,
) -> Fit:
    """Return what is solved or fitted at once as a `Fit` of a single epoch.

    Args:
        cross_validation: Targets, weights and splits of the rows.
        outputs: For each fold (rows, outputs) float32 of all rows.
        weights: As `Fit.weights`.
        parameters: Number of parameters of one model.
        started: `time.monotonic()` when it was begun.
    """
    splits = list(zip(outputs, cross_validation.splits, strict=True))
    validation = [every[unseen] for every, (_, unseen) in splits]
    has_validation = len(cross_validation.validation_rows) > 0
    joined = cross_validation.validation_outputs(validation)
    temperature = cross_validation.temperature(joined) if has_validation else 1.0
    losses = [_loss(cross_validation, train, every / temperature) for every, (train, _) in splits]
    line = {
        "epoch": 1,
        "loss": float(np.mean(losses)),
        "validation_loss": _loss(
            cross_validation, cross_validation.validation_rows, joined / temperature
        ),
        "learning_rate": float("nan"),
        "seconds": time.monotonic() - started,
    }
    return Fit(weights, validation, 1, [line], parameters)


def _loss(cross_validation, rows, outputs):
    """Return the weighted mean loss of some rows, by their numbers; NaN where there are none."""
    if not len(rows):
        return float("nan")
    own = outputs[rows].astype("float32")
    weights = cross_validation.weights[rows]
    known = cross_validation.targets[rows], own, weights
    (losses,) = cross_validation.task.part_losses([known])
    return float(np.average(losses, weights=weights))
