"""What is predicted: how targets become numbers, the loss on them, and back to words and units."""

import dataclasses

import keras
import numpy as np
import pandas as pd
import scipy.special

from autogenome_tf import metrics
from autogenome_tf.core.errors import unknown

FOCUS = 2.0


@dataclasses.dataclass(frozen=True)
class Classification:
    """One of several classes; the network's outputs are logits, one a class.

    Attributes:
        classes: Class names, in the order of the outputs.
        loss: "cross_entropy" or "focal_loss" (Lin et al. 2017, gamma 2).
        class_weight: None, "balanced" (n / (classes * n of the class)), or name to weight.
    """

    classes: list[str]
    loss: str = "cross_entropy"
    class_weight: str | dict | None = None

    type = "classification"
    has_targets = True

    @property
    def outputs(self):
        """Number of logits."""
        return len(self.classes)

    @property
    def output_names(self):
        """What each output stands for."""
        return list(self.classes)

    def encode(self, labels):
        """Class names to their positions, (rows,) int32."""
        position = {name: index for index, name in enumerate(self.classes)}
        return np.array([position[label] for label in labels], "int32")

    def row_losses(self, truth, outputs):
        """Loss of each row: (rows,) positions, (rows, classes) logits -> (rows,)."""
        log_p = _log_chance(truth, outputs, self.outputs)
        return _focused(log_p) if self.loss == "focal_loss" else -log_p

    def keras_loss(self):
        """The loss of a compiled family."""
        if self.loss == "focal_loss":
            return FocalLoss(self.outputs)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def keras_metrics(self):
        """What Keras shows while a compiled family trains."""
        return ["accuracy"]

    def row_weights(self, truth):
        """Weight of each row in the loss, mean 1."""
        counts = np.bincount(truth, minlength=self.outputs)
        if self.class_weight == "balanced":
            weights = len(truth) / (self.outputs * np.maximum(counts, 1))
        else:
            given = self.class_weight or {}
            weights = np.array([given.get(name, 1.0) for name in self.classes])
        rows = weights[truth]
        return (rows / rows.mean()).astype("float32")

    def output_scale(self, temperature=1.0):
        """Factor and offset of the logits: one over the temperature, none."""
        return np.full(self.outputs, 1.0 / temperature), np.zeros(self.outputs)

    def temperature(self, targets, outputs, weights):
        """Return the divisor of logits (rows, classes) that calibrates them, above 0.

        Args:
            targets: (rows,) class positions.
            outputs: (rows, classes) logits of rows that the networks have not seen.
            weights: (rows,) weight in the loss.
        """
        return metrics.temperature(targets, outputs, weights)

    def score(self, objective, targets, outputs):
        """Return one metric for (rows,) class positions and (rows, classes) logits."""
        return float(metrics.classification(targets, outputs)[objective][0])

    def drawn(self, outputs, truth, random):
        """Classes drawn by the chances that logits (rows, classes) give, (rows,) int32."""
        noise = random.gumbel(size=outputs.shape)
        return (outputs + noise).argmax(axis=1).astype("int32")

    def frame(self, outputs):
        """Logits (rows, classes) as the columns of predictions.tsv."""
        chances = scipy.special.softmax(np.asarray(outputs, "float64"), axis=1)
        frame = pd.DataFrame(chances, columns=[f"p_{name}" for name in self.classes])
        names = np.array(self.classes, dtype=object)
        frame.insert(0, "prediction", names[chances.argmax(axis=1)])
        return frame


