"""Trackers: trials as runs of TensorBoard and MLflow; neither is imported unless asked for."""

import importlib
import importlib.util
import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autogenome_tf.core.errors import InputError
from autogenome_tf.run._run import Run

log = logging.getLogger(__name__)

FOLDER = "tensorboard"
# Columns of an epoch's line that are no curves.
NO_CURVES = {"epoch"}
INSTALL = {"mlflow": 'pip install "autogenome_tf[mlflow]"'}


def check_trackers(names: Iterable[str]) -> None:
    """Refuse a tracker whose package is not installed.

    Args:
        names: The config's `output.trackers`.

    Raises:
        InputError: With the command that installs it.
    """
    for name in names:
        if name in INSTALL and importlib.util.find_spec(name) is None:
            raise InputError(
                f"output.trackers: {name} is not installed; install it with {INSTALL[name]}, or "
                "leave it out."
            )


def track(
    run: Run,
    names: Iterable[str],
    objective: str,
    trial: Any,
    history: Iterable[Mapping[str, float]] = (),
) -> None:
    """Give a trial that has ended to each tracker.

    Args:
        run: The run that it belongs to.
        names: The config's `output.trackers`.
        objective: Metric that ranks trials.
        trial: The `Trial`.
        history: A dict an epoch: epoch, loss, validation_loss, learning_rate, seconds.
    """
    for name in names:
        try:
            _TRACKERS[name](run, objective, trial, [*history])
        except Exception as error:  # a tracker, perhaps on another machine, must not end a search
            log.warning("output.trackers: %s: trial %d is lost: %s", name, trial.number, error)


def _tensorboard(run, objective, trial, history):
    """Write a folder of event files: hyperparameters, curves and score."""
    hparams = importlib.import_module("tensorboard.plugins.hparams.summary")
    api = importlib.import_module("tensorboard.plugins.hparams.api")
    folder = run.path(FOLDER) / f"trial-{trial.number}"
    shutil.rmtree(folder, ignore_errors=True)
    status = "STATUS_SUCCESS" if trial.is_scored else "STATUS_FAILURE"
    ends = importlib.import_module("tensorboard.plugins.hparams.api_pb2").Status.Value(status)
    with _Events(folder) as events:
        events.add(api.hparams_pb(_plain(trial), trial_id=f"trial-{trial.number}"))
        for step, name, value in _curves(history):
            events.add_scalar(name, value, step)
        if trial.is_scored:
            events.add_scalar(objective, trial.score, trial.epochs)
        events.add(hparams.session_end_pb(ends))
    _write_columns(run.path(FOLDER), api, objective)


def _write_columns(folder, api, objective):
    """Write the metric that TensorBoard's table of trials shows, unless it is there."""
    if any(folder.glob("events.*")):
        return
    metric = api.Metric(objective, display_name=objective)
    with _Events(folder) as events:
        events.add(api.hparams_config_pb(hparams=[], metrics=[metric]))


class _Events:
    """A file of TensorBoard's events.

    Args:
        folder: Where it is written.
    """

    def __init__(self, folder):
        module = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        self._event = importlib.import_module("tensorboard.compat.proto.event_pb2").Event
        self._summary = importlib.import_module("tensorboard.compat.proto.summary_pb2").Summary
        self._writer = module.EventFileWriter(str(folder))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._writer.close()

    def add(self, summary, step=0):
        """Add a summary at a step."""
        # TensorFlow's own class of messages may be in place of TensorBoard's.
        own = self._summary.FromString(summary.SerializeToString())
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=own))

    def add_scalar(self, name, value, step):
        """Add a number at a step."""
        self.add(self._summary(value=[self._summary.Value(tag=name, simple_value=value)]), step)


def _mlflow(run, objective, trial, history):
    """Make a run of the experiment that has the run's name."""
    client = importlib.import_module("mlflow").MlflowClient()
    name = run.folder.name
    known = client.get_experiment_by_name(name)
    experiment = known.experiment_id if known else client.create_experiment(name)
    tags = {"mlflow.runName": f"trial-{trial.number}", "run_folder": str(run.folder)}
    found = client.create_run(experiment, tags=tags).info.run_id
    for key, value in _plain(trial).items():
        client.log_param(found, key, value)
    for step, key, value in _curves(history):
        client.log_metric(found, key, value, step=step)
    if trial.is_scored:
        client.log_metric(found, objective, trial.score)
    client.set_terminated(found, "FINISHED" if trial.is_scored else "FAILED")


def _plain(trial):
    """Return family and hyperparameters as numbers and texts."""
    values = {
        name: value if isinstance(value, (bool, int, float, str)) else json.dumps(value)
        for name, value in trial.values.items()
    }
    return {"family": trial.family} | values


def _curves(history):
    """Yield (epoch, name, value) of the curves of a trial, where there is a value."""
    for line in history:
        for name in line.keys() - NO_CURVES:
            if not math.isnan(line[name]):
                yield int(line["epoch"]), name, float(line[name])


_TRACKERS: dict[str, Callable[..., None]] = {"tensorboard": _tensorboard, "mlflow": _mlflow}
