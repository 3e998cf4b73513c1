"""The family pathway: what is connected, what it costs, and that nothing else is learned."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from autogenome_tf import families
from autogenome_tf.core.errors import InputError
from autogenome_tf.nn.dense_weights import open_gates, to_dense_weights
from autogenome_tf.nn.layers import FeatureGate, MaskedDense
from autogenome_tf.nn.vectorized import VectorizedNetwork
from autogenome_tf.tasks import Classification
from autogenome_tf.training import TrainingRows
from autogenome_tf.training._engines import engine, resident

GENES = [f"G{gene}" for gene in range(8)]
TASK = Classification(["a", "b", "c"])
ROWS = np.random.default_rng(0).normal(size=(30, 8)).astype("float32")
# G7 is in no set.
SETS = {"S0": "G0 G1 G2", "S1": "G2 G3 G4", "S2": "G1 G4 G5 G6"}
GROUPS = {"A": "S0 S1", "B": "S1 S2"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A function from values to the family's HyperModel for the sets above."""
    folder = tmp_path_factory.mktemp("gmt")
    for name, sets in (("sets", SETS), ("groups", GROUPS)):
        lines = ["\t".join([key, "", *genes.split()]) for key, genes in sets.items()]
        (folder / name).write_text("\n".join(lines))

    def make(groups=True, seed=7, **space):
        given = {"gene_sets": str(folder / "sets"), "min_genes": 1} | space
        given |= {"set_groups": [str(folder / "groups")]} if groups else {}
        return families.Pathway(8, TASK, given, seed=seed, features=GENES)

    return make


def trained(model):
    """The model after a few steps of Keras' own training, with noise."""
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(ROWS, np.arange(30) % 3, epochs=3, batch_size=10, verbose=0)
    return model


def jacobian(model, outputs):
    """Derivatives of the mean of (rows, units) tensors with respect to genes, (genes, units)."""
    part = keras.Model(model.inputs, outputs)
    rows = tf.constant(ROWS)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        found = tf.reduce_sum(part(rows, training=False), axis=0)
    return np.abs(tape.jacobian(found, rows).numpy()).sum(axis=1).T


def reachable(made):
    """(genes, sets) and (genes, groups) of 0 and 1."""
    first, second = made().levels()
    masks = []
    for level in (first, second):
        mask = np.zeros((level.inputs, len(level.names)), int)
        mask[level.rows, level.columns] = 1
        masks.append(mask)
    return masks[0], (masks[0] @ masks[1] > 0).astype(int)


@pytest.mark.parametrize("normalization", ["batch", "none"])
def test_a_unit_hears_of_its_own_genes_alone_after_training(made, normalization):
    model = trained(made().network({"normalization": normalization, "bypass": 0}))
    sets, groups = reachable(made)
    for name, mask in (("sets", sets), ("groups", groups)):
        found = jacobian(model, model.get_layer(name).output)
        np.testing.assert_array_equal(found > 0, mask > 0)


def test_a_gene_without_a_set_is_heard_through_the_bypass_alone(made):
    without = jacobian(model := made().network({"bypass": 0}), model.output)
    assert not without[7].any()
    model = made().network({"bypass": 2, "normalization": "none"})
    found = jacobian(model, model.get_layer("sets").output)
    np.testing.assert_array_equal(found[:, 3:] > 0, np.arange(8)[:, None] == [7, 7])


@pytest.mark.parametrize(("units", "bypass"), [(1, 0), (3, 2)])
def test_there_are_as_many_parameters_as_connections_and_biases(made, units, bypass):
    values = {"set_units": units, "bypass": bypass, "normalization": "none"}
    first = 10 * units + bypass + 3 * units + bypass
    second = 4 * units**2 + 2 * units
    heads = (3 * units + bypass + 2 * units + 1) * 3
    assert made().network(values).count_params() == first + second + heads
    assert made(groups=False).network(values).count_params() == (
        first + (3 * units + bypass + 1) * 3
    )


def test_the_mean_of_heads_on_every_level_is_the_one_head_that_is_built(made):
    model = made().network({"normalization": "none"})
    parts = keras.Model(model.input, [model.get_layer(n).output for n in ("sets", "groups")])
    kernel, bias = model.layers[-1].get_weights()
    levels = [np.asarray(part) for part in parts(ROWS, training=False)]
    heads = [2 * levels[0] @ kernel[:3] + bias, 2 * levels[1] @ kernel[3:] + bias]
    np.testing.assert_allclose(model(ROWS, training=False), np.mean(heads, axis=0), atol=1e-5)


def test_weights_start_at_the_scale_of_the_genes_of_each_set():
    wide, narrow = 4000, 40
    rows = np.concatenate([np.arange(wide), np.arange(narrow)])
    layer = MaskedDense(
        2, rows, np.repeat([0, 1], [wide, narrow]), keras.initializers.LecunNormal(1)
    )
    layer.build((None, wide))
    kernel = layer.kernel.numpy()
    assert kernel[:wide].std() == pytest.approx(wide**-0.5, rel=0.1)
    assert kernel[wide:].std() == pytest.approx(narrow**-0.5, rel=0.4)


