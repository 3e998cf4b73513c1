"""No permission, no memory, a clock that goes back: one clear error each, and nothing is lost."""

import ctypes
import datetime
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf import cli
from autogenome_tf.core.errors import StageError
from autogenome_tf.run import _environment
from autogenome_tf.run._lock import LOCK

pytestmark = pytest.mark.slow

GIB = 1 << 30
# Linux: drop a capability from those a program can have; which let root pass over permissions.
PR_CAPBSET_DROP, OVERRIDES = 24, (1, 2)
TINY = {
    "families": {"mlp": {"layers": 1, "units": 8}}, "output": {"figures": False},
    "search": {"max_trials": 1, "epochs": 2, "folds": 2}, "training": {"epochs": 2},
    "explanation": {"samples": 3, "background": 5, "top": 3},
}  # fmt: skip


@pytest.fixture
def config(simulated, tmp_path):
    """A small config; its data beside it."""
    known = json.loads((simulated / "config.json").read_text())
    for name in ("features", "targets"):
        path = Path(known["data"][name])
        (tmp_path / path.name).write_bytes((simulated / path).read_bytes())
    known |= TINY | {"name": "t", "output_dir": "runs"}
    (tmp_path / "config.json").write_text(json.dumps(known))
    return tmp_path / "config.json"


def as_anybody():
    """Permissions bind this process, even root's."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in OVERRIDES if os.geteuid() == 0 else ():
        assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


def command(*arguments, before=as_anybody):
    """The command line in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(Path(ag.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-m", "autogenome_tf", *map(str, arguments)],
        capture_output=True, text=True, env=environment, preexec_fn=before,
    )  # fmt: skip


def assert_one_error(told, status, *words):
    """A status and a single line on the error stream, behind what was said."""
    assert told.returncode == status and "Traceback" not in told.stderr, told.stderr
    last = told.stderr.rstrip().splitlines()[-1]
    assert last.startswith("autogenome-tf: ") and all(word in last for word in words), last


@pytest.mark.parametrize("name", ["config.json", "features.tsv.gz", "targets.tsv"])
def test_a_file_that_may_not_be_read_is_named(config, name):
    (config.parent / name).chmod(0)
    assert_one_error(command("train", config, "--quiet"), 2, name, "read")
    assert not (config.parent / "runs" / "t").exists()


def test_a_folder_that_may_not_be_written_is_named(config):
    (config.parent / "runs").mkdir(mode=0o500)
    told = command("train", config, "--quiet")
    assert_one_error(told, 2, "runs", "cannot write here: Permission denied")


def test_a_run_that_may_not_be_written_loses_nothing(config):
    assert cli.main(["train", str(config), "--quiet"]) == cli.DONE
    folder = config.parent / "runs" / "t"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    folder.chmod(0o500)
    told = command("evaluate", folder, "--quiet")
    assert_one_error(told, 1, "evaluate", "Permission denied", "the same command continues")
    folder.chmod(0o700)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in (folder / "log.txt", folder / LOCK):
        assert after.pop(path) and before.pop(path)
    assert after == before
    assert cli.main(["evaluate", str(folder), "--quiet"]) == cli.DONE


def test_a_run_that_may_not_be_read_is_named(config):
    folder = config.parent / "runs" / "t"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    folder.chmod(0)
    told = command("report", folder)
    folder.chmod(0o700)
    assert told.returncode in (1, 2) and "Traceback" not in told.stderr and "t" in told.stderr


# Memory -----------------------------------------------------------------------------------------


def limited(gib):
    """A function that bounds the memory of the process that calls it."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (int(gib * GIB),) * 2)


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_rows_that_memory_does_not_hold_are_one_clear_error(config, kind):
    path = config.parent / f"x.{kind}"
    if kind == "npz":
        np.savez_compressed(path, values=np.zeros((60, 4_000_000), "uint8"))
    else:
        zeros = pd.DataFrame(np.zeros((12_000_000, 15), "uint8")).rename(columns=str)
        zeros.to_parquet(path)
    known = json.loads(config.read_text())
    known["data"] |= {"features": path.name, "memory": 100.0, "expansion": 1e9}
    config.write_text(json.dumps(known))
    told = command("train", config, "--quiet", before=limited(3))
    assert_one_error(told, 2, path.name)
    assert "llocat" in told.stderr or "memory" in told.stderr


def test_a_network_that_memory_does_not_hold_is_a_failed_trial(config):
    known = json.loads(config.read_text())
    known["families"]["mlp"] = {
        "layers": 2, "units": [8, 65536], "dropout": 0.0, "input_dropout": 0.0, "l2": 0.0,
        "activation": "relu", "normalization": "none", "spectral_power": 0.0, "gene_power": 0.0,
    }  # fmt: skip
    known["search"] |= {"method": "grid", "max_trials": 2}
    config.write_text(json.dumps(known))
    told = command("train", config, "--quiet", before=limited(8))
    assert told.returncode == 0, told.stderr[-2000:]
    board = pd.read_csv(config.parent / "runs" / "t" / "leaderboard.tsv", sep="\t")
    failed = board[board["status"] != "done"]
    assert len(board) == 3 and len(failed) == 1 and "65536" in failed["hyperparameters"].iloc[0]
    assert failed["status"].str.contains("ResourceExhausted|Memory").all()


def test_a_stage_without_memory_says_so_and_goes_on_later(config, monkeypatch):
    automl = ag.AutoGenome(str(config))
    automl.train()

    def full(*_):
        raise MemoryError("Unable to allocate 1 TiB")

    with monkeypatch.context() as patched:
        patched.setattr("autogenome_tf.models.tables.scores", full)
        with pytest.raises(StageError, match="evaluate: MemoryError: Unable to allocate"):
            automl.evaluate()
    assert automl.evaluate()


# Clock ------------------------------------------------------------------------------------------


def test_a_clock_that_goes_back_changes_nothing(config, monkeypatch):
    """Stamps are all that a wall clock is for."""

    def ran(name):
        known = json.loads(config.read_text())
        known["search"] |= {"max_seconds": 600, "max_trials": 2}
        automl = ag.AutoGenome(ag.Config.of(known | {"name": name}).resolved(config.parent))
        automl.run()
        board = pd.read_csv(automl.folder / "leaderboard.tsv", sep="\t").drop(columns="seconds")
        return board, (automl.folder / "metrics.json").read_bytes(), automl

    class Back(datetime.datetime):
        hours = itertools.count()

        @classmethod
        def now(cls, tz=None):
            return cls(2000, 1, 9, tzinfo=tz) - datetime.timedelta(hours=next(cls.hours))

    board, scores, _ = ran("forth")
    hours = itertools.count()
    with monkeypatch.context() as patched:
        patched.setattr(_environment.datetime, "datetime", Back)
        patched.setattr(time, "time", lambda: 1e9 - 3600.0 * next(hours))
        again, scores_again, automl = ran("back")
    pd.testing.assert_frame_equal(board, again)
    assert scores == scores_again
    times = automl._session.run.environment["times"]
    assert all(0 <= seconds < 600 for seconds in times.values())
