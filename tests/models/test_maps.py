"""Maps of many points are made of their exact neighbours."""

import sys
import types

import numpy as np
import pytest

from autogenome_tf.models import _maps

# Files without the marker leave UMAP out.
pytestmark = pytest.mark.figures


class Noted:
    """UMAP that keeps what it was asked for."""

    def __init__(self, **asked):
        self.asked = Noted.last = asked

    def fit_transform(self, points):
        return points[:, :2]


@pytest.mark.parametrize("count", [50, 300])
def test_umap_of_many_points_is_given_their_exact_neighbours(count, monkeypatch):
    fake = types.ModuleType("umap")
    fake.__spec__, fake.UMAP = object(), Noted
    monkeypatch.setitem(sys.modules, "umap", fake)
    monkeypatch.setattr(_maps, "APPROXIMATE", 100)
    points = np.random.default_rng(0).normal(size=(count, 20))
    title, two = _maps.map_of(points, "PCA", 3)
    assert title == "UMAP of PCA" and two.shape == (count, 2) and Noted.last["random_state"] == 3
    assert ("precomputed_knn" in Noted.last) == (count >= 100)
    if count >= 100:
        nearest, distances = Noted.last["precomputed_knn"]
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        order = np.argsort(apart, axis=1)[:, : _maps.NEIGHBOURS]
        assert np.array_equal(nearest, order)
        assert distances == pytest.approx(np.take_along_axis(apart, order, 1), abs=1e-6)
