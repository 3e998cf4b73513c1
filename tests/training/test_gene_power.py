"""Contract of gene power: weights from each fold's training rows, folded into one kernel."""

import numpy as np
import pytest
import scipy.sparse
from folds import cross_validation, thirds
from needed import network_families
from sklearn.linear_model import LogisticRegression

from autogenome_tf import families
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.preprocessing import gene_weights
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Plan
from autogenome_tf.training._fold_inputs import FoldInputs

ROWS, GENES = 60, 90
RANDOM = np.random.default_rng(0)
X = RANDOM.gamma(2.0, 3.0, size=(ROWS, GENES)).astype("float32")
X[:, 7] = 2.0
Y = (X[:, :4].sum(1) > np.median(X[:, :4].sum(1))).astype("int32")
VALUES = ((X[:, :2] - 6) / 4).astype("float32")
GAPS = np.where(np.arange(ROWS)[:, None] % 7 == [1, 3], np.nan, VALUES).astype("float32")
TASK = Classification(["healthy", "tumour"], class_weight="balanced")
SPLITS = thirds(ROWS)
SMALL = {"layers": 1, "units": 8, "dropout": 0.2, "input_dropout": 0.1, "normalization": "batch"}
PLAN = Plan(3, learning_rate=0.01)
TINY = 1e-7  # GiB


def in_folds(matrix=X, targets=Y, task=TASK, splits=SPLITS, **changes):
    """Return the `NetworkCrossValidation` of some rows."""
    return cross_validation(matrix, targets, task, splits, **changes)


def unfolded(folds, family, values, fit, matrix=X):
    """Return the outputs of each fold's network for all rows, from genes weighed by hand."""
    inputs, found = folds.fold_inputs(Configuration(family, values)), []
    power = values.get("spectral_power", 0.0)
    for fold, constants in enumerate(inputs.constants):
        genes = constants.apply(matrix)
        train = folds.splits[fold][0]
        own = folds.task.gene_statistics([(train, genes[train])], folds.targets, folds.weights)
        weights = gene_weights(own, values["gene_power"])
        seen = inputs.coordinates[fold].powered(power).coordinates(genes * weights)
        seen = np.pad(seen, ((0, 0), (0, inputs.width - seen.shape[1])))
        network = folds.network(Configuration(family, values))
        network.set_weights(fit.replica(fold))
        found.append(np.asarray(network(seen)))
    return found


