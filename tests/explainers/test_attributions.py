"""What every explainer promises, against shap, exact Shapley values and closed forms."""

import functools
import itertools
import math
import types

import keras
import numpy as np
import pytest
import scipy.stats
from documents import GUIDES, block
from folds import NETWORKS, cross_validation, thirds

from autogenome_tf import explainers
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.ensemble import _average, _selection
from autogenome_tf.explainers import Unexplained, _rule, _single, fast_deep_shap
from autogenome_tf.explainers.deep_shap import DeepShap
from autogenome_tf.explainers.fast_deep_shap import FastDeepShap
from autogenome_tf.explainers.gradient import Gradient
from autogenome_tf.explainers.knockout import Knockout
from autogenome_tf.models import Predictor
from autogenome_tf.preprocessing import FittedScaling, Moments, Transform
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Plan, Trial

pytestmark = pytest.mark.usefixtures("few_learners")

ROWS, GENES = 60, 40
RANDOM = np.random.default_rng(0)
X = RANDOM.gamma(2.0, 3.0, size=(ROWS, GENES)).astype("float32")
Y = (X[:, :4].sum(1) > np.median(X[:, :4].sum(1))).astype("int32")
NAMES = [f"g{i}" for i in range(GENES)]
TASKS = {
    "classification": (Classification(["healthy", "tumour"]), Y),
    "regression": (
        Regression(["a", "b"], mean=np.array([5.0, -1]), scale=np.array([2.0, 0.1])),
        RANDOM.normal(size=(ROWS, 2)).astype("float32"),
    ),
}
FAMILIES = {"linear": {"l2": 0.1}} | NETWORKS
ADDITIVE = ("fast_deep_shap", "deep_shap", "gradient")
EXPLAINED = types.SimpleNamespace(values=X[:5], samples=list("abcde"))
BACKGROUND = X[20:50]


def in_folds(kind, splits, **changes):
    """Return the `NetworkCrossValidation` of some rows."""
    task, truth = TASKS[kind]
    return cross_validation(X, truth, task, splits, **changes)


ALL = [(np.arange(ROWS), np.zeros(0, int))]
THIRDS = thirds(ROWS)


def fitted(kind, family, **changes):
    """The predictor of one network on all rows."""
    folds = in_folds(kind, ALL, **changes)
    fit = folds.fit(
        Configuration(family, FAMILIES[family]), Plan(3, learning_rate=0.01), 1, repeats=1
    )
    return folds.final_model(Configuration(family, FAMILIES[family]), fit, 1.3)


@pytest.fixture(scope="module")
def predictors():
    """A predictor for each task and family."""
    return {(kind, family): fitted(kind, family) for kind in TASKS for family in FAMILIES}


@functools.cache
def averaged(kind, transforms=("none",), **changes):
    """The predictor of an ensemble of several families on three folds, and its members."""
    data = {"transform": list(transforms)} | changes
    folds = in_folds(kind, THIRDS, data=data, search={"repeats": 1})
    results = []
    for number, (family, values) in enumerate(FAMILIES.items()):
        if family == "wired":
            continue
        values = values | {"transform": transforms[number % len(transforms)]}
        fit = folds.fit(Configuration(family, values), Plan(2, learning_rate=0.01), 1)
        results.append(folds.judge(Trial(number, family, values), fit))
    shares = np.full(len(results), 1 / len(results))
    kept = _selection.select
    try:
        _selection.select = lambda *_: shares
        return _average.average(folds, results).predictor
    finally:
        _selection.select = kept


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", TASKS)
def test_the_fast_values_are_those_of_shap(predictors, kind, family):
    fast, reference = (
        explainers.explain(predictors[kind, family], EXPLAINED, BACKGROUND, method)
        for method in ("fast_deep_shap", "deep_shap")
    )
    assert np.abs(reference.values).max() > 1e-3
    assert np.abs(fast.values - reference.values).max() < 1e-4 * np.abs(reference.values).max()
    assert np.array_equal(fast.base_values, reference.base_values)


