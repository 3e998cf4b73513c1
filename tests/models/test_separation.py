"""Separation of clusters, and the distances of a latent space that are chosen by it."""

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.models import LatentModel
from autogenome_tf.models._separation import DRAWS, beyond_chance, separation

ROWS, GENES = 300, 20
RANDOM = np.random.default_rng(4)
TYPES = np.arange(ROWS) % 3
# Three types in two dimensions; further dimensions in which all vary alike.
APART = np.array([[0, 8], [8, 0], [0, 0]])[TYPES] + RANDOM.normal(size=(ROWS, 2))
ALIKE = RANDOM.normal(size=(ROWS, 4))


def values(spread):
    """Values of three types, and of programs of so large a spread that all types share."""
    points = np.hstack([APART, spread * ALIKE])
    loadings = np.linalg.qr(np.random.default_rng(5).normal(size=(GENES, 6)))[0]
    return points @ loadings.T + 0.3 * np.random.default_rng(6).normal(size=(ROWS, GENES))


def trained(folder, spread, **family):
    """A run on such values."""
    config = {
        "name": "t", "output_dir": str(folder), "data": {"transform": "none"},
        "task": {"type": "representation"},
        "families": {"resvae": {"latent": 6, "start_width": 8, "layers": 1, **family}},
        "search": {"max_trials": 1, "epochs": 2}, "training": {"epochs": 2},
        "output": {"figures": False},
    }  # fmt: skip
    names = [f"s{row}" for row in range(ROWS)], [f"g{gene}" for gene in range(GENES)]
    automl = ag.AutoGenome(config, data=(pd.DataFrame(values(spread), *names), None))
    automl.train()
    return automl


def test_clusters_separate_points_and_a_common_spread_hides_them():
    hidden = np.hstack([APART, 30 * ALIKE])
    whitened = hidden / hidden.std(axis=0)
    assert separation(APART) > separation(whitened) > separation(hidden)
    assert separation(APART) > separation(RANDOM.normal(size=(ROWS, 2))) + 0.1


def test_a_few_outliers_are_no_clusters():
    points = RANDOM.normal(size=(ROWS, 5))
    outliers = points.copy()
    outliers[:3] += 30
    assert separation(outliers) == pytest.approx(separation(points), abs=0.05)


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.ones((19, 2)), np.ones((40, 2))])
def test_points_without_clusters_have_the_least_separation(points):
    assert separation(points) == -1


def test_a_flat_cloud_is_separated_no_better_than_chance():
    flat = RANDOM.normal(size=(ROWS, 4)) * [20, 10, 1, 1]
    assert separation(flat) > separation(flat / [20, 10, 1, 1]) + 0.1
    found = beyond_chance(flat, np.ones((1, 4)))
    assert found.shape == (1, DRAWS) and abs(found.mean()) < 2 * found.std()


def test_clusters_are_beyond_chance_in_units_that_show_them():
    hidden = np.hstack([APART, 30 * ALIKE])
    as_it_is, whitened = beyond_chance(hidden, np.stack([np.ones(6), 1 / hidden.std(axis=0)]))
    assert whitened.mean() > 5 * whitened.std()
    assert abs(as_it_is.mean()) < 2 * as_it_is.std()
    np.testing.assert_array_equal(beyond_chance(hidden, np.ones((1, 6)))[0], as_it_is)


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.ones((19, 2)), np.ones((40, 2))])
def test_nothing_is_beyond_chance_where_nothing_divides_the_points(points):
    assert not beyond_chance(points, np.ones((1, 2))).any()


def test_few_rows_keep_distances_of_decoded_values(tmp_path):
    model = trained(tmp_path, 1.0, distance="prior")._session.model()
    units, distance = model.units(values(1.0)[:15].astype("float32"), "auto")
    assert distance == "decoded" and units.max() > 1.5 * units.min()


@pytest.mark.parametrize(("spread", "distance"), [(12.0, "prior"), (1.0, "decoded")])
def test_auto_takes_the_distance_whose_clusters_are_separated(tmp_path, spread, distance):
    automl = trained(tmp_path, spread)
    model = automl._session.model()
    assert model.distance == LatentModel.load(automl.folder / "model.keras").distance == distance
    text = (automl.folder / "log.txt").read_text()
    assert f"Distances in the latent space: {distance}" in text
    automl.predict()
    automl.evaluate()
    told = "standard deviations of the prior" if distance == "prior" else "those of decoded values"
    assert told in automl.report().read_text()


def test_distances_are_those_that_are_asked_for(tmp_path):
    rows = values(1.0).astype("float32")
    decoded, prior = (
        trained(tmp_path / name, 1.0, distance=name)._session.model()
        for name in ("decoded", "prior")
    )
    assert (decoded.distance, prior.distance) == ("decoded", "prior")
    np.testing.assert_array_equal(prior.autoencoder.deviation, 1)
    scale = decoded.autoencoder.deviation
    assert scale.max() > 1.5 * scale.min()
    np.testing.assert_allclose(decoded.outputs(rows), prior.outputs(rows) * scale, rtol=1e-4)
    for name in ("reconstruction", "log_variance"):
        shift = 2 * np.log(scale) if name == "log_variance" else 0
        expected = prior.run(rows, name) + shift
        np.testing.assert_allclose(decoded.run(rows, name), expected, atol=1e-4)


def test_a_search_has_one_distance(tmp_path):
    with pytest.raises(InputError, match="families.resvae.distance"):
        trained(tmp_path, 1.0, distance=["decoded", "prior"])


def test_a_model_of_before_has_distances_of_decoded_values(tmp_path):
    model = trained(tmp_path, 1.0, distance="prior")._session.model()
    names = {key: one for key, one in model._names().items() if key != "distance"}
    assert LatentModel.from_names(model.model, names).distance == "decoded"