def test_a_masked_layer_is_a_dense_one_with_zeros():
    chance = np.random.default_rng(1)
    mask = chance.random((8, 5)) < 0.4
    rows, columns = np.nonzero(mask)
    shuffled = chance.permutation(len(rows))
    layer = MaskedDense(5, rows[shuffled], columns[shuffled])
    found = layer(ROWS)
    dense = layer.to_dense(layer.kernel.numpy()[None], 8)[0]
    np.testing.assert_array_equal(dense != 0, mask)
    np.testing.assert_allclose(found, ROWS @ dense, atol=1e-6)
    stacked = layer.stacked(
        np.stack([ROWS, 2 * ROWS]), [np.stack([layer.kernel, -layer.kernel]), np.ones((2, 5))]
    )
    np.testing.assert_allclose(stacked[1], -2 * ROWS @ dense + 1, atol=1e-5)


@pytest.mark.parametrize("gates", [False, True])
def test_the_plain_network_of_keras_own_layers_says_the_same(made, gates):
    values = {"gates": gates, "bypass": 2, "set_units": 2}
    hypermodel = made()
    model = trained(hypermodel.network(values))
    stacks = [weight[None] for weight in model.get_weights()]
    weights, found = to_dense_weights(model, stacks), open_gates(model, stacks)
    copy = hypermodel.network(values, is_plain=True)
    copy.set_weights([weight[0] for weight in weights])
    assert not any(isinstance(layer, (FeatureGate, MaskedDense)) for layer in copy.layers)
    assert (found is not None) == gates
    np.testing.assert_allclose(model(ROWS, training=False), copy(ROWS, training=False), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pathway", "mlp"])
def test_replicas_say_what_each_network_says(made, name):
    values = {"gates": True}
    hypermodel = made() if name == "pathway" else families.MLP(8, TASK)
    networks = [hypermodel.network(values, seed=seed) for seed in (1, 2)]
    for network in networks:
        trained(network)
    stacks = {
        one.path: np.stack([one.numpy(), other.numpy()])
        for one, other in zip(networks[0].weights, networks[1].weights, strict=True)
    }
    found, _ = VectorizedNetwork(networks[0])(np.stack([ROWS, ROWS]), stacks)
    for own, network in zip(found, networks, strict=True):
        np.testing.assert_allclose(own, network(ROWS, training=False), atol=1e-5)


def test_replicas_descend_as_keras_does(made):
    values = {"dropout": 0.0, "input_dropout": 0.0, "normalization": "none", "gates": True,
              "gate_l1": 0.01, "l2": 0.01}  # fmt: skip
    truth = (np.arange(30) % 3).astype("int32")
    model = made().network(values)
    start = model.get_weights()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.train_on_batch(ROWS, truth)
    nothing = np.zeros(0, int)
    rows = TrainingRows(
        resident(ROWS[None]), truth, np.ones(30, "float32"), [np.arange(30)], [nothing]
    )
    network = made().network(values)
    network.set_weights(start)
    own = engine(network, 1, rows, TASK)
    own.begin([network], seed=1)
    index = np.arange(30, dtype="int32").reshape(1, 1, 30)
    own.epoch(index, np.array([1e-3], "float32"), is_validated=False)
    for mine, keras_own in zip(own.weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine[0], keras_own, atol=1e-5)


def test_a_gate_never_turns_a_gene_around_and_an_l1_closes_it():
    layer = FeatureGate()
    layer.build((None, 3))
    layer.kernel.assign([2.0, 0.0, -3.0])
    np.testing.assert_array_equal(layer(np.ones((1, 3), "float32")), [[2, 0, 0]])
    model = families.MLP(8, TASK).network({"gates": True, "gate_l1": 0.5, "l2": 0.0})
    assert float(sum(model.losses)) == pytest.approx(0.5 * 8)


def test_a_network_with_gates_or_sets_keeps_to_genes():
    assert families.is_of_genes("pathway", {})
    assert families.is_of_genes("mlp", {"gates": True})
    assert not families.is_of_genes("mlp", {"gates": False})
    assert not families.is_of_genes("mlp", {})


def test_files_and_names_of_genes_are_needed():
    with pytest.raises(InputError, match=r"families\.pathway\.gene_sets: expected names of files"):
        families.Pathway(8, TASK)
    with pytest.raises(InputError, match=r"families\.pathway\.gene_sets: expected features"):
        families.Pathway(8, TASK, {"gene_sets": "none.gmt"}).network({})


def test_a_search_sees_no_files(made):
    assert not {"gene_sets", "set_groups", "min_genes", "max_genes"} & set(made().space)
