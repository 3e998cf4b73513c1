"""Time of a training step by the number of networks that train together, beside its products.

    python tests/benchmarks/step_speed.py
    python tests/benchmarks/step_speed.py --shapes 150x20000 --networks 5 15

Networks of one structure train in one step: five folds of one configuration are five of them,
eight configurations forty. Each line is one structure on simulated rows of a shape, in the
coordinates and with the batch that a search would use: milliseconds of a step for a number of
networks, the same for each network, and what the products of its dense layers alone take in
TensorFlow (forward, and backward for kernels and, but for the first layer, for inputs). Where the
time for each network hardly falls, training more of them together gains little; the distance from
the products is what is left to gain in any way. The least of several epochs is taken.
"""

import argparse

import numpy as np
import search_speed

from autogenome_tf.run import _console
from autogenome_tf.training import Configuration, TrainingSettings
from autogenome_tf.training._batches import Batches
from autogenome_tf.training._networks import NetworkCrossValidation

STRUCTURES = {
    "mlp, 1 x 128": ("mlp", {"layers": 1, "units": 128}),
    "mlp, 3 x 512": ("mlp", {"layers": 3, "units": 512}),
    "densenet": ("densenet", {}),
}
NOISE = {"dropout": 0.2, "input_dropout": 0.1, "l2": 1e-4}


def step(folds, configuration, networks):
    """Return milliseconds of a step, and rows of a batch, for so many networks."""
    seeds = networks // len(folds.splits)
    made = [folds.network(configuration, seed + 1) for seed in range(seeds)]
    with folds._engine(folds.rows(configuration), made, "adam") as engine:
        engine.begin(made, 1)
        index = Batches(engine, 64, 1).epoch()
        rates = np.full(len(index), 1e-3, "float32")
        seconds = search_speed.least(lambda: engine.epoch(index, rates, is_validated=False))
    return 1e3 * seconds / len(index), index.shape[2]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shapes", nargs="*", default=("150x20000", "600x5000"))
    parser.add_argument("--networks", nargs="*", type=int, default=(5, 15, 60, 120))
    asked = parser.parse_args()
    _console.talk(quiet=True)
    print("| rows x genes | structure | networks | step, ms | for each, ms | products, ms |")
    print("|---|---|--:|--:|--:|--:|")
    for shape in asked.shapes:
        counts, *known, pairs = search_speed.simulated(*map(int, shape.split("x")), 7)
        config, _ = search_speed.configured(1, 7, "none", repeats=1)
        settings = TrainingSettings.of(config)
        folds = NetworkCrossValidation(np.log1p(counts), *known, settings, splits=pairs)
        for name, (family, values) in STRUCTURES.items():
            configuration = Configuration(family, NOISE | values)
            for networks in asked.networks:
                taken, rows = step(folds, configuration, networks)
                least_of_all = search_speed.products(folds, configuration, networks, rows)
                print(
                    f"| {shape.replace('x', ' x ')} | {name} | {networks} | {taken:.2f} "
                    f"| {taken / networks:.3f} | {1e3 * least_of_all:.2f} |", flush=True,
                )  # fmt: skip


if __name__ == "__main__":
    main()
