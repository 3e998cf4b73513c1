"""How far `search.max_seconds` is overshot: 20 configs of all families, methods, tasks and shapes.

    python tests/benchmarks/budget.py [--seconds 10]

The budget covers search, baseline and final fit. Beyond it a run finishes what it has begun: at
most an epoch or a trace, and then writes the model. Where no trial may be left out (nothing has a
score yet) the first one is made in any case.
"""

import argparse
import json
import logging
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

SMALL, WIDE, LONG, LARGE = (60, 80), (120, 10_000), (3000, 300), (1500, 2000)
ALL = {"linear": {}, "mlp": {}, "resnet": {}, "densenet": {}}
ENAS = {"wired": {"layers": 4, "max_width": 64}}
VAE = {"resvae": {"layers": 2, "start_width": 64, "latent": 8}}
MANY = {"epochs": 1000, "max_trials": 1000}
# Name of task, families, method, shape, further sections.
CONFIGS = [
    ("classification", {"linear": {}}, "random", LARGE, {}),
    ("classification", {"mlp": {}}, "random", SMALL, {}),
    ("classification", {"mlp": {}}, "bayesian", WIDE, {}),
    ("classification", {"mlp": {}}, "hyperband", LONG, {}),
    ("classification", {"resnet": {}}, "random", LONG, {}),
    ("classification", {"resnet": {}}, "bayesian", WIDE, {"ensemble": {"size": "auto"}}),
    ("classification", {"densenet": {}}, "grid", SMALL, {}),
    ("classification", {"densenet": {}}, "bayesian", LARGE, {"ensemble": {"size": 3}}),
    ("classification", {"wired": {}}, "random", LONG, {}),
    ("classification", ENAS, "enas", SMALL, {}),
    ("classification", ENAS, "enas", LONG, {}),
    ("classification", ALL, "bayesian", LARGE, {}),
    ("classification", {"mlp": {"layers": [1, 2, 3]}}, "coordinate", WIDE, {}),
    ("classification", {"mlp": {}}, "random", LARGE, {"data": {"memory": 0.001}}),
    ("regression", {"linear": {}, "mlp": {}}, "bayesian", WIDE, {}),
    ("regression", {"resnet": {}}, "hyperband", LARGE, {"ensemble": {"size": "auto"}}),
    ("regression", {"densenet": {}}, "random", LONG, {}),
    ("regression", ENAS, "enas", WIDE, {}),
    ("representation", VAE, "random", SMALL, {}),
    ("representation", VAE, "bayesian", LONG, {}),
]  # fmt: skip


def rows(task, shape):
    """Genes of which some tell the target."""
    random = np.random.default_rng(0)
    values = random.normal(size=shape).astype("float32")
    values = pd.DataFrame(values, [f"s{n}" for n in range(shape[0])]).rename(
        columns=lambda g: f"g{g}"
    )
    signal = values.iloc[:, :5].sum(axis=1) + random.normal(size=shape[0])
    if task == "classification":
        signal = pd.cut(signal, [-np.inf, -1, 1, np.inf], labels=["low", "middle", "high"]).astype(
            str
        )
    return values, signal.rename("target")


def measure(number, seconds, folder):
    """Train one config; returns what it took."""
    import autogenome_tf as ag

    task, families, method, shape, further = CONFIGS[number]
    config = {
        "name": f"budget-{number}", "output_dir": folder, "families": families,
        "task": {"type": task}, "output": {"figures": False},
        "search": MANY | {"method": method, "max_seconds": seconds},
        "training": {"epochs": 1000, "patience": 1000}, **further,
    }  # fmt: skip
    if method == "enas":
        config["search"] |= {"top_k": 3}
    automl = ag.AutoGenome(config, data=rows(task, shape))
    board = automl.train()
    times = json.loads((automl.folder / "environment.json").read_text())["times"]
    epochs = pd.read_csv(automl.folder / "history.tsv", sep="\t")["seconds"]
    return {
        "over": times["search"] + times["fit"] - seconds, "fit": times["fit"],
        "trials": len(board), "slowest": board["seconds"].max(), "epoch": epochs.max(),
    }  # fmt: skip


def main():
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seconds", type=float, default=10)
    asked.add_argument("--only", type=int, nargs="+", default=range(len(CONFIGS)))
    given = asked.parse_args()
    logging.getLogger("autogenome_tf").addHandler(logging.NullHandler())
    print(f"Budget: {given.seconds:g} s.\n")
    print("| task | families | method | rows x genes | trials | final fit | longest epoch | over |")
    print("|---|---|---|---|--:|--:|--:|--:|")
    over = []
    with tempfile.TemporaryDirectory() as folder:
        for number in given.only:
            task, families, method, shape, further = CONFIGS[number]
            found = measure(number, given.seconds, folder)
            over.append(found["over"])
            notes = "".join(f", {section} {json.dumps(keys)}" for section, keys in further.items())
            print(
                f"| {task}{notes} | {' '.join(families)} | {method} | {shape[0]:,} x {shape[1]:,} "
                f"| {found['trials']} | {found['fit']:.1f} s | {found['epoch']:.2f} s "
                f"| {found['over']:+.1f} s |", flush=True,
            )  # fmt: skip
    print(f"\nLargest overshoot {max(over):.1f} s, median {np.median(over):.1f} s.")


if __name__ == "__main__":
    main()
