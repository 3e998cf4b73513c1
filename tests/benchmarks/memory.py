"""Resident memory over 50 trials of each search method.

    python tests/benchmarks/memory.py [--trials 50]

A process of its own for each method notes its resident set as each trial ends: a search that keeps
what it no longer needs grows with every trial.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

EVERY = 10
METHODS = ("random", "grid", "bayesian", "hyperband", "coordinate", "enas")
# Nearly every trial has another structure.
DEEP = {
    "layers": [1, 2, 3],
    "units": [*range(8, 136, 8)],
    "dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    "input_dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
}


def resident():
    """MiB that this process holds by itself."""
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("RssAnon")).split()[1]) / 1024


def measure(method, trials, folder):
    """Search in this process; print the resident set at some trials as JSON."""
    import autogenome_tf as ag
    from autogenome_tf.search import _loop

    seen, run_trial = {}, _loop.run_trial

    def noted(folds, trial, *arguments):
        done = run_trial(folds, trial, *arguments)
        if trial.number == 1 or trial.number % EVERY == 0:
            seen[trial.number] = resident()
        return done

    _loop.run_trial = noted
    values = np.random.default_rng(0).normal(size=(120, 1000)).astype("float32")
    labels = np.where(values[:, :5].sum(axis=1) > 0, "high", "low")
    families = {"wired": {"layers": 4, "max_width": 64}} if method == "enas" else {"mlp": DEEP}
    search = {"method": method, "max_trials": trials, "epochs": 5, "folds": 3, "top_k": trials}
    config = {
        "name": method, "output_dir": folder, "families": families, "search": search,
        "training": {"epochs": 5}, "output": {"figures": False},
    }  # fmt: skip
    ag.AutoGenome(config, data=(values, labels)).train()
    print(json.dumps(seen))


def main():
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--trials", type=int, default=50)
    asked.add_argument("--methods", nargs="+", default=METHODS)
    asked.add_argument("--one", nargs=2, metavar=("METHOD", "FOLDER"))
    given = asked.parse_args()
    if given.one:
        measure(given.one[0], given.trials, given.one[1])
        return
    print("MiB after so many trials:\n")
    marks = [1, *range(EVERY, given.trials + 1, EVERY)]
    print("| method |" + "".join(f" {mark} |" for mark in marks))
    print("|---|" + "--:|" * len(marks))
    with tempfile.TemporaryDirectory() as folder:
        for method in given.methods:
            command = [sys.executable, __file__, "--trials", str(given.trials)]
            environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
            done = subprocess.run(
                [*command, "--one", method, folder], capture_output=True, text=True, env=environment
            )
            if done.returncode:
                sys.exit(done.stderr)
            seen = json.loads(done.stdout.splitlines()[-1])
            cells = [f" {seen[str(mark)]:.0f} |" if str(mark) in seen else " |" for mark in marks]
            print(f"| {method} |" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
