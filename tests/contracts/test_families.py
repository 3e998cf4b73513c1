"""What every family promises; a new member of the room is tested by being there."""

import functools
import json

import keras
import keras_tuner
import numpy as np
import pytest
from dropped import dropped
from needed import GIVEN, gene_names, network_families

from autogenome_tf import cli, families
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.run import Run
from autogenome_tf.tasks import Classification, Regression, Representation

GENES = 6
TASKS = {
    "binary": Classification(["a", "b"]),
    "five classes": Classification(list("abcde")),
    "three targets": Regression(["x", "y", "z"]),
}
ROWS = np.random.default_rng(0).normal(size=(40, GENES)).astype("float32")
NOISE = (keras.layers.Dropout, keras.layers.GaussianNoise)
# Attribution by DeepLIFT's rescale rule is exact for these.
EXACT_ACTIVATIONS = ("relu", "elu", "selu", "tanh", "sigmoid", "softplus")
EXACT_LAYERS = (
    "InputLayer", "Dense", "BatchNormalization", "Activation", "Concatenate", "Add",
    "Dropout", "GaussianNoise",
)  # fmt: skip

# Fewer layers where many networks are built; a family that is not named takes its defaults.
SMALL = {
    "mlp": {"layers": 1, "units": 8},
    "resnet": {"n_blocks": 1, "layers_per_block": 1, "width": 8},
    "densenet": {"block_config": [1, 1], "growth_rate": 8, "bottleneck": 8},
    "wired": {"layers": 3, "max_width": 32},
}

each_family = pytest.mark.parametrize("name", network_families())


def made(name, task="binary", seed=7, **space):
    """The HyperModel of a family."""
    space = GIVEN.get(name, {}) | space
    return families.hypermodel(name)(
        GENES, TASKS[task], space, seed=seed, features=gene_names(GENES)
    )


@functools.cache
def networks(name):
    """A network for every single choice in a family's space: the choice and the model."""
    choices = [
        {key: option}
        for key, hyper in families.member(name).space.items()
        if not hyper.setting
        for option in hyper.options
    ]
    around = SMALL.get(name, {})
    around |= {"gates": True} if "gates" in families.member(name).space else {}
    return [(choice, made(name).network(around | choice)) for choice in choices]


def same(weights, others):
    """Whether two lists of arrays are equal."""
    return all(np.array_equal(a, b) for a, b in zip(weights, others, strict=True))


def consumers(model, tensor):
    """The operations that a symbolic tensor goes into."""
    return [
        operation
        for operation in model.operations
        for node in operation._inbound_nodes
        if any(tensor is argument for argument in node.input_tensors)
    ]


def stems(model):
    """What the input goes into, behind layers of noise."""
    found, tensors = [], list(model.inputs)
    while tensors:
        for operation in consumers(model, tensors.pop()):
            if isinstance(operation, NOISE):
                tensors.append(operation.output)
            else:
                found.append(operation)
    return found


def separable():
    """Rows (40, GENES) and labels that two genes tell apart."""
    truth = (ROWS[:, 0] + ROWS[:, 1] > 0).astype("int32")
    rows = ROWS.copy()
    rows[:, :2] += 2 * truth[:, None] - 1
    return rows, truth


# The HyperModel ----------------------------------------------------------------------------


LEARNERS = ("loss", "shrinkage", "threshold", "components")


@each_family
def test_a_family_is_a_hypermodel_found_by_its_class_name(name):
    hypermodel = made(name)
    assert isinstance(hypermodel, keras_tuner.HyperModel)
    assert hypermodel.name == name
    assert type(hypermodel).__name__.lower() == name.replace("_", "")
    assert getattr(families, type(hypermodel).__name__) is families.hypermodel(name)
    assert type(hypermodel).__doc__


@each_family
def test_hyperparameters_and_their_values_build_the_same_network(name):
    hypermodel = made(name)
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    assert set(hp.values) == set(hypermodel.space)
    assert hypermodel.values(hp) == {k: h.options[0] for k, h in hypermodel.space.items()}
    assert same(model.get_weights(), hypermodel.build(hypermodel.values(hp)).get_weights())
    assert same(model.get_weights(), hypermodel.build({}).get_weights())


