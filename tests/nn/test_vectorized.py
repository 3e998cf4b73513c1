"""Several sets of weights at once give what Keras gives for each of them alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from needed import GIVEN, gene_names, network_families

from autogenome_tf import families, tasks
from autogenome_tf.nn.vectorized import VectorizedNetwork, dropped, noisy, structure

TASK = tasks.Classification(["a", "b", "c"])
NOISY = {"dropout": 0.5, "input_dropout": 0.3}
STILL = {"dropout": 0.0, "input_dropout": 0.0}


def network(name, values, seed):
    hypermodel = families.hypermodel(name)(12, TASK, GIVEN.get(name), features=gene_names(12))
    return hypermodel.network(values, seed=seed)


def stacks(networks):
    return {
        variable.path: np.stack([one.weights[i].numpy() for one in networks])
        for i, variable in enumerate(networks[0].weights)
    }


@pytest.mark.parametrize("name", network_families())
def test_structures_differ_in_layers_and_not_in_names_seeds_and_rates(name):
    first = structure(network(name, {}, 1))
    rates = {"dropout": 0.7, "input_dropout": 0.2, "l2": 0.5}
    assert structure(network(name, rates if name != "linear" else {"l2": 0.5}, 2)) == first
    other = families.hypermodel(name)(13, TASK, GIVEN.get(name), features=gene_names(13))
    assert structure(other.network({})) != first


def test_structures_differ_in_wiring():
    def wired(*order):
        inputs = keras.Input((4,))
        parts = [keras.layers.Dense(4)(inputs), keras.layers.Dense(4, activation="relu")(inputs)]
        outputs = keras.layers.Subtract()([parts[place] for place in order])
        return structure(keras.Model(inputs, outputs))

    assert wired(0, 1) == wired(0, 1) != wired(1, 0)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(3, 20, 12)).astype("float32")


@pytest.mark.parametrize("name", network_families())
def test_outputs_equal_keras_for_every_family(name, x):
    networks = [network(name, NOISY, seed) for seed in (1, 2, 3)]
    outputs, updates = VectorizedNetwork(networks[0])(x, stacks(networks))
    expected = np.stack([one(rows).numpy() for one, rows in zip(networks, x, strict=True)])
    assert not updates
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    assert not np.allclose(outputs[0], outputs[1])


@pytest.mark.parametrize("name", network_families())
def test_batch_statistics_equal_keras_while_training(name, x):
    networks = [network(name, STILL, seed) for seed in (1, 2, 3)]
    weights = stacks(networks)
    seed = tf.constant([1, 2])
    outputs, updates = VectorizedNetwork(networks[0])(x, weights, training=True, seed=seed)
    expected = [one(rows, training=True).numpy() for one, rows in zip(networks, x, strict=True)]
    np.testing.assert_allclose(outputs, np.stack(expected), rtol=1e-4, atol=1e-4)
    after = stacks(networks)
    moved = {path for path, value in after.items() if not np.array_equal(value, weights[path])}
    assert moved == set(updates)
    for path, value in updates.items():
        np.testing.assert_allclose(value, after[path], rtol=1e-4, atol=1e-5)


def test_noise_of_a_replica_does_not_depend_on_the_others(x):
    one = network("mlp", NOISY, 1)
    seed = tf.constant([1, 2])
    alone, _ = VectorizedNetwork(one)(x[:1], stacks([one]), training=True, seed=seed)
    beside, _ = VectorizedNetwork(one)(x, stacks([one, one, one]), training=True, seed=seed)
    # The batch statistics are sums in another order, so equal but for rounding.
    np.testing.assert_allclose(alone[0], beside[0], rtol=1e-4, atol=1e-4)
    assert not np.allclose(beside[0], VectorizedNetwork(one)(x, stacks([one] * 3))[0][0])


def test_dropout_drops_its_share_and_keeps_the_mean():
    genes = keras.Input((1000,))
    layer = keras.Model(genes, keras.layers.Dropout(0.3)(genes))
    ones = np.ones((2, 50, 1000), "float32")
    dropped = VectorizedNetwork(layer)(ones, {}, training=True, seed=tf.constant([3, 4]))[0].numpy()
    assert abs((dropped == 0).mean() - 0.3) < 0.01
    assert abs(dropped.mean() - 1) < 0.01
    assert not np.array_equal(dropped[0], dropped[1])


def test_a_layer_it_does_not_know_is_vectorised(x):
    genes = keras.Input((12,))
    made = [keras.Sequential([keras.layers.LayerNormalization(), keras.layers.PReLU()])
            for _ in range(3)]  # fmt: skip
    networks = [keras.Model(genes, keras.layers.Dense(2)(one(genes))) for one in made]
    flat = [keras.Model(genes, _through(one, genes)) for one in networks]
    for number, one in enumerate(flat):
        one.set_weights([w + 0.1 * number for w in one.get_weights()])
    outputs, _ = VectorizedNetwork(flat[0])(x, stacks(flat))
    expected = np.stack([one(rows).numpy() for one, rows in zip(flat, x, strict=True)])
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def _through(model, x):
    for layer in [*model.layers[1].layers, model.layers[2]]:
        x = layer(x)
    return x


def test_sums_and_their_gradients_equal_keras_whatever_they_are_of(x):
    def summed(seed):
        genes = keras.Input((12,))
        first = keras.layers.Dense(4, kernel_initializer=keras.initializers.HeNormal(seed))(genes)
        narrow = keras.layers.Dense(1, kernel_initializer=keras.initializers.HeNormal(seed))(first)
        y = keras.layers.Activation("tanh")(first) + first
        y = keras.layers.Add()([y + narrow + 1.0, first])
        return keras.Model(genes, y)

    networks = [summed(seed) for seed in (1, 2, 3)]
    given = {path: tf.constant(stack) for path, stack in stacks(networks).items()}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(given)
        outputs, _ = VectorizedNetwork(networks[0])(tf.constant(x), given)
        each = [one(rows) for one, rows in zip(networks, x, strict=True)]
        total, totals = tf.reduce_sum(outputs**2), [tf.reduce_sum(own**2) for own in each]
    np.testing.assert_allclose(outputs, np.stack(each), rtol=1e-5, atol=1e-5)
    slopes = tape.gradient(total, list(given.values()))
    for one, own, place in zip(networks, totals, range(3), strict=True):
        for slope, expected in zip(slopes, tape.gradient(own, one.weights), strict=True):
            np.testing.assert_allclose(slope[place], expected, rtol=1e-4, atol=1e-4)


def test_noise_is_that_of_tensorflow_for_the_seed(x):
    seed = tf.constant([3, 4])
    kept = tf.random.stateless_uniform(x.shape, seed) >= 0.4
    np.testing.assert_allclose(dropped(tf.constant(x), 0.4, seed), np.where(kept, x / 0.6, 0), 1e-6)
    expected = x + 0.5 * tf.random.stateless_normal(x.shape, seed)
    np.testing.assert_allclose(noisy(tf.constant(x), 0.5, seed), expected, 1e-6)


def test_penalty_is_the_sum_over_replicas():
    networks = [network("mlp", {"l2": 0.01, "layers": 1, "units": 4}, seed) for seed in (1, 2)]
    expected = sum(float(loss) for one in networks for loss in one.losses)
    assert float(VectorizedNetwork(networks[0]).penalty(stacks(networks))) == pytest.approx(
        expected
    )
