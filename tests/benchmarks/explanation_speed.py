"""Speed of attribution: the factorised rescale rule beside `shap.DeepExplainer`, in one run.

    python tests/benchmarks/explanation_speed.py
    python tests/benchmarks/explanation_speed.py --genes 2000 --classes 4 --samples 4

Both explain the same rows of the same network of untrained weights against the same background.
The floor is the number of multiplications of the one product that touches the genes, over the rate
of a large matrix product measured here.
"""

import argparse
import time

import keras
import numpy as np

from autogenome_tf import families
from autogenome_tf.explainers.deep_shap import DeepShap
from autogenome_tf.explainers.fast_deep_shap import FastDeepShap
from autogenome_tf.tasks import Classification

SIDE = 4096


def timed(function, *arguments):
    """What a function returns, and its seconds."""
    started = time.monotonic()
    found = function(*arguments)
    return found, time.monotonic() - started


def rate():
    """Multiplications a second of a large matrix product."""
    matrix = np.random.default_rng(0).normal(size=(SIDE, SIDE)).astype("float32")
    return SIDE**3 / min(timed(np.matmul, matrix, matrix)[1] for _ in range(3))


def main():
    """Print seconds, ratio, difference and floor of each family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--classes", type=int, default=33)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--background", type=int, default=100)
    parser.add_argument("--families", nargs="*", default=("mlp", "resnet", "densenet"))
    parsed = parser.parse_args()
    random = np.random.default_rng(1)
    rows, background = (
        random.normal(size=(count, parsed.genes)).astype("float32")
        for count in (parsed.samples, parsed.background)
    )
    task = Classification([f"class_{number}" for number in range(parsed.classes)])
    speed = rate()
    print("| family | fast, s | shap, s | ratio | floor, s | largest relative difference |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in parsed.families:
        network = families.hypermodel(name)(parsed.genes, task).network({})
        units = next(layer for layer in network.layers if isinstance(layer, keras.layers.Dense))
        # Both have met a network before, so that neither pays for what a process does once.
        for method in (FastDeepShap(), DeepShap()):
            method.attribute(network, rows[:1], background[:2])
        fast, seconds = timed(FastDeepShap().attribute, network, rows, background)
        reference, longer = timed(DeepShap().attribute, network, rows, background)
        difference = np.abs(fast - reference).max() / np.abs(reference).max()
        products = len(rows) * parsed.classes * len(background) * units.units * parsed.genes
        print(
            f"| {name} | {seconds:.1f} | {longer:.1f} | {longer / seconds:.1f} "
            f"| {products / speed:.1f} | {difference:.0e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
