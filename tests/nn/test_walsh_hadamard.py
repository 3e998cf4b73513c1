"""The Walsh-Hadamard transform, against scipy's matrix, closed forms and known functions."""

import itertools

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from autogenome_tf.nn import walsh_hadamard
from autogenome_tf.nn.epistatic_penalty import Genotypes, complexity


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# Sums of products of six sites, positions to factor, of the demonstration of Epistatic Net.
SPARSE = {(0, 3): 2, (2,): -2, (0, 1, 4): 2, (0, 2, 3, 5): 2}
DENSE = SPARSE | {
    (1, 3): -2, (5,): -2, (1, 3, 5): 2, (0, 4): 2, (0,): -2, (3, 4, 5): 2, (2, 5): -2, (1,): 2,
    (2, 3, 4): -2,
}  # fmt: skip


def demo(terms):
    """Their values for all genotypes, (64,)."""
    x = walsh_hadamard.genotypes(6).astype("float64")
    return sum(factor * x[:, list(sites)].prod(axis=1) for sites, factor in terms.items())


def numbers(rows):
    """The indices in `walsh_hadamard.genotypes` of genotypes or sets, (rows, n) of 0 and 1."""
    sites = np.shape(rows)[1]
    return np.asarray(rows).astype("int64") @ (1 << np.arange(sites, dtype="int64")[::-1])


# The transform -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sites", range(11))
def test_the_transform_is_the_product_with_hadamards_matrix(sites):
    values = random(2, 3, 1 << sites)
    found = walsh_hadamard.transform(values).numpy()
    assert np.abs(found - values @ scipy.linalg.hadamard(1 << sites)).max() < 1e-9
    twice = walsh_hadamard.transform(found).numpy()
    np.testing.assert_allclose(twice, values * (1 << sites), rtol=0, atol=1e-8)


@pytest.mark.parametrize("sites", [5, 6, 13])
def test_squares_keep_their_sum(sites):
    values = random(1 << sites)
    found = walsh_hadamard.coefficients(values).numpy()
    assert (found**2).sum() == pytest.approx((values**2).mean(), rel=1e-12)
    assert walsh_hadamard.variances(found).sum() == pytest.approx(values.var(), rel=1e-12)
    assert walsh_hadamard.variances(found).shape == (sites,)


def test_its_gradient_is_its_own_matrix():
    values, weights = tf.constant(random(64)), random(64, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(walsh_hadamard.transform(values) * weights)
    expected = scipy.linalg.hadamard(64) @ weights
    np.testing.assert_allclose(tape.gradient(total, values), expected, atol=1e-10)


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="power of two of values; received 6"):
        walsh_hadamard.transform(np.zeros(6))


# Coefficients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sites", [[0], [2, 3], [0, 1, 4]])
def test_a_product_is_one_coefficient(sites):
    (character,) = walsh_hadamard.characters(walsh_hadamard.genotypes(5), [sites]).T
    found = walsh_hadamard.coefficients(character.astype("float64")).numpy()
    number = numbers(np.isin(np.arange(5), sites)[None])[0]
    assert found[number] == 1 and np.abs(found).sum() == 1
    assert walsh_hadamard.orders(5)[number] == len(sites)
    assert np.flatnonzero(walsh_hadamard.bits([number], 5)[0]).tolist() == sites


def test_a_monomial_is_spread_over_all_subsets():
    x = walsh_hadamard.genotypes(2)
    found = walsh_hadamard.coefficients((x[:, 0] * x[:, 1]).astype("float64")).numpy()
    assert found.tolist() == [0.25, -0.25, -0.25, 0.25]


@pytest.mark.parametrize(
    ("terms", "total", "count", "mean", "variance"),
    [(SPARSE, 384, 22, -0.125, 2.859375), (DENSE, 784, 29, -1.375, 7.484375)],
    ids=["sparse", "dense"],
)
def test_known_functions_have_their_spectra(terms, total, count, mean, variance):
    values = demo(terms)
    found = walsh_hadamard.transform(values).numpy()
    assert np.abs(found).sum() == total and np.count_nonzero(found) == count
    assert found[0] / 64 == mean
    assert walsh_hadamard.variances(found / 64).sum() == pytest.approx(variance, rel=1e-12)
    assert float(complexity(values[None, :, None])[0]) == total / 64 - abs(mean)


