"""Processes that TF_CONFIG names train one network together, to the weights of one process."""

import json
import socket

import numpy as np
import pandas as pd
import pytest
from forked import Command
from tables import board

import autogenome_tf as ag
from autogenome_tf import cli, search
from autogenome_tf.config import processes
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.run._lock import LOCK
from autogenome_tf.tasks import Classification
from autogenome_tf.training import Configuration, Plan, TrainingSettings, worker_cluster
from autogenome_tf.training._engines import MultiWorkerStreamed
from autogenome_tf.training._networks import NetworkCrossValidation


def fit(arguments):
    """Train networks, alone or together; write their weights to the file that is named."""
    workers = worker_cluster()
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 12)).astype("float32")
    truth = (x[:, 0] > 0).astype("int32")
    pair = [(np.arange(60), np.arange(60, 90))]
    config = {"name": "t", "data": {"features": "x", "transform": "none", "memory": 1e-7}}
    settings = TrainingSettings.of(Config.of(config))
    plain = {"layers": 1, "units": 5, "dropout": 0.0, "input_dropout": 0.0, "activation": "tanh",
             "normalization": "none", "l2": 0.01, "spectral_power": 0.0,
             "output_nonlinearity": "none"}  # fmt: skip
    found = {}
    for optimizer in ("adam", "lamb", "momentum"):
        folds = NetworkCrossValidation(
            x, truth, Classification(["a", "b"]), settings, splits=pair, workers=workers
        )
        plan = Plan(3, learning_rate=0.05, optimizer=optimizer)
        fitted = folds.fit(Configuration("mlp", plain), plan, 1)
        both = [*fitted.weights, *fitted.validation]
        found |= {f"{optimizer} {i}": weight for i, weight in enumerate(both)}
    (engine,) = folds._steps
    assert isinstance(engine, MultiWorkerStreamed) == bool(workers)
    # Noise and the statistics of batches are of each process's part; a range test judges nothing.
    fitted = folds.fit(
        Configuration("mlp", plain | {"dropout": 0.4, "normalization": "batch"}), Plan(3), 1
    )
    both = [*fitted.weights, *fitted.validation]
    found |= {f"noisy {i}": weight for i, weight in enumerate(both)}
    np.savez(arguments[0], **found)


def addresses(count=2):
    """Free ports on this machine."""
    with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in with_ports]
    for one in with_ports:
        one.close()
    return found


def variable(workers, place):
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": place}})


@pytest.fixture
def start(tmp_path_factory):
    """A function that starts a command line, at a place among workers; what is left is killed."""
    started, said = [], tmp_path_factory.mktemp("said")

    def begin(*arguments, main=cli.main, workers=(), place=0):
        environment = {"TF_CONFIG": variable(workers, place)} if workers else {}
        process = Command(arguments, said / f"{len(started)}.txt", main, environment)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()


def ended(process, status=0):
    """What a process says until it ends by itself."""
    assert process.ended_within(status=status), process.text
    return process.text


@pytest.mark.slow
def test_two_processes_find_the_weights_of_one(start, tmp_path):
    workers, files = addresses(), [tmp_path / f"{name}.npz" for name in ("0", "1", "alone")]
    each = [start(files[place], main=fit, workers=workers, place=place) for place in range(2)]
    for process in (*each, start(files[2], main=fit)):
        ended(process)
    first, second, alone = (dict(np.load(file)) for file in files)
    for name, weight in first.items():
        np.testing.assert_array_equal(weight, second[name])
        if not name.startswith("noisy"):
            np.testing.assert_allclose(weight, alone[name], atol=1e-5)
    assert not np.allclose(first["noisy 0"], alone["noisy 0"])


@pytest.fixture(scope="module")
def config(simulated, tmp_path_factory):
    """Path of a search over rows that are read batch by batch."""
    known = json.loads((simulated / "config.json").read_text())
    for name in ("features", "targets"):
        known["data"][name] = str(simulated / known["data"][name])
    still = {"dropout": 0.0, "input_dropout": 0.0, "normalization": "none", "activation": "tanh"}
    known["data"] |= {"memory": 1e-6, "transform": "log1p"}
    known |= {"name": "t", "families": {"mlp": {"layers": 1, "units": [4, 8]} | still}}
    known["search"] = {"method": "random", "max_trials": 2, "epochs": 2}
    known |= {"training": {"epochs": 2, "learning_rate": 0.01}, "output": {"figures": False}}
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(known))
    return path


