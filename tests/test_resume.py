"""A run that is killed at any moment goes on with the same command, to the same end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import autogenome_tf
from autogenome_tf.run import LOCK

pytestmark = pytest.mark.slow

SEARCH = {"method": "bayesian", "max_trials": 4, "epochs": 3, "folds": 2}
NETWORKS = {"mlp": {"layers": [1, 2], "units": [4, 8]}, "resnet": {"n_blocks": 1, "width": 8}}
SECONDS = 300


@pytest.fixture(scope="module")
def config(simulated, tmp_path_factory):
    """A config whose search takes a while."""
    known = json.loads((simulated / "config.json").read_text())
    for name in ("features", "targets"):
        known["data"][name] = str(simulated / known["data"][name])
    known |= {"name": "t", "families": NETWORKS, "search": SEARCH, "training": {"epochs": 40}}
    known["explanation"] = {"samples": 3, "background": 5, "top": 3}
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(known))
    return path


def started(config, output):
    """Start the command in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(Path(autogenome_tf.__file__).parents[1])}
    command = [sys.executable, "-m", "autogenome_tf", "run", str(config), "--output", str(output)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(config, output):
    """Run the command to its end."""
    process = started(config, output)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    return said


def kill_when(config, output, is_time, file=None):
    """Run the command; kill it at a line that `is_time` says yes to and, then, a file."""
    process = started(config, output)
    for line in process.stdout:
        if is_time(line):
            break
    while file and process.poll() is None and not (output / "t" / file).exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    assert process.wait(SECONDS) == -signal.SIGKILL  # else it had ended before


@pytest.fixture(scope="module")
def undisturbed(config, tmp_path_factory):
    """Folder of a run that nobody killed."""
    output = tmp_path_factory.mktemp("undisturbed")
    finish(config, output)
    return output / "t"


def board(folder):
    """The leaderboard without what differs from time to time."""
    return pd.read_csv(folder / "leaderboard.tsv", sep="\t").drop(columns="seconds")


def seconds(folder):
    """How long each trial took."""
    return (
        pd.read_csv(folder / "leaderboard.tsv", sep="\t").set_index("trial")["seconds"].sort_index()
    )


def assert_like(folder, undisturbed):
    """The same results, whole, and every trial trained once."""
    assert {path.name for path in folder.parent.iterdir()} - {LOCK} == {"t"}
    pd.testing.assert_frame_equal(board(folder), board(undisturbed), check_exact=True)
    for name in ("metrics.json", "split.tsv", "predictions.tsv", "confusion_matrix.tsv"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()
    names = {path.relative_to(undisturbed) for path in undisturbed.rglob("*")}
    whole = {path.relative_to(folder) for path in folder.rglob("*") if ".partial" not in path.name}
    assert whole == names


MOMENTS = {
    "in the final fit": (lambda line: line.startswith("final fit"), None),
    "behind the model": (lambda line: line.startswith("final fit"), "model.keras"),
    "while scoring": (lambda line: line.startswith("final fit"), "metrics.json"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_goes_on_to_the_same_end(config, undisturbed, tmp_path, moment):
    folder = tmp_path / "t"
    kill_when(config, tmp_path, *MOMENTS[moment])
    assert "predict" not in json.loads((folder / "environment.json").read_text())["stages"]
    before = seconds(folder)
    assert "resuming the unfinished run" in finish(config, tmp_path)
    assert_like(folder, undisturbed)
    # A trial that was trained again would have taken another time.
    pd.testing.assert_series_equal(seconds(folder), before)


def test_a_search_killed_again_and_again_beside_half_written_files_ends_alike(
    config, undisturbed, tmp_path
):
    folder, known = tmp_path / "t", {}
    for number in (1, 3):
        kill_when(config, tmp_path, lambda line, n=number: line.startswith(f"trial {n}/"))
        before = seconds(folder)
        assert len(before) >= number + 1 and known.items() <= dict(before).items()
        known = dict(before)
        for name in ("leaderboard.tsv", "model.keras", "metrics.json", "split.tsv"):
            (folder / f".{name}.partial").write_text("rank\tfam")
    finish(config, tmp_path)
    assert_like(folder, undisturbed)
    assert known.items() <= dict(seconds(folder)).items()


def test_networks_of_an_ensemble_from_before_the_kill_are_trained_again(config, tmp_path):
    known = json.loads(config.read_text()) | {"ensemble": {"size": 3}}
    path = tmp_path / "ensemble.json"
    path.write_text(json.dumps(known))
    finish(path, tmp_path / "whole")
    kill_when(path, tmp_path / "killed", lambda line: line.startswith("trial 3/"))
    before = seconds(tmp_path / "killed" / "t")
    finish(path, tmp_path / "killed")
    assert_like(tmp_path / "killed" / "t", tmp_path / "whole" / "t")
    assert dict(before).items() <= dict(seconds(tmp_path / "killed" / "t")).items()


@pytest.mark.parametrize("line", ["enas: epoch 2/", "trial 1/"])
def test_a_killed_enas_goes_on_to_the_same_end(config, tmp_path, line):
    asked = json.loads(config.read_text())
    asked |= {"families": {"wired": {"layers": 3, "max_width": 8}}, "training": {"epochs": 3}}
    few = {"updates": 2, "samples": 4, "candidates": 8}
    asked["search"] = {"method": "enas", "epochs": 4, "top_k": 2, "folds": 2, "enas": few}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(asked))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(path, whole)
    kill_when(path, broken, lambda said: said.startswith(line))
    finish(path, broken)
    assert_like(broken / "t", whole / "t")