def values_of_the_guide(predictor, folder):
    """Compute attributions by the guide's lines for shap itself, in units of the outputs."""
    predictor.model.save(folder / "model.keras")
    code = block(GUIDES["porting.md"], "python", "shap.DeepExplainer")
    names = {"rows": EXPLAINED.values, "background": BACKGROUND}
    exec(code.replace("runs/tumour-type", str(folder)), names)
    return names["values"] * predictor.output_scale[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_shap_itself_explains_the_parts_of_a_saved_model(predictors, tmp_path, family):
    predictor = predictors["regression", family]
    expected = explainers.explain(predictor, EXPLAINED, BACKGROUND, "fast_deep_shap").values
    found = values_of_the_guide(predictor, tmp_path)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.slow
@pytest.mark.parametrize(
    "transform", ["log1p", "log2", "library_log1p", "relative_log", "clr", "rank"]
)
def test_shap_itself_explains_behind_every_transform(tmp_path, transform):
    predictor = fitted("classification", "mlp", data={"transform": transform, "missing": "mean"})
    expected = explainers.explain(predictor, EXPLAINED, BACKGROUND, "fast_deep_shap").values
    found = values_of_the_guide(predictor, tmp_path)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def mixed_depths():
    """A network whose units pass no, one, an own and a shared, and several activations."""
    layers = keras.layers
    genes = keras.Input((GENES,), name="genes")
    straight = layers.Dense(3, name="straight")(genes)
    own = layers.BatchNormalization(name="scaled")(layers.Dense(6, name="own")(genes))
    folds = layers.Reshape((2, 3))(own)
    scaled = layers.EinsumDense("bkd,kd->bkd", (2, 3), bias_axes="kd")(folds)
    one = layers.Reshape((6,))(layers.Activation("elu", name="one")(scaled))
    deep = layers.Dense(5, name="deep")(genes)
    first = layers.Dense(4)(layers.Activation("relu", name="first")(deep))
    second = layers.Activation("tanh", name="second")(first)
    mixed = layers.Dense(4)(layers.Dense(5, name="mixed")(genes))
    third = layers.Activation("relu", name="third")(mixed)
    parts = layers.Concatenate()([straight, own, one, second, third, deep])
    network = keras.Model(genes, layers.Dense(3)(parts))
    moments = network.get_layer("scaled")
    random = np.random.default_rng(3)
    moments.set_weights([random.uniform(0.5, 2, weight.shape) for weight in moments.get_weights()])
    return network


def test_units_are_told_by_the_activations_that_they_pass():
    split = _rule.SplitNetwork(mixed_depths())
    assert _single.single_activations(split) == {"straight": [], "own": ["one"]}


@pytest.mark.parametrize("floats", [1, 3000, 1 << 20])
def test_units_of_few_activations_are_attributed_as_all_others(monkeypatch, floats):
    network, rows, background = mixed_depths(), np.log1p(EXPLAINED.values), np.log1p(BACKGROUND)
    with monkeypatch.context() as patch:
        patch.setattr(fast_deep_shap, "single_activations", lambda split: {})
        reference = FastDeepShap().attribute(network, rows, background)
    for module in (_rule, _single):
        monkeypatch.setattr(module, "BLOCK", floats)
    found = FastDeepShap().attribute(network, rows, background)
    # Activations of nearly equal input differ by processor, as their slope is a quotient.
    assert np.abs(found - reference).max() < 1e-4 * np.abs(reference).max()


@pytest.mark.parametrize("method", ADDITIVE)
@pytest.mark.parametrize("kind", TASKS)
def test_contributions_add_up_to_what_predict_gives(predictors, kind, method):
    predictor = predictors[kind, "mlp"]
    found = explainers.explain(predictor, EXPLAINED, BACKGROUND, method)
    outputs = predictor.outputs(X[:5])
    assert found.values.shape == (5, GENES, 2) and found.method == method
    assert found.base_values == pytest.approx(predictor.outputs(BACKGROUND).mean(0), rel=1e-4)
    expected = outputs - found.base_values
    assert found.values.sum(axis=1) == pytest.approx(
        expected, abs=0.01 * float(np.abs(expected).max())
    )


@pytest.mark.parametrize("method", ADDITIVE)
def test_a_linear_model_has_its_closed_form(predictors, method):
    predictor = predictors["regression", "linear"]
    found = explainers.explain(predictor, EXPLAINED, BACKGROUND, method)
    slopes = predictor.outputs(np.eye(GENES, dtype="float32")) - predictor.outputs(
        np.zeros((1, GENES), "float32")
    )
    expected = (X[:5] - BACKGROUND.mean(0))[:, :, None] * slopes
    assert found.values == pytest.approx(expected, abs=2e-4 * float(np.abs(expected).max()))


def shapley(function, x, background):
    """Exact interventional Shapley values of one row by enumeration, (genes, outputs)."""
    genes = len(x)
    worth = {}
    for size in range(genes + 1):
        for chosen in itertools.combinations(range(genes), size):
            rows = background.copy()
            rows[:, list(chosen)] = x[list(chosen)]
            worth[frozenset(chosen)] = function(rows).mean(0)
    values = []
    for gene in range(genes):
        total = 0.0
        for chosen, value in worth.items():
            if gene not in chosen:
                size = len(chosen)
                weight = math.factorial(size) * math.factorial(genes - size - 1)
                total = total + weight * (worth[chosen | {gene}] - value)
        values.append(total / math.factorial(genes))
    return np.array(values)


@pytest.mark.slow
@pytest.mark.parametrize("method", [FastDeepShap(), Gradient()])
def test_a_trained_network_agrees_with_exact_shapley_values(method):
    random = np.random.default_rng(1)
    x = random.normal(size=(400, 8)).astype("float32")
    y = x @ random.normal(size=(8, 3)) + 0.5 * np.tanh(x[:, :1] * 2)
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(16), keras.layers.Activation("relu"),
         keras.layers.Dense(3)]
    )  # fmt: skip
    network = keras.Model(network.inputs, network.outputs)
    network.compile("adam", "mse")
    network.fit(x, y, epochs=15, verbose=0)
    found = method.attribute(network, x[:6], x[100:120])
    exact = [shapley(lambda rows: np.asarray(network(rows)), row, x[100:120]) for row in x[:6]]
    assert np.corrcoef(found.ravel(), np.ravel(exact))[0, 1] > 0.98


