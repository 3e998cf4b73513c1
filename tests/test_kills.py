"""A hundred kills at moments drawn over all stages and searches: the same command ends alike.

Processes are forked from one that has imported everything, and in which TensorFlow is not begun.
"""

import contextlib
import gzip
import json
import multiprocessing
import random
import sys
import time
import zipfile

import numpy as np
import pandas as pd
import pytest

from autogenome_tf import cli
from autogenome_tf.run import LOCK

pytestmark = pytest.mark.slow

SECONDS = 300
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
PRELOADED = [
    "pytest", "autogenome_tf.automl", "autogenome_tf.summary", "autogenome_tf.search.bayesian",
    "autogenome_tf.data.text", "autogenome_tf.search.enas",
    "autogenome_tf.explainers.fast_deep_shap", "shap", "sklearn.cluster", "matplotlib.figure",
    "matplotlib.backends.backend_svg", "tensorflow_serving.apis.prediction_log_pb2",
]  # fmt: skip


def command(arguments, said):
    """The command line in this process, what it says in a file."""
    with open(said, "a", buffering=1) as file:
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            sys.exit(cli.main(arguments))


@pytest.fixture(scope="module")
def forking():
    """Where processes come from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    first = context.Process(target=int)
    first.start()
    first.join()
    return context


@pytest.fixture
def config(way, simulated, tmp_path):
    """A small config of a way to search."""
    known = json.loads((simulated / "config.json").read_text())
    for name in ("features", "targets"):
        known["data"][name] = str(simulated / known["data"][name])
    known |= {"name": "t", "training": {"epochs": 4}, "output": {"figures": False}}
    known["explanation"] = {"samples": 3, "background": 5, "top": 3}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(known | WAYS[way]))
    return path


def killed(forking, config, output, seconds=SECONDS):
    """Run the command for so long; returns whether it had to be killed, and its seconds."""
    said = output.with_suffix(".txt")
    arguments = ["run", str(config), "--output", str(output)]
    process = forking.Process(target=command, args=(arguments, said))
    started = time.monotonic()
    process.start()
    process.join(seconds)
    if is_late := process.is_alive():
        process.kill()
        process.join()
    elif process.exitcode:
        raise AssertionError(said.read_text())
    return is_late, time.monotonic() - started


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


def assert_like(folder, undisturbed):
    """The same results, and nothing else."""
    assert names(folder) == names(undisturbed)
    assert not list(folder.parent.rglob("*.partial*"))
    boards = [pd.read_csv(one / "leaderboard.tsv", sep="\t") for one in (folder, undisturbed)]
    boards = [board.drop(columns="seconds") for board in boards]
    pd.testing.assert_frame_equal(*boards, check_exact=True)
    for path in undisturbed.glob("*.*"):
        if path.name in RESULTS:
            assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


RESULTS = (
    "metrics.json", "baseline.json", "split.tsv", "predictions.tsv", "attributions.tsv",
    "effects.tsv", "confusion_matrix.tsv", "latent.tsv", "clusters.tsv", "warnings.json",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_run_killed_at_any_moment_ends_like_one_that_was_not(forking, config, way, tmp_path):
    whole = tmp_path / "whole"
    _, seconds = killed(forking, config, whole)
    drawn, kills = random.Random(way), 0
    while kills < KILLS[way]:
        output = tmp_path / f"after {kills}"
        # Each process goes on where the last was killed, so half of the time reaches every stage.
        for _ in range(CHAIN):
            if not killed(forking, config, output, drawn.uniform(0, seconds / 2))[0]:
                break
            kills += 1
            assert_whole(output)
        else:
            killed(forking, config, output)
        assert_whole(output)
        assert_like(output / "t", whole / "t")
