"""Losses of logits: focal loss, cross-entropy, label smoothing; here tasks import Keras."""

from typing import Any

import keras

FOCUS = 2.0


@keras.saving.register_keras_serializable("autogenome_tf")
class FocalLoss(keras.losses.Loss):
    """Cross-entropy that well-classified rows hardly enter (Lin et al. 2017).

    Args:
        classes: Number of classes.
        **kwargs: Of `keras.losses.Loss`.
    """

    def __init__(self, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def call(self, y_true, y_pred):
        """Return the loss of each row: (rows,) positions, (rows, classes) logits -> (rows,).

        Args:
            y_true: (rows,) class positions.
            y_pred: (rows, classes) logits.
        """
        return focused(log_probability(y_true, y_pred, self.classes))

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"classes": self.classes}


@keras.saving.register_keras_serializable("autogenome_tf")
class SmoothedLoss(keras.losses.Loss):
    """A loss of logits, a part of which is for equal probabilities (Szegedy et al. 2016).

    Args:
        loss: `FocalLoss` or Keras' sparse cross-entropy of logits.
        label_smoothing: The part, from 0 to below 1.
        **kwargs: Of `keras.losses.Loss`.
    """

    def __init__(self, loss, label_smoothing: float, **kwargs):
        super().__init__(**kwargs)
        self.loss = keras.losses.get(loss)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        """Return the loss of each row: (rows,) positions, (rows, classes) logits -> (rows,).

        Args:
            y_true: (rows,) class positions.
            y_pred: (rows, classes) logits.
        """
        own = self.loss.call(keras.ops.reshape(y_true, (-1,)), y_pred)
        equal = -keras.ops.mean(keras.ops.log_softmax(y_pred), axis=-1)
        return own + self.label_smoothing * (equal - own)

    def get_config(self):
        """Return the arguments of the constructor."""
        loss = keras.losses.serialize(self.loss)
        return super().get_config() | {"loss": loss, "label_smoothing": self.label_smoothing}


def log_probability(targets: Any, logits: Any, classes: int) -> Any:
    """Return the log probability of each row's own class, (rows,)."""
    targets = keras.ops.reshape(targets, (-1,))
    logits = keras.ops.reshape(logits, (-1, classes))
    return -keras.ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)


def focused(log_p: Any) -> Any:
    """Return the focal loss of log probabilities, (rows,)."""
    probability: Any = keras.ops.exp(log_p)
    return -((1 - probability) ** FOCUS) * log_p
