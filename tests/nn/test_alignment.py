"""The discrepancy between levels: about 0 where they are alike, large where neighbours differ."""

import numpy as np
import pytest
import tensorflow as tf

from autogenome_tf.nn._alignment import discrepancy
from autogenome_tf.nn.res_vae import ResVAE

RANDOM = np.random.default_rng(0)
POINTS = RANDOM.normal(size=(60, 3)).astype("float32")
LEVELS = np.eye(3, dtype="float32")[np.arange(60) % 3]


def by_loops(points, levels):
    """The same, pair by pair."""
    distances = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    parts = distances / distances.mean()
    kernels = np.mean([np.exp(-parts / width) for width in (0.1, 0.3, 1)], axis=0)
    found = []
    for level in levels.T:
        own, others = np.flatnonzero(level == 1), np.flatnonzero(level == 0)
        near = np.exp(-parts[np.ix_(own, others)] / 0.1)
        mass = near / near.sum(axis=1, keepdims=True) * near / near.sum(axis=0)
        total = 0
        for rows, weights in ((own, mass.sum(axis=1)), (others, mass.sum(axis=0))):
            products = np.outer(weights, weights) * (1 - np.eye(len(rows)))
            total += np.average(kernels[np.ix_(rows, rows)], weights=products)
        found.append(total - 2 * _mean_between(kernels, own, others, mass))
    return np.mean(found)


def _mean_between(kernels, own, others, mass):
    weights = np.outer(mass.sum(axis=1), mass.sum(axis=0))
    return np.average(kernels[np.ix_(own, others)], weights=weights)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_it_is_the_estimate_of_weighted_rows(shift):
    points = POINTS + shift * LEVELS
    assert float(discrepancy(points, LEVELS)) == pytest.approx(by_loops(points, LEVELS), abs=1e-5)


def test_levels_that_are_apart_are_told():
    assert abs(float(discrepancy(POINTS, LEVELS))) < 0.1
    assert float(discrepancy(POINTS + 5 * LEVELS, LEVELS)) > 0.5


def test_a_type_of_one_level_alone_is_hardly_pulled():
    points = tf.Variable(np.concatenate([POINTS[:40] / 10, POINTS[40:] / 10 + 3]))
    levels = np.eye(2, dtype="float32")[np.r_[np.arange(40) % 2, np.ones(20, int)]]
    points.assign_add(0.3 * levels[:, :1] * np.ones(3, "float32"))
    with tf.GradientTape() as tape:
        found = discrepancy(points, levels)
    pull = np.linalg.norm(tape.gradient(found, points), axis=1)
    assert pull[40:].max() < 1e-3 * pull[:40].mean()


@pytest.mark.parametrize("distance", [0, 1e4])
def test_levels_of_one_row_or_all_count_as_nothing(distance):
    single = np.zeros((60, 2), "float32")
    single[0, 0] = single[:, 1] = 1
    points = tf.Variable(POINTS + distance * single[:, :1])
    with tf.GradientTape() as tape:
        found = discrepancy(points, single)
    assert float(found) == 0
    assert not np.any(tape.gradient(found, points))


def test_it_is_part_of_the_loss_where_there_are_covariates():
    def loss(alignment, covariates=3):
        model = ResVAE(genes=12, latent=3, covariates=covariates, alignment=alignment)
        return float(model.losses_of(rows[:, : 12 + covariates], seed=1)["loss"])

    rows = np.hstack([RANDOM.normal(size=(60, 12)) + 3 * LEVELS[:, :1], LEVELS]).astype("float32")
    more = loss(1.0) - loss(0.0)
    assert loss(2.0) - loss(0.0) == pytest.approx(2 * more, rel=0.01) and more > 0
    assert loss(1.0, 0) == loss(0.0, 0)
