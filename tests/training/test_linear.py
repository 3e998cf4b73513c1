"""Linear learners equal scikit-learn's on the same rows, and end as one dense layer on genes."""

import numpy as np
import pytest
from folds import cross_validation
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import NearestCentroid
from sklearn.svm import LinearSVC

from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Plan
from autogenome_tf.training._linear import SOLVERS, LinearRows, unit_scale

# Cox regression is of times; tests/tasks/test_survival_task.py compares it.
OF_CLASSES = sorted(SOLVERS.keys() - {"cox"})

RANDOM = np.random.default_rng(3)
# Rows, genes and classes; genes outnumber rows in the last two.
SHAPES = [(80, 20, 3), (60, 30, 2), (40, 150, 3), (30, 200, 2)]
TOLERANCE = 1e-4


def drawn(rows, genes, classes):
    """Return rows, class positions and other rows; the classes differ in five genes."""
    targets = np.arange(rows) % classes
    values = RANDOM.normal(size=(rows, genes)) + 3.0
    values[:, :5] += 0.8 * targets[:, None]
    return values, targets, RANDOM.normal(size=(50, genes)) + 3.0


def solved(loss, values, targets, option, weights=None, outputs=None):
    """Return kernel and bias of one value of a path."""
    weights = np.ones(len(values)) if weights is None else weights
    outputs = outputs or int(targets.max()) + 1
    rows = LinearRows(values, targets, weights, outputs, values.shape[1])
    (layer,) = SOLVERS[loss]().path(rows, [option])
    return layer


