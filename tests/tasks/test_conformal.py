"""Prediction sets and intervals: known answers, the stated coverage, and what a file keeps."""

import json

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from autogenome_tf.tasks import ALL, Classification, PredictionIntervals, PredictionSets, Regression
from autogenome_tf.tasks._kept import MOST_KEPT
from autogenome_tf.tasks._novelty import Novelty

RANDOM = np.random.default_rng(0)
CLASSES = ["a", "b", "c"]


def logits(probabilities):
    return np.log(np.array(probabilities, float))


def test_the_p_value_of_a_class_is_the_share_of_its_rows_with_no_higher_probability():
    sets = PredictionSets(["a", "b"], [np.array([0.2, 0.5, 0.9]), np.array([0.6])], (0.9,))
    found = sets.p_values(logits([[0.5, 0.5], [0.1, 0.9], [0.95, 0.05]]))
    np.testing.assert_allclose(found, [[3 / 4, 1 / 2], [1 / 4, 2 / 2], [4 / 4, 1 / 2]])


def test_classes_above_the_miss_are_in_the_set_the_likeliest_first():
    sets = PredictionSets(["a", "b"], [np.linspace(0.1, 0.9, 9)] * 2, (0.5, 0.9))
    frame = sets.columns(logits([[0.4, 0.6], [0.96, 0.04]]))
    assert list(frame) == ["set_50", "set_90"]
    assert frame["set_50"].tolist() == ["b", "a"]
    # A p-value of exactly 1 - coverage is outside.
    assert frame["set_90"].tolist() == ["b | a", "a"]


def test_a_class_without_rows_is_in_every_set():
    task = Classification(CLASSES)
    sets = task.conformal(np.array([0, 1]), logits([[0.8, 0.1, 0.1]] * 2), (0.9,))
    assert sets.sets(logits([[0.98, 0.01, 0.01]]), 0.9)[0, 2]


def drawn(count):
    """Classes of unequal size, and logits that know something of them."""
    targets = RANDOM.choice(3, count, p=[0.7, 0.2, 0.1])
    return targets, 2 * np.eye(3)[targets] + RANDOM.normal(size=(count, 3))


@pytest.mark.parametrize("coverage", [0.6, 0.9])
def test_each_class_is_covered_as_stated(coverage):
    shares = []
    for _ in range(40):
        sets = Classification(CLASSES).conformal(*drawn(400), (coverage,))
        targets, outputs = drawn(400)
        frame = sets.covered(np.array(CLASSES, object)[targets], outputs).set_index("output")
        shares.append(frame["covered"])
    means = np.mean([one.to_numpy() for one in shares], axis=0)
    # At least as stated, and by little more than one row of the smallest class (about 40).
    assert np.all(means > coverage - 0.01) and np.all(means < coverage + 0.04), means


def test_the_half_width_is_an_order_statistic_of_the_errors():
    errors = np.arange(1.0, 20)
    intervals = PredictionIntervals(["y"], [errors], (0.9,))
    assert intervals.half_widths(0.9) == [18]
    assert intervals.half_widths(0.55) == [11]
    assert np.isinf(intervals.half_widths(0.97))[0]


def test_values_are_covered_as_stated_in_their_units():
    task = Regression(["x", "y"], mean=np.array([10.0, 0]), scale=np.array([5.0, 1]))

    def rows(count):
        values = RANDOM.normal(size=(count, 2)) * task.scale + task.mean
        return values, values + RANDOM.normal(size=(count, 2)) * [3, 0.1]

    shares = []
    for _ in range(40):
        values, outputs = rows(200)
        intervals = task.conformal(task.encode(values), outputs, (0.8,))
        frame = intervals.covered(*rows(200))
        assert frame["output"].tolist() == [ALL, "x", "y"]
        assert frame["size"][1] > 10 * frame["size"][2]
        shares.append(frame["covered"].to_numpy())
    np.testing.assert_allclose(np.mean(shares, axis=0), 0.8, atol=0.02)


def test_missing_values_take_no_part():
    values, outputs = np.array([[1.0], [np.nan], [3.0]]), np.zeros((3, 1))
    intervals = PredictionIntervals.of(["y"], values, outputs, (0.5,))
    np.testing.assert_array_equal(intervals.kept[0], [1, 3])
    assert intervals.covered(values, outputs)["rows"].tolist() == [2]


def test_columns_of_several_targets_have_their_names():
    two = PredictionIntervals(["x", "y"], [np.ones(9), np.full(9, 2.0)], (0.5, 0.9))
    frame = two.columns(np.zeros((1, 2)))
    assert list(frame) == [
        "low_50_x", "low_50_y", "high_50_x", "high_50_y",
        "low_90_x", "low_90_y", "high_90_x", "high_90_y",
    ]  # fmt: skip
    assert frame.iloc[0].tolist() == [-1, -2, 1, 2, -1, -2, 1, 2]


