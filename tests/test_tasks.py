"""What tasks promise: Keras' losses a row at a time, and names and units that come back."""

import keras
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from autogenome_tf.config._sections import Task
from autogenome_tf.core.errors import InputError
from autogenome_tf.tasks import Classification, Regression, _natural, task_of

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 4, 50).astype("int32")
LOGITS = (RANDOM.normal(size=(50, 4)) * 3).astype("float32")
TARGETS = (RANDOM.normal(size=(50, 3)) * 2).astype("float32")
VALUES = (RANDOM.normal(size=(50, 3)) * 2).astype("float32")
CLASSES = ["a", "b", "c", "d"]


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
    task = task_of(Task(type="regression"), targets, ["height", "rate"], train)
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
    settings = Task(type="regression")
    assert (
        task_of(settings, far, ["y"], train).mean == task_of(settings, targets, ["y"], train).mean
    )


def test_a_target_that_is_constant_on_training_rows_keeps_its_scale():
    task = task_of(Task(type="regression"), np.full((4, 1), 3.0), ["y"], np.ones(4, bool))
    np.testing.assert_array_equal(task.encode(np.full((4, 1), 3.5)), 0.5)


def test_a_single_target_is_one_column():
    frame = Regression(["y"]).frame(np.array([[1.5], [2.5]]))
    assert list(frame.columns) == ["prediction"] and list(frame["prediction"]) == [1.5, 2.5]


# Order of classes --------------------------------------------------------------------------


def test_classes_are_in_natural_order():
    labels = np.array(["b", "10", "2", "a", "-1", "1.5", "B"], dtype=object)
    task = task_of(Task(), labels, ["y"], np.ones(7, bool))
    assert task.classes == ["-1", "1.5", "2", "10", "B", "a", "b"] == task.output_names


def test_the_order_of_classes_does_not_depend_on_the_order_of_rows():
    orders = [sorted(names, key=_natural) for names in (["2", "nan", "1"], ["nan", "1", "2"])]
    assert orders[0] == orders[1]


def test_a_weight_for_no_class_is_refused_with_the_nearest_one():
    settings = Task(class_weight={"tumor": 2.0})
    with pytest.raises(InputError, match="task.class_weight: unknown name 'tumor'.*'tumour'"):
        task_of(settings, np.array(["tumour", "healthy"]), ["y"], np.ones(2, bool))


def test_class_weights_reach_the_task():
    labels = np.array(["tumour", "healthy"])
    task = task_of(Task(class_weight={"tumour": 2.0}), labels, ["y"], np.ones(2, bool))
    np.testing.assert_allclose(task.row_weights(task.encode(labels)), [4 / 3, 2 / 3], rtol=1e-6)
    focal = task_of(Task(loss="focal_loss"), labels, ["y"], np.ones(2, bool))
    assert focal.loss == "focal_loss"
