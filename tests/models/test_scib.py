"""Scores of integration and ComBat: equal to scib-metrics and scanpy, and what they say."""

import random

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy
import sklearn.neighbors

from autogenome_tf.core.errors import InputError
from autogenome_tf.models import _leiden, scib_scores
from autogenome_tf.models._combat import combat
from autogenome_tf.models._scib import BIOLOGY, LISI, MIXING

# Of scib-metrics 0.5.10 by `by_scib_metrics` (JAX 0.10.2 in double precision), by seed.
REFERENCE = {
    1: {
        "leiden_nmi": 0.9777174, "leiden_ari": 0.9869141,
        "silhouette_label": 0.7031188, "clisi": 0.9981188, "isolated_labels": 0.7033312,
        "bras": 0.7568134, "ilisi": 0.6213839, "kbet": 0.6069647,
        "graph_connectivity": 0.9893899, "pcr": 0.8629255,
    },
    2: {
        "leiden_nmi": 0.7795292, "leiden_ari": 0.7272563,
        "silhouette_label": 0.6427767, "clisi": 0.9522435, "isolated_labels": 0.6960711,
        "bras": 0.6755964, "ilisi": 0.4973315, "kbet": 0.4113951,
        "graph_connectivity": 0.9917657, "pcr": 0.8608246,
    },
}  # fmt: skip


def drawn(seed, count=400):
    """Cells of four types in three batches, one type absent from one batch; after and before."""
    rng = np.random.default_rng(seed)
    labels, batches = rng.choice(4, count, p=[0.4, 0.3, 0.2, 0.1]), rng.integers(0, 3, count)
    batches[(labels == 3) & (batches == 2)] = 0
    centres, shifts = 1.5 * rng.normal(size=(4, 6)), rng.normal(size=(3, 6))
    noise = rng.normal(size=(2, count, 6))
    before = centres[labels] + 2 * shifts[batches] + noise[0]
    return centres[labels] + 0.5 * shifts[batches] + noise[1], labels, batches, before


def by_scib_metrics(points, labels, batches, before):
    """Compute the scores of scib-metrics on exact neighbours, without those of k-means."""
    import scib_metrics
    from scib_metrics.nearest_neighbors import NeighborsResults

    finder = sklearn.neighbors.NearestNeighbors(n_neighbors=LISI).fit(points)
    distances, indices = finder.kneighbors(points)
    near = {k: NeighborsResults(indices[:, :k], distances[:, :k]) for k in (15, 50, LISI)}
    leiden = scib_metrics.nmi_ari_cluster_labels_leiden(near[15], labels, seed=0)
    return {
        **{f"leiden_{name}": one for name, one in leiden.items()},
        "silhouette_label": scib_metrics.silhouette_label(points, labels),
        "clisi": scib_metrics.clisi_knn(near[LISI], labels),
        "isolated_labels": scib_metrics.isolated_labels(points, labels, batches),
        "bras": scib_metrics.bras(points, labels, batches),
        "ilisi": scib_metrics.ilisi_knn(near[LISI], batches),
        "kbet": scib_metrics.kbet_per_label(near[50], batches, labels),
        "graph_connectivity": scib_metrics.graph_connectivity(near[15], labels),
        "pcr": scib_metrics.pcr_comparison(before, points, batches, categorical=True),
    }


@pytest.mark.parametrize("seed", REFERENCE)
def test_figures_are_those_of_scib_metrics(seed):
    found = scib_scores(*drawn(seed))
    expected = REFERENCE[seed]
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    bio, batch = (np.mean([found[name] for name in names]) for names in (BIOLOGY, MIXING))
    assert [found["bio"], found["batch"]] == pytest.approx([bio, batch])
    assert found["total"] == pytest.approx(0.6 * bio + 0.4 * batch)


@pytest.mark.slow
def test_figures_are_those_of_scib_metrics_where_it_is_installed():
    jax = pytest.importorskip("jax")
    pytest.importorskip("scib_metrics")
    with jax.enable_x64(True):
        for seed in REFERENCE:
            expected = by_scib_metrics(*drawn(seed))
            found = scib_scores(*drawn(seed))
            assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_figures_do_not_depend_on_unit_or_direction():
    points, labels, batches, before = drawn(1)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    expected = scib_scores(points, labels, batches, before)
    # LISI is searched from a fixed start to a tolerance, so that units change its last digits.
    found = scib_scores(1000 * points @ turn, labels, batches, before)
    assert found == pytest.approx(expected, abs=1e-3)


