"""Test functional ANOVA: known shares of variance, and equality with enumeration."""

import itertools

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from autogenome_tf.search._enas import contributions as module
from autogenome_tf.search._enas.contributions import contributions

OPTIONS = [np.arange(2), np.array([0, 2]), np.arange(3)]


def grid(repeats=8):
    """All codes of the space, each several times."""
    return np.tile(np.array(list(itertools.product(*OPTIONS))), (repeats, 1))


def test_additive_scores_have_their_shares_and_no_interactions():
    codes = grid()
    scores = 3.0 * codes[:, 0] + 0.5 * codes[:, 1]
    shares, known = contributions(codes, scores, OPTIONS, 1)
    assert shares == pytest.approx([0.9, 0.1, 0.0], abs=0.01)
    assert shares.sum() == pytest.approx(1, abs=1e-6) and known > 0.99


def test_what_two_decisions_do_together_is_no_share_of_either():
    codes = grid()
    scores = np.where(codes[:, 0] == codes[:, 1] / 2, 1.0, -1.0)
    shares, known = contributions(codes, scores, OPTIONS, 1)
    assert shares.sum() < 0.05 and known > 0.99


def test_noise_is_told_by_what_the_forest_has_not_seen():
    codes, random = grid(), np.random.default_rng(0)
    shares, known = contributions(codes, random.normal(size=len(codes)), OPTIONS, 1)
    assert known < 0.1 and 0 <= shares.sum() <= 1


def test_shares_of_a_tree_are_those_of_its_predictions_over_the_space():
    random = np.random.default_rng(3)
    codes = grid(1)[random.integers(0, 12, 60)]
    scores = random.normal(size=60) + codes[:, 0] * codes[:, 2]
    forest = RandomForestRegressor(5, min_samples_leaf=2, random_state=0).fit(codes, scores)
    for tree in forest.estimators_:
        every = tree.predict(grid(1).astype("float32")).reshape(2, 2, 3)
        others = [(1, 2), (0, 2), (0, 1)]
        expected = [np.var(every.mean(axis=axes)) / every.var() for axes in others]
        assert module._shares(tree.tree_, OPTIONS) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("scores", [np.arange(10.0), np.ones(96), np.full(96, np.nan)])
def test_nothing_is_said_of_too_few_scores_or_equal_ones(scores):
    shares, known = contributions(grid()[: len(scores)], scores, OPTIONS, 1)
    assert np.isnan(shares).all() and np.isnan(known)
