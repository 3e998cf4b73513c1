"""Compare batch sizes for many rows: losses on validation rows, epoch by epoch, and seconds.

    python tests/benchmarks/batch_size.py
    python tests/benchmarks/batch_size.py --cells 20000 --sizes 64 128 --epochs 10 --families mlp

Cells of a simulated atlas (`unequal` of atlases.py) are trained on batch by batch, three fifths of
them, and a fifth validates. `auto` of `training.batch_size` takes 256 for so many rows.
"""

import argparse
import tempfile

import numpy as np
import pandas as pd
from atlases import Atlas

import autogenome_tf as ag
from autogenome_tf.run import _console

SEED = 7
SHOWN = (1, 3, 5, 10, 20, 30)
FAMILIES = {"resvae": {"layers": 1}, "mlp": {"layers": 1, "units": 128}}
# GiB: below the size of the matrix.
MEMORY = 0.02


def history(one, family, size, epochs, folder):
    """Train a family with a batch size; return the rows of history.tsv."""
    config = one.config(folder)
    config["data"]["memory"] = MEMORY
    config |= {
        "name": f"{family}-{size}",
        "families": {family: FAMILIES[family]},
        "search": {"max_trials": 1, "epochs": 1},
        "training": {"epochs": epochs, "batch_size": size},
    }
    if family == "resvae":
        config["task"] = {"type": "representation"}
    automl = ag.AutoGenome(config)
    automl.train()
    return pd.read_csv(automl.folder / "history.tsv", sep="\t")


def main():
    """Print a line for each family and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=60_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--epochs", type=int, default=30, help="at most")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    asked = parser.parse_args()
    _console.talk(quiet=True)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        one = Atlas("unequal", asked.cells).drawn(folder, SEED)
        for family in asked.families:
            for size in asked.sizes:
                rows = history(one, family, size, asked.epochs, folder)
                # Epoch 0 is the start of a Res-VAE.
                rows = rows[rows["epoch"] > 0]
                losses = rows.set_index("epoch")["validation_loss"]
                line = {"family": family, "size": size, "epochs": len(rows), "best": losses.min()}
                line |= {f"epoch {at}": losses.get(at, np.nan) for at in SHOWN}
                lines.append(line | {"seconds an epoch": rows["seconds"].median()})
    print(pd.DataFrame(lines).to_string(index=False, float_format="%.4g"))


if __name__ == "__main__":
    main()
