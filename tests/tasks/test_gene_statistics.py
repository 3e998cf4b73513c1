"""Contract of the gene statistics: F statistics as in textbooks, computed in one pass."""

import numpy as np
import pytest
from sklearn.feature_selection import f_classif, f_regression

from autogenome_tf.tasks import Classification, Regression, Representation

ROWS, GENES = 50, 30
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(ROWS, GENES))
X[:, 0] = 4.0
X = ((X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1)).astype("float32")
CLASSES = RANDOM.integers(0, 3, ROWS).astype("int32")
VALUES = (X[:, 1:3] + RANDOM.normal(size=(ROWS, 2))).astype("float32")
ALIKE = np.ones(ROWS, "float32")
THREE = Classification(["a", "b", "c"])
TWO = Regression(["u", "v"])


def batches(rows=X, size=ROWS):
    """Yield rows and their numbers, some at a time."""
    for start in range(0, len(rows), size):
        yield np.arange(start, min(start + size, len(rows))), rows[start : start + size]


def by_hand(rows, targets, weights, classes=3):
    """Return the mean square between classes over that within them plus 0.05, gene by gene."""
    weights = weights.astype("float64") * len(rows) / weights.sum()
    centre = np.average(rows, axis=0, weights=weights)
    between = within = 0.0
    for position in range(classes):
        own, share = rows[targets == position], weights[targets == position]
        mean = np.average(own, axis=0, weights=share)
        between = between + share.sum() * (mean - centre) ** 2 / (classes - 1)
        within = within + share @ (own - mean) ** 2 / (len(rows) - classes)
    return between / (within + 0.05)


@pytest.mark.parametrize("size", [ROWS, 7])
def test_classes_are_compared_by_their_weights_in_the_loss(size):
    for weights in (ALIKE, np.array([0.5, 2.0, 1.0], "float32")[CLASSES]):
        found = THREE.gene_statistics(batches(size=size), CLASSES, weights)
        np.testing.assert_allclose(found[1:], by_hand(X, CLASSES, weights)[1:], rtol=1e-6)
        assert found[0] == 0


def test_the_order_of_genes_is_that_of_scikit_learn():
    found = THREE.gene_statistics(batches(), CLASSES, ALIKE)[1:]
    np.testing.assert_array_equal(np.argsort(found), np.argsort(f_classif(X[:, 1:], CLASSES)[0]))


def test_units_of_a_gene_do_not_matter():
    scaled = (X * np.linspace(0.01, 100, GENES) + 3).astype("float32")
    expected = THREE.gene_statistics(batches(), CLASSES, ALIKE)
    found = THREE.gene_statistics(batches(scaled), CLASSES, ALIKE)
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-2)


def test_a_class_that_is_absent_or_alone_is_no_error():
    first = np.zeros(ROWS, "int32")
    assert not THREE.gene_statistics(batches(), first, ALIKE).any()
    without = np.minimum(CLASSES, 1)
    found = THREE.gene_statistics(batches(), without, ALIKE)
    np.testing.assert_allclose(found[1:], by_hand(X, without, ALIKE, 2)[1:], rtol=1e-6)


@pytest.mark.parametrize("size", [ROWS, 7])
def test_correlations_are_averaged_over_targets(size):
    found = TWO.gene_statistics(batches(size=size), VALUES, ALIKE)
    expected = np.mean([f_regression(X[:, 1:], y)[0] for y in VALUES.T], axis=0)
    np.testing.assert_allclose(found[1:], expected, rtol=1e-4)
    assert found[0] == 0


def test_gaps_of_a_target_are_left_out():
    gaps = VALUES.copy()
    gaps[:15, 0] = np.nan
    found = TWO.gene_statistics(batches(size=9), gaps, ALIKE)
    parts = f_regression(X[15:, 1:], VALUES[15:, 0])[0], f_regression(X[:, 1:], VALUES[:, 1])[0]
    np.testing.assert_allclose(found[1:], np.mean(parts, axis=0), rtol=1e-4)


def test_only_ratios_of_the_weights_of_the_given_rows_matter():
    gaps = VALUES.copy()
    gaps[:15, 0] = np.nan
    weights = RANDOM.uniform(0.5, 2, ROWS).astype("float32")
    half = [(np.arange(30), X[:30])]
    expected = TWO.gene_statistics(half, gaps, weights)
    others = np.where(np.arange(ROWS) < 30, weights, 50 * weights)
    np.testing.assert_array_equal(TWO.gene_statistics(half, gaps, others), expected)
    np.testing.assert_allclose(TWO.gene_statistics(half, gaps, 8 * weights), expected, rtol=1e-6)


def test_a_gene_that_is_the_target_has_a_finite_statistic():
    found = TWO.gene_statistics(batches(), X[:, 5:7], ALIKE)
    assert np.isfinite(found).all() and set(np.argsort(found)[-2:]) == {5, 6}


def test_a_task_without_targets_has_no_statistic():
    with pytest.raises(NotImplementedError, match="representation"):
        Representation().gene_statistics(batches(), VALUES, ALIKE)