@each_family
def test_keras_tuner_proposes_only_values_of_the_space(name):
    hypermodel = made(name)
    hp = keras_tuner.HyperParameters()
    hypermodel.values(hp)
    oracle = keras_tuner.oracles.RandomSearchOracle(
        "val_loss", max_trials=9, hyperparameters=hp, seed=1
    )
    for number in range(9):
        hp.values = oracle.populate_space(str(number))["values"]
        for key, value in hypermodel.values(hp).items():
            assert value in hypermodel.space[key].options


@each_family
def test_same_seed_gives_the_same_weights(name):
    first = made(name, seed=3).build({}).get_weights()
    assert same(first, made(name, seed=3).build({}).get_weights())
    assert same(first, made(name, seed=4).network({}, seed=3).get_weights())
    other = made(name, seed=4).build({}).get_weights()
    kernels = [i for i, weight in enumerate(first) if weight.ndim == 2]
    assert not any(np.array_equal(first[i], other[i]) for i in kernels)


@each_family
def test_layers_of_one_network_start_apart(name):
    kernels = [w for w in made(name).build({}).get_weights() if w.ndim == 2]
    for i, kernel in enumerate(kernels):
        for other in kernels[:i]:
            assert kernel.shape != other.shape or not np.array_equal(kernel, other)


@each_family
def test_every_option_of_every_hyperparameter_builds(name):
    for choice, model in networks(name):
        outputs = model(ROWS, training=False)
        assert outputs.shape == (len(ROWS), 2), choice
        assert np.isfinite(outputs).all(), choice


@each_family
def test_no_two_options_of_a_hyperparameter_build_the_same_network(name):
    forms = {}
    for choice, model in networks(name):
        (key,) = choice
        layers = [layer.get_config() | {"name": None} for layer in model.layers]
        forms.setdefault(key, []).append(str(layers))
    # Some act in front of the network, on the loss or on initial weights, others choose how a
    # linear one is solved.
    own = ("spectral_power", "gene_power", "label_smoothing", "linear_start")
    for key in (*own, *LEARNERS):
        forms.pop(key, None)
    for key, each in forms.items():
        assert len(set(each)) == len(each), key


@each_family
def test_numbers_may_be_numpys(name):
    small = {key: [value] for key, value in SMALL.get(name, {}).items()}
    values = {key: hyper.options[0] for key, hyper in families.space(name, small).items()}
    kinds = {int: np.int64, float: np.float64}
    numpys = {key: kinds.get(type(value), lambda v: v)(value) for key, value in values.items()}
    assert any(isinstance(value, np.generic) for value in numpys.values())
    model = made(name).network(numpys)
    assert same(model.get_weights(), made(name).network(values).get_weights())


@each_family
@pytest.mark.parametrize("task", TASKS)
def test_outputs_are_as_wide_as_the_task(name, task):
    model = made(name, task).build(SMALL.get(name, {}))
    assert model.input_shape == (None, GENES)
    assert model.output_shape == (None, TASKS[task].outputs)


# What other rooms rest on ------------------------------------------------------------------


@each_family
@pytest.mark.parametrize("space", ["genes", "rows"])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_one_dense_layer_alone_touches_the_input(name, space, noise):
    has_noise = "input_dropout" in families.member(name).space
    values = {"input_dropout": noise} if has_noise else {}
    model = made(name).network(values, inputs=4, space=space, is_plain=True)
    (stem,) = stems(model)
    assert isinstance(stem, keras.layers.Dense)
    assert stem.kernel.shape[0] == 4
    assert [w.path for w in model.weights[:2]] == [stem.kernel.path, stem.bias.path]
    (first,) = consumers(model, model.inputs[0])
    wanted = NOISE[space == "rows"] if noise and has_noise else keras.layers.Dense
    assert type(first) is wanted


