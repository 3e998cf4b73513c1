"""Records of every trial: its out-of-fold outputs, and what trackers show."""

from collections.abc import Iterable

import numpy as np

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.run import Run
from autogenome_tf.run.trackers import track
from autogenome_tf.training import CrossValidation, Trial, TrialResult

# Outputs of a trial that are kept. With more validation rows, the winner's bias is negligible.
MOST_VALUES = 1_000_000


def write_outputs(run: Run, folds: CrossValidation, result: TrialResult) -> None:
    """Write the outputs of a trial for rows that its networks had not seen.

    Args:
        run: The run.
        folds: The rows of the trial.
        result: The trial; nothing is written of one without targets, networks or score.
    """
    rows = folds.validation_rows
    is_kept = folds.task.has_targets and result.trial.is_scored and result.fit is not None
    if not is_kept or len(rows) * folds.task.outputs > MOST_VALUES:
        return
    scale, offset = folds.task.output_scale()
    outputs = (result.calibrated[rows] * scale + offset).astype("float32")
    run.path("search").mkdir(exist_ok=True)
    run.write_arrays(_name(result.trial), outputs=outputs)


def track_result(run: Run, config: Config, result: TrialResult) -> None:
    """Give a trial with its curves to the config's trackers.

    Args:
        run: The run.
        config: Its config.
        result: A trial that this process has run.
    """
    history = result.fit.history if result.fit else ()
    track(run, config.output.trackers, config.objective, result.trial, history)


def read_outputs(run: Run, trials: Iterable[Trial]) -> list[np.ndarray]:
    """Return the outputs of some trials, (validation rows, outputs) each; none if one lacks them.

    Args:
        run: The run.
        trials: Trials that have a score.
    """
    names = [_name(trial) for trial in trials]
    if not all(run.has(name) for name in names):
        return []
    return [_checked(run, name) for name in names]


def _name(trial):
    return f"search/outputs-{trial.number}.npz"


def _checked(run, name):
    found = run.read_arrays(name)
    if found["outputs"].ndim != 2:
        raise InputError(f"{run.path(name)}: expected an array `outputs` of rows and outputs.")
    return found["outputs"]
