"""A search of several processes: chief and workers on this machine, one run folder between them."""

import json
import signal
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
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.run import Run
from autogenome_tf.run._lock import LOCK


def impatient(arguments):
    """Run the command line with less patience, since a test does not wait as long as a cluster."""
    from autogenome_tf.search._keras_tuner import chief, worker

    chief.LOST, worker.BEAT, worker.SILENCE, worker.LOOK = 15.0, 0.5, 1.0, 0.5
    return cli.main(arguments)


@pytest.fixture(scope="module")
def config(simulated, tmp_path_factory):
    """Path of a small search of both kinds of networks."""
    known = json.loads((simulated / "config.json").read_text())
    for name in ("features", "targets"):
        known["data"][name] = str(simulated / known["data"][name])
    networks = {"mlp": {"layers": [1, 2], "units": [4, 8]}, "resnet": {"n_blocks": 1, "width": 8}}
    known |= {"name": "t", "families": networks, "training": {"epochs": 2}}
    known["search"] = {"method": "random", "max_trials": 4, "epochs": 2, "folds": 2}
    known |= {"ensemble": {"size": 2}, "output": {"figures": False}}
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(known))
    return path


@pytest.fixture(scope="module")
def alone(config, tmp_path_factory):
    """Run folder of the same search by a single process."""
    output = tmp_path_factory.mktemp("alone")
    ag.AutoGenome(Config.load(config).model_copy(update={"output_dir": str(output)})).train()
    return output / "t"


class Company:
    """Processes of one search; those that are left are killed in the end.

    Args:
        config: Path of the config.
        output: Folder for the run.
        said: Folder for what they say.
    """

    def __init__(self, config, output, said):
        self._command = ["train", config, "--output", output]
        self._said, self._all = said, []
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{found.getsockname()[1]}"

    def start(self, tuner, *more):
        """Start one under a name, as a scheduler would."""
        host, port = self._address.split(":")
        known = {processes.TUNER: tuner, processes.HOST: host, processes.PORT: port}
        said = self._said / f"{len(self._all)}.txt"
        process = Command([*self._command, *more], said, impatient, known)
        self._all.append(process)
        return process

    def close(self):
        for process in self._all:
            process.kill()


@pytest.fixture
def company(config, tmp_path, tmp_path_factory):
    made = Company(config, tmp_path, tmp_path_factory.mktemp("said"))
    yield made
    made.close()


def assert_like(folder, alone):
    """The same leaderboard, and the same networks where the chief trained them again."""
    pd.testing.assert_frame_equal(board(folder), board(alone), check_exact=True)
    found, expected = (np.load(one / "validation.npz")["outputs"] for one in (folder, alone))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def until(process, text):
    """Wait for a line with this text."""
    process.wait_for(lambda line: text in line)
    assert text in process.text, process.text


def ended(process, status=0):
    """What a process says until it ends by itself."""
    assert process.ended_within(status=status), process.text
    return process.text


@pytest.mark.slow
def test_workers_that_come_early_and_late_make_the_leaderboard_of_one_process(
    company, alone, tmp_path
):
    early = company.start("task-1")
    until(early, "waiting for the chief")
    chief = company.start("chief")
    until(chief, "task-1 has connected")
    early.signal(signal.SIGSTOP)  # else it might be done before the other has begun
    late = company.start("task-2")
    until(chief, "task-2 has connected")
    early.signal(signal.SIGCONT)
    ended(chief)
    ended(early)
    ended(late)
    assert_like(tmp_path / "t", alone)
    assert {path.name for path in tmp_path.iterdir()} - {LOCK} == {"t"}
    wrote = {path.name for path in (tmp_path / "t" / "search").iterdir()}
    assert wrote >= {"calls.jsonl", "task-1.log", *(f"trial-{n}.tsv" for n in range(1, 5))}


@pytest.mark.slow
def test_workers_help_with_each_outer_fold_and_end_with_the_run(company, tmp_path):
    keys = ["--set", "search.outer=2", "--set", 'output.trackers=["tensorboard"]']
    chief = company.start("chief", *keys)
    until(chief, "listening")
    worker, absent = (company.start(name, *keys) for name in ("task-1", "task-2"))
    until(absent, "search: over")
    absent.signal(signal.SIGSTOP)
    ended(chief)
    ended(worker)
    # It comes back when nobody is left to say that there is nothing more to do.
    absent.signal(signal.SIGCONT)
    assert "the run of the chief has ended" in ended(absent)
    for folder in (tmp_path / "t", *(tmp_path / "t" / "outer" / f"fold_{n}" for n in (1, 2))):
        assert {f"trial-{n}.tsv" for n in range(1, 5)} < {
            p.name for p in (folder / "search").iterdir()
        }
    assert len(pd.read_csv(tmp_path / "t" / "outer.tsv", sep="\t")) == 48
    assert {f"trial-{n}" for n in range(5)} < {
        p.name for p in (tmp_path / "t/tensorboard").iterdir()
    }