def test_a_second_layer_on_the_input_would_be_seen():
    x = keras.Input((GENES,))
    hidden = keras.layers.Dense(2)(keras.layers.Dropout(0.1)(x))
    model = keras.Model(x, keras.layers.Concatenate()([hidden, x]))
    assert {type(operation).__name__ for operation in stems(model)} == {"Dense", "Concatenate"}


@each_family
def test_only_layers_that_attribution_takes_exactly_are_used(name):
    # Numbers make layers wider, names make others.
    for choice in (
        one for one, _ in networks(name) if {type(v) for v in one.values()} & {str, bool}
    ):
        model = made(name).network(SMALL.get(name, {}) | choice, is_plain=True)
        for operation in model.operations:
            assert type(operation).__name__ in EXACT_LAYERS, choice
            if isinstance(operation, keras.layers.Activation):
                assert operation.activation.__name__ in EXACT_ACTIVATIONS, choice
            if isinstance(operation, keras.layers.Dense):
                assert operation.activation.__name__ == "linear", choice


@each_family
def test_noise_is_off_at_inference_and_on_in_training(name):
    noisy = {"dropout": 0.4, "input_dropout": 0.3, "normalization": "none"}
    values = {key: v for key, v in noisy.items() if key in families.member(name).space}
    model = made(name).network(values)
    still = np.asarray(model(ROWS, training=False))
    np.testing.assert_array_equal(still, model(ROWS, training=False))
    assert np.array_equal(still, model(ROWS, training=True)) == (not values)


@each_family
def test_l2_is_on_every_kernel_and_on_nothing_else(name):
    values = {"l2": 0.5} | ({"normalization": "batch"} if name != "linear" else {})
    model = made(name).network(values)
    kernels = [w.numpy() for w in model.weights if w.path.endswith("kernel")]
    assert len(kernels) >= (1 if name == "linear" else 2)
    expected = sum(0.5 * np.sum(kernel**2) for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)
    assert made(name).network(values | {"l2": 0.0}).losses == []


# Keras -------------------------------------------------------------------------------------


@each_family
@pytest.mark.parametrize("task", TASKS)
def test_a_network_survives_saving(name, task, tmp_path):
    model = made(name, task).build(SMALL.get(name, {}))
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.models.load_model(path, compile=False)
    expected = model(ROWS, training=False)
    np.testing.assert_allclose(loaded(ROWS, training=False), expected, rtol=1e-6, atol=1e-6)


@each_family
def test_a_compiled_network_loads_without_options(name, tmp_path):
    made(name).build(SMALL.get(name, {})).save(tmp_path / "model.keras")
    keras.models.load_model(tmp_path / "model.keras")


@each_family
def test_keras_fit_lowers_the_loss(name):
    rows, truth = separable()
    keras.utils.set_random_seed(1)
    hypermodel = made(name)
    hypermodel.learning_rate = 0.05
    model = hypermodel.build(SMALL.get(name, {}))
    history = model.fit(rows, truth, epochs=20, batch_size=20, verbose=0).history
    assert len(history["loss"]) == 20
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    outputs = np.asarray(model(rows, training=False))
    assert np.mean(outputs.argmax(1) == truth) > 0.9


# Spaces ------------------------------------------------------------------------------------


@each_family
def test_every_option_is_one_that_a_config_may_name(name):
    for key, hyper in families.member(name).space.items():
        assert len(set(map(str, hyper.options))) == len(hyper.options), key
        if not hyper.options or hyper.setting:
            assert hyper.optional or hyper.setting, key
            continue
        narrowed = families.space(name, {key: list(hyper.options)})
        assert list(narrowed[key].options) == list(hyper.options)
        assert not narrowed[key].optional


@each_family
def test_a_scalar_fixes_and_a_list_narrows(name):
    for key, hyper in families.space(name).items():
        last = hyper.options[-1]
        # a list is itself a value of block_config
        assert families.space(name, {key: [last]})[key].options == (last,)
        if not isinstance(last, list):
            assert families.space(name, {key: last})[key].options == (last,)
    searched = {k: h for k, h in families.member(name).space.items() if not h.setting}
    asked = {k for k, h in searched.items() if not h.optional}
    assert set(families.space(name)) >= asked


