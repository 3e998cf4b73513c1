"""Frames and arrays of figures, read from the files of a run."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import unknown
from autogenome_tf.core.files import safe_names, version
from autogenome_tf.metrics import SCORED
from autogenome_tf.run import Run
from autogenome_tf.tasks import task_from_names


def opened(source: Any) -> Run | None:
    """Return the run that a `Run`, a path or an `AutoGenome` stands for; None for all else."""
    if isinstance(source, Run):
        return source
    if isinstance(source, (str, Path)):
        return Run.existing(source)
    folder = getattr(source, "folder", None)
    return Run.existing(folder) if isinstance(folder, (str, Path)) else None


def unseen(run: Run) -> tuple[str, pd.DataFrame]:
    """Return the predictions of the rows of a run that no network has learned from.

    Args:
        run: A run.

    Returns:
        The name of the part (test; else evaluate; else validation, out of fold), and a frame of
        the columns of predictions.tsv.

    Raises:
        StageError: Before the predict stage.
    """
    run.require("predictions.tsv")
    task, frame = task_from_names(run.model_names()), run.predictions()
    for part in SCORED[:2]:
        rows = frame[frame["part"] == part]
        if len(rows):
            return part, rows
    validation = run.read_arrays("validation.npz")
    # Further files may repeat the ids of the rows that were split.
    split = frame[~frame["part"].isin(["evaluate", "predict"])]
    rows = split.set_index("sample").loc[validation["samples"]].reset_index()
    predicted = task.frame(validation["outputs"])
    rows[list(predicted)] = predicted
    return SCORED[2], rows.assign(part=SCORED[2])


def classes(run: Run) -> dict[str, Any]:
    """Return targets and probabilities of a run's unseen rows, by the names of `roc_curves`."""
    _, frame = unseen(run)
    columns = [name for name in frame if str(name).startswith("p_")]
    probabilities = frame[columns].rename(columns=lambda name: name.removeprefix("p_"))
    return {"targets": frame["target"].to_numpy(), "probabilities": probabilities}


def attributions(run: Run) -> dict[str, np.ndarray]:
    """Return the arrays of attributions.npz; read once for all figures, as long as it stays.

    Args:
        run: A run.

    Raises:
        StageError: Before the explain stage.
    """
    run.require("attributions.npz")
    return _attributions(run.folder, version(run.path("attributions.npz")))


@functools.lru_cache(1)
def _attributions(folder, _version):
    return Run(folder).read_arrays("attributions.npz")


def contributions(
    run: Run, output: str | None = None
) -> tuple[str, np.ndarray, dict[str, np.ndarray]]:
    """Return the contributions to one output of a run, and its name.

    Args:
        run: A `Run`.
        output: Its name; None where there is one only.

    Returns:
        The name, its (rows, genes) contributions, and the arrays of attributions.npz.

    Raises:
        StageError: Before the explain stage.
        InputError: For an output that is not there.
    """
    arrays = attributions(run)
    names = [str(name) for name in arrays["outputs"]]
    output = names[0] if output is None and len(names) == 1 else output
    if output not in names:
        raise unknown(f"{run.folder}: output", output, names)
    return output, arrays["values"][:, :, names.index(output)], arrays


def by_output(name: str, run: Run) -> dict[str, dict[str, Any]]:
    """Return the drawings of a figure that is drawn for each output; see `Figure.variants`.

    Args:
        name: Of the figure.
        run: A run that was explained.
    """
    outputs = [str(output) for output in attributions(run)["outputs"]]
    safe = safe_names(outputs)
    return {f"{name}_{end}": {"output": one} for end, one in zip(safe, outputs, strict=True)}
