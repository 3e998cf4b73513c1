"""Epistatic regularisation: what is refused, what it does to networks, and what explains them."""

import itertools
import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import test_walsh_hadamard
from folds import cross_validation
from sklearn.linear_model import LassoCV

import autogenome_tf as ag
from autogenome_tf import cli, explainers, metrics
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.nn import walsh_hadamard
from autogenome_tf.nn.epistatic_penalty import complexity
from autogenome_tf.simulation import landscape
from autogenome_tf.tasks import Regression
from autogenome_tf.training import Configuration, Plan, Trial
from autogenome_tf.training._engines import Objective

SITES = 6
X = walsh_hadamard.genotypes(SITES)
RANDOM = np.random.default_rng(0)
PLAIN = {"dropout": 0.0, "input_dropout": 0.0, "l2": 0.0, "normalization": "none"}
SMALL = PLAIN | {"layers": 1, "units": 16, "activation": "relu", "spectral_power": 0.0}
SPARSE = test_walsh_hadamard.demo(test_walsh_hadamard.SPARSE)
NAMES = [f"s{site}" for site in range(SITES)]


def ready(splits, truth=SPARSE, rows=X, epistasis=None, **changes):
    """`NetworkCrossValidation` of all genotypes of six sites."""
    changes["training"] = {"epistasis": epistasis} | changes.get("training", {})
    changes["data"] = {"transform": "auto"} | changes.get("data", {})
    truth = np.asarray(truth, "float32").reshape(len(rows), -1)
    task = Regression([f"y{k}" for k in range(truth.shape[1])])
    return cross_validation(rows, truth, task, splits, **changes)


def some(count, seed):
    """So many of the genotypes to learn from, and none to judge by."""
    drawn = np.random.default_rng(seed).permutation(len(X))
    return np.sort(drawn[:count]), np.zeros(0, int)


def outputs(folds, fit, replica=0, values=SMALL):
    """What a fitted network makes of all genotypes."""
    return folds.final_model(Configuration("mlp", values), fit, 1.0, replica).outputs(X)


PLAN = Plan(30, learning_rate=0.01)


# Training --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["exact", "hashed"])
def test_stronger_penalties_leave_simpler_networks(method):
    splits, found = [some(32, 1)], []
    for strength in (0.0, 0.1, 1.0):
        folds = ready(splits, epistasis={"method": method, "strength": strength, "bits": 4})
        values = SMALL | {"epistasis": strength}
        fit = folds.fit(Configuration("mlp", values), PLAN, 1, repeats=1)
        found.append(float(complexity(outputs(folds, fit)[None])[0]))
    assert found[0] > 1.02 * found[1] and found[1] > 1.3 * found[2]
    assert method == "hashed" or found[2] < 0.2 * found[0]