@each_family
def test_unknown_hyperparameters_and_values_are_refused_with_their_place(name):
    with pytest.raises(InputError, match=f"^families.{name}: unknown name 'l22'.*'l2'"):
        families.space(name, {"l22": 1})
    for key, hyper in families.member(name).space.items():
        ask = families.settings if hyper.setting else families.space
        for wrong in ("qqq", None, -1, [], ["qqq"], [None], True, {}, [[]]):
            several = wrong if isinstance(wrong, list) and wrong else [wrong]
            if all(hyper.allowed(value) for value in several):
                continue
            with pytest.raises(InputError, match=rf"^families\.{name}\.{key}: expected .*received"):
                ask(name, (GIVEN.get(name, {}) if hyper.setting else {}) | {key: wrong})


def test_whole_and_real_numbers_are_one_choice():
    hyper = families.space("mlp", {"dropout": [0, 0.2, 0.0]})["dropout"]
    assert hyper.options == (0.0, 0.2)
    assert hyper.ask(keras_tuner.HyperParameters(), "dropout") == 0.0


ZOO = {  # every reference and example space of AutoGenome, in this package's words
    "mlp": {
        "layers": [1, 2, 3, 4, 5, 6],
        "units": [128, 64, 32, 16, 8],
        **{f"units_{i}": [64, 32, 16, 8] for i in range(1, 7)},
        "dropout": [0.0, 0.2],
    },
    "resnet": {
        "width": [4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8],
        "n_blocks": [1, 2, 3, 5],
        "dropout": [0.0, 0.2, 0.4, 0.6, 0.8],
    },
    "densenet": {
        "growth_rate": [512, 256, 128, 64, 32, 16, 8],
        "bottleneck": [16, 32, 64],
        "block_config": [[2, 3], [2, 3, 4], [3, 4, 5]],
        "dropout": [0.0, 0.2, 0.4, 0.6, 0.8],
    },
}


@pytest.mark.parametrize("name", ZOO)
def test_the_spaces_of_autogenome_are_accepted(name):
    given = ZOO[name] | {"output_nonlinearity": ["none", "relu", "tanh", "sigmoid"]}
    space = families.space(name, given)
    assert {key: list(space[key].options) for key in given} == given
    for nonlinearity in given["output_nonlinearity"]:
        model = made(name).network(SMALL[name] | {"output_nonlinearity": nonlinearity})
        outputs = np.asarray(model(50 * ROWS, training=False))
        low, high = {"relu": (0, np.inf), "tanh": (-1, 1), "sigmoid": (0, 1)}.get(
            nonlinearity, (-np.inf, np.inf)
        )
        assert outputs.min() >= low and outputs.max() <= high
        assert (outputs.min() < 0) == (nonlinearity in ("none", "tanh"))


@each_family
def test_every_exact_activation_is_allowed_and_no_other(name):
    if "activation" in families.member(name).space:
        given = {"activation": list(EXACT_ACTIVATIONS)}
        assert families.space(name, given)["activation"].options == EXACT_ACTIVATIONS
    for wrong in ("gelu", "swish", "leaky_relu", "softmax", "linear"):
        with pytest.raises(InputError, match=f"^families.{name}"):
            families.space(name, {"activation": wrong})


def test_a_list_of_lists_is_a_choice_between_lists():
    space = families.space("densenet", {"block_config": [[2, 3]]})
    assert space["block_config"].options == ([2, 3],)
    for wrong in ([2, 3], [[2, 0]], [[2.5]], [["2"]]):
        with pytest.raises(InputError, match=r"families\.densenet\.block_config: expected lists"):
            families.space("densenet", {"block_config": wrong})


def test_optional_widths_are_searched_only_where_named():
    assert "units_2" not in families.space("mlp")
    assert families.space("mlp", {"units_2": [8, 16]})["units_2"].options == (8, 16)


def test_an_unknown_family_is_refused_with_the_nearest_one():
    with pytest.raises(InputError, match="families: unknown name 'densnet'.*'densenet'"):
        families.space("densnet")
    with pytest.raises(AttributeError, match="DensNet"):
        families.DensNet  # noqa: B018