@dataclasses.dataclass(frozen=True)
class Regression:
    """One or several numbers; the network works on standardised targets.

    Attributes:
        targets: Names of the targets.
        loss: "mse", "mae" or "huber", on standardised targets, averaged over them.
        mean: (targets,) of the training rows, in original units.
        scale: (targets,) standard deviation of the training rows.
    """

    targets: list[str]
    loss: str = "mse"
    mean: np.ndarray | float = 0.0
    scale: np.ndarray | float = 1.0

    type = "regression"
    has_targets = True

    @property
    def outputs(self):
        """Number of values."""
        return len(self.targets)

    @property
    def output_names(self):
        """What each output stands for."""
        return list(self.targets)

    def encode(self, targets):
        """Targets in original units to standardised ones, (rows, targets) float32."""
        return ((np.asarray(targets, "float64") - self.mean) / self.scale).astype("float32")

    def row_losses(self, truth, outputs):
        """Loss of each row: (rows, targets) twice -> (rows,)."""
        truth = keras.ops.reshape(keras.ops.cast(truth, outputs.dtype), keras.ops.shape(outputs))
        error = keras.ops.abs(outputs - truth)
        if self.loss == "mse":
            losses = error**2
        elif self.loss == "mae":
            losses = error
        else:
            losses = keras.ops.where(error < 1, 0.5 * error**2, error - 0.5)
        return keras.ops.mean(losses, axis=-1)

    def keras_loss(self):
        """The loss of a compiled family."""
        return {"mse": "mse", "mae": "mae", "huber": "huber"}[self.loss]

    def keras_metrics(self):
        """What Keras shows while a compiled family trains."""
        return ["mae"]

    def row_weights(self, truth):
        """Every row weighs the same."""
        return np.ones(len(truth), "float32")

    def output_scale(self, temperature=1.0):
        """Factor and offset that lead back to original units."""
        ones = np.ones(self.outputs)
        return ones * self.scale, ones * self.mean

    def temperature(self, targets, outputs, weights):
        """Return 1: outputs are no logits."""
        return 1.0

    def score(self, objective, targets, outputs):
        """Return one metric in original units for standardised (rows, targets)."""
        scale, offset = self.output_scale()
        targets, outputs = targets * scale + offset, outputs * scale + offset
        return float(metrics.regression(targets, outputs)[objective][0])

    def drawn(self, outputs, truth, random):
        """Values (rows, targets) with the residuals of other rows, standardised.

        Args:
            outputs: (rows, targets) in original units.
            truth: (rows, targets) standardised.
            random: A `numpy.random.Generator`.
        """
        fitted = self.encode(outputs)
        return fitted + random.permutation(truth - fitted)

    def frame(self, outputs):
        """Values (rows, targets) in original units as the columns of predictions.tsv."""
        if self.outputs == 1:
            return pd.DataFrame({"prediction": np.asarray(outputs)[:, 0]})
        return pd.DataFrame(outputs, columns=[f"prediction_{name}" for name in self.targets])


@dataclasses.dataclass(frozen=True)
class Representation:
    """Few numbers that tell a row again; nothing is predicted.

    Networks are judged by two outputs a row: its negative log likelihood, and its divergence from
    the prior, whose sum is the negative evidence lower bound (ELBO).

    Attributes:
        covariates: Columns behind the genes that encoder and decoder both see.
    """

    covariates: int = 0

    type = "representation"
    has_targets = False
    outputs = 2
    output_names = ("reconstruction", "kl")

    def row_losses(self, truth, outputs):
        """Negative ELBO of each row: anything, (rows, 2) -> (rows,)."""
        return keras.ops.sum(outputs, axis=-1)

    def row_weights(self, truth):
        """Every row weighs the same."""
        return np.ones(len(truth), "float32")

    def encode(self, targets):
        """There are no targets to learn: zeros, (rows,)."""
        return np.zeros(len(targets), "float32")

    def temperature(self, targets, outputs, weights):
        """Return 1: outputs are no logits."""
        return 1.0

    def score(self, objective, targets, outputs):
        """Return the mean evidence lower bound of (rows, 2) outputs."""
        return float(-outputs.sum(axis=1).mean())

    def output_scale(self, temperature=1.0):
        """Outputs are what they are."""
        return np.ones(self.outputs), np.zeros(self.outputs)


Task = Classification | Regression | Representation


@keras.saving.register_keras_serializable("autogenome_tf")
class FocalLoss(keras.losses.Loss):
    """Cross-entropy of logits that rows already right hardly enter (Lin et al. 2017)."""

    def __init__(self, classes, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def call(self, y_true, y_pred):
        """Loss of each row: (rows,) positions, (rows, classes) logits -> (rows,)."""
        return _focused(_log_chance(y_true, y_pred, self.classes))

    def get_config(self):
        """What `from_config` needs."""
        return super().get_config() | {"classes": self.classes}


def _log_chance(truth, logits, classes):
    """Log of the chance that each row's own class is given."""
    truth = keras.ops.cast(keras.ops.reshape(truth, (-1,)), "int32")
    chosen = keras.ops.one_hot(truth, classes)
    return keras.ops.sum(chosen * keras.ops.log_softmax(logits), axis=-1)


def _focused(log_p):
    return -((1 - keras.ops.exp(log_p)) ** FOCUS) * log_p


def task_of(settings, targets, names, train):
    """The task with its classes, or with the scale that targets have on training rows.

    Args:
        settings: The config's `task` section.
        targets: (rows,) labels as text or (rows, targets) values of all rows but the test rows.
        names: Names of the targets.
        train: (rows,) which of them are training rows.

    Raises:
        InputError: Where a class weight names no class.
    """
    if settings.type == "classification":
        classes = sorted(set(targets), key=_natural)
        weight = settings.class_weight
        for name in weight if isinstance(weight, dict) else ():
            if name not in classes:
                raise unknown("task.class_weight", name, classes)
        return Classification(classes, settings.loss, weight)
    spread = targets[train].std(0)
    scale = np.where(spread > 0, spread, 1.0)
    return Regression(list(names), settings.loss, targets[train].mean(0), scale)


def _natural(name):
    """Numbers before words, in order of size."""
    try:
        number = float(name)
    except ValueError:
        return (1, 0.0, name)
    return (0, number, name) if np.isfinite(number) else (1, 0.0, name)
