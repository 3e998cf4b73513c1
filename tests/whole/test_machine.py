"""No permission, no memory, a clock that goes back: one clear error each, and nothing is lost."""

import ctypes
import datetime
import functools
import itertools
import json
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forked import Command
from learners import seed_little, solve_little

import autogenome_tf as ag
from autogenome_tf import cli
from autogenome_tf.core.errors import StageError
from autogenome_tf.run import _environment
from autogenome_tf.run._lock import LOCK

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("few_learners")]

GIB = 1 << 30
# Linux: version of the sets of capabilities; bits of those that let root pass over permissions.
CAPABILITIES, OVERRIDES = 0x20080522, 1 << 1 | 1 << 2
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
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    for kind in (0, 1):  # effective and permitted
        sets[kind] &= ~OVERRIDES
    assert libc.capset(header, sets) == 0


def with_memory(gib):
    """Bound the memory of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (int(gib * GIB),) * 2)


def little(before, arguments):
    """Run the command line with few linear learners and seeds, behind a call."""
    solve_little()
    seed_little()
    before()
    return cli.main(arguments)


@pytest.fixture
def said(tmp_path):
    """Return a function that runs the command line in its own process and returns its output."""

    def run(*arguments, status, before=as_anybody):
        main = functools.partial(little, before)
        command = Command(arguments, tmp_path / "said.txt", main)
        assert command.ended_within(status=status)
        return command.text

    return run


def assert_one_error(text, *words):
    """A single line of an error behind what was said."""
    last = text.rstrip().splitlines()[-1]
    assert "Traceback" not in text, text
    assert last.startswith("autogenome-tf: ") and all(word in last for word in words), last


@pytest.mark.parametrize("name", ["config.json", "features.tsv.gz", "targets.tsv"])
def test_a_file_that_may_not_be_read_is_named(config, said, name):
    (config.parent / name).chmod(0)
    assert_one_error(said("train", config, "--quiet", status=2), name, "read")
    assert not (config.parent / "runs" / "t").exists()


def test_a_folder_that_may_not_be_written_is_named(config, said):
    (config.parent / "runs").mkdir(mode=0o500)
    text = said("train", config, "--quiet", status=2)
    assert_one_error(text, "runs", "cannot write here: Permission denied")


def test_a_run_that_may_not_be_written_loses_nothing(config, said):
    assert cli.main(["train", str(config), "--quiet"]) == cli.DONE
    folder = config.parent / "runs" / "t"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    folder.chmod(0o500)
    text = said("evaluate", folder, "--quiet", status=1)
    assert_one_error(text, "evaluate", "Permission denied", "the same command continues")
    folder.chmod(0o700)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in (folder / "log.txt", folder / LOCK):
        assert after.pop(path) and before.pop(path)
    assert after == before
    assert cli.main(["evaluate", str(folder), "--quiet"]) == cli.DONE


def test_a_run_that_may_not_be_read_is_named(config, said):
    folder = config.parent / "runs" / "t"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    folder.chmod(0)
    text = said("report", folder, status=1)
    folder.chmod(0o700)
    assert_one_error(text, str(folder))


# Memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_rows_that_memory_does_not_hold_are_one_clear_error(config, said, kind):
    path = config.parent / f"x.{kind}"
    if kind == "npz":
        np.savez_compressed(path, values=np.zeros((60, 4_000_000), "uint8"))
    else:
        zeros = pd.DataFrame(np.zeros((12_000_000, 15), "uint8")).rename(columns=str)
        zeros.to_parquet(path)
    known = json.loads(config.read_text())
    known["data"] |= {"features": path.name, "memory": 100.0, "expansion": 1e9}
    config.write_text(json.dumps(known))
    before = functools.partial(with_memory, 3)
    text = said("train", config, "--quiet", status=2, before=before)
    assert_one_error(text, path.name)
    assert "llocat" in text or "memory" in text


def test_a_network_that_memory_does_not_hold_is_a_failed_trial(config, said):
    known = json.loads(config.read_text())
    known["families"]["mlp"] = {
        "layers": 2, "units": [8, 65536], "dropout": 0.0, "input_dropout": 0.0, "l2": 0.0,
        "activation": "relu", "normalization": "none", "spectral_power": 0.0, "gene_power": 0.0,
    }  # fmt: skip
    known["search"] |= {"method": "grid", "max_trials": 2}
    config.write_text(json.dumps(known))
    said("train", config, "--quiet", status=0, before=functools.partial(with_memory, 8))
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
