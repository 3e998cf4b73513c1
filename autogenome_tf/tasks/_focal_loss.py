"""Focal loss and cross-entropy of logits; the part of tasks that imports Keras."""

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
        """Return what `from_config` needs."""
        return super().get_config() | {"classes": self.classes}


def log_probability(targets: Any, logits: Any, classes: int) -> Any:
    """Return the log probability of each row's own class, (rows,)."""
    targets = keras.ops.cast(keras.ops.reshape(targets, (-1,)), "int32")
    chosen: Any = keras.ops.one_hot(targets, classes)
    return keras.ops.sum(chosen * keras.ops.log_softmax(logits), axis=-1)


def focused(log_p: Any) -> Any:
    """Return the focal loss of log probabilities, (rows,)."""
    probability: Any = keras.ops.exp(log_p)
    return -((1 - probability) ** FOCUS) * log_p
