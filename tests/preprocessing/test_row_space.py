"""What coordinates promise: the same geometry, fewer numbers, and a way back to genes."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from autogenome_tf.preprocessing._row_space import MOST_ROWS, Genes, RowSpace, space_for

ROWS, GENES = 20, 60
POWERS = (0.0, 0.5, 1.0)


def matrix(kind="noise", rows=ROWS):
    """Rows (rows, GENES) float32: plain noise, a few strong factors, or far from zero."""
    random = np.random.default_rng(0)
    noise = random.normal(size=(rows, GENES))
    if kind == "factors":
        strong = random.normal(size=(rows, 3)) @ random.normal(size=(3, GENES))
        noise = 10 * strong + 0.5 * noise
    elif kind == "offset":
        noise = noise + random.uniform(5, 15, GENES)
    return noise.astype("float32")


@pytest.fixture(params=["noise", "factors", "offset"])
def rows(request):
    """Training rows of each kind."""
    return matrix(request.param)


def test_the_basis_is_orthonormal(rows):
    basis = RowSpace.of(rows.copy()).basis
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=2e-5)


def test_the_null_direction_of_centred_rows_is_dropped(rows):
    space = RowSpace.of(rows.copy())
    assert space.basis.shape == (GENES, ROWS - 1)
    assert space.coordinates(rows).shape == (ROWS, ROWS - 1)


def test_the_products_of_rows_give_the_coordinates_of_all_rows(rows):
    train, read = np.arange(0, ROWS, 2), []

    def kept():
        read.append(1)
        return rows

    space, found = RowSpace.spanned(kept, train)
    assert len(read) == 1 and found.dtype == np.float32
    alone = RowSpace.of(rows[train])
    np.testing.assert_allclose(space.basis, alone.basis, atol=1e-6)
    np.testing.assert_allclose(space.centre, alone.centre, rtol=1e-6)
    np.testing.assert_allclose(found, space.coordinates(rows), atol=1e-5)
    assert len(read) == 2 and space.powered(1.0).basis is space.basis


def test_directions_come_from_widest_to_narrowest(rows):
    space = RowSpace.of(rows.copy())
    singular = np.linalg.svd(rows - rows.mean(0, dtype="float64"), compute_uv=False)
    np.testing.assert_allclose(space.deviation, singular[: ROWS - 1] / ROWS**0.5, rtol=1e-4)


def test_repeated_rows_add_no_direction():
    twice = np.tile(matrix(rows=8), (3, 1))
    space = RowSpace.of(twice.copy())
    assert space.basis.shape == (GENES, 7)
    assert np.isfinite(space.powered(1.0).coordinates(twice)).all()


def test_rows_of_low_rank_keep_their_rank():
    random = np.random.default_rng(0)
    rows = (random.normal(size=(ROWS, 3)) @ random.normal(size=(3, GENES))).astype("float32")
    assert RowSpace.of(rows.copy()).basis.shape[1] == 3


@pytest.mark.parametrize("power", POWERS)
def test_coordinates_of_training_rows_have_mean_zero_and_unit_mean_square(rows, power):
    coordinates = RowSpace.of(rows.copy()).powered(power).coordinates(rows)
    assert coordinates.dtype == np.float32
    np.testing.assert_allclose(coordinates.mean(0), 0, atol=2e-3)
    assert np.mean(coordinates.astype("float64") ** 2) == pytest.approx(1, rel=1e-4)


def test_power_one_whitens(rows):
    coordinates = RowSpace.of(rows.copy()).powered(1.0).coordinates(rows)
    covariance = coordinates.T @ coordinates / ROWS
    np.testing.assert_allclose(covariance, np.eye(ROWS - 1), atol=3e-3)


def test_power_zero_keeps_distances_up_to_one_scale(rows):
    ratios = pdist(RowSpace.of(rows.copy()).coordinates(rows)) / pdist(rows.astype("float64"))
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
    whitened = RowSpace.of(rows.copy()).powered(1.0).coordinates(rows)
    assert np.ptp(pdist(whitened) / pdist(rows)) > 1e-3 * ratios[0]  # the check can fail


def test_powers_do_not_pile_up(rows):
    space = RowSpace.of(rows.copy())
    np.testing.assert_allclose(space.powered(1.0).powered(0.5).factors, space.powered(0.5).factors)


@pytest.mark.parametrize("power", POWERS)
def test_a_folded_kernel_gives_equal_outputs_on_genes(rows, power):
    random = np.random.default_rng(1)
    space = RowSpace.of(rows.copy()).powered(power)
    kernel = random.normal(size=(ROWS - 1, 5)).astype("float32")
    bias = random.normal(size=5).astype("float32")
    folded, folded_bias = space.fold(kernel, bias)
    assert (folded.shape, folded.dtype) == ((GENES, 5), np.float32)
    new = rows[:7] + random.normal(size=(7, GENES)).astype("float32")
    for x in (rows, new):
        on_coordinates = space.coordinates(x) @ kernel + bias
        on_genes = x @ folded + folded_bias
        error = np.abs(on_genes - on_coordinates).max() / np.abs(on_coordinates).max()
        assert error < 1e-4


def test_a_folded_kernel_is_blind_outside_the_span_of_the_rows(rows):
    space = RowSpace.of(rows.copy())
    folded, _ = space.fold(np.ones((ROWS - 1, 2), "float32"), np.zeros(2, "float32"))
    outside = np.random.default_rng(2).normal(size=GENES)
    outside -= space.basis @ (space.basis.T @ outside)
    assert np.linalg.norm(outside) > 1
    np.testing.assert_allclose(outside @ folded, 0, atol=1e-4 * np.abs(folded).max() * GENES)


def test_directions_that_are_rounding_are_dropped():
    rows = matrix()
    rows[:, 0] *= 1e5
    assert RowSpace.of(rows.copy()).basis.shape[1] == 1


def test_the_truncated_span_is_that_of_the_widest_directions(monkeypatch):
    monkeypatch.setattr("autogenome_tf.preprocessing._row_space.RANK", 3)
    rows = matrix("factors")
    exact, truncated = RowSpace.of(rows.copy()), RowSpace.of(rows.copy(), is_truncated=True)
    assert truncated.basis.shape == (GENES, 3)
    np.testing.assert_allclose(truncated.deviation, exact.deviation[:3], rtol=1e-3)
    overlap = np.linalg.svd(exact.basis[:, :3].T @ truncated.basis, compute_uv=False)
    np.testing.assert_allclose(overlap, 1, atol=1e-3)


def test_genes_change_nothing():
    rows, kernel, bias = matrix(), np.ones((GENES, 2)), np.zeros(2)
    genes = Genes.of(np.arange(GENES), np.arange(GENES)).powered(1.0)
    assert genes.coordinates(rows) is rows
    found, same = genes.fold(kernel, bias)
    np.testing.assert_array_equal(found, kernel)
    assert same is bias


def test_some_of_the_genes_keep_their_places_among_all():
    rows = matrix()[:, :3]
    genes = Genes.of(np.array([2, 5, 7]), np.array([1, 2, 5, 6, 7]))
    seen = genes.coordinates(rows)
    np.testing.assert_array_equal(seen[:, [1, 2, 4]], rows)
    assert not seen[:, [0, 3]].any()
    kernel = np.arange(10.0).reshape(5, 2)
    np.testing.assert_array_equal(genes.fold(kernel, np.zeros(2))[0], kernel[[1, 2, 4]])


@pytest.mark.parametrize(
    ("shape", "space", "name"),
    [
        ((20, 60), "auto", "rows"),
        ((60, 20), "auto", "genes"),
        ((20, 20), "auto", "genes"),
        ((20, 60), "genes", "genes"),
        ((60, 20), "rows", "rows"),
    ],
)
def test_auto_takes_the_smaller_side(shape, space, name):
    assert space_for(*shape, space) == name


def test_auto_takes_genes_where_the_eigenproblem_would_be_large():
    assert space_for(MOST_ROWS + 1, MOST_ROWS + 2) == "genes"


def test_auto_takes_the_widest_directions_of_a_large_matrix():
    assert space_for(10_000, 20_000) == "rows"
    assert space_for(1_000_000, 2_000) == "genes"
