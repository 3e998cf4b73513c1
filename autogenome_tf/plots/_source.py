"""Where a figure's frames come from: handed in, or read from the files of a run."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.special

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.metrics import SCORED
from autogenome_tf.run import Run
from autogenome_tf.tasks import kind_of


def of_run(read):
    """Let a figure take a run in place of its frames.

    Args:
        read: A function of a `Run` (and of options by name) that returns the figure's arguments,
            a dict. Its options are taken away from those of the figure.

    Returns:
        A decorator. The decorated function's first argument may be a `Run`, the path of a run
        folder, or an `AutoGenome`.
    """
    asked = read.__kwdefaults__ or {}

    def decorate(draw):
        @functools.wraps(draw)
        def drawn(*arguments, **options):
            run = opened(arguments[0]) if arguments else None
            if run is None:
                return draw(*arguments, **options)
            if len(arguments) > 1:
                raise TypeError(f"{draw.__name__}: behind a run, expected arguments by name.")
            picked = {name: options.pop(name) for name in asked if name in options}
            return draw(**(read(run, **picked) | options))

        return drawn

    return decorate


def opened(source):
    """The `Run` that something stands for, or None."""
    if isinstance(source, Run):
        return source
    if isinstance(source, (str, Path)):
        return Run.existing(source)
    folder = getattr(source, "folder", None)
    return Run.existing(folder) if isinstance(folder, (str, Path)) else None


def unseen(run):
    """Predictions of the rows of a `Run` that no network has learned from.

    Returns:
        The name of the part (test; else evaluate; else validation, out of fold), and a frame of
        the columns of predictions.tsv.

    Raises:
        StageError: Before the predict stage.
    """
    run.require("predict", "predictions.tsv")
    names = run.model_names()
    is_classes = kind_of(names["task"]).has_classes
    frame = run.read_table("predictions.tsv", text=["target"] if is_classes else [])
    for part in SCORED[:2]:
        rows = frame[frame["part"] == part]
        if len(rows):
            return part, rows
    held = run.read_arrays("validation.npz")
    # Further files may repeat the ids of the rows that were split.
    split = frame[~frame["part"].isin(["evaluate", "predict"])]
    rows = split.set_index("sample").loc[held["samples"]].reset_index()
    if is_classes:
        columns = [f"p_{name}" for name in names["classes"]]
        rows[columns] = scipy.special.softmax(held["outputs"].astype("float64"), axis=1)
        rows["prediction"] = np.array(names["classes"], object)[held["outputs"].argmax(axis=1)]
    else:
        told = [name for name in rows if name.startswith("prediction")]
        rows[told] = held["outputs"]
    return SCORED[2], rows.assign(part=SCORED[2])


def classes(run):
    """What a figure of class chances takes from a `Run`."""
    _, frame = unseen(run)
    chances = {name.removeprefix("p_"): frame[name] for name in frame if name.startswith("p_")}
    if not chances:
        raise InputError(f"{run.folder}: expected a run of task.type classification.")
    return {"truth": frame["target"].to_numpy(), "chances": pd.DataFrame(chances)}


def attributions(run):
    """The arrays of attributions.npz of a `Run`; read once for all figures, as long as it stays.

    Raises:
        StageError: Before the explain stage.
    """
    run.require("explain", "attributions.npz")
    path = run.path("attributions.npz")
    return _arrays(path, path.stat().st_mtime_ns)


@functools.lru_cache(1)
def _arrays(path, _):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def contributions(run, output=None):
    """Contributions to one output of a `Run`, and its name.

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