def plain(activation="relu", kernel=None, last=None):
    """A small network of layers that are no family's."""
    genes = keras.Input((6,))
    hidden = keras.layers.Dense(5, name="first")(genes)
    hidden = keras.layers.Activation(activation, name="bend")(hidden)
    outputs = keras.layers.Dense(3)(hidden)
    network = keras.Model(genes, last(outputs) if last else outputs)
    if kernel is not None:
        network.get_layer("first").set_weights([kernel, np.zeros(5)])
    return network


@pytest.mark.parametrize("method", [FastDeepShap(), DeepShap(), Gradient()])
def test_a_dummy_gene_has_no_part_and_equal_genes_have_equal_parts(method):
    random = np.random.default_rng(2)
    kernel = random.normal(size=(6, 5))
    kernel[0], kernel[2] = 0.0, kernel[1]
    rows = random.normal(size=(12, 6)).astype("float32")
    rows[:, 2] = rows[:, 1]
    found = method.attribute(plain(kernel=kernel), rows[:4], rows[4:])
    assert np.array_equal(found[:, 0], np.zeros((4, 3)))
    assert found[:, 1] == pytest.approx(found[:, 2], abs=1e-6) and np.abs(found[:, 1]).max() > 0.01


REFUSED = {
    "softmax": (plain(last=keras.layers.Softmax(name="chances")), r"chances \(Softmax\)"),
    "softmax activation": (plain(last=keras.layers.Activation("softmax")), "activation softmax"),
    "swish": (plain("silu"), r"activation silu \(layer bend\)"),
    "gelu": (plain("gelu"), r"activation gelu \(layer bend\)"),
    "normalisation": (
        plain(last=keras.layers.LayerNormalization(name="norm")),
        r"norm \(LayerNormalization\)",
    ),
    "activation in a dense layer": (
        plain(last=keras.layers.Dense(2, "relu", name="late")),
        r"late \(Dense\)",
    ),
    "product": (plain(last=lambda x: x * x), "operation Multiply"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_layer_without_an_exact_rule_is_named(name):
    network, message = REFUSED[name]
    with pytest.raises(Unexplained, match=message):
        FastDeepShap().attribute(network, X[:2, :6], X[2:5, :6])


# Ensembles and transforms ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", TASKS)
def test_an_ensemble_is_explained_as_one_model(kind):
    predictor = averaged(kind)
    found = explainers.explain(predictor, EXPLAINED, BACKGROUND)
    assert found.method == "fast_deep_shap"
    (branch,) = predictor.branches
    seen = [np.asarray(branch.preprocessing(part)) for part in (X[:5], BACKGROUND)]
    # Parts that a walk does not know would have their slopes at a point, not along the way.
    smooth = Gradient().attribute(branch.network, *seen) * predictor.output_scale[0]
    assert np.corrcoef(smooth.ravel(), found.values.ravel())[0, 1] > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fast_deep_shap", "gradient", "knockout"])
def test_several_transforms_and_chosen_genes_keep_every_gene_at_its_place(method):
    predictor = averaged("classification", ("none", "rank"), top_variable=30)
    assert [branch.transform for branch in predictor.branches] == ["none", "rank"]
    found = explainers.explain(predictor, EXPLAINED, BACKGROUND, method)
    unseen = set(range(GENES)) - {g for branch in predictor.branches for g in branch.kept.tolist()}
    seen = np.abs(found.values).sum(axis=(0, 2)) > 0
    assert unseen and not seen[list(unseen)].any() and seen.sum() >= 30


@pytest.mark.parametrize("family", FAMILIES)
def test_a_knock_out_is_the_loss_of_the_output(predictors, family):
    predictor = predictors["classification", family]
    found = explainers.explain(predictor, EXPLAINED, BACKGROUND, "knockout")
    for gene in (0, 7, 39):
        without = X[:5].copy()
        without[:, gene] = 0.0
        expected = predictor.outputs(X[:5]) - predictor.outputs(without)
        assert found.values[:, gene] == pytest.approx(expected, abs=1e-4)


# What each transform makes of a gene alone, the row's sums kept.
ALONE = {
    "none": lambda x, row: x,
    "log1p": lambda x, row: np.log1p(x),
    "library_log1p": lambda x, row: np.log1p(1e4 * x / row.sum()),
    "relative_log": lambda x, row: np.log10(x / row.sum() + 1e-5),
    "clr": lambda x, row: np.log1p(x) - np.log1p(row).mean(),
}


@pytest.mark.parametrize("part", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("transform", ALONE)
def test_a_knock_down_keeps_all_other_genes(transform, part):
    predictor = fitted("classification", "mlp", data={"transform": transform, "scale": "none"})
    found = explainers.explain(
        predictor, EXPLAINED, BACKGROUND, "knockout", remaining_fraction=part
    )
    (branch,) = predictor.branches
    seen = np.array(branch.preprocessing(X[:5]))
    without = seen.copy()
    without[:, 3] = [ALONE[transform](part * row[3], row) for row in X[:5].astype("float64")]
    change = np.asarray(branch.network(seen)) - np.asarray(branch.network(without))
    assert np.abs(change).max() > 1e-4
    assert found.values[:, 3] == pytest.approx(change * predictor.output_scale[0], abs=1e-4)


def test_a_missing_value_stays_missing_when_it_is_knocked_down():
    predictor = fitted("classification", "mlp", data={"missing": "mean"})
    rows = X[:2].copy()
    rows[0, 3] = np.nan
    given = types.SimpleNamespace(values=rows, samples=["a", "b"])
    found = explainers.explain(predictor, given, BACKGROUND, "knockout")
    known, lacking = np.abs(found.values[1, 3]), np.abs(found.values[0, 3])
    assert lacking.max() == 0 and known.max() > 1e-3


# Failures ----------------------------------------------------------------------------------------


def test_a_failed_explanation_leaves_training_as_it_was():
    predictor = averaged("classification")
    with pytest.raises(InputError, match="deep_shap: shap has no rule for the operation Einsum"):
        explainers.explain(predictor, EXPLAINED, BACKGROUND, "deep_shap")
    network = plain()
    network.compile("adam", "mse")
    network.fit(X[:, :6], X[:, :3], epochs=1, verbose=0)
    assert explainers.explain(predictor, EXPLAINED, BACKGROUND).method == "fast_deep_shap"


def test_an_unknown_method_is_named_with_its_nearest(predictors):
    with pytest.raises(InputError, match="deep_shp.*'deep_shap'"):
        explainers.explain(predictors["classification", "mlp"], EXPLAINED, BACKGROUND, "deep_shp")


def test_auto_takes_the_next_where_a_layer_is_not_known(predictors, monkeypatch):
    monkeypatch.setattr(_rule, "ELEMENTWISE", ())
    predictor = predictors["classification", "mlp"]
    assert explainers.explain(predictor, EXPLAINED, BACKGROUND).method == "deep_shap"


def test_contributions_that_do_not_add_up_are_an_error(predictors, monkeypatch):
    original = FastDeepShap.attribute
    monkeypatch.setattr(FastDeepShap, "attribute", lambda *given: 1.01 * original(*given))
    with pytest.raises(StageError, match="fast_deep_shap does not add up.*every layer .*Dense"):
        explainers.explain(
            predictors["classification", "mlp"], EXPLAINED, BACKGROUND, "fast_deep_shap"
        )


@pytest.mark.parametrize("family", ["linear", "mlp", "resnet"])
@pytest.mark.parametrize("kind", TASKS)
def test_a_nearly_constant_model_is_explained(predictors, kind, family):
    predictor = predictors[kind, family]
    network = predictor.model.get_layer("network")
    kernel, bias, *others = kept = network.get_weights()
    network.set_weights([1e-7 * kernel, bias + 1, *others])
    found = [explainers.explain(predictor, EXPLAINED, BACKGROUND, method) for method in ADDITIVE]
    network.set_weights(kept)
    for own in found:
        assert np.abs(own.values).max() < 1e-4


def test_the_layer_at_which_shap_goes_wrong_is_named():
    swish = plain("silu")
    swish.name = "network"
    predictor = Predictor.assemble(
        [(Transform("none"), FittedScaling.of(Moments.of([X[:, :6]])), swish)],
        Classification(["a", "b", "c"]), NAMES[:6], "error",
    )  # fmt: skip
    rows = types.SimpleNamespace(values=X[:5, :6], samples=list("abcde"))
    expected = r"deep_shap does not add up.*activation silu \(layer bend\) has no exact rule"
    with pytest.raises(StageError, match=expected):
        explainers.explain(predictor, rows, X[20:50, :6], "deep_shap")
    assert explainers.explain(predictor, rows, X[20:50, :6], "gradient").method == "gradient"


@pytest.mark.parametrize("floats", [1, 700, 5000])
def test_memory_is_bounded_and_blocks_change_nothing(predictors, monkeypatch, floats):
    predictor = predictors["classification", "resnet"]
    whole = explainers.explain(predictor, EXPLAINED, BACKGROUND).values
    monkeypatch.setattr(_rule, "BLOCK", floats)
    in_blocks = explainers.explain(predictor, EXPLAINED, BACKGROUND).values
    assert in_blocks == pytest.approx(whole, abs=1e-5)


def test_a_sum_over_an_axis_that_the_kernel_lacks_is_explained():
    def last(outputs):
        summed = keras.layers.EinsumDense("abc,cd->ad", 4)(keras.layers.Reshape((3, 1))(outputs))
        return keras.layers.Dense(2)(keras.layers.Activation("tanh")(summed))

    network, random = plain(last=last), np.random.default_rng(6)
    rows, background = random.normal(size=(2, 4, 6)).astype("float32")
    found = FastDeepShap().attribute(network, rows, background).sum(axis=1)
    assert found == pytest.approx(network(rows) - np.mean(network(background), axis=0), abs=1e-5)


# What comes out ----------------------------------------------------------------------------------


def test_the_table_ranks_genes_by_their_mean_contribution(predictors):
    found = explainers.explain(predictors["classification", "mlp"], EXPLAINED, BACKGROUND)
    table = found.table()
    assert list(table) == ["feature", "rank", "total", "healthy", "tumour"]
    assert list(table["rank"]) == list(range(1, GENES + 1))
    assert table["total"].is_monotonic_decreasing
    first = NAMES.index(table["feature"][0])
    means = np.abs(found.values[:, first]).mean(axis=0)
    assert table.loc[0, ["healthy", "tumour"]].to_numpy(float) == pytest.approx(means, rel=1e-5)


def test_shap_gets_an_explanation_with_base_values(predictors):
    found = explainers.explain(predictors["classification", "mlp"], EXPLAINED, BACKGROUND)
    explanation = found.explanation()
    assert explanation.shape == (5, GENES, 2) and explanation.feature_names == NAMES
    assert explanation.base_values.shape == (5, 2)
    rows = explanation.base_values + explanation.values.sum(axis=1)
    expected = predictors["classification", "mlp"].outputs(X[:5])
    assert rows == pytest.approx(expected, abs=1e-3)


def test_stability_compares_networks():
    frame, jaccard = explainers.stability(list("abcd"), [[4, 3, 2, 1], [4, 1, 3, 2]], top=2)
    assert list(frame["feature"]) == ["a", "c", "b", "d"]
    assert list(frame["mean"]) == [4, 2.5, 2, 1.5]
    assert list(frame["sd"]) == pytest.approx([0, 0.5**0.5, 2**0.5, 0.5**0.5])
    assert list(frame["rank_low"]) == [1, 2, 2, 3] and list(frame["rank_high"]) == [1, 3, 4, 4]
    assert list(frame["in_top"]) == [1.0, 0.5, 0.5, 0.0]
    assert jaccard == pytest.approx(1 / 3)


def test_effects_have_a_sign_and_an_interval():
    values = np.zeros((4, 3, 1), "float32")
    values[:, 1, 0], values[:, 2, 0] = [-3, -1, -3, -1], [1, -1, 1, 1]
    found = explainers.Attributions(
        values, np.zeros(1), values[..., 0], list("stuv"), list("abc"), ["y"], "m"
    )
    frame = found.effects(top=2)
    assert list(frame["feature"]) == ["b", "c"] and list(frame["rank"]) == [1, 2]
    assert list(frame["mean"]) == [-2, 0.5] and list(frame["positive"]) == [0, 0.75]
    low, high = scipy.stats.t.interval(0.95, 3, loc=-2, scale=scipy.stats.sem([-3, -1, -3, -1]))
    assert frame.loc[0, ["low", "high"]].tolist() == pytest.approx([low, high])


def test_the_networks_of_an_ensemble_add_up_to_it():
    predictor = averaged("regression", ("none", "rank"))
    everyone = explainers.networks(predictor, 100)
    members = len([family for family in FAMILIES if family != "wired"])
    assert len(everyone) == members * len(THIRDS)
    # All trials have the same share here, and every network of a trial the same part of it.
    mean = np.mean([one.outputs(X[:5]) for one in everyone], axis=0)
    scale, offset = predictor.output_scale
    assert mean * scale + offset == pytest.approx(predictor.outputs(X[:5]), abs=1e-3)
    few = explainers.networks(predictor, members)
    outputs = [one.outputs(X[:5]) for one in few]
    assert len(few) == members
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3
    found = explainers.explain(few[1], EXPLAINED, BACKGROUND, "fast_deep_shap")
    assert found.values.sum(axis=1) == pytest.approx(
        outputs[1] - few[1].outputs(BACKGROUND).mean(axis=0), abs=1e-3
    )
    assert explainers.networks(fitted("regression", "mlp"), 5) == []


def test_shap_explains_the_linear_networks_of_an_ensemble():
    everyone = explainers.networks(averaged("regression"), 100)
    kinds = [[type(layer) for layer in one.branches[0].network.layers] for one in everyone]
    linear = [
        one for one, own in zip(everyone, kinds, strict=True) if keras.layers.EinsumDense not in own
    ]
    assert len(linear) == len(THIRDS)
    fast, reference = (
        explainers.explain(linear[0], EXPLAINED, BACKGROUND, method).values
        for method in ("fast_deep_shap", "deep_shap")
    )
    assert np.abs(fast - reference).max() < 1e-4 * np.abs(reference).max()


def test_a_network_of_other_weights_has_other_attributions(predictors):
    (branch,) = predictors["classification", "mlp"].branches
    seen, reference = np.array(branch.seen(X[:20])), np.array(branch.seen(BACKGROUND))
    fresh = keras.models.clone_model(branch.network)
    one, other = (
        explainers.totals(FastDeepShap().attribute(network, seen, reference))
        for network in (branch.network, fresh)
    )
    assert abs(scipy.stats.spearmanr(one, other).statistic) < 0.5


def test_knockout_is_of_one_network(predictors):
    (branch,) = predictors["regression", "mlp"].branches
    seen = np.array(branch.preprocessing(X[:2]))
    found = Knockout().attribute(branch.network, seen, seen[[0, 0]])
    assert found[0] == pytest.approx(0.0, abs=1e-6) and np.abs(found[1]).max() > 1e-3
