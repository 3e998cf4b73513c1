"""Several devices share a batch and make the step that one device makes."""

import subprocess
import sys

import pytest

# Logical devices must be made before TensorFlow's first operation.
PROGRAM = """
import logging, sys
import numpy as np
import tensorflow as tf

count = int(sys.argv[1])
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)

from autogenome_tf.training import _engines as engines
from autogenome_tf.config import Config
from autogenome_tf.training._networks import NetworkCrossValidation
from autogenome_tf.training._engines import Mirrored, Streamed
from autogenome_tf.tasks import Classification
from autogenome_tf.training import Configuration, Plan, TrainingSettings

logging.basicConfig(stream=sys.stdout, format="%(message)s")
random = np.random.default_rng(0)
x = random.normal(size=(90, 12)).astype("float32")
truth = (x[:, 0] > 0).astype("int32")
pair = [(np.arange(60), np.arange(60, 90))]

def trained(devices, values, optimizer="adam", **data):
    given = {"name": "t", "data": {"features": "x", "transform": "none", **data},
             "training": {"devices": devices}}
    settings = TrainingSettings.of(Config.of(given))
    folds = NetworkCrossValidation(x, truth, Classification(["a", "b"]), settings, splits=pair)
    made = []
    real = engines.engine
    engines.engine = lambda *a: made.append(real(*a)) or made[-1]
    plan = Plan(3, learning_rate=0.05, optimizer=optimizer)
    fit = folds.fit(Configuration("mlp", values), plan, 1)
    engines.engine = real
    return fit, made[0]

PLAIN = {"layers": 1, "units": 5, "dropout": 0.0, "input_dropout": 0.0, "activation": "tanh",
         "normalization": "none", "l2": 0.01, "spectral_power": 0.0, "output_nonlinearity": "none"}
small = {"memory": 1e-7}
for optimizer in ("adam", "lamb", "momentum"):
    one, alone = trained(1, PLAIN, optimizer, **small)
    several, shared = trained(3, PLAIN, optimizer, **small)
    assert type(alone) is Streamed
    assert type(shared) is (Mirrored if count > 1 else Streamed)
    for a, b in zip(one.weights, several.weights):
        np.testing.assert_allclose(a, b, atol=2e-5)
    np.testing.assert_allclose(one.validation[0], several.validation[0], atol=1e-4)
noisy, _ = trained(3, PLAIN | {"dropout": 0.4, "normalization": "batch"}, **small)
assert noisy.history[-1]["loss"] < noisy.history[0]["loss"]
whole, inside = trained(2, PLAIN)
assert type(inside).__name__ == "InMemory"
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("count", "said"), [(3, ""), (1, "3 requested, 1 found")])
def test_devices_share_a_batch(count, said):
    command = [sys.executable, "-c", PROGRAM, str(count)]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.stdout.strip().endswith("done"), told.stderr[-2000:]
    assert said in told.stdout
