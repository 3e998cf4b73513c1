"""What tasks promise: Keras' losses a row at a time, and names and units that come back."""

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from autogenome_tf import tasks
from autogenome_tf.config._sections import TaskSection
from autogenome_tf.data import Dataset
from autogenome_tf.tasks import (
    KINDS,
    Classification,
    Regression,
    Representation,
    kind_of,
    natural,
    task_of,
    types,
)

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 50).astype("int32")
LOGITS = (RANDOM.normal(size=(50, 4)) * 3).astype("float32")
TARGETS = (RANDOM.normal(size=(50, 3)) * 2).astype("float32")
VALUES = (RANDOM.normal(size=(50, 3)) * 2).astype("float32")
CLASSES = ["a", "b", "c", "d"]


def rows(targets, names=("y",)):
    """A data set of rows with targets and without genes."""
    count = len(targets)
    values = np.zeros((count, 0), "float32")
    return Dataset(values, np.arange(count).astype(str), [], targets, list(names))


# Losses ------------------------------------------------------------------------------------


def test_cross_entropy_is_keras_own():
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    found = Classification(CLASSES).row_losses(TRUTH, LOGITS)
    np.testing.assert_allclose(found, expected(TRUTH, LOGITS), rtol=1e-5, atol=1e-6)


def test_focal_loss_is_keras_own():
    expected = keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=2.0, from_logits=True, reduction=None
    )
    found = Classification(CLASSES, "focal_loss").row_losses(TRUTH, LOGITS)
    # Keras clips chances at 1e-7, so its largest losses differ a little.
    np.testing.assert_allclose(found, expected(np.eye(4)[TRUTH], LOGITS), rtol=1e-4, atol=1e-6)
    easy = Classification(CLASSES).row_losses(TRUTH, LOGITS) - found
    assert np.all(easy >= 0) and np.max(easy) > 0.1


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_missing_targets_take_no_part_in_losses_and_gradients(loss):
    import tensorflow as tf

    gaps = np.where(RANDOM.random(TARGETS.shape) < 0.3, np.nan, TARGETS).astype("float32")
    gaps[0] = [np.nan, 1.0, np.nan]
    known = ~np.isnan(gaps)
    task = Regression(["a", "b", "c"], loss, has_gaps=True)
    with tf.GradientTape() as tape:
        tape.watch(values := tf.constant(VALUES))
        found = task.row_losses(tf.constant(gaps), values)
        total = tf.reduce_sum(found)
    gradient = tape.gradient(total, values).numpy()
    assert (gradient[~known] == 0).all() and (gradient[known] != 0).all()
    one = Regression(["a"], loss)
    for row in np.flatnonzero(known.any(axis=1)):
        own = known[row]
        expected = one.row_losses(gaps[row, own, None], VALUES[row, own, None])
        np.testing.assert_allclose(found[row], np.mean(expected), rtol=1e-5)
    weights = task.row_weights(gaps)
    np.testing.assert_allclose(weights, known.sum(1) / known.sum(1).mean(), rtol=1e-6)


def test_targets_with_gaps_are_standardised_by_what_is_known():
    gaps = TARGETS.astype("float64")
    gaps[::3, 1] = np.nan
    settings = TaskSection(type="regression", loss="mse")
    task = task_of(settings, rows(gaps, "abc"), np.arange(50) < 40)
    known = gaps[:40, 1][~np.isnan(gaps[:40, 1])]
    assert (
        task.has_gaps and not task_of(settings, rows(TARGETS, "abc"), np.arange(50) < 40).has_gaps
    )
    np.testing.assert_allclose([task.mean[1], task.scale[1]], [known.mean(), known.std()])
    assert np.isnan(task.encode(gaps)[::3, 1]).all()


@pytest.mark.parametrize("scale", [1, 1000])
@pytest.mark.parametrize("loss", ["cross_entropy", "focal_loss"])
def test_losses_stay_finite_for_extreme_logits(loss, scale):
    found = np.asarray(Classification(CLASSES, loss).row_losses(TRUTH, LOGITS * scale))
    assert np.isfinite(found).all() and found.min() >= 0


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", keras.losses.MeanSquaredError),
        ("mae", keras.losses.MeanAbsoluteError),
        ("huber", keras.losses.Huber),
    ],
)
def test_regression_losses_are_keras_own(loss, expected):
    found = Regression(["x", "y", "z"], loss).row_losses(TARGETS, keras.ops.array(VALUES))
    np.testing.assert_allclose(found, expected(reduction=None)(TARGETS, VALUES), rtol=1e-5)


def test_truth_may_come_as_a_column_as_keras_hands_it_on():
    found = Classification(CLASSES).row_losses(TRUTH[:, None].astype("float32"), LOGITS)
    np.testing.assert_array_equal(found, Classification(CLASSES).row_losses(TRUTH, LOGITS))
    one = Regression(["x"])
    flat = one.row_losses(TARGETS[:, 0], keras.ops.array(VALUES[:, :1]))
    np.testing.assert_array_equal(
        flat, one.row_losses(TARGETS[:, :1], keras.ops.array(VALUES[:, :1]))
    )