def test_all_characters_are_hadamards_matrix():
    sets = [(), *walsh_hadamard.subsets(4, 4)]
    order = np.argsort(numbers([np.isin(np.arange(4), one) for one in sets]))
    columns = walsh_hadamard.characters(walsh_hadamard.genotypes(4), sets)[:, order]
    assert np.array_equal(columns, scipy.linalg.hadamard(16))
    assert len(sets) == 16 and list(walsh_hadamard.subsets(4, 1)) == [(0,), (1,), (2,), (3,)]


def test_genotypes_are_numbered_by_their_bits():
    assert np.array_equal(walsh_hadamard.genotypes(3), list(itertools.product([0, 1], repeat=3)))
    assert np.array_equal(numbers(walsh_hadamard.genotypes(7)), np.arange(128))


# The penalty -------------------------------------------------------------------------------------


def test_the_penalty_is_the_sum_of_absolute_coefficients_but_the_constant():
    outputs = random(2, 16, 3).astype("float32") + 5
    found = np.abs(np.moveaxis(outputs, 1, 2) @ scipy.linalg.hadamard(16) / 16)[..., 1:]
    np.testing.assert_allclose(complexity(outputs), found.sum(2).mean(1), rtol=1e-5)


def test_a_constant_network_pays_nothing_and_is_not_moved():
    outputs = tf.fill((2, 64, 1), 3.0)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        penalty = complexity(outputs)
    assert np.array_equal(penalty, [0, 0])
    assert np.array_equal(tape.gradient(penalty, outputs), np.zeros((2, 64, 1)))


def test_a_column_of_outputs_is_not_mixed_with_rows():
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        complexity(tf.zeros((64, 1)))


def drawn(genotypes, seed=(1, 2)):
    """What `Genotypes` draw in a step, as 0 and 1, checked to be alike in all folds."""
    seen = genotypes.seen(tf.constant(seed), genotypes.ends).numpy()
    assert np.array_equal(seen[0], seen[-1])
    return seen[0]


def plain(sites, folds=2, **options):
    return Genotypes(np.zeros((folds, sites)), np.ones((folds, sites)), **options)


def test_hashed_coefficients_are_sums_of_those_the_map_does_not_tell_apart():
    sites, bits = 8, 4
    coefficients = random(1 << sites)
    values = walsh_hadamard.transform(coefficients).numpy()
    rows = drawn(plain(sites, method="hashed", bits=bits))
    # The genotypes of the single bits are the rows of the map.
    to_sites = rows[1 << np.arange(bits)[::-1]]
    found = walsh_hadamard.coefficients(values[numbers(rows)]).numpy()
    sets = walsh_hadamard.bits(np.arange(1 << sites), sites)
    buckets = numbers(sets @ to_sites.T.astype(int) % 2)
    expected = np.bincount(buckets, coefficients, 1 << bits)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_maps_are_new_each_step_and_the_seeds():
    hashed = plain(9, method="hashed", bits=5)
    assert np.array_equal(drawn(hashed), drawn(hashed))
    assert not np.array_equal(drawn(hashed), drawn(hashed, (1, 3)))
    assert not np.array_equal(drawn(hashed), drawn(hashed, (2, 2)))


def test_auto_sees_all_genotypes_while_they_are_few():
    assert len(drawn(plain(5))) == 32 and len(drawn(plain(5, method="hashed", bits=3))) == 8
    assert len(drawn(plain(40))) == 128
    assert plain(13).is_exact and not plain(14).is_exact and plain(14, method="exact").is_exact


def test_each_fold_sees_them_as_it_sees_its_rows():
    low, high = random(2, 4), random(2, 4, seed=1)
    genotypes = Genotypes(low, high)
    seen = genotypes.seen(tf.constant([1, 2]), genotypes.ends).numpy()
    rows = walsh_hadamard.genotypes(4)
    for fold in range(2):
        np.testing.assert_allclose(seen[fold], np.where(rows, high[fold], low[fold]), atol=1e-6)
