"""A run that is killed at any moment goes on with the same command, to the same end."""

import gzip
import json
import random
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
from forked import Command

from autogenome_tf.core.files import partial
from autogenome_tf.run._lock import LOCK

pytestmark = pytest.mark.slow

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
# A hundred in all; fewer where a run takes longer.
KILLS = dict.fromkeys(WAYS, 16) | {"enas": 12, "representation": 8}
# Kills of one run at most: on a machine that has become busier none of its processes may end.
CHAIN = 6
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


def started(config, output):
    """The command for a config and an output folder."""
    return Command(["run", config, "--output", output], output.with_suffix(".txt"))


def finish(config, output):
    """Run the command to its end; returns what it said."""
    command = started(config, output)
    assert command.ended_within()
    return command.text


def kill_at(config, output, beginning, file=None):
    """Run the command; kill it at a line that begins so and, then, a file."""
    command = started(config, output)
    command.wait_for(lambda line: line.startswith(beginning))
    while file and command.is_running and not (output / "t" / file).exists():
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


@pytest.mark.parametrize("way", WAYS)
def test_a_run_killed_at_any_moment_ends_like_one_that_was_not(written, way, tmp_path):
    config, whole = written(way), tmp_path / "whole"
    began = time.monotonic()
    finish(config, whole)
    seconds = time.monotonic() - began
    drawn, kills = random.Random(way), 0
    while kills < KILLS[way]:
        output = tmp_path / f"after {kills}"
        # Each process goes on where the last was killed, so half of the time reaches every stage.
        for _ in range(CHAIN):
            command = started(config, output)
            if command.ended_within(drawn.uniform(0, seconds / 2)) or not command.kill():
                break
            kills += 1
            assert_whole(output)
        else:
            finish(config, output)
        assert_whole(output)
        assert_like(output / "t", whole / "t")


@pytest.mark.parametrize("size", MOMENTS)
def test_no_trial_is_trained_twice_beside_half_written_files(written, tmp_path, size):
    config = written("bayesian", ensemble={"size": size})
    finish(config, tmp_path / "whole")
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
    config = written("enas")
    finish(config, tmp_path / "whole")
    for line in ("enas: epoch 2/", "trial 1/"):
        kill_at(config, tmp_path / "killed", line)
    finish(config, tmp_path / "killed")
    assert_like(tmp_path / "killed" / "t", tmp_path / "whole" / "t")