# Weights -----------------------------------------------------------------------------------


def test_balanced_weights_are_scikit_learns_with_mean_one():
    truth = np.array([0] * 10 + [1] * 3 + [2])
    found = Classification(["a", "b", "c"], class_weight="balanced").row_weights(truth)
    each = compute_class_weight("balanced", classes=np.arange(3), y=truth)[truth]
    np.testing.assert_allclose(found, each / each.mean(), rtol=1e-6)
    assert found.mean() == pytest.approx(1)
    totals = np.bincount(truth, weights=found)
    np.testing.assert_allclose(totals, totals[0], rtol=1e-6)  # every class weighs the same


def test_balanced_weights_survive_a_class_without_rows():
    found = Classification(["a", "b", "c"], class_weight="balanced").row_weights(
        np.array([0, 0, 2])
    )
    np.testing.assert_allclose(found, [0.75, 0.75, 1.5], rtol=1e-6)


def test_given_weights_keep_their_ratios_and_others_weigh_one():
    task = Classification(["a", "b", "c"], class_weight={"a": 3, "c": 0.5})
    found = task.row_weights(np.array([0, 1, 1, 2]))
    np.testing.assert_allclose(found / found[1], [3, 1, 1, 0.5], rtol=1e-6)
    assert found.mean() == pytest.approx(1)


def test_without_class_weight_every_row_weighs_one():
    np.testing.assert_array_equal(Classification(["a", "b"]).row_weights(np.array([0, 0, 1])), 1)
    np.testing.assert_array_equal(Regression(["x"]).row_weights(np.zeros((5, 1))), np.ones(5))


# Names and units ---------------------------------------------------------------------------


def test_labels_come_back_from_the_logits_that_stand_for_them():
    task = Classification(CLASSES)
    labels = np.array(["c", "a", "d", "b", "a"], dtype=object)
    frame = task.frame(5 * np.eye(4)[task.encode(labels)])
    assert list(frame["prediction"]) == list(labels)
    assert list(frame.columns) == ["prediction", "p_a", "p_b", "p_c", "p_d"]
    np.testing.assert_allclose(frame.iloc[:, 1:].sum(axis=1).astype(float), 1)
    assert frame["p_c"].iloc[0] == pytest.approx(np.exp(5) / (np.exp(5) + 3))


def test_a_temperature_divides_logits():
    scale, offset = Classification(CLASSES).output_scale(4.0)
    np.testing.assert_array_equal(LOGITS * scale + offset, LOGITS / 4)