@pytest.mark.slow
def test_killed_workers_and_a_killed_chief_cost_nothing_but_time(company, alone, tmp_path):
    chief = company.start("chief")
    until(chief, "listening")
    lost = company.start("task-1")
    until(chief, "task-1 has connected")
    assert lost.kill()
    stays = company.start("task-2")
    until(chief, "trial 2/4")
    assert chief.kill()
    again = company.start("chief")
    said = ended(again)
    assert "resuming the unfinished run" in said
    ended(stays)
    assert_like(tmp_path / "t", alone)
    calls = (tmp_path / "t" / "search" / "calls.jsonl").read_text()
    assert calls.count('"lose"') == 1


@pytest.mark.slow
def test_who_does_not_belong_to_a_search_is_told_so(company, tmp_path):
    chief = company.start("chief")
    until(chief, "listening")
    second = company.start("chief")
    seed = company.start("task-1", "--set", "seed=8")
    assert "another process is working on this run" in ended(second, 1)
    assert "these keys differ: 'seed'" in ended(seed, 2)
    elsewhere = company.start("task-1", "--output", str(tmp_path / "elsewhere"))
    assert "not the run of the chief" in ended(elsewhere, 2)
    assert not (tmp_path / "elsewhere").exists() and chief.is_running


# Alone ------------------------------------------------------------------------------------


@pytest.fixture
def is_worker(monkeypatch):
    for name, value in {
        processes.TUNER: "task-1",
        processes.HOST: "127.0.0.1",
        processes.PORT: "9",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("method", ["enas", "coordinate"])
def test_a_search_for_one_process_is_refused_at_once(config, tmp_path, is_worker, method):
    known = json.loads(config.read_text()) | {
        "output_dir": str(tmp_path),
        "families": {"wired": {}},
    }
    known["search"] = {"method": method}
    with pytest.raises(InputError, match=f"search.method: '{method}' runs in one process"):
        ag.AutoGenome(known).run()
    assert not list(tmp_path.iterdir())


def test_a_search_of_nothing_is_refused(is_worker):
    with pytest.raises(InputError, match="families: linear alone"):
        search.process_role(Config.of({"name": "t", "families": {"linear": {}}}))


def test_half_of_the_variables_is_one_message(config, is_worker, monkeypatch, capsys):
    monkeypatch.delenv(processes.PORT)
    assert cli.main(["train", str(config)]) == 2
    assert f"environment: {processes.PORT} missing" in capsys.readouterr().err


@pytest.fixture
def begun(config, tmp_path):
    """A run as its chief has begun it, and its config."""
    given = Config.load(config).model_copy(update={"output_dir": str(tmp_path)})
    run = Run.of(given, ["train"])
    return run.read_json("environment.json")["began"], given, run


def test_a_worker_finds_the_run_of_its_chief(begun):
    began, config, run = begun
    assert Run.begun("t", began, config).folder == run.folder
    with pytest.raises(InputError, match="not the run of the chief, which started at yesterday"):
        Run.begun("t", "yesterday", config)
    with pytest.raises(InputError, match="not the run of the chief"):
        Run.begun("u", began, config)


def test_a_worker_with_other_data_is_refused(begun):
    began, config, run = begun
    environment = run.read_json("environment.json")
    (targets,) = [path for path in environment["data"] if "targets" in path]
    environment["data"][targets] = "0" * 64
    run.write_json("environment.json", environment)
    with pytest.raises(InputError, match="another config or other data.*targets.tsv"):
        Run.begun("t", began, config)


def test_a_search_stays_with_one_or_with_many(begun, is_worker, monkeypatch):
    _, config, run = begun
    (run.folder / "search").mkdir()
    (run.folder / "search" / "calls.jsonl").touch()
    for name in (processes.TUNER, processes.HOST, processes.PORT):
        monkeypatch.delenv(name)
    with pytest.raises(StageError, match="its search was started by a chief and workers"):
        ag.AutoGenome(config).train()
