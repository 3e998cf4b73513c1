"""Trackers: what TensorBoard reads back, and what an MLflow client is asked for."""

import json
import sys
import types

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from autogenome_tf.automl import AutoGenome
from autogenome_tf.core.errors import InputError
from autogenome_tf.run import Run, trackers
from autogenome_tf.training import Trial

HISTORY = [
    {"epoch": 1, "loss": 2.0, "validation_loss": 3.0},
    {"epoch": 2, "loss": 1.0, "validation_loss": 2.5},
]
DONE = Trial(3, "mlp", {"units": 8, "skip": [1, 2], "on": True}, score=0.5, epochs=2)
FAILED = Trial(4, "mlp", {"units": 9}, status="failed: why")


def read(folder):
    """Return an accumulator of the event files of a folder."""
    return EventAccumulator(str(folder)).Reload()


def hparams(events, tag):
    content = events.SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def test_tensorboard_reads_curves_hyperparameters_and_score(tmp_path):
    run = Run(tmp_path)
    for _ in range(2):  # a trial that is repeated takes the place of the first
        trackers.track(run, ["tensorboard"], "log_loss", DONE, HISTORY)
    events = read(tmp_path / "tensorboard" / "trial-3")
    curve = [(one.step, one.value) for one in events.Scalars("validation_loss")]
    assert curve == [(1, 3.0), (2, 2.5)]
    assert [one.value for one in events.Scalars("log_loss")] == [0.5]
    own = hparams(events, "session_start_info").session_start_info.hparams
    found = own["units"].number_value, own["on"].bool_value, own["skip"].string_value
    assert found == (8, True, "[1, 2]") and own["family"].string_value == "mlp"
    shown = hparams(read(tmp_path / "tensorboard"), "experiment").experiment
    assert [metric.name.tag for metric in shown.metric_infos] == ["log_loss"]


def test_what_an_epoch_did_not_measure_is_no_point_of_a_curve(tmp_path):
    start = {"epoch": 0, "validation_loss": 4.0, "loss": float("nan")}
    trackers.track(Run(tmp_path), ["tensorboard"], "log_loss", DONE, [start, *HISTORY])
    events = read(tmp_path / "tensorboard" / "trial-3")
    assert [one.step for one in events.Scalars("validation_loss")] == [0, 1, 2]
    assert [one.step for one in events.Scalars("loss")] == [1, 2]


def test_a_trial_that_failed_is_shown_as_such(tmp_path):
    trackers.track(Run(tmp_path), ["tensorboard"], "log_loss", FAILED)
    events = read(tmp_path / "tensorboard" / "trial-4")
    assert hparams(events, "session_end_info").session_end_info.status == 2
    assert not events.Tags()["scalars"]


class Client:
    """MLflow's client, as far as it is used; keeps what it is asked for."""

    calls = []

    def __getattr__(self, name):
        def answer(*given, **named):
            self.calls.append((name, *given, *named.values()))
            info = types.SimpleNamespace(run_id=f"r{len(self.calls)}")
            return {"create_experiment": "e", "create_run": types.SimpleNamespace(info=info)}.get(
                name
            )

        return answer


@pytest.fixture
def mlflow(monkeypatch):
    """A stand-in for mlflow whose client keeps its calls."""
    stub = types.ModuleType("mlflow")
    stub.MlflowClient, Client.calls = Client, []
    stub.__spec__ = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "mlflow", stub)
    return Client.calls


def test_mlflow_gets_a_run_a_trial(mlflow, tmp_path):
    for trial, history in ((DONE, HISTORY), (FAILED, ())):
        trackers.track(Run(tmp_path / "t"), ["mlflow"], "log_loss", trial, history)
    assert ("create_experiment", "t") in mlflow
    made = [call for call in mlflow if call[0] == "create_run"]
    assert [call[2]["mlflow.runName"] for call in made] == ["trial-3", "trial-4"]
    run = next(call[1] for call in mlflow if call[0] == "log_param")
    assert ("log_param", run, "units", 8) in mlflow
    assert ("log_metric", run, "validation_loss", 2.5, 2) in mlflow
    assert ("log_metric", run, "log_loss", 0.5) in mlflow
    assert [call[2] for call in mlflow if call[0] == "set_terminated"] == ["FINISHED", "FAILED"]


def test_a_tracker_that_fails_does_not_end_a_search(mlflow, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(Client, "__getattr__", lambda *_: 1 / 0)
    trackers.track(Run(tmp_path), ["mlflow"], "log_loss", DONE)
    assert "mlflow: trial 3 is lost" in caplog.text


def test_a_missing_package_is_said_before_anything_is_trained(simulated, tmp_path, monkeypatch):
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda name: None)
    config = {
        "name": "t", "output_dir": str(tmp_path), "output": {"trackers": ["mlflow"]},
        "data": {"features": str(simulated / "x.tsv")},
    }  # fmt: skip
    with pytest.raises(InputError, match=r'pip install "autogenome_tf\[mlflow\]"'):
        AutoGenome(config).train()
    assert not (tmp_path / "t").exists()


@pytest.mark.usefixtures("few_learners")
def test_a_search_gives_each_trial(simulated, tmp_path):
    config = json.loads((simulated / "config.json").read_text())
    for name in ("features", "targets"):
        config["data"][name] = str(simulated / config["data"][name])
    config |= {
        "output_dir": str(tmp_path), "families": {"mlp": {"layers": 1, "units": 4}},
        "search": {"max_trials": 1, "epochs": 2, "folds": 2}, "training": {"epochs": 2},
        "ensemble": {"size": 1}, "output": {"figures": False, "trackers": ["tensorboard"]},
    }  # fmt: skip
    automl = AutoGenome(config)
    board = automl.train()
    folders = {path.name for path in (automl.folder / "tensorboard").iterdir() if path.is_dir()}
    assert folders == {f"trial-{number}" for number in board["trial"]}
    events = read(automl.folder / "tensorboard" / "trial-1")
    assert [one.step for one in events.Scalars("loss")] == [1, 2]
