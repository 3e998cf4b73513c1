"""Networks that begin as a linear learner: before training both have the same outputs."""

import numpy as np
import pytest
import scipy.sparse
from folds import cross_validation, thirds

from autogenome_tf import families
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.tasks import Classification, Regression, Survival
from autogenome_tf.training import Configuration, Plan

ROWS, GENES = 48, 60
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
CLASSES = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 1)
NUMBERS = (X[:, :1] + 0.1 * RANDOM.normal(size=(ROWS, 1))).astype("float32")
TASK = Classification(["a", "b", "c"])
# Steps of no length: what is trained is what training begins with.
STILL = Plan(1, learning_rate=1e-12)
MLP = {"layers": 1, "units": 8, "linear_start": 0.1}
CASES = {
    "mlp": ("mlp", MLP, "rows"),
    "genes": ("mlp", MLP, "genes"),
    "powers": ("mlp", MLP | {"spectral_power": 0.5, "gene_power": 2.0}, "rows"),
    "gates": ("mlp", MLP | {"gates": True}, "genes"),
    "resnet": ("resnet", {"n_blocks": 1, "width": 8, "linear_start": 0.1}, "rows"),
    "densenet": ("densenet", {"block_config": [1], "linear_start": 0.1}, "rows"),
}


def learner(folds, values, fold=0):
    """Return the gene-level model of the linear learner of a network's values, and its fit."""
    same = ("spectral_power", "gene_power")
    own = {"loss": "logistic", "l2": values["linear_start"]}
    own |= {name: values[name] for name in same if name in values}
    fit = folds.fit(Configuration("linear", own), STILL, 1)
    return folds.final_model(Configuration("linear", own), fit, 1.0, fold), fit


def equal(found, expected):
    """Compare logits, of which a number that all classes share says nothing."""
    pair = (outputs - outputs.mean(axis=1, keepdims=True) for outputs in (found, expected))
    np.testing.assert_allclose(*pair, atol=2e-4)


@pytest.mark.parametrize("case", CASES)
def test_it_begins_with_the_outputs_of_the_learner_and_ends_as_one_model(case):
    family, values, space = CASES[case]
    folds = cross_validation(X, CLASSES, TASK, thirds(ROWS), training={"space": space})
    fit = folds.fit(Configuration(family, values), STILL, 1, repeats=2)
    expected, solved = learner(folds, values, 1)
    for one, other in zip(fit.validation, solved.validation, strict=True):
        equal(one, other)
    for seed in (0, 1):
        model = folds.final_model(Configuration(family, values), fit, 1.0, 1 + 3 * seed)
        equal(model.outputs(X), expected.outputs(X))


def test_values_begin_as_ridge_regression_and_training_leads_away():
    task = Regression(["y"], mean=np.zeros(1), scale=np.ones(1))
    folds = cross_validation(X, NUMBERS, task, thirds(ROWS))
    _, solved = learner(folds, MLP)
    begun, trained = (
        np.concatenate(folds.fit(Configuration("mlp", MLP), plan, 1).validation)
        for plan in (STILL, Plan(5, learning_rate=0.01))
    )
    expected = np.concatenate(solved.validation)
    np.testing.assert_allclose(begun, expected, atol=2e-4)
    assert np.abs(trained - expected).max() > 0.01


def test_all_rows_begin_without_rows_that_validate():
    folds = cross_validation(X, CLASSES, TASK, thirds(ROWS)).on_all_rows()
    fit = folds.fit(Configuration("mlp", MLP), STILL, 1)
    expected, _ = learner(folds, MLP)
    outputs = folds.final_model(Configuration("mlp", MLP), fit, 1.0).outputs(X)
    equal(outputs, expected.outputs(X))


def test_a_config_names_it_and_no_network_begins_as_a_cox_regression():
    assert "linear_start" not in families.space("mlp", task=TASK)
    assert families.space("mlp", {"linear_start": [0, 0.1]}, task=TASK)["linear_start"].options
    for name, task in (("mlp", Survival(["time", "event"])), ("wired", TASK)):
        with pytest.raises(InputError, match=f"families.{name}.*linear_start"):
            families.space(name, {"linear_start": 0.1}, task=task)


@pytest.mark.parametrize("why", ["narrow", "streamed"])
def test_where_there_is_no_start_a_network_keeps_its_own_weights(why):
    values = MLP | {"units": 2} if why == "narrow" else MLP
    data = {"memory": 1e-7} if why == "streamed" else {}
    folds = cross_validation(scipy.sparse.csr_matrix(X), CLASSES, TASK, thirds(ROWS)[:1], data=data)
    assert folds.is_streamed == (why == "streamed")
    found = folds.fit(Configuration("mlp", values), STILL, 1).weights
    own = folds.network(Configuration("mlp", values), derive(1, "repeat/0")).get_weights()
    for (stack, *_), initial in zip(found, own, strict=True):
        if initial.ndim == 2:
            np.testing.assert_allclose(stack, initial, atol=1e-6)