def test_of_many_rows_a_file_keeps_quantiles():
    outputs = RANDOM.normal(size=(5000, 1))
    intervals = PredictionIntervals.of(["y"], np.zeros((5000, 1)), outputs, (0.9,))
    assert len(intervals.kept[0]) == MOST_KEPT
    np.testing.assert_allclose(
        intervals.half_widths(0.9), np.quantile(np.abs(outputs), 0.9), rtol=0.02
    )


@pytest.mark.parametrize("task", [Classification(CLASSES), Regression(["x", "y", "z"])])
def test_what_a_file_keeps_answers_alike(task):
    targets, outputs = drawn(60)
    targets = targets if task.has_classes else outputs + RANDOM.normal(size=outputs.shape)
    before = task.conformal(targets, outputs, (0.8,))
    after = task.known_conformal(before.as_json())
    new = drawn(30)[1]
    first, second = before.columns(new), after.columns(new)
    if task.has_classes:
        assert first.equals(second)
    else:
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


def test_of_no_rows_nothing_is_known():
    frame = PredictionSets(["a"], [np.ones(3)], (0.9,)).covered(np.array([]), np.zeros((0, 1)))
    assert frame["rows"].tolist() == [0, 0] and frame["covered"].isna().all()


# Normalised intervals ----------------------------------------------------------------------------


def uneven(seed, count=400, slope=1.5):
    """Return values whose errors grow with what is predicted, or do not."""
    random = np.random.default_rng(seed)
    outputs = random.normal(size=(count, 1))
    return outputs + np.exp(slope * outputs) * random.normal(size=(count, 1)), outputs


def test_widths_follow_the_predicted_value_where_errors_do(caplog):
    caplog.set_level("INFO")
    known, new = uneven(0), uneven(1, 20_000)
    intervals = PredictionIntervals.of(["y"], *known, (0.9,))
    assert "follow the predicted value" in caplog.text
    low, high = intervals.intervals(new[1], 0.9)
    covered = ((low <= new[0]) & (new[0] <= high))[:, 0]
    assert abs(covered.mean() - 0.9) < 0.03
    for half in (new[1][:, 0] < 0, new[1][:, 0] > 0):
        assert abs(covered[half].mean() - 0.9) < 0.06
    plain = 2 * np.quantile(np.abs(known[0] - known[1]), 0.9)
    assert (high - low).mean() < 0.85 * plain


def test_widths_are_equal_where_errors_are():
    for seed in range(5):
        assert PredictionIntervals.of(["y"], *uneven(seed, slope=0.0), (0.9,)).difficulty is None
    assert PredictionIntervals.of(["y"], *uneven(0, count=40), (0.9,)).difficulty is None


def test_a_model_file_and_a_graph_keep_the_difficulty():
    targets, outputs = uneven(0)
    twice = np.hstack([targets, -targets]), np.hstack([outputs, -outputs])
    intervals = PredictionIntervals.of(["x", "y"], *twice, (0.9,))
    again = PredictionIntervals.from_json(["x", "y"], json.loads(json.dumps(intervals.as_json())))
    low, high = intervals.intervals(twice[1], 0.9)
    np.testing.assert_allclose(again.intervals(twice[1], 0.9), (low, high), rtol=1e-4, atol=1e-4)
    found = intervals.in_graph(np.asarray(twice[1], "float32"))
    np.testing.assert_allclose(np.asarray(found["high"]), high, rtol=1e-4, atol=1e-4)
    assert intervals.covered(*twice)["covered"].between(0.85, 0.95).all()
    old = {name: value for name, value in intervals.as_json().items() if name != "difficulty"}
    assert PredictionIntervals.from_json(["x", "y"], old).difficulty is None


def test_distances_are_mahalanobis_s_from_the_nearest_class():
    targets, outputs = drawn(300)
    outputs = outputs - outputs.mean(axis=1, keepdims=True)
    means = np.stack([outputs[targets == place].mean(axis=0) for place in range(3)])
    precision = LedoitWolf(assume_centered=True).fit(outputs - means[targets]).precision_
    apart = outputs[:, None] - means
    expected = np.einsum("rci,ij,rcj->rc", apart, precision, apart).min(axis=1)
    # What all outputs have in common is no part of any probability.
    found = Novelty.of(targets, outputs).distances(outputs + 7)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_rows_of_the_same_kind_have_even_p_values_and_others_low_ones():
    novelty = Novelty.of(*drawn(500))
    own = novelty.p_values(drawn(2000)[1])
    np.testing.assert_allclose(np.quantile(own, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.05)
    others = novelty.p_values(drawn(200)[1] + [9.0, 9.0, 0.0])
    assert np.median(others) == 1 / 501


def test_novelty_is_kept_with_the_model_and_earlier_models_have_none():
    sets = Classification(CLASSES).conformal(*drawn(1200), (0.9,))
    names = json.loads(json.dumps(sets.as_json()))
    outputs = drawn(50)[1]
    again = Classification(CLASSES).known_conformal(names)
    np.testing.assert_array_equal(again.columns(outputs), sets.columns(outputs))
    assert len(again.novelty.kept) == MOST_KEPT
    del names["novelty"]
    assert list(Classification(CLASSES).known_conformal(names).columns(outputs)) == ["set_90"]