def relative(outputs):
    """Return logits less their mean over classes, which probabilities do not depend on."""
    return outputs - outputs.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("solver", ["eigen", "lsqr"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("shrinkage", [0.9, 0.2, 0.01])
def test_discriminants_equal_those_of_scikit_learn(shape, shrinkage, solver):
    values, targets, others = drawn(*shape)
    kernel, bias = solved("discriminant", values, targets, shrinkage)
    theirs = LinearDiscriminantAnalysis(solver=solver, shrinkage=shrinkage).fit(values, targets)
    scores = theirs.decision_function(others)
    expected = scores if scores.ndim > 1 else np.stack([-scores, scores], axis=1) / 2
    np.testing.assert_allclose(
        relative(others @ kernel + bias), relative(expected), rtol=TOLERANCE, atol=TOLERANCE
    )


def test_the_covariance_is_drawn_to_its_mean_eigenvalue():
    values, targets, _ = drawn(30, 50, 2)
    means = np.stack([values[targets == k].mean(0) for k in (0, 1)])
    within = values - means[targets]
    covariance = within.T @ within / 30
    shrunken = 0.7 * covariance + 0.3 * np.trace(covariance) / 50 * np.eye(50)
    kernel, _ = solved("discriminant", values, targets, 0.3)
    np.testing.assert_allclose(
        kernel[:, 1] - kernel[:, 0], np.linalg.solve(shrunken, means[1] - means[0]), rtol=1e-8
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("l2", [1.0, 1e-2])
def test_hinges_equal_linear_support_vector_machines(shape, l2):
    values, targets, others = drawn(*shape)
    values, others = values - 3.0, others - 3.0
    kernel, bias = solved("hinge", values, targets, l2)
    # The penalty on the bias, which ours has not, goes with the inverse square of its scale.
    theirs = LinearSVC(
        C=1 / (2 * l2 * len(values)), dual=False, intercept_scaling=3000, tol=1e-12, max_iter=10000
    )
    expected = theirs.fit(values, targets).decision_function(others)
    outputs = others @ kernel + bias
    if shape[-1] == 2:
        np.testing.assert_allclose(outputs[:, 0], -outputs[:, 1], atol=TOLERANCE)
        outputs = outputs[:, 1]
    np.testing.assert_allclose(outputs, expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("shape", [(120, 30, 12), (90, 200, 12), (150, 20, 2)], ids=str)
def test_a_path_of_hinges_has_no_slope_whatever_part_of_the_rows_is_active(shape):
    rows, genes, classes = shape
    values, targets, _ = drawn(*shape)
    weights = RANDOM.uniform(0.2, 3.0, rows)
    path = SOLVERS["hinge"]().path(
        LinearRows(values, targets, weights, classes, genes), [10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4]
    )
    signs, shares = 2 * np.eye(classes)[targets] - 1, (weights / weights.sum())[:, None]
    for l2, (kernel, bias) in zip([10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4], path, strict=True):
        pulls = shares * signs * np.maximum(1 - signs * (values @ kernel + bias), 0)
        np.testing.assert_allclose(values.T @ pulls, l2 * kernel, atol=1e-9)
        np.testing.assert_allclose(pulls.sum(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("components", [1, 2, 7])
def test_partial_least_squares_equals_that_of_scikit_learn(shape, components):
    values, targets, others = drawn(*shape)
    measured = np.stack([values[:, 0] + values[:, 1], values[:, 2], RANDOM.normal(size=shape[0])])
    settings = {"n_components": components, "scale": False, "tol": 1e-13, "max_iter": 5000}
    for given, expected in ((measured.T, measured.T), (targets, np.eye(shape[2])[targets])):
        kernel, bias = solved("pls", values, given, components, outputs=expected.shape[1])
        theirs = PLSRegression(**settings).fit(values, expected).predict(others)
        np.testing.assert_allclose(others @ kernel + bias, theirs, atol=TOLERANCE)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("threshold", [2.0, 0.5, 0.0])
def test_shrunken_centroids_equal_those_of_scikit_learn(shape, threshold):
    values, targets, others = drawn(*shape)
    kernel, bias = solved("centroid", values, targets, threshold)
    theirs = NearestCentroid(shrink_threshold=threshold or None, priors="empirical")
    theirs.fit(values, targets)
    # The paper's scores, in which the offset of the deviations counts in the distances too.
    spread = theirs.within_class_std_dev_ + np.median(theirs.within_class_std_dev_)
    distances = [(((others - own) / spread) ** 2).sum(1) for own in theirs.centroids_]
    expected = np.log(theirs.class_prior_) - np.stack(distances, axis=1) / 2
    np.testing.assert_allclose(relative(others @ kernel + bias), relative(expected), atol=TOLERANCE)


@pytest.mark.parametrize("loss", ["discriminant", "hinge", "pls"])
def test_weights_count_rows_as_often(loss):
    values, targets, _ = drawn(30, 60, 3)
    weights = RANDOM.integers(1, 4, size=30)
    option = {"discriminant": 0.3, "hinge": 0.1, "pls": 3}[loss]
    again = np.repeat(np.arange(30), weights)
    ours = solved(loss, values, targets, option, weights.astype(float))
    theirs = solved(loss, values[again], targets[again], option)
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, other, atol=TOLERANCE)


def test_partial_least_squares_learns_each_target_from_the_rows_that_have_it():
    values, _, others = drawn(50, 80, 2)
    targets = values[:, :2] + 0.1
    targets[:20, 0] = np.nan
    weights = Regression(["a", "b"], has_gaps=True).row_weights(targets)
    kernel, bias = solved("pls", values, targets, 3, weights, outputs=2)
    for own, rows in ((0, slice(20, None)), (1, slice(None))):
        theirs = PLSRegression(3, scale=False).fit(values[rows], targets[rows, own])
        expected = theirs.predict(others).ravel()
        np.testing.assert_allclose((others @ kernel + bias)[:, own], expected, atol=TOLERANCE)


def test_more_components_than_the_rank_change_nothing():
    values, targets, _ = drawn(6, 30, 2)
    np.testing.assert_array_equal(
        solved("pls", values, targets, 5)[0], solved("pls", values, targets, 30)[0]
    )


@pytest.mark.parametrize("loss", OF_CLASSES)
def test_a_class_without_training_rows_is_the_least_likely(loss):
    values, targets, others = drawn(40, 60, 2)
    kernel, bias = solved(loss, values, targets, 1, outputs=3)
    outputs = others @ kernel + bias
    assert np.isfinite(outputs).all() and (outputs.argmax(axis=1) != 2).mean() > 0.9


@pytest.mark.parametrize("loss", OF_CLASSES)
def test_rows_that_are_all_the_same_end_in_finite_layers(loss):
    values, targets = np.ones((10, 20)), np.arange(10) % 2
    for part in solved(loss, values, targets, 1):
        assert np.isfinite(part).all()


def test_a_discriminant_of_too_many_rows_and_genes_is_refused(monkeypatch):
    monkeypatch.setattr("autogenome_tf.training._linear._discriminant.MOST", 10)
    values, targets, _ = drawn(30, 20, 2)
    with pytest.raises(ValueError, match="at most 10 rows or genes; received 30 rows of 20"):
        solved("discriminant", values, targets, 0.3)


def test_logits_have_unit_variance_where_genes_are_independent():
    values, targets, _ = drawn(400, 30, 2)
    kernel, bias = solved("discriminant", values, targets, 0.3)
    rows = LinearRows(values, targets, np.ones(400), 2, 30)
    outputs = RANDOM.normal(size=(20000, 30)) @ (kernel / unit_scale(rows, kernel))
    assert outputs.std() == pytest.approx(1, rel=0.2)


# In cross-validation ---------------------------------------------------------------------------

ROWS, GENES = 36, 60
X = (RANDOM.normal(size=(ROWS, GENES)) * 2 + 5).astype("float32")
CLASSES = (X[:, :4].sum(1) > np.median(X[:, :4].sum(1))).astype("int32")
MEASURED = np.stack([X[:, 0], X[:, 1] - X[:, 2]], axis=1).astype("float32")
SPLITS = [(np.flatnonzero(np.arange(ROWS) % 3 != k), np.arange(k, ROWS, 3)) for k in range(3)]
OPTIONS = {
    "discriminant": ("shrinkage", 0.3), "hinge": ("l2", 0.1), "centroid": ("threshold", 0.5),
    "pls": ("components", 2),
}  # fmt: skip
CASES = [("classification", loss) for loss in OF_CLASSES] + [("regression", "pls")]


def folds_of(kind, **data):
    """Return the cross-validation of the rows."""
    task, targets = Classification(["healthy", "tumour"]), CLASSES
    if kind == "regression":
        task, targets = Regression(["a", "b"], mean=np.array([5.0, 0]), scale=1.0), MEASURED
        targets = task.encode(targets)
    return cross_validation(X, targets, task, SPLITS, data=data)


@pytest.mark.parametrize(("kind", "loss"), CASES, ids=str)
@pytest.mark.parametrize("top_variable", [None, 20])
def test_a_fit_is_one_dense_layer_on_genes_that_says_the_same(kind, loss, top_variable):
    folds, (name, value) = folds_of(kind, top_variable=top_variable), OPTIONS[loss]
    values = {"loss": loss, name: value, "spectral_power": 0.0}
    fit = folds.fit(Configuration("linear", values), Plan(1), 1)
    for fold, (_, validation) in enumerate(SPLITS):
        model = folds.final_model(Configuration("linear", values), fit, 1.0, fold)
        network = model.branches[0].network
        assert [type(layer).__name__ for layer in network.layers] == ["InputLayer", "Dense"]
        scale, offset = folds.task.output_scale()
        expected = fit.validation[fold] * scale + offset
        np.testing.assert_allclose(model.outputs(X[validation]), expected, atol=1e-3)


@pytest.mark.parametrize("loss", ["discriminant", "pls", "hinge"])
def test_row_space_and_genes_have_the_same_solution(loss):
    name, value = OPTIONS[loss]
    values = {"loss": loss, name: value, "spectral_power": 0.0}
    found = []
    for space in ("rows", "genes"):
        folds = folds_of("classification")
        folds.space = space
        folds.splits, own = SPLITS[:1], dict(values)
        if loss == "hinge" and space == "genes":
            # Its penalty is in units of the coordinates.
            row_space = (
                folds_of("classification")
                .fold_inputs(Configuration("linear", values))
                .coordinates[0]
            )
            own[name] = value / row_space.factors[0] ** 2
        fit = folds.fit(Configuration("linear", own), Plan(1), 1)
        found.append(fit.validation[0])
    rows, genes = found
    np.testing.assert_allclose(rows / rows.std(), genes / genes.std(), atol=5e-3)


def test_a_validation_row_changes_no_fit_of_its_fold():
    values = {"loss": "centroid", "threshold": 0.5, "spectral_power": 0.0}
    first = folds_of("classification").fit(Configuration("linear", values), Plan(1), 1)
    folds = folds_of("classification")
    folds.matrix = X.copy()
    folds.matrix[0] += 100
    other = folds.fit(Configuration("linear", values), Plan(1), 1)
    np.testing.assert_array_equal(first.weights[0][0], other.weights[0][0])
    assert not np.allclose(first.weights[0][1], other.weights[0][1])


def test_coordinates_of_genes_that_do_not_fit_the_memory_are_refused():
    folds = folds_of("classification", memory=2 * ROWS * GENES * 4 / 2**30)
    with pytest.raises(ValueError, match="families.linear.loss: centroid needs the rows of all"):
        folds.fit(Configuration("linear", {"loss": "centroid", "threshold": 1.0}), Plan(1), 1)


def test_labels_that_say_nothing_score_chance():
    random = np.random.default_rng(0)
    for loss, (name, value) in OPTIONS.items():
        folds, accuracies = folds_of("classification"), []
        values = {"loss": loss, name: value, "spectral_power": 0.0}
        for _ in range(20):
            folds.targets = random.permutation(CLASSES)
            fit = folds.fit(Configuration("linear", values), Plan(1), 1)
            outputs = folds.validation_outputs(fit.validation)
            accuracies.append((outputs.argmax(axis=1) == folds.targets).mean())
        assert abs(np.mean(accuracies) - 0.5) < 0.1, loss
