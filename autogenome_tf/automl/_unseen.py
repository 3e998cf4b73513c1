"""The parts of a run's rows that training has not seen, with the outputs of a model for them."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from autogenome_tf.core.seeds import derive
from autogenome_tf.data import Dataset, RunData
from autogenome_tf.models import Predictor
from autogenome_tf.run import Run


class UnseenPart(NamedTuple):
    """Rows of one part with the outputs of the model.

    Attributes:
        targets: (rows,) class names, or (rows, targets) in original units.
        outputs: (rows, outputs) calibrated logits, or values in original units.
        weights: (rows,) weight of each row; None: all rows count alike.
        sites: The columns of `data.sites`, or None.
        seed: Of the resampling of these rows.
    """

    targets: np.ndarray
    outputs: np.ndarray
    weights: np.ndarray | None
    sites: pd.DataFrame | None
    seed: int


def unseen_parts(run: Run, rows: RunData, model: Predictor, seed: int) -> dict[str, UnseenPart]:
    """Return "validation", and "test" and "evaluate" where the run has them.

    Args:
        run: The run.
        rows: Its rows.
        model: Its model.
        seed: The config's.
    """
    dataset, split = rows.labelled
    sources = {
        "validation": (dataset, validated_rows(run, dataset)),
        "test": (dataset, split.part == "test"),
        "evaluate": (rows.to_evaluate, slice(None)),
    }
    return {
        name: _part(sources[name], outputs, derive(seed, f"bootstrap/{name}"))
        for name, outputs in unseen_outputs(run, rows, model, "outputs", rows.to_evaluate).items()
    }


def _part(source, outputs, seed):
    """Return a part from a pair of a data set and which of its rows are meant."""
    dataset, own = source
    weights = None if dataset.weights is None else dataset.weights[own]
    sites = None if dataset.sites is None else dataset.sites.iloc[own]
    return UnseenPart(dataset.known_targets[own], outputs, weights, sites, seed)


def unseen_outputs(
    run: Run, rows: RunData, model: Predictor, name: str, scored: Dataset | None
) -> dict[str, np.ndarray]:
    """Return the outputs of a model for the rows of each part that training has not seen.

    Args:
        run: The run.
        rows: Its rows.
        model: Computes the outputs of rows that no fold has validated on.
        name: Name of its out-of-fold outputs in validation.npz.
        scored: The rows of `data.evaluate`, or None.
    """
    dataset, split = rows.labelled
    found = {"validation": run.read_arrays("validation.npz", needed=[name])[name]}
    test = np.flatnonzero(split.part == "test")
    if len(test):
        found["test"] = model.outputs(dataset.rows(test), is_own=True)
    if scored:
        found["evaluate"] = model.outputs(scored)
    return found


def validated_rows(run: Run, dataset: Dataset) -> np.ndarray:
    """Return the numbers of the rows that validated, in the order of validation.npz.

    Args:
        run: The run.
        dataset: Its labelled rows.
    """
    place = {str(sample): row for row, sample in enumerate(dataset.samples)}
    return np.array([place[name] for name in run.read_arrays("validation.npz")["samples"]], int)
