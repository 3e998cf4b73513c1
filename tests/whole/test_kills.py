"""A run that is killed at any moment goes on with the same command, to the same end.

What a kill leaves is the folder as it is between two renames. So a run in this process is ended at
a rename, the folder as it is then goes to the next run, and so forth through all renames. Processes
that are killed for real are few: each has TensorFlow to begin.
"""

import gzip
import json
import os
import random
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figures import left_out
from forked import Command
from learners import draw_little, seed_little, solve_little

from autogenome_tf import cli
from autogenome_tf.core.files import partial
from autogenome_tf.run._lock import LOCK

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("few_learners")]

FEW = {"layers": 1, "units": [4, 8], "dropout": 0.0, "activation": "relu", "normalization": "none"}
SEARCH = {"max_trials": 4, "epochs": 3, "folds": 2}
ENAS = {"updates": 2, "samples": 4, "candidates": 8}
WAYS = {
    method: {"families": {"mlp": FEW}, "search": SEARCH | {"method": method}}
    for method in ("random", "grid", "bayesian", "hyperband", "coordinate")
} | {
    "enas": {
        "families": {"wired": {"layers": 3, "max_width": 8}},
        "search": {"method": "enas", "epochs": 4, "top_k": 2, "folds": 2, "enas": ENAS},
    },
    "representation": {
        "task": {"type": "representation"},
        "families": {"resvae": {"layers": 1, "start_width": [8, 16], "latent": 2}},
        "search": SEARCH | {"max_trials": 2},
    },
}  # fmt: skip
# Of most ways only the search differs; all stages follow on two. A controller has its processes.
STAGES = {"random": "run", "representation": "run"}
UNIFORM = {"enas": {"search": WAYS["enas"]["search"] | {"enas": ENAS | {"controller": "uniform"}}}}
# Ways whose processes are killed; a test of its own kills `enas`. What others leave is as `random`.
PROCESSES = "random", "hyperband", "representation"
# Files that a run writes again and again.
GROWING = ("environment.json", "warnings.json", "leaderboard.tsv", "state.npz")
# Renames that each run of a chain gets through before the next one ends it.
STRIDES = {way: (1, 5) if way == "random" else (1,) for way in WAYS}
# Lines after which a process is killed: one, then the one that goes on.
LINES = (1, 4), (1, 2)
# A line's beginning and the file that is there then, by the size of the ensemble.
SEARCHED, SCORED = [("trial 1/", None), ("trial 3/", None)], [("", "metrics.json")]
MOMENTS = {
    1: [*SEARCHED, ("final fit", None), ("final fit", "model.keras"), *SCORED],
    # Its networks are those of trials, also of trials before a kill.
    3: [*SEARCHED, *SCORED],
}
HALF_WRITTEN = ("leaderboard.tsv", "model.keras", "metrics.json", "split.tsv")
RESULTS = (
    "metrics.json", "baseline.json", "split.tsv", "predictions.tsv", "attributions.tsv",
    "effects.tsv", "confusion_matrix.tsv", "latent.tsv", "clusters.tsv", "warnings.json",
)  # fmt: skip


@pytest.fixture
def written(simulated, tmp_path):
    """A function that writes a small config of a way to search, with further sections."""

    def write(way, **further):
        known = json.loads((simulated / "config.json").read_text())
        for name in ("features", "targets"):
            known["data"][name] = str(simulated / known["data"][name])
        known |= {"name": "t", "training": {"epochs": 4}, "output": {"figures": False}}
        known["explanation"] = {"samples": 3, "background": 5, "top": 3}
        path = tmp_path / "config.json"
        path.write_text(json.dumps(known | WAYS[way] | further))
        return path

    return write


def little(arguments):
    """Run the command line with few linear learners, seeds and draws and no figures, as here."""
    solve_little()
    seed_little()
    draw_little()
    with left_out():
        return cli.main(arguments)


def started(config, output, verb="run"):
    """The command for a config and an output folder."""
    return Command([verb, config, "--output", output], output.with_suffix(".txt"), little)


def finish(config, output, verb="run"):
    """Run the command to its end; returns what it said."""
    command = started(config, output, verb)
    assert command.ended_within()
    return command.text


def kill_at(config, output, beginning, file=None, verb="run"):
    """Run the command; kill it at a line that begins so and, then, a file."""
    command = started(config, output, verb)
    command.wait_for(lambda line: line.startswith(beginning))
    while file and command.is_running and not (output / "t" / file).exists():
        time.sleep(0.005)
    assert command.kill()


def kill_after(config, output, lines, verb):
    """Run the command; kill it when it has said so many lines."""
    command = started(config, output, verb)
    while command.is_running and command.text.count("\n") < lines:
        time.sleep(0.005)
    assert command.kill()


def assert_whole(folder):
    """Every file that has its name can be read to its end."""
    for path in folder.rglob("*"):
        if path.is_dir() or ".partial" in str(path):
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".tsv":
            assert path.read_bytes().endswith(b"\n") and len(pd.read_csv(path, sep="\t"))
        elif path.suffix == ".npz":
            with np.load(path) as archive:
                assert all(archive[name] is not None for name in archive)
        elif path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None and "autogenome_tf.json" in archive.namelist()
        elif path.suffix == ".gz":
            gzip.decompress(path.read_bytes())
        elif path.suffix == ".html":
            assert path.read_text().rstrip().endswith("</html>")
        else:
            assert "saved_model" in path.parts or path.name in (LOCK, "log.txt"), path


def names(folder):
    """Files, but those of versions: one that was written before the kill is left to its readers."""
    found = (path.relative_to(folder) for path in folder.rglob("*"))
    return {path for path in found if path.parts[0] != "saved_model"}


