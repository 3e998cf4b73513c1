"""Train a Res-VAE from principal components: first epochs keep or better their ELBO."""

import numpy as np
import pytest
import tensorflow as tf

from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.tasks import Representation
from autogenome_tf.training import Plan, _loop
from autogenome_tf.training._engines import AutoencoderEngine, TrainingRows
from autogenome_tf.training._engines._autoencoder import RATED_INPUTS, _clipped

ROWS, TRAIN, GENES, RATE = 32, 24, 1024, 1e-3
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 2)) @ RANDOM.normal(size=(2, GENES))
X = (X + RANDOM.normal(size=(ROWS, GENES))).astype("float32")


class Inputs:
    """Rows as batches."""

    @staticmethod
    def batch(index):
        return X[index]


def started(optimizer="adam", **options):
    """Return an engine with its rows, and the network that it is to begin with."""
    network = ResVAE(GENES, 2, (16, 8), seed=1, **({"linear": True, "dropout": 0.0} | options))
    if options.get("linear", True):
        network.start(X[:TRAIN])
    engine = AutoencoderEngine(network, Representation(), optimizer)
    train, validation = np.arange(TRAIN), np.arange(TRAIN, ROWS)
    targets, weights = np.zeros(ROWS, "int32"), np.ones(ROWS, "float32")
    engine.set_rows(TrainingRows([Inputs], targets, weights, [train], [validation]))
    return engine, network


def held_out(engine):
    """The negative ELBO of validation rows."""
    (outputs,) = engine.validation_outputs()
    return outputs.sum(axis=1).mean()


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "lion"])
def test_kernels_on_many_genes_move_by_a_part_of_the_rate(optimizer):
    engine, network = started(optimizer)
    engine.begin([network], seed=1)
    before = engine.weights()
    engine.epoch(np.arange(TRAIN)[None, None], [RATE])
    steps = [abs(new - old)[0] for new, old in zip(engine.weights(), before, strict=True)]
    kernels = [step for step in steps if step.ndim == 2]
    genes = max(step.max() for step in kernels if len(step) == GENES)
    units = max(step.max() for step in kernels if len(step) < GENES)
    assert units / genes == pytest.approx(GENES / RATED_INPUTS, rel=0.01)


def test_steps_relative_to_the_weights_are_left_as_they_are():
    engine, network = started("lamb")
    engine.begin([network], seed=1)
    before = engine.weights()
    engine.epoch(np.arange(TRAIN)[None, None], [RATE])
    shares = [
        np.linalg.norm(new - old) / np.linalg.norm(old)
        for new, old in zip(engine.weights(), before, strict=True)
        if old.ndim == 3 and GENES in old.shape and old.any() and (new != old).any()
    ]
    assert len(shares) >= 2 and shares == pytest.approx([RATE] * len(shares), rel=1e-3)


@pytest.mark.parametrize("size", [0.3, 30.0])
def test_a_gradient_is_clipped_as_keras_clips_it(size):
    gradient = tf.constant(RANDOM.normal(size=(6, 4)), tf.float32)
    gradient *= size / tf.norm(gradient)
    np.testing.assert_allclose(_clipped(gradient), tf.clip_by_norm(gradient, 1.0), rtol=1e-6)


def test_first_epochs_do_not_destroy_the_components():
    engine, network = started()
    engine.begin([network], seed=1)
    before = held_out(engine)
    for _ in range(5):
        engine.epoch(RANDOM.permutation(TRAIN).reshape(3, 1, 8), [RATE] * 3)
    assert held_out(engine) < before + 0.01 * GENES


def fit(engine, network, plan):
    """Train a network from its own weights."""
    engine.begin([network], seed=1)
    return _loop.fit(engine, plan, seed=1)


def test_components_that_no_epoch_betters_are_kept():
    engine, network = started()
    found = fit(engine, network, Plan(30, learning_rate=0.3, patience=3))
    start, *trained = found.history
    assert found.best_epoch == start["epoch"] == 0 and len(trained) == len(found.rates) == 3
    assert start["validation_loss"] == pytest.approx(found.validation[0].sum(axis=1).mean())
    parts = start["validation_reconstruction"] + start["validation_kl"]
    assert parts == pytest.approx(start["validation_loss"], rel=1e-5)
    assert np.isnan(start["loss"]) and np.isnan(start["learning_rate"])
    assert all(line["validation_loss"] > start["validation_loss"] for line in trained)
    for kept, begun in zip(found.replica(0), network.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, begun)
    # On all rows it is trained for as long: not at all.
    again = fit(engine, network, Plan(0))
    assert again.best_epoch == 0 and not again.rates


@pytest.mark.parametrize("options", [{"linear": False}, {"alignment": 0.5, "covariates": 0}])
def test_a_start_that_is_no_solution_is_not_kept(options):
    engine, network = started(**options)
    assert not engine.is_fitted
    found = fit(engine, network, Plan(2, learning_rate=0.3))
    assert found.best_epoch > 0 and [line["epoch"] for line in found.history] == [1, 2]