# Known answers -----------------------------------------------------------------------------


def dense(inputs, units):
    """Parameters of a dense layer."""
    return (inputs + 1) * units


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("linear", {}, dense(6, 2)),
        ("mlp", {"layers": 1, "units": 4}, dense(6, 4) + dense(4, 2)),
        ("mlp", {"layers": 3, "units": 4, "units_2": 5},
         dense(6, 4) + dense(4, 5) + dense(5, 4) + dense(4, 2)),
        ("resnet", {"width": 4, "n_blocks": 2, "layers_per_block": 2},
         dense(6, 4) + 4 * dense(4, 4) + dense(4, 2)),
        ("resnet", {"width": 4, "n_blocks": 2, "layers_per_block": 2, "width_2": 5},
         dense(6, 4) + 2 * dense(4, 4)  # stem, first block
         + dense(4, 5) + dense(4, 5) + dense(5, 5)  # projection, second block
         + dense(5, 2)),
        ("densenet", {"growth_rate": 3, "bottleneck": 5, "block_config": [1, 2],
                      "compression": 0.5},
         dense(6, 6)
         + dense(6, 5) + dense(5, 3)  # 6 features grow to 9
         + dense(9, 4)  # and are compressed
         + dense(4, 5) + dense(5, 3) + dense(7, 5) + dense(5, 3)  # 4 grow to 10
         + dense(10, 2)),
    ],
)  # fmt: skip
def test_parameters_are_as_many_as_by_hand(name, values, expected):
    plain = {} if name == "linear" else {"normalization": "none"}
    assert made(name).network(values | plain).count_params() == expected


def test_normalization_adds_four_numbers_a_unit():
    values = {"layers": 2, "units": 4}
    plain = made("mlp").network(values | {"normalization": "none"}).count_params()
    assert made("mlp").network(values | {"normalization": "batch"}).count_params() == plain + 32


def test_a_residual_block_of_zero_weights_hands_its_input_on():
    values = {"width": 4, "n_blocks": 1, "normalization": "none", "activation": "relu"}
    model = made("resnet").network(values)
    stem_kernel, stem_bias, *block, kernel, bias = model.get_weights()
    model.set_weights([stem_kernel, stem_bias, *(0 * w for w in block), kernel, bias])
    hidden = np.maximum(ROWS @ stem_kernel + stem_bias, 0)
    np.testing.assert_allclose(model(ROWS, training=False), hidden @ kernel + bias, atol=1e-5)


# A file dropped in --------------------------------------------------------------------------------

FUNNEL = '''
"""A funnel: each layer half as wide as the one before."""

from autogenome_tf.families import COMMON, Family, integer


class Funnel(Family):
    """A funnel: each layer half as wide as the one before."""

    space = {"start": integer(8, 4), "layers": integer(2, high=8), **COMMON}

    @staticmethod
    def body(x, values, layers):
        """Halve the width from layer to layer."""
        for layer in range(values["layers"]):
            x = layers.activated(layers.dense(x, max(1, values["start"] >> layer)))
        return x
'''


def test_a_family_dropped_in_is_a_member_at_once(simulated, tmp_path, capsys):
    whole = json.loads((simulated / "config.json").read_text("utf-8"))
    whole |= {"name": "dropped", "output_dir": str(tmp_path), "training": {"epochs": 1}}
    whole |= {"families": {"funnel": {"start": 4}}}
    whole |= {"search": {"method": "random", "max_trials": 1, "epochs": 1, "folds": 2}}
    path = simulated / "funnel.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert cli.main(["check", str(path)]) == 2
    assert "families: unknown name 'funnel'" in capsys.readouterr().err
    with dropped("families", "funnel", FUNNEL):
        assert cli.main(["check", str(path)]) == 0
        assert cli.main(["schema"]) == 0
        assert '"funnel"' in capsys.readouterr().out
        assert cli.main(["run", str(path), "--set", "output.figures=false"]) == 0
        run = Run(tmp_path / "dropped")
        assert "funnel" in list(run.read_table("leaderboard.tsv")["family"])
        assert "funnel" in run.path("report.html").read_text("utf-8")
        assert issubclass(families.Funnel, keras_tuner.HyperModel)


