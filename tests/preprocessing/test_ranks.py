"""A value's place among training values: known answers, and the same in NumPy and in Keras."""

import keras
import numpy as np
import pytest
from scipy.stats import rankdata

from autogenome_tf.preprocessing._ranks import MOST_KNOTS, Ranks

RANDOM = np.random.default_rng(0)


def columns(rows):
    """Ties, continuous values, missing values, nothing but missing values."""
    x = RANDOM.poisson(2, (rows, 6)).astype("float32")
    x[:, 1:3] = RANDOM.normal(size=(rows, 2))
    x[RANDOM.random(x.shape) < 0.1] = np.nan
    x[:, 4] = np.nan
    return x


def test_training_values_get_their_mid_ranks():
    x = RANDOM.poisson(2, (40, 5)).astype("float32")
    expected = (rankdata(x, axis=0) - 0.5) / len(x)
    np.testing.assert_allclose(Ranks.of(x).apply(x), expected, rtol=1e-6)


def test_new_values_lie_between_or_beyond():
    ranks = Ranks.of(np.array([[1.0], [2.0], [2.0], [4.0]], "float32"))
    new = np.array([[0.0], [1.0], [1.5], [2.0], [3.0], [4.0], [9.0], [np.nan]], "float32")
    expected = [0, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 1, np.nan]
    np.testing.assert_allclose(ranks.apply(new)[:, 0], expected, rtol=1e-6)


def test_any_rising_change_of_the_values_leaves_ranks_as_they_are():
    x = np.abs(columns(60)) + 1
    np.testing.assert_array_equal(Ranks.of(x).apply(x), Ranks.of(2 * x + 3).apply(2 * x + 3))


@pytest.mark.parametrize("rows", [3, 40, MOST_KNOTS, MOST_KNOTS + 1, 900])
def test_the_layers_equal_the_numpy_path_after_saving(rows, tmp_path):
    ranks = Ranks.of(columns(rows))
    new = np.concatenate([columns(50), np.full((1, 6), 1e30, "float32")])
    genes = keras.Input((6,))
    keras.Model(genes, ranks.layers(genes)).save(tmp_path / "ranks.keras")
    model = keras.models.load_model(tmp_path / "ranks.keras")
    np.testing.assert_allclose(model(new), ranks.apply(new), atol=1e-6)


def test_quantiles_stand_for_many_rows():
    x = RANDOM.normal(size=(5000, 3)).astype("float32")
    ranks = Ranks.of(x)
    assert ranks.knots.shape == (3, MOST_KNOTS)
    exact = (rankdata(x, axis=0) - 0.5) / len(x)
    assert np.abs(ranks.apply(x) - exact).max() < 1 / MOST_KNOTS