CASES = {
    "rows": ("mlp", SMALL, {"training": {"space": "rows"}}),
    "power": ("mlp", SMALL | {"spectral_power": 0.5}, {"training": {"space": "rows"}}),
    "genes": ("mlp", SMALL, {"training": {"space": "genes"}}),
    "gates": ("mlp", SMALL | {"gates": True, "gate_l1": 0.01}, {}),
    "top": ("resnet", {"n_blocks": 1, "width": 8}, {
        "data": {"features": "x.tsv", "transform": "none", "top_variable": 30}}),
    "rank": ("densenet", {"block_config": [1], "growth_rate": 4}, {
        "data": {"features": "x.tsv", "transform": "rank"}}),
    "wired": ("wired", {"layers": 2, "max_width": 8, "width_2": 4}, {}),
    "linear": ("linear", {"l2": 0.1}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_folded_model_equals_the_network_on_weighed_genes(case):
    family, values, changes = CASES[case]
    folds, values = in_folds(**changes), values | {"gene_power": 2.0}
    fit = folds.fit(Configuration(family, values), PLAN, 1)
    for fold, expected in enumerate(unfolded(folds, family, values, fit)):
        model = folds.final_model(Configuration(family, values), fit, 1.0, fold)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(model.outputs(X) / scale, expected / scale, atol=1e-5)
        validation = folds.splits[fold][1]
        if family == "linear":
            np.testing.assert_allclose(expected[validation], fit.validation[fold], atol=1e-4)


@pytest.mark.parametrize("targets", [VALUES, GAPS], ids=["whole", "gaps"])
def test_several_targets_are_weighed_together(targets):
    task = Regression(["a", "b"], mean=np.zeros(2), scale=np.ones(2), has_gaps=True)
    folds, values = in_folds(targets=targets, task=task), {"l2": 0.1, "gene_power": 1.0}
    fit = folds.fit(Configuration("linear", values), PLAN, 1)
    for fold, expected in enumerate(unfolded(folds, "linear", values, fit)):
        outputs = folds.final_model(Configuration("linear", values), fit, 1.0, fold).outputs(X)
        np.testing.assert_allclose(outputs, expected, atol=1e-5)
    weights = folds.fold_inputs(Configuration("linear", values)).gene_weights[0]
    assert set(np.argsort(weights)[-2:]) == {0, 1} and weights[7] == 0
    assert np.mean(weights.astype("float64") ** 2) == pytest.approx(1.0)


@pytest.mark.parametrize("space", ["rows", "genes"])
@pytest.mark.parametrize("family", ["mlp", "linear"])
def test_gene_power_0_is_the_model_without_it(family, space):
    values = SMALL if family == "mlp" else {"l2": 0.1}
    without = in_folds(training={"space": space}).fit(Configuration(family, values), PLAN, 1)
    folds = in_folds(training={"space": space})
    folds.fit(
        Configuration(family, values | {"gene_power": 1.0}), PLAN, 1
    )  # used before by another
    found = folds.fit(Configuration(family, values | {"gene_power": 0.0}), PLAN, 1)
    for one, other in zip(found.weights, without.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("changes", [{"training": {"space": "rows"}}, {"families": {"mlp": {}}}])
def test_gene_powers_share_one_trace_and_train_like_a_new_step(changes, steps):
    folds, values = in_folds(**changes), SMALL | {"gene_power": 1.0}
    alone = in_folds(**changes).fit(Configuration("mlp", values), PLAN, 1)
    steps.clear()
    for power in (0.0, 0.5, 2.0):
        folds.fit(Configuration("mlp", SMALL | {"gene_power": power}), PLAN, 1)
    found = folds.fit(Configuration("mlp", values), PLAN, 1)
    for one, other in zip(found.weights, alone.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    (engine,) = steps
    assert engine._train_epoch.experimental_get_tracing_count() == 1


def test_genes_that_are_not_rotated_are_weighed_without_a_copy():
    folds = in_folds(training={"space": "genes"})
    plain, weighed = (
        folds.fold_inputs(Configuration("mlp", {"gene_power": p})) for p in (0.0, 1.0)
    )
    assert weighed.rows is plain.rows and weighed.factors(0.0).shape == (3, GENES)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "sparse"])
def test_streamed_rows_learn_what_rows_in_memory_do(form, monkeypatch):
    values = SMALL | {"dropout": 0.0, "input_dropout": 0.0, "gene_power": 1.0}
    data = {"features": "x.tsv", "transform": "none", "memory": TINY}
    monkeypatch.setattr("autogenome_tf.core.chunked.VALUES", 16 * X.shape[1])
    streamed = in_folds(form(X), splits=SPLITS[:1], data=data)
    within = in_folds(splits=SPLITS[:1], training={"space": "genes"})
    assert streamed.is_streamed and not within.is_streamed
    fits = [folds.fit(Configuration("mlp", values), PLAN, 1) for folds in (streamed, within)]
    np.testing.assert_allclose(fits[0].validation[0], fits[1].validation[0], atol=1e-4)
    outputs = streamed.final_model(Configuration("mlp", values), fits[0], 1.0).outputs(
        X[SPLITS[0][1]]
    )
    np.testing.assert_allclose(outputs, fits[0].validation[0], atol=1e-4)


def test_other_targets_weigh_genes_anew(steps):
    values, others = (
        {"l2": 0.1, "gene_power": 2.0},
        (X[:, 50] > np.median(X[:, 50])).astype("int32"),
    )
    folds = in_folds()
    first = folds.fit(Configuration("linear", values), PLAN, 1)
    found = folds.with_targets(others).fit(Configuration("linear", values), PLAN, 1)
    assert len(steps) == 1
    steps.clear()
    fresh = in_folds(targets=others).fit(Configuration("linear", values), PLAN, 1)
    np.testing.assert_allclose(found.weights[0], fresh.weights[0], atol=1e-5)
    again = folds.fit(Configuration("linear", values), PLAN, 1)
    np.testing.assert_allclose(again.weights[0], first.weights[0], atol=1e-5)


def test_genotypes_of_the_penalty_are_weighed_as_rows_are():
    sites = (RANDOM.random((ROWS, 6)) > 0.5).astype("float32")
    task = Regression(["a"], mean=np.zeros(1), scale=np.ones(1))
    epistasis = {"epistasis": {"strength": 0.1}}
    folds = in_folds(sites, sites[:, :1] * 2 - 1, task, training=epistasis)
    values = SMALL | {"gene_power": 1.0, "epistasis": 0.1}
    asked, inputs = (
        folds.settings.training.epistasis,
        folds.fold_inputs(Configuration("mlp", values)),
    )
    seen = inputs.genotypes(asked).ends[1, :, 0]
    plain = folds.fold_inputs(Configuration("mlp", {})).genotypes(asked).ends[1, :, 0]
    np.testing.assert_allclose(seen, plain * inputs.factors(0.0), rtol=1e-5)
    assert folds.fit(Configuration("mlp", values), PLAN, 1).parameters


# Leaks -------------------------------------------------------------------------------------------


def accuracy_of_noise(splits, gene_power, draws=12):
    """Return the accuracy on validation rows whose classes are in an order drawn by chance."""
    random, found = np.random.default_rng(1), []
    rows = random.normal(size=(ROWS, 600)).astype("float32")
    whole = in_folds(rows, Y, Classification(["a", "b"]), splits)
    for _ in range(draws):
        folds = whole.with_targets(random.permutation(Y))
        outputs = folds.fit(
            Configuration("linear", {"l2": 0.1, "gene_power": gene_power}), PLAN, 1
        ).validation
        for (_, own), part in zip(splits, outputs, strict=True):
            found.extend(part.argmax(axis=1) == folds.targets[own])
    return np.mean(found)


# A single fold of all rows trains on two of three; its validation rows must stay unknown too.
@pytest.mark.parametrize("splits", [SPLITS, SPLITS[:1]], ids=["folds", "one"])
def test_shuffled_labels_score_chance(splits):
    assert abs(accuracy_of_noise(splits, 2.0) - 0.5) < 0.1


@pytest.mark.parametrize("splits", [SPLITS, SPLITS[:1]], ids=["folds", "one"])
def test_weights_of_all_rows_would_be_seen(splits, monkeypatch):
    def of_all_rows(self, fold):
        yield np.arange(ROWS), self.preprocessed(fold)

    monkeypatch.setattr(FoldInputs, "training_batches", of_all_rows)
    assert accuracy_of_noise(splits, 2.0, draws=4) > 0.7


def test_validation_rows_move_no_weight():
    (_, validation), task = SPLITS[0], Classification(["healthy", "tumour"])
    other_rows, other_targets = X.copy(), Y.copy()
    other_rows[validation], other_targets[validation] = X[validation] + 9, 1 - Y[validation]
    weights = [
        in_folds(rows, targets, task, SPLITS[:1]).fold_inputs(
            Configuration("mlp", {"gene_power": 2.0})
        )
        for rows, targets in ((X, Y), (other_rows, other_targets))
    ]
    one, other = (inputs.gene_weights[0] for inputs in weights)
    np.testing.assert_array_equal(one, other)


# Worth -------------------------------------------------------------------------------------------


def test_few_planted_genes_are_found_among_many():
    random = np.random.default_rng(5)
    classes, planted, genes = 4, 12, 4000
    labels = np.arange(160) % classes
    rows = random.normal(size=(160, genes)).astype("float32")
    for gene in range(planted):
        rows[labels == gene % classes, gene] += 2
    targets, train = labels.astype("int32"), [(np.arange(80), np.arange(80, 160))]
    task = Classification([str(one) for one in range(classes)])
    scores, ranks = {}, {}
    for gene_power in (0.0, 2.0):
        folds = in_folds(rows, targets, task, train)
        values = {"l2": 0.01, "gene_power": gene_power}
        fit = folds.fit(Configuration("linear", values), PLAN, 1)
        scores[gene_power] = np.mean(fit.validation[0].argmax(1) == targets[80:])
        model = folds.final_model(Configuration("linear", values), fit, 1.0)
        kernel = model.branches[0].network.get_weights()[0]
        top = np.argsort(-np.abs(kernel).sum(axis=1))[:planted]
        ranks[gene_power] = np.sum(top < planted)
    assert scores[2.0] > scores[0.0] + 0.2 and ranks[2.0] == planted


def test_weighed_logistic_regression_is_that_of_scikit_learn():
    folds = in_folds(task=Classification(["healthy", "tumour"]), splits=SPLITS[:1])
    values, (train, validation) = {"l2": 0.1, "gene_power": 1.0}, SPLITS[0]
    fit = folds.fit(Configuration("linear", values), PLAN, 1)
    inputs = folds.fold_inputs(Configuration("linear", values))
    genes = inputs.constants[0].apply(X) * inputs.gene_weights[0]
    # Coordinates of row space have a mean square of 1: the penalty is that of genes so scaled.
    unit = 1 / inputs.coordinates[0].factors[0]
    peer = LogisticRegression(C=1 / (0.1 * unit**2 * len(train)), tol=1e-8, max_iter=5000)
    peer.fit(genes[train], Y[train])
    margin = fit.validation[0][:, 1] - fit.validation[0][:, 0]
    np.testing.assert_allclose(margin, peer.decision_function(genes[validation]), atol=2e-2)


# Space -------------------------------------------------------------------------------------------


def test_every_supervised_family_has_gene_power():
    for name in network_families():
        space = families.member(name).space
        assert space["gene_power"].options == (1.0, 0.0, 0.5, 2.0), name
    with pytest.raises(InputError, match="gene_power"):
        families.space("mlp", {"gene_power": -1})


def test_genotypes_are_searched_without_gene_power_unless_it_is_named():
    given = {"name": "t", "data": {"features": "x.tsv"}, "task": {"type": "regression"},
             "training": {"epistasis": {"strength": 0.1}}}  # fmt: skip
    for families_given, expected in (({"mlp": {}}, (0.0,)), ({"mlp": {"gene_power": 1}}, (1,))):
        config = Config.of(given | {"families": families_given})
        assert families.spaces(config)["mlp"]["gene_power"].options == expected