@pytest.mark.slow
def test_a_run_of_two_is_written_by_the_first_and_goes_on_behind_a_kill(start, config, tmp_path):
    def pair(verb):
        workers = addresses()
        outputs = [tmp_path / "first", tmp_path / "second"]
        return [
            start(verb, config, "--output", output, workers=workers, place=place)
            for place, output in enumerate(outputs)
        ]

    first, second = pair("train")
    first.wait_for(lambda line: line.startswith("trial 1/2"))
    assert second.kill()
    assert "one of the 2 processes of TF_CONFIG has stopped" in ended(first, 1)
    assert len(board(tmp_path / "first" / "t")) == 2
    first, second = pair("train")
    alone = start("train", config, "--output", tmp_path / "alone")
    assert "resuming" in ended(first)
    ended(second)
    ended(alone)
    found, expected = board(tmp_path / "first" / "t"), board(tmp_path / "alone" / "t")
    pd.testing.assert_frame_equal(found, expected, atol=1e-4)
    first, second = pair("run")
    assert "final fit" not in ended(first)  # what is trained is not trained again
    ended(second)
    assert {path.name for path in (tmp_path / "first").iterdir()} == {"t", LOCK}
    assert (tmp_path / "first" / "t" / "report.html").exists()
    assert not (tmp_path / "second").exists()


@pytest.mark.slow
def test_processes_with_different_configs_say_so_in_all(start, config, tmp_path):
    workers = addresses()
    each = [
        start(
            "train",
            config,
            "--output",
            tmp_path,
            "--set",
            f"seed={place}",
            workers=workers,
            place=place,
        )  # fmt: skip
        for place in range(2)
    ]
    for process in each:
        assert "differ from the first process in: 1 of 2" in ended(process, 2)


# Alone ------------------------------------------------------------------------------------


def test_places_are_counted_from_the_chief(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", variable(["a:1", "b:1"], 1))
    assert processes.member() == (1, 2)
    cluster = {"worker": ["a:1", "b:1"], "chief": ["c:1"]}
    for kind, index, place in (("chief", 0, 0), ("worker", 1, 2)):
        task = {"type": kind, "index": index}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        assert processes.member() == (place, 3)


@pytest.mark.parametrize("text", ["", "{}", variable(["a:1"], 0), '{"task": {"type": "worker"}}'])
def test_who_has_nobody_beside_him_is_alone(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    assert processes.member() is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"cluster": 3}',
        variable(["a:1", "b:1"], 2),
        '{"cluster": {"worker": ["a:1", "b:1"]}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_wrong_variable_is_one_message(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match="environment: TF_CONFIG: expected a cluster"):
        processes.member()


def test_what_processes_cannot_do_together_is_refused(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", variable(["a:1", "b:1"], 0))
    config = Config.of({"name": "t", "search": {"max_seconds": 9}})
    with pytest.raises(InputError, match="search.max_seconds: several processes"):
        search.process_role(config)
    monkeypatch.setenv(processes.TUNER, "chief")
    monkeypatch.setenv(processes.HOST, "localhost")
    monkeypatch.setenv(processes.PORT, "8000")
    with pytest.raises(InputError, match="either share a search or train one network"):
        search.process_role(config)


def test_rows_in_memory_are_refused(monkeypatch, tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(30, 4)), columns=list("abcd"))
    two = type("Two", (), {"place": 0})
    monkeypatch.setattr("autogenome_tf.automl._processes.worker_cluster", lambda: two)
    given = {"name": "t", "output_dir": str(tmp_path), "families": {"linear": {}}}
    with pytest.raises(InputError, match="TF_CONFIG: .* 24 x 4 values fit data.memory"):
        ag.AutoGenome(given, (frame, ["x", "y"] * 15)).train()
    assert not list(tmp_path.iterdir())