def test_the_step_adds_the_gradient_of_the_penalty():
    """With targets that are met already, plain descent follows the penalty alone."""
    import tensorflow as tf

    splits = [(np.arange(64), np.zeros(0, int))] * 2
    options = {"training": {"optimizer": "sgd", "batch_size": 64}, "data": {"scale": "none"}}
    strength, rate = 0.5, 0.1
    values = SMALL | {"epistasis": strength}
    folds = ready(splits, epistasis={"strength": strength}, **options)
    networks = [folds.network(Configuration("mlp", values), seed) for seed in (1, 2)]
    with folds._engine(folds.rows(Configuration("mlp", values)), networks, "sgd") as engine:
        engine.begin(networks, 1, objective=Objective(epistasis=strength))
        batch = np.tile(np.arange(64, dtype="int32"), (1, engine.count, 1))
        engine.epoch(batch, np.array([rate], "float32"), is_validated=False)
    for replica in range(engine.count):
        network = networks[replica // 2]
        with tf.GradientTape() as tape:
            found = network(X)
            loss = tf.reduce_mean((found - SPARSE[:, None]) ** 2)
            loss += strength * complexity(found[None])[0]
        gradients = tape.gradient(loss, network.trainable_weights)
        for stack, weight, gradient in zip(
            engine.weights(), network.get_weights(), gradients, strict=True
        ):
            np.testing.assert_allclose(stack[replica], weight - rate * gradient, atol=2e-5)


def test_without_strength_nothing_is_computed_and_nothing_changes():
    splits = [some(32, 1)]
    plain, absent = ready(splits), ready(splits, epistasis={"strength": [0.0, 0.1]})
    assert absent.rows(Configuration("mlp", SMALL | {"epistasis": 0.0})).genotypes is None
    one = plain.fit(Configuration("mlp", SMALL), PLAN, 1, repeats=1)
    other = absent.fit(Configuration("mlp", SMALL | {"epistasis": 0.0}), PLAN, 1, repeats=1)
    for left, right in zip(one.weights, other.weights, strict=True):
        assert np.array_equal(left, right)


def test_strengths_and_other_scaled_genotypes_share_a_step(steps):
    epistasis = {"strength": [0.1, 0.2]}
    for strength, seed in itertools.product((0.1, 0.2), (1, 2)):
        folds = ready([some(32, seed)], epistasis=epistasis)
        folds.fit(Configuration("mlp", SMALL | {"epistasis": strength}), Plan(1), 1, repeats=1)
    found = folds.fit(Configuration("mlp", SMALL | {"epistasis": 0.2}), PLAN, 1, repeats=1)
    (engine,) = steps
    steps.clear()
    fresh = folds.fit(Configuration("mlp", SMALL | {"epistasis": 0.2}), PLAN, 1, repeats=1)
    for one, other in zip(found.weights, fresh.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert engine._train_epoch.experimental_get_tracing_count() == 1


def test_strengths_are_a_dimension_of_every_family_of_networks():
    config = {"name": "t", "data": {"features": "x"}, "task": {"type": "regression"}}
    spaces = ag.families.spaces(Config.of(config | {"training": {"epistasis": {}}}))
    for name, space in spaces.items():
        assert ("epistasis" in space) == (name not in ("linear", "forest"))
    assert set(spaces["mlp"]["epistasis"].options) == {0.003, 0.01, 0.03, 0.1, 0.3}
    one = Config.of(config | {"training": {"epistasis": {"strength": 0.2}}})
    assert ag.families.spaces(one)["mlp"]["epistasis"].options == (0.2,)


def test_genotypes_stay_as_they_are_and_networks_see_sites():
    many = np.eye(8, 40, dtype="float32")  # more sites than rows, every row of the same sum
    folds = ready([(np.arange(8), np.zeros(0, int))], np.arange(8), many, {"strength": 0.1})
    assert folds.space == "genes" and folds.transforms["auto"].name == "none"
    assert not folds.rows(Configuration("mlp", SMALL | {"epistasis": 0.1})).genotypes.is_exact
    folds.fit(Configuration("mlp", SMALL | {"epistasis": 0.1}), Plan(1), 1, repeats=1)


def test_streamed_rows_are_penalised_alike():
    splits = [(np.arange(48), np.arange(48, 64))]
    values = SMALL | {"epistasis": 0.1}
    fits = []
    for memory in (1.0, 1e-7):
        changes = {"data": {"memory": memory}, "search": {"repeats": 1}}
        folds = ready(splits, epistasis={"strength": 0.1}, **changes)
        assert folds.is_streamed == (memory < 1)
        fits.append(folds.fit(Configuration("mlp", values), PLAN, 1))
    for left, right in zip(*(fit.weights for fit in fits), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-4)


@pytest.mark.parametrize(("terms", "least"), [("SPARSE", 0.72), ("DENSE", 0.68)])
def test_plain_networks_learn_the_demonstration(terms, least):
    """A quarter of the genotypes, ten splits; with targets spread over a batch it would be 0.3."""
    truth = test_walsh_hadamard.demo(getattr(test_walsh_hadamard, terms))
    splits = [some(16, seed) for seed in range(10)]
    values = PLAIN | {"layers": 4, "units": 64, "units_2": 48, "units_3": 32, "units_4": 16}
    folds = ready(splits, (truth - truth.mean()) / truth.std(), data={"scale": "none"},
                  training={"batch_size": 6, "optimizer": "rmsprop"})  # fmt: skip
    fit = folds.fit(
        Configuration("mlp", values), Plan(50, 6, "rmsprop", learning_rate=1e-3), 1, repeats=1
    )
    scores = []
    for replica, (train, _) in enumerate(splits):
        test = np.setdiff1d(np.arange(64), train)
        found = outputs(folds, fit, replica, values)[test, 0]
        scores.append(np.corrcoef(found, truth[test])[0, 1])
    assert np.mean(scores) > least


def test_losses_are_of_rows_not_of_all_pairs_of_rows():
    task, truth = Regression(["y"]), np.array([1.0, 2.0, 4.0], "float32")
    for shape in ((3,), (3, 1)):
        losses = np.asarray(task.row_losses(truth.reshape(shape), np.zeros((3, 1), "float32")))
        assert losses.tolist() == [1, 4, 16]


def test_few_products_are_learned_from_few_genotypes():
    drawn = landscape.draw(samples=256, features=8, terms=5, order=3, noise=0.1, seed=3)
    train, test = np.arange(120), np.arange(120, 256)
    splits = [(train[train % 4 != k], train[train % 4 == k]) for k in range(4)]
    truth = (drawn.target - drawn.target[train].mean()) / drawn.target[train].std()
    found = {}
    for strength in (0.0, 0.03):
        folds = ready(splits, truth[train], drawn.values[train], {"strength": 0.03})
        values = SMALL | {"layers": 2, "activation": "elu", "epistasis": strength}
        fit = folds.fit(
            Configuration("mlp", values), Plan(60, learning_rate=0.01, patience=60), 1, repeats=1
        )
        held = folds.judge(Trial(1, "mlp", values), fit).outputs[:, 0]
        told = [folds.final_model(Configuration("mlp", values), fit, 1.0, k) for k in range(4)]
        mean = np.mean([one.outputs(drawn.values[test])[:, 0] for one in told], axis=0)
        found[strength] = [np.corrcoef(held, truth[train])[0, 1] ** 2]
        found[strength] += [np.corrcoef(mean, truth[test])[0, 1] ** 2]
    assert found[0.03][1] > 0.9 and found[0.03][1] > found[0.0][1] + 0.05
    products = walsh_hadamard.characters(drawn.values, walsh_hadamard.subsets(8, 3)).astype(
        "float64"
    )
    lasso = LassoCV(cv=4).fit(products[train], truth[train]).score(products[test], truth[test])
    assert lasso > 0.95  # there is something to learn


# A measured landscape ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def protein(shared):
    """All genotypes of 13 sites of a fluorescent protein, and their brightness."""
    folder = shared / "poelwijk_fluorescence"
    frame = pd.read_csv(folder / "features.tsv.gz", sep="\t", index_col=0)
    target = pd.read_csv(folder / "target.tsv", sep="\t", index_col=0)["target"]
    return frame, target.loc[frame.index].to_numpy()


def test_a_measured_landscape_has_its_known_spectrum(protein):
    frame, target = protein
    values = np.empty(len(target))
    values[test_walsh_hadamard.numbers(frame)] = target
    found = walsh_hadamard.coefficients(values).numpy()
    shares = walsh_hadamard.variances(found) / walsh_hadamard.variances(found).sum()
    assert shares[:5] == pytest.approx([0.137, 0.736, 0.064, 0.036, 0.013], abs=6e-4)
    largest = np.sort(found[1:] ** 2)[::-1] / (found[1:] ** 2).sum()
    assert [largest[:k].sum() for k in (5, 20)] == pytest.approx([0.833, 0.911], abs=6e-4)


@pytest.mark.slow
def test_a_measured_landscape_is_learned_from_120_genotypes(protein):
    frame, target = protein
    drawn = np.random.default_rng(0).permutation(len(frame))
    train, test = drawn[:120], drawn[120:]
    splits = [(np.flatnonzero(np.arange(120) % 5 != k), np.arange(k, 120, 5)) for k in range(5)]
    rows = frame.to_numpy("float32")
    truth = (target - target[train].mean()) / target[train].std()
    values = SMALL | {"layers": 2, "activation": "elu"}
    plan, found = Plan(150, learning_rate=0.01, patience=25), {}
    for strength in (0.0, 0.03):
        folds = ready(splits, truth[train], rows[train], {"strength": 0.03})
        fit = folds.fit(Configuration("mlp", values | {"epistasis": strength}), plan, 1, repeats=1)
        told = [
            folds.final_model(Configuration("mlp", values), fit, 1.0, k).outputs(rows[test])
            for k in range(5)
        ]
        found[strength] = metrics.regression(truth[test][:, None], np.mean(told, axis=0))["r2"][0]
    products = walsh_hadamard.characters(rows, walsh_hadamard.subsets(13, 2)).astype("float64")
    lasso = LassoCV(cv=5).fit(products[train], truth[train]).score(products[test], truth[test])
    assert found[0.03] > found[0.0] + 0.1
    assert found[0.03] > lasso - 0.05 > 0.7


# Refusals ----------------------------------------------------------------------------------------


def automl_of(tmp_path, rows, epistasis=None, **changes):
    """An `AutoGenome` on rows from memory."""
    config = {
        "name": "t",
        "output_dir": str(tmp_path),
        "task": {"type": "regression"},
        "families": {"mlp": SMALL},
        "search": {"max_trials": 2, "epochs": 2, "folds": 3, "repeats": 1},
        "training": {"epochs": 2, "epistasis": epistasis},
        "output": {"figures": False},
    }
    target = np.linspace(0, 1, rows.shape[0]) ** 2
    return ag.AutoGenome(config | changes, data=(rows, target))


@pytest.mark.parametrize("kind", ["array", "sparse"])
@pytest.mark.parametrize("value", [0.5, 2.0, -1.0, np.nan])
def test_a_value_other_than_0_and_1_is_named(tmp_path, kind, value):
    rows = X.copy()
    rows[40, 3] = value
    frame = pd.DataFrame(rows, [f"r{k}" for k in range(64)], NAMES)
    if kind == "sparse":
        frame = pd.DataFrame.sparse.from_spmatrix(scipy.sparse.csr_matrix(rows), frame.index, NAMES)
    automl = automl_of(tmp_path, frame, {}, data={"missing": "mean"})
    with pytest.raises(InputError, match=f"'r40', site 's3': received {value:g}; epistasis needs"):
        automl.train()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": {"type": "classification"}}, "expected task.type regression; received 'class"),
        ({"task": {"type": "representation"}}, "expected task.type regression; received 'repr"),
        (
            {"search": {"method": "enas"}, "families": {"wired": {}}},
            "expected search.method .*random.*; received 'enas'",
        ),
        ({"data": {"features": "x", "transform": "log1p"}}, "data.transform none; received log1p"),
        ({"training": {"epistasis": {}, "space": "rows"}}, "training: space: .* received 'rows'"),
        ({"training": {"epistasis": {"strength": -1}}}, "training.epistasis.strength: .*-1"),
        ({"training": {"epistasis": {"strength": []}}}, "training.epistasis.strength: "),
        ({"training": {"epistasis": {"bits": 0}}}, "training.epistasis.bits: "),
        ({"training": {"epistasis": {"method": "all"}}}, 'training.epistasis.method: .*"all"'),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(changes, message):
    given = {
        "name": "t",
        "data": {"features": "x"},
        "task": {"type": "regression"},
        "training": {"epistasis": {}},
    }
    with pytest.raises(InputError, match=message):
        Config.of(given | changes)


def test_too_many_genotypes_are_refused(tmp_path):
    rows = RANDOM.integers(0, 2, (30, 25)).astype("float32")
    with pytest.raises(InputError, match=r"exact takes all 2\^25 genotypes .*more than 16 sites"):
        automl_of(tmp_path, rows, {"method": "exact", "strength": 0.1}).train()


# Explanation -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An ensemble on 40 genotypes, explained."""
    folder = tmp_path_factory.mktemp("epistasis")
    drawn = landscape.draw(samples=50, features=SITES, terms=3, noise=0.0)
    frame = pd.DataFrame(drawn.values, drawn.samples, drawn.features)
    automl = automl_of(
        folder, frame, {"strength": [0.1, 0.01]}, ensemble={"size": 2},
        explanation={"method": "epistasis", "repeats": 2},
    )  # fmt: skip
    automl._session.given = frame, np.c_[drawn.target, 10 - drawn.target]
    automl.train()
    automl.explain()
    return automl


def table(automl, name):
    return pd.read_csv(automl.folder / name, sep="\t", keep_default_na=False)


def test_the_leaderboard_tells_the_strength(trained):
    told = [json.loads(text) for text in table(trained, "leaderboard.tsv")["hyperparameters"]]
    assert {one.get("epistasis") for one in told} == {0.1, 0.01, None}


def shapley(function, x):
    """Exact Shapley values of one genotype against all, (sites, outputs), by enumeration."""
    sites, everyone = len(x), walsh_hadamard.genotypes(len(x))
    worth = {}
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(range(sites), size) for size in range(sites + 1)
    ):
        rows = everyone.copy()
        rows[:, list(chosen)] = x[list(chosen)]
        worth[frozenset(chosen)] = function(rows).mean(axis=0, dtype="float64")
    values = []
    for site in range(sites):
        without = [chosen for chosen in worth if site not in chosen]
        sizes = [math.factorial(len(c)) * math.factorial(sites - len(c) - 1) for c in without]
        gains = [worth[chosen | {site}] - worth[chosen] for chosen in without]
        values.append(np.tensordot(sizes, gains, 1) / math.factorial(sites))
    return np.array(values)


def test_attributions_are_exact_shapley_values(trained):
    predictor = trained._session.model()
    with np.load(trained.folder / "attributions.npz") as found:
        base = predictor.outputs(X).mean(axis=0)
        np.testing.assert_allclose(found["base_values"], base, rtol=1e-5)
        assert found["method"] == "epistasis" and np.abs(found["values"]).max() > 0.01
        known = predictor.outputs(X)
        for x, values in zip(found["data"], found["values"], strict=True):
            exact = shapley(lambda rows: known[test_walsh_hadamard.numbers(rows)], x)
            np.testing.assert_allclose(values, exact, atol=2e-5)


def test_coefficients_make_the_model_again(trained):
    frame, predictor = table(trained, "epistasis.tsv"), trained._session.model()
    assert list(frame) == ["output", "order", "sites", "coefficient", "share"]
    names = trained._session.model().features
    expected = predictor.outputs(X)
    for place, (_, own) in enumerate(frame.groupby("output", sort=False)):
        assert len(own) == 63 and own["share"].sum() == pytest.approx(1, rel=1e-6)
        assert own["coefficient"].abs().is_monotonic_decreasing
        sets = [[names.index(name) for name in sites.split(" x ")] for sites in own["sites"]]
        assert [len(one) for one in sets] == own["order"].tolist()
        found = walsh_hadamard.characters(X, sets) @ own["coefficient"].to_numpy()
        mean = expected[:, place].mean()
        np.testing.assert_allclose(found + mean, expected[:, place], atol=1e-4)
        orders = table(trained, "epistasis_orders.tsv")
        orders = orders[orders["output"] == own["output"].iloc[0]].set_index("order")
        variance = (own["coefficient"] ** 2).groupby(own["order"]).sum()
        np.testing.assert_allclose(orders["variance"], variance.sort_index(), rtol=1e-5)
        assert orders["variance"].sum() == pytest.approx(expected[:, place].var(), rel=1e-4)


def test_the_page_and_the_figure_show_orders(trained, tmp_path):
    copy = ag.load(shutil.copytree(trained.folder, tmp_path / "copy"))
    page = copy.report().read_text()
    assert "Epistasis" in page and "share of variance" in page and "all genotypes" in page
    bars = ag.plots.variance_by_order(copy).axes[0].patches
    shares = table(copy, "epistasis_orders.tsv")["share"]
    assert [bar.get_height() for bar in bars] == pytest.approx(shares.tolist())
    copy.explain("fast_deep_shap")
    assert not (copy.folder / "epistasis.tsv").exists()
    assert "Epistasis" not in copy.report().read_text()


def test_sites_that_no_network_sees_are_left_out(tmp_path):
    rows = RANDOM.integers(0, 2, (60, 30)).astype("float32")
    automl = automl_of(tmp_path, rows, data={"top_variable": 5}, search={"folds": 1, "epochs": 1})
    automl.train()
    automl.explain("epistasis")
    assert table(automl, "epistasis.tsv")["order"].max() == 5
    with np.load(automl.folder / "attributions.npz") as found:
        assert (np.abs(found["values"]).max(axis=(0, 2)) > 0).sum() <= 5


def test_rows_that_are_no_genotypes_and_too_many_sites_are_refused(tmp_path):
    rows = RANDOM.integers(0, 2, (60, 30)).astype("float32")
    automl = automl_of(tmp_path, rows, families={"linear": {}})
    automl.train()
    with pytest.raises(InputError, match="at most 20 sites; received 30; see data.top_variable"):
        automl.explain("epistasis")
    other = automl_of(tmp_path / "other", rows + 0.5, families={"linear": {}})
    other.train()
    with pytest.raises(InputError, match="explanation.method: sample .* received [01].5; epi"):
        other.explain("epistasis")


def test_a_transform_of_whole_rows_is_refused():
    from autogenome_tf.explainers.epistasis import Epistasis

    folds = ready([some(32, 1)])
    fit = folds.fit(Configuration("mlp", SMALL), Plan(1), 1, repeats=1)
    network = folds.final_model(Configuration("mlp", SMALL), fit, 1.0).branches[0].network
    shares = X / np.maximum(X.sum(axis=1, keepdims=True), 1)
    with pytest.raises(explainers.Unexplained, match="a transform of each value on its own"):
        Epistasis().attribute(network, shares[:3], shares)


# The simulator -----------------------------------------------------------------------------------


def test_a_landscape_is_the_sum_of_its_terms():
    drawn = landscape.draw(samples=200, features=9, terms=7, order=4, noise=0.0, seed=5)
    assert len(set(drawn.samples)) == 200 and set(np.unique(drawn.values)) == {0, 1}
    assert drawn.truth["order"].tolist()[:4] == [1, 2, 3, 4]
    sets = [[drawn.features.index(s) for s in sites.split(" x ")] for sites in drawn.truth["sites"]]
    assert len(set(map(tuple, sets))) == 7
    sizes = drawn.truth["coefficient"].to_numpy()
    np.testing.assert_allclose(walsh_hadamard.characters(drawn.values, sets) @ sizes, drawn.target)
    assert (sizes**2).sum() == pytest.approx(1)
    noisy = landscape.draw(samples=512, features=9, terms=7, order=4, noise=0.5, seed=5)
    clean = landscape.draw(samples=512, features=9, terms=7, order=4, noise=0.0, seed=5)
    assert (noisy.target - clean.target).std() == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"samples": 17, "features": 4}, "samples must be at most 16"),
        ({"features": 63}, "features must be at most 62"),
        ({"terms": 7, "features": 3}, "terms must be at most 6"),
        ({"order": 4, "features": 3}, "order must be at most 3"),
        ({"noise": -1.0}, "noise must be a number, at least 0; received -1.0"),
        ({"terms": 2.5}, "terms must be an integer, at least 1"),
    ],
)
def test_landscapes_that_cannot_be_drawn_are_refused(wrong, message):
    with pytest.raises(InputError, match=f"simulate: {message}"):
        landscape.draw(**{"samples": 8, "terms": 3, "order": 2} | wrong)


@pytest.mark.slow
def test_a_simulated_landscape_runs(tmp_path, capsys):
    folder = tmp_path / "demo"
    given = ["--landscape", "--samples", "60", "--features", "6", "--terms", "4"]
    assert cli.main(["simulate", str(folder), *given]) == 0
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["parameters"]["features"] == 6 and len(truth["terms"]) == 4
    assert len(pd.read_csv(folder / "truth.tsv", sep="\t")) == 4
    short = ["search.max_trials=1", "search.epochs=1", "ensemble.size=1", "training.epochs=1"]
    config = Config.load(folder / "config.json", short)
    automl = ag.AutoGenome(config.model_copy(update={"output_dir": str(tmp_path)}))
    automl.train()
    automl.explain()
    assert (automl.folder / "epistasis.tsv").is_file()
    assert cli.main(["simulate", str(tmp_path / "x"), "--landscape", "--classes", "3"]) == 2
    assert "--classes is not an option of genotypes" in capsys.readouterr().err
    assert cli.main(["simulate", str(tmp_path / "x"), "--order", "3"]) == 2
    assert "--order is not an option of an expression matrix" in capsys.readouterr().err