COMPLEXES = '''
"""Genes wired to the complexes of their proteins."""

from autogenome_tf.families import Family, files, read_membership, word


class Complexes(Family):
    """Genes wired to the complexes of their proteins."""

    space = {"subunits": files(), "activation": word("tanh", known=("tanh", "relu"))}
    level_names = ("complexes",)
    sees_genes = True

    @classmethod
    def levels(cls, settings, features):
        """Return the membership of genes in complexes."""
        place = "families.complexes.subunits"
        return [read_membership(settings["subunits"], features, place=place)]

    @staticmethod
    def body(x, values, layers):
        """Wire genes to complexes."""
        (level,) = layers.levels
        wired = layers.masked(x, level.rows, level.columns, len(level.names))
        return layers.activated(wired, "complexes")
'''


def test_files_of_a_family_dropped_in_are_those_of_the_config(tmp_path):
    (tmp_path / "subunits.gmt").write_text("A\t\tG0\tG1\nB\t\tG2\tG4\n")
    config = {"name": "wired", "data": {"features": "x.tsv"}, "training": {"l2": 0.1}}
    config["families"] = {"complexes": {"subunits": "subunits.gmt"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with dropped("families", "complexes", COMPLEXES):
        loaded = Config.load(tmp_path / "config.json")
        file = str(tmp_path / "subunits.gmt")
        assert file in loaded.files and loaded.families["complexes"] == {"subunits": file}
        assert loaded.relative(tmp_path).families == config["families"]
        assert families.spaces(loaded).keys() == {"complexes"}
        assert families.has_levels("complexes") and families.is_of_genes("complexes", {})
        with pytest.raises(InputError, match="complexes.subunits: expected names of files; rec"):
            Config.of(config | {"families": {"complexes": {"subunits": 3}}})
        made = families.Complexes(5, TASKS["binary"], {"subunits": file}, features=gene_names(5))
        assert made.network({}).count_params() == 4 + 2 + 3 * 2


SHALLOW = '''
"""Autoencoders of a single layer."""

from autogenome_tf.families import AutoencoderFamily, integer, word


class Shallow(AutoencoderFamily):
    """Autoencoders of a single layer."""

    space = {"units": integer(4), "likelihood": word("gaussian", known=("gaussian",))}

    @staticmethod
    def options(values, levels):
        """Return a latent space as wide as the layer."""
        return {"latent": values["units"], "widths": [values["units"]]}
'''


def test_a_family_of_autoencoders_dropped_in_is_one_for_representations():
    with dropped("families", "shallow", SHALLOW):
        assert "shallow" in families.names("representation")
        assert "shallow" not in families.names("classification")
        model = families.Shallow(GENES, Representation()).build({"units": 3})
        assert model.encode(ROWS)[0].shape == (len(ROWS), 3)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("layers.concatenate(layers.dense(x, 4), x)", "Dense, Concatenate"),
        ("layers.concatenate(layers.dense(x, 4), layers.dense(x, 4))", "Dense, Dense"),
        ("layers.dense(layers.activated(x), 4)", "BatchNormalization"),
    ],
)
def test_a_family_that_looks_at_the_genes_otherwise_is_refused(body, found):
    head, _, _ = FUNNEL.partition("        for layer")
    with dropped("families", "funnel", f"{head}        return {body}\n"):
        model = families.Funnel(GENES, TASKS["binary"], {"input_dropout": 0.0})
        with pytest.raises(TypeError, match=rf"funnel\.py: body: expected one .*; found {found}\."):
            model.network({})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"""Nothing."""', "expected a class derived from Family"),
        (
            f"{FUNNEL}\n\nclass Second(Funnel):\n    pass\n",
            "expected one class .*; found Funnel, Second",
        ),
    ],
)
def test_a_file_holds_one_family(text, fault):
    with dropped("families", "funnel", text):
        with pytest.raises(InputError, match=rf"funnel\.py: {fault}"):
            families.member("funnel")