def test_batches_by_chance_are_mixed_and_labels_by_chance_are_not_apart():
    points, labels, batches, before = drawn(1)
    mixed = np.random.default_rng(0).permutation(batches)
    found, given = (scib_scores(points, labels, one, before) for one in (mixed, batches))
    assert found["kbet"] > 0.9 and found["ilisi"] > 0.8
    assert all(found[name] > given[name] for name in ("bras", "ilisi", "kbet"))
    apart = scib_scores(points, np.random.default_rng(0).permutation(labels))
    assert not apart.keys() & {*MIXING, "bio", "batch", "total"}
    assert abs(apart["ari"]) < 0.05 and apart["clisi"] < 0.6


def test_leiden_clusters_need_igraph_and_are_no_part_of_the_means(monkeypatch):
    expected = scib_scores(*drawn(1))
    state = random.getstate()
    monkeypatch.setattr(_leiden, "is_installed", lambda: False)
    found = scib_scores(*drawn(1))
    assert expected.keys() - found.keys() == {"leiden_nmi", "leiden_ari"}
    assert found == {name: expected[name] for name in found}
    assert random.getstate() == state


def test_batches_within_single_labels_leave_mixing_undefined():
    points, labels, _, before = drawn(1)
    found = scib_scores(points, labels, labels, before)
    assert found["kbet"] is None and found["bras"] is None
    rest = [found[name] for name in ("ilisi", "graph_connectivity", "pcr")]
    assert found["batch"] == pytest.approx(np.mean(rest))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spread", [np.zeros((1, 2)), np.array([[0.0, 1.0]])])
def test_collapsed_units_have_finite_figures(spread):
    points, labels, batches, before = drawn(1)
    found = scib_scores(points[:, :1] * spread, labels, batches, before)
    assert all(0 <= found[name] <= 1 for name in ("bio", "batch", "bras", "kbet", "ilisi"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.zeros((89, 6))}, "points: received 89 cells; expected at least 90"),
        ({"labels": np.zeros(400)}, "labels: received one level"),
        ({"batches": np.zeros(400)}, "batches: received one level"),
        ({"before": None}, "before: expected the principal components"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, message):
    given = dict(zip(("points", "labels", "batches", "before"), drawn(1), strict=True))
    with pytest.raises(InputError, match=message):
        scib_scores(**given | change)


def batched():
    """Draw (90, 40) expression values of three batches that differ in mean and variance."""
    rng = np.random.default_rng(0)
    batches = np.array(list("abc"))[rng.integers(0, 3, 90)]
    values = rng.gamma(2, 1, size=(90, 40)) * (1 + 0.5 * (batches == "a"))[:, None]
    return values + (batches == "b")[:, None] * rng.normal(size=40), batches


def test_combat_is_that_of_scanpy():
    values, batches = batched()
    frame = pd.DataFrame({"batch": batches}, [str(row) for row in range(90)])
    expected = scanpy.pp.combat(anndata.AnnData(values.copy(), frame), inplace=False)
    assert combat(values, batches, np.ones(90, bool)) == pytest.approx(expected, abs=1e-4)


def test_combat_learns_from_fitted_rows_alone():
    values, batches = batched()
    is_fitted = np.arange(90) < 60
    expected = combat(values, batches, is_fitted)
    assert expected[:60] == pytest.approx(combat(values[:60], batches[:60], is_fitted[:60]))
    other = values.copy()
    other[60] = 0
    assert np.array_equal(np.delete(combat(other, batches, is_fitted), 60, 0),
                          np.delete(expected, 60, 0))  # fmt: skip


@pytest.mark.parametrize("columns", [1, 40])
def test_combat_keeps_what_it_cannot_learn(columns):
    values, batches = batched()
    values = values[:, :columns].copy()
    values[:, 0] = batches == "a"
    batches = batches.copy()
    batches[0] = "single"
    found = combat(values, batches, np.arange(90) != 5)
    assert np.isfinite(found).all()
    assert np.array_equal(found[0], values[0]) and np.array_equal(found[:, 0], values[:, 0])
