"""Label smoothing: Keras' loss, in networks that are compiled and in those that train together."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from folds import cross_validation, thirds

from autogenome_tf import families
from autogenome_tf.core.errors import InputError
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Plan, _engines

ROWS, GENES = 48, 6
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
TRUTH = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 1)
TASK = Classification(["a", "b", "c"])
VALUES = {"layers": 1, "units": 4, "dropout": 0.0, "input_dropout": 0.0, "l2": 0.0}
LOGITS = RANDOM.normal(0, 3, (ROWS, 3)).astype("float32")


def smoothed(part):
    """Keras' loss of each row of LOGITS."""
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=part, reduction=None
    )
    return np.asarray(loss(np.eye(3)[TRUTH], LOGITS))


@pytest.mark.parametrize("loss", ["cross_entropy", "focal_loss"])
def test_the_compiled_loss_is_that_of_keras_and_is_read_back(loss):
    task = Classification(TASK.classes, loss)
    plain = task.keras_loss()
    own = task.keras_loss(0.2)
    again = keras.losses.deserialize(keras.losses.serialize(own))
    assert float(again(TRUTH, LOGITS)) == pytest.approx(float(own(TRUTH, LOGITS)), rel=1e-6)
    if loss == "cross_entropy":
        assert float(own(TRUTH, LOGITS)) == pytest.approx(smoothed(0.2).mean(), rel=1e-5)
    assert float(own(TRUTH, LOGITS)) != pytest.approx(float(plain(TRUTH, LOGITS)), rel=0.01)


def test_the_loss_of_each_set_of_rows_is_that_of_keras():
    folds = cross_validation(X, TRUTH, TASK, thirds(ROWS))
    network = folds.network(Configuration("mlp", VALUES))
    engine = _engines.engine(network, 1, folds.rows(Configuration("mlp", VALUES)), TASK)
    index = tf.constant(np.tile(np.arange(ROWS, dtype="int32"), (3, 1)))
    parts = tf.constant([[0.0], [0.1], [0.4]])
    found = engine.losses(index, tf.constant(np.tile(LOGITS, (3, 1, 1))), parts)
    expected = np.stack([smoothed(part) for part in (0.0, 0.1, 0.4)])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_it_makes_outputs_less_certain_by_the_same_compiled_step():
    folds = cross_validation(X, TRUTH, TASK, thirds(ROWS))
    plan, before = Plan(30, learning_rate=0.02), len(_engines.SHARED)
    sizes = {}
    for part in (None, 0.0, 0.5):
        values = VALUES if part is None else VALUES | {"label_smoothing": part}
        sizes[part] = np.abs(
            np.concatenate(folds.fit(Configuration("mlp", values), plan, 1).validation)
        ).mean()
    assert sizes[0.0] == sizes[None] and sizes[0.5] < 0.8 * sizes[0.0]
    assert len(_engines.SHARED) <= before + 1


def test_labels_of_classes_alone_are_smoothed():
    for name in ("mlp", "resnet", "densenet", "wired"):
        assert "label_smoothing" in families.space(name, {"label_smoothing": 0.1}, task=TASK)
        with pytest.raises(InputError, match=f"families.{name}.*label_smoothing"):
            families.space(name, {"label_smoothing": 0.1}, task=Regression(["y"]))
    assert "label_smoothing" not in families.space("mlp", task=TASK)
    assert families.space("wired", task=TASK)["label_smoothing"].options == (0.0, 0.05, 0.1)