def test_targets_come_back_in_their_units():
    targets = RANDOM.normal(size=(40, 2)) * [3, 1e-4] + [100, -5]
    train = np.arange(40) < 30
    task = task_of(TaskSection(type="regression"), rows(targets, ["height", "rate"]), train)
    encoded = task.encode(targets)
    np.testing.assert_allclose(encoded[train].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(encoded[train].std(0), 1, rtol=1e-5)
    scale, offset = task.output_scale()
    np.testing.assert_allclose(encoded * scale + offset, targets, rtol=1e-6)
    assert list(task.frame(targets).columns) == ["prediction_height", "prediction_rate"]


def test_rows_held_out_do_not_move_the_scale_of_targets():
    targets = np.arange(10.0)[:, None]
    train = np.arange(10) < 6
    far = np.where(train[:, None], targets, 1e6)
    settings = TaskSection(type="regression")
    found = [task_of(settings, rows(given), train).mean for given in (far, targets)]
    assert found[0] == found[1]


def test_a_target_that_is_constant_on_training_rows_keeps_its_scale():
    task = task_of(TaskSection(type="regression"), rows(np.full((4, 1), 3.0)), np.ones(4, bool))
    np.testing.assert_array_equal(task.encode(np.full((4, 1), 3.5)), 0.5)


def test_a_single_target_is_one_column():
    frame = Regression(["y"]).frame(np.array([[1.5], [2.5]]))
    assert list(frame.columns) == ["prediction"] and list(frame["prediction"]) == [1.5, 2.5]


# Order of classes --------------------------------------------------------------------------


def test_classes_are_innatural_order():
    labels = np.array(["b", "10", "2", "a", "-1", "1.5", "B"], dtype=object)
    task = task_of(TaskSection(), rows(labels), np.ones(7, bool))
    assert task.classes == ["-1", "1.5", "2", "10", "B", "a", "b"] == task.output_names


def test_the_order_of_classes_does_not_depend_on_the_order_of_rows():
    orders = [sorted(names, key=natural) for names in (["2", "nan", "1"], ["nan", "1", "2"])]
    assert orders[0] == orders[1]


def test_class_weights_reach_the_task():
    labels = np.array(["tumour", "healthy"])
    task = task_of(TaskSection(class_weight={"tumour": 2.0}), rows(labels), np.ones(2, bool))
    np.testing.assert_allclose(task.row_weights(task.encode(labels)), [4 / 3, 2 / 3], rtol=1e-6)
    focal = task_of(TaskSection(loss="focal_loss"), rows(labels), np.ones(2, bool))
    assert focal.loss == "focal_loss"


# Kinds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_kind_answers_for_all_that_a_config_asks_of_it(kind):
    assert kind_of(kind.type) is kind
    assert kind.losses and kind.objectives and kind.families
    assert not kind.has_classes or not kind.has_units
    assert all(isinstance(is_higher, bool) for is_higher in kind.objectives.values())


def test_kinds_are_listed_by_what_is_true_of_them():
    assert types("has_targets") == ["classification", "regression", "survival", "mixed"]
    assert types("has_units") == ["regression"]


def test_a_log_likelihood_of_classes_is_that_of_calibrated_logits():
    task, weights = Classification(CLASSES), np.ones(len(TRUTH))
    outputs = np.stack([np.zeros((len(TRUTH), 4)), 1000.0 * np.eye(4)[(TRUTH + 1) % 4]])
    outputs[1, 0] = 1000.0 * np.eye(4)[TRUTH[0]]
    found = task.log_likelihoods(TRUTH, outputs, weights)
    assert found[0] == pytest.approx(-np.log(4)) and found[1] < -np.log(4)
    # Dividing logits by one of the temperatures changes nothing that calibration does not undo.
    once = np.random.default_rng(0).normal(size=(1, len(TRUTH), 4))
    more = task.log_likelihoods(TRUTH, np.concatenate([once, once * 0.25**-0.3]), weights)
    assert np.ptp(more) < 0.05


def test_a_log_likelihood_of_values_is_that_of_their_residual_variance():
    task, weights = Regression(["x", "y", "z"]), np.ones(len(TARGETS))
    noise = np.random.default_rng(0).normal(size=TARGETS.shape)
    found = task.log_likelihoods(TARGETS, np.stack([TARGETS + noise, TARGETS + 2 * noise]), weights)
    assert found[0] - found[1] == pytest.approx(np.log(2), rel=1e-6)
    expected = np.mean(-0.5 * (np.log(2 * np.pi * (noise**2).mean(axis=0)) + 1))
    assert found[0] == pytest.approx(expected, rel=1e-6)
    gaps = TARGETS.astype("float64").copy()
    gaps[0, 0] = np.nan
    assert np.isfinite(task.log_likelihoods(gaps, (TARGETS + noise)[None], weights)).all()


@pytest.mark.parametrize("task", [Classification(CLASSES), Regression(["w", "x", "y", "z"])])
def test_what_a_network_teaches_is_nearest_to_itself(task):
    random = np.random.default_rng(0)
    taught, other = random.normal(size=(2, 3, 5, 4)).astype("float32")
    own, far = (np.asarray(task.taught_losses(taught, outputs)) for outputs in (taught, other))
    assert own.shape == (3, 5) and (own <= far).all() and (own < far).any()


def test_scores_are_in_original_units():
    task = Regression(["x"], mean=np.array([5.0]), scale=np.array([10.0]))
    assert task.score("mae", np.zeros((4, 1)), np.ones((4, 1))) == 10
    assert Representation().score("elbo", np.zeros(2), np.array([[1.0, 2.0], [3.0, 4.0]])) == -5


def test_only_logits_have_a_temperature():
    assert Classification(CLASSES).temperature(TRUTH, LOGITS) != 1
    assert Regression(["x", "y", "z"]).temperature(TARGETS, VALUES) == 1


@pytest.mark.parametrize("kind", ["classification", "representation"])
def test_labels_are_one_column_of_text(kind):
    column = pd.DataFrame({"y": [1.0, 2.5]}, index=["s1", "s2"])
    assert list(kind_of(kind).read(column)) == ["1", "2.5"]
    with pytest.raises(ValueError, match=r"predicts one column; received \['y', 'z'\]"):
        kind_of(kind).read(column.assign(z=1))
    with pytest.raises(ValueError, match="y: empty for sample 's2'"):
        kind_of(kind).read(pd.DataFrame({"y": ["a", " "]}, index=["s1", "s2"]))


def test_numbers_are_read_from_every_column():
    frame = pd.DataFrame({"y": ["1", "2"], "z": [3, 4]}, index=["s1", "s2"])
    np.testing.assert_array_equal(Regression.read(frame), [[1, 3], [2, 4]])
    with pytest.raises(ValueError, match="z: sample s2: expected a number; received 'high'"):
        Regression.read(frame.assign(z=[1, "high"]))


def test_the_focal_loss_is_public_and_read_back_by_keras():
    loss = Classification(CLASSES, "focal_loss").keras_loss()
    assert isinstance(loss, tasks.FocalLoss)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(TRUTH, LOGITS)) == pytest.approx(float(loss(TRUTH, LOGITS)))


def test_outcomes_of_several_kinds_are_refused_with_a_way_out():
    mixed = pd.DataFrame({"age": [1.0, 2.0], "kind": ["a", "b"]}, ["s1", "s2"])
    with pytest.raises(
        ValueError, match="kind: sample s1.*for classes among them set task.type mixed"
    ):
        Regression.read(mixed)
    with pytest.raises(ValueError, match="one column; .*or set task.type mixed"):
        Classification.read(mixed)
