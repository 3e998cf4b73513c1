"""Speed of the exported SavedModel beside Keras and beside its first matrix product, in one run.

    python tests/benchmarks/serving_speed.py
    python tests/benchmarks/serving_speed.py --genes 2000 --classes 4

All answer the same raw rows with the same network of untrained weights behind the preprocessing of
counts. The product is the bare one of the rows with the kernel of the network's layer on the genes,
compiled too: what no server can do without.
"""

import argparse
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf import families
from autogenome_tf.export._graph import Served
from autogenome_tf.models import Predictor
from autogenome_tf.preprocessing import FittedScaling, Moments, Transform
from autogenome_tf.tasks import Classification

LEAST_SECONDS = 2.0


def answered(signature, rows):
    """What the SavedModel says."""
    return signature(values=rows)["probabilities"].numpy()


def predicted(model, rows):
    """What Keras says."""
    return model.predict(rows, verbose=0, batch_size=len(rows))


def multiplied(product, rows):
    """The bare product."""
    return product(rows).numpy()


def median_seconds(function, model, rows):
    """Of a call, once it has run before."""
    function(model, rows)
    found, started = [], time.monotonic()
    while time.monotonic() - started < LEAST_SECONDS or len(found) < 3:
        before = time.perf_counter()
        function(model, rows)
        found.append(time.perf_counter() - before)
    return float(np.median(found))


def predictor_of(name, values, classes):
    """A predictor of untrained weights on counts."""
    transform = Transform("library_log1p")
    constants = FittedScaling.of(Moments.of([np.asarray(transform(values))]))
    task = Classification([f"class_{number}" for number in range(classes)])
    network = families.hypermodel(name)(values.shape[1], task).network({})
    genes = [f"g{number}" for number in range(values.shape[1])]
    return Predictor.assemble([(transform, constants, network)], task, genes, "error")


def product_of(predictor):
    """The bare product of rows with the kernel on the genes."""
    (branch,) = predictor.branches
    layers = branch.network.layers
    dense = next(layer for layer in layers if isinstance(layer, keras.layers.Dense))
    return tf.function(lambda rows: tf.matmul(rows, dense.kernel.value), autograph=False)


def main():
    """Print milliseconds of one row and rows a second of many, with ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--classes", type=int, default=33)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--families", nargs="*", default=("mlp", "resnet", "densenet"))
    parsed = parser.parse_args()
    shape = (parsed.rows, parsed.genes)
    values = np.random.default_rng(1).poisson(2.0, shape).astype("float32")
    print("| family | rows | SavedModel | model.predict | ratio | bare product | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in parsed.families:
        predictor = predictor_of(name, values, parsed.classes)
        with tempfile.TemporaryDirectory() as folder:
            served = Served(predictor)
            tf.saved_model.save(served, folder, signatures=served.signatures())
            loaded = tf.saved_model.load(folder)
        signature, product = loaded.signatures["serving_default"], product_of(predictor)
        for count in (1, parsed.rows):
            rows = values[:count]
            ours = median_seconds(answered, signature, tf.constant(rows))
            keras_own = median_seconds(predicted, predictor.model, rows)
            bare = median_seconds(multiplied, product, tf.constant(rows))
            said = f"{1e3 * ours:.2f} ms" if count == 1 else f"{count / ours:.0f} rows/s"
            print(
                f"| {name} | {count} | {said} | {1e3 * keras_own:.2f} ms "
                f"| {keras_own / ours:.1f} | {1e3 * bare:.2f} ms | {ours / bare:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