def board(folder):
    """The leaderboard by trial."""
    return pd.read_csv(folder / "leaderboard.tsv", sep="\t").set_index("trial").sort_index()


def assert_like(folder, undisturbed):
    """The same results, and nothing else."""
    assert names(folder) == names(undisturbed)
    assert not list(folder.rglob("*.partial*"))
    boards = [board(one).drop(columns="seconds") for one in (folder, undisturbed)]
    pd.testing.assert_frame_equal(*boards, check_exact=True)
    for path in undisturbed.glob("*.*"):
        if path.name in RESULTS:
            assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


class Killed(BaseException):
    """The end of a run at a rename."""


class Renames:
    """The atomic renames of a run in this process, which can end at one of them.

    Args:
        output: Folder of the run.
        left: Folder for what the run leaves behind at its end.
        stride: Renames after which it ends, of those that find other files than the one before;
            others do again what an earlier run has done.
    """

    def __init__(self, output, left=None, stride=0):
        self._output, self._left, self._stride = output, left, stride
        self._found, self.changed = written_files(output), 0

    def run(self, config, monkeypatch, command="run"):
        """Run a command; returns whether it came to its own end."""
        with monkeypatch.context() as patched:
            for name in ("replace", "rename"):
                patched.setattr(os, name, self._before(getattr(os, name)))
            try:
                given = [command, str(config), "--output", str(self._output)]
                return cli.main(given) == cli.DONE
            except Killed:
                return False

    def _before(self, rename):
        def renamed(source, target):
            if self._output in target.parents:
                self._look()
            return rename(source, target)

        return renamed

    def _look(self):
        """End the run where enough has changed, for as long as it goes on renaming."""
        found = written_files(self._output)
        self.changed += found != self._found
        self._found = found
        if self.changed == self._stride and not self._left.exists():
            shutil.copytree(self._output, self._left)
            for path in self._left.rglob(".partial.*"):
                if path.is_file():
                    os.truncate(path, path.stat().st_size // 2)
        if self._left and self._left.exists():
            raise Killed


def written_files(folder):
    """Return the files of a folder as a later run compares them; None where there is none.

    What a file holds counts where a run writes it several times and goes on from it; others may
    hold times. Of exported models there may be more versions where one was left behind.
    """
    if not folder.exists():
        return None
    found = {}
    for path in folder.rglob("*"):
        place = path.relative_to(folder)
        if "saved_model" in place.parts:
            place = Path("saved_model")
        if path.is_file() and ".partial" not in str(path) and path.name not in (LOCK, "log.txt"):
            found[place] = path.read_bytes() if path.name in GROWING else b""
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_run_ended_at_every_rename_ends_like_one_that_was_not(
    written, way, tmp_path, monkeypatch
):
    config, whole = written(way, **UNIFORM.get(way, {})), Renames(tmp_path / "whole")
    command = STAGES.get(way, "train")
    assert whole.run(config, monkeypatch, command)
    for stride in STRIDES[way]:
        output, ends = tmp_path / f"{stride} 0", 0
        while not Renames(output, left := tmp_path / f"{stride} {ends + 1}", stride).run(
            config, monkeypatch, command
        ):
            output, ends = left, ends + 1
            assert_whole(output)
            assert ends <= whole.changed
        assert ends == whole.changed // stride
        assert_like(output / "t", tmp_path / "whole" / "t")


@pytest.mark.parametrize("way", PROCESSES)
def test_killed_processes_end_like_one_that_was_not(written, way, tmp_path):
    config, killed, drawn = written(way), tmp_path / "killed", random.Random(way)
    verb = STAGES.get(way, "train")
    assert cli.main([verb, str(config), "--output", str(tmp_path / "whole")]) == cli.DONE
    for lines in LINES:
        kill_after(config, killed, drawn.randint(*lines), verb)
        assert_whole(killed)
    finish(config, killed, verb)
    assert_whole(killed)
    assert_like(killed / "t", tmp_path / "whole" / "t")


@pytest.mark.parametrize("size", MOMENTS)
def test_no_trial_is_trained_twice_beside_half_written_files(written, tmp_path, size):
    config = written("bayesian", ensemble={"size": size})
    assert cli.main(["run", str(config), "--output", str(tmp_path / "whole")]) == cli.DONE
    folder, known = tmp_path / "killed" / "t", {}
    for line, file in MOMENTS[size]:
        kill_at(config, folder.parent, line, file)
        before = dict(board(folder)["seconds"])
        # A trial that was trained again would have taken another time.
        assert known.items() <= before.items()
        known = before
        for name in HALF_WRITTEN if (line, file) in SEARCHED else ():
            partial(folder / name).write_text("rank\tfam")
    assert "predict" not in json.loads((folder / "environment.json").read_text())["stages"]
    assert "resuming the unfinished run" in finish(config, folder.parent)
    assert_like(folder, tmp_path / "whole" / "t")
    assert known == dict(board(folder)["seconds"])


def test_an_enas_killed_while_it_learns_and_again_behind_goes_on_to_the_same_end(written, tmp_path):
    # The state of a controller is the subject of tests/search/test_enas.py.
    config = written("enas", **UNIFORM["enas"])
    assert cli.main(["train", str(config), "--output", str(tmp_path / "whole")]) == cli.DONE
    for line in ("enas: epoch 2/", "trial 1/"):
        kill_at(config, tmp_path / "killed", line, verb="train")
    finish(config, tmp_path / "killed", "train")
    assert_like(tmp_path / "killed" / "t", tmp_path / "whole" / "t")
