"""Classification: one of several classes a row."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._conformal import PredictionSets
from autogenome_tf.tasks._gene_statistics import Batches, between_classes
from autogenome_tf.tasks._labels import natural, read_labels
from autogenome_tf.tasks._number_doubts import fractions_as_classes
from autogenome_tf.tasks._task import Task

FEWEST_OF_A_CLASS = 2
# Classes that an error names.
MOST_NAMED = 5


@dataclasses.dataclass(frozen=True)
class Classification(Task):
    """One of several classes; the network's outputs are logits, one a class.

    Attributes:
        classes: Class names, in the order of the outputs.
        loss: "cross_entropy" or "focal_loss" (Lin et al. 2017, gamma 2).
        class_weight: None, "balanced" (n / (classes * n of the class)), or name to weight.
    """

    classes: Sequence[str]
    loss: str = "cross_entropy"
    class_weight: str | dict | None = None

    type = "classification"
    losses = ("cross_entropy", "focal_loss")
    objectives = {
        "log_loss": False, "accuracy": True, "balanced_accuracy": True, "f1_macro": True,
        "mcc": True, "roc_auc": True,
    }  # fmt: skip
    families = ("linear", "forest", "mlp", "resnet", "densenet")
    linear_losses = ("logistic", "discriminant", "hinge", "centroid", "pls")
    has_classes = True
    skill, no_skill = "mcc", "guessing"
    headlines = ("accuracy", "balanced_accuracy")
    # Where one class has most rows it is predicted of all, with any order of the targets.
    tested = ("accuracy", "roc_auc")
    explained = "its calibrated logit (its value before the softmax), not to its probability"
    directions = ("for", "against")

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return class names, (rows,) text."""
        return read_labels(columns)

    @classmethod
    def check_learnable(cls, targets: np.ndarray, names: Sequence[str]) -> None:
        """Refuse a single class, and classes of a single row."""
        way_out = 'Set data.rare_classes "leave_out" or "merge", or task.type regression.'
        check_classes(targets, names[0], way_out)

    @classmethod
    def strata(cls, targets: np.ndarray) -> np.ndarray:
        """Return the classes."""
        return targets

    @classmethod
    def doubts(
        cls, targets: np.ndarray, is_test: np.ndarray, names: Sequence[str] = ()
    ) -> list[str]:
        """Return a warning of classes that are measured numbers as it seems."""
        return list(fractions_as_classes(targets, names[0]))

    @classmethod
    def labels(cls, targets: np.ndarray, names: Sequence[str]) -> set[str]:
        """Return the classes."""
        return set(targets)

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "Classification":
        """Return the task with the classes of all rows, numbers before words."""
        classes = sorted(set(rows.targets), key=natural)
        return cls(classes, settings.loss, settings.class_weight)

    @property
    def outputs(self) -> int:
        """Return the number of logits."""
        return len(self.classes)

    @property
    def output_names(self) -> list[str]:
        """Return the class of each logit."""
        return list(self.classes)

    def encode(self, targets: np.ndarray) -> np.ndarray:
        """Return the positions of class names, (rows,) int32."""
        position = {name: index for index, name in enumerate(self.classes)}
        return np.array([position[label] for label in targets], "int32")

    def as_scored(self, targets: np.ndarray) -> np.ndarray:
        """Return the positions of class names."""
        return self.encode(targets)

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the loss of each row: (rows,) positions, (rows, classes) logits -> (rows,)."""
        from autogenome_tf.tasks import _focal_loss

        log_p = _focal_loss.log_probability(targets, outputs, self.outputs)
        return _focal_loss.focused(log_p) if self.loss == "focal_loss" else -log_p

    @property
    def loss_key(self) -> tuple:
        """Return the cache key of `row_losses`; see `Task.loss_key`."""
        return *super().loss_key, self.loss

    def keras_loss(self, label_smoothing: float = 0.0) -> Any:
        """Return the loss of a compiled Keras model.

        Args:
            label_smoothing: Part of the loss that is for equal probabilities of all classes, from
                0 (the default) to below 1.
        """
        import keras

        from autogenome_tf.tasks._focal_loss import FocalLoss, SmoothedLoss

        if self.loss == "focal_loss":
            loss = FocalLoss(self.outputs)
        else:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return SmoothedLoss(loss, label_smoothing) if label_smoothing else loss

    def keras_metrics(self) -> list[str]:
        """Return the metrics that Keras shows while a compiled model trains."""
        return ["accuracy"]

    def _target_weights(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if self.class_weight == "balanced":
            totals = np.bincount(targets, weights, minlength=self.outputs)
            of_classes = 1 / np.where(totals > 0, totals, 1)
        else:
            given = self.class_weight if isinstance(self.class_weight, dict) else {}
            of_classes = np.array([given.get(name, 1.0) for name in self.classes])
        return of_classes[targets]

    def gene_statistics(
        self, batches: Batches, targets: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Compute each gene's mean square between classes over that within them."""
        return between_classes(batches, targets, weights, self.outputs)

    def output_scale(self, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return factor and offset of the logits: one over the temperature, none."""
        return np.full(self.outputs, 1.0 / temperature), np.zeros(self.outputs)

    def temperature(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """Return the divisor of logits (rows, classes) that calibrates them, above 0."""
        from autogenome_tf.tasks import class_metrics

        return class_metrics.temperature(targets, outputs, weights)

    def _metrics(self, targets, outputs, index, weights, name=None):
        """Compute the metrics; the log loss, which selection asks for often, may come alone."""
        from autogenome_tf.tasks import class_metrics

        drawn = self.drawn_weights(index, weights, len(targets))
        if name == "log_loss":
            return {name: class_metrics.log_loss(targets, outputs, drawn)}
        return class_metrics.classification(targets, outputs, drawn)

    def log_likelihoods(
        self, targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Return log-likelihoods of logits, each network calibrated by one of some temperatures."""
        from autogenome_tf.tasks import class_metrics

        return class_metrics.log_likelihoods(targets, outputs, weights)

    def taught_losses(self, taught: Any, outputs: Any) -> Any:
        """Return the cross-entropy of the probabilities that the other network gives."""
        from keras import ops

        return -ops.sum(ops.softmax(taught) * ops.log_softmax(outputs), axis=-1)

    def conformal(
        self, targets: np.ndarray, outputs: np.ndarray, coverage: Sequence[float]
    ) -> PredictionSets:
        """Fit prediction sets of classes with a stated coverage."""
        return PredictionSets.of(self.classes, targets, outputs, coverage)

    def known_conformal(self, found: dict[str, Any]) -> PredictionSets:
        """Rebuild the prediction sets of a model file."""
        return PredictionSets.from_json(self.classes, found)

    def drawn(
        self, outputs: np.ndarray, targets: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Draw classes by the probabilities that logits (rows, classes) give, (rows,) int32.

        Args:
            outputs: (rows, classes) logits.
            targets: (rows,) class positions; not used.
            random: Generator of the draw.
        """
        noise = random.gumbel(size=outputs.shape)
        return (outputs + noise).argmax(axis=1).astype("int32")

    def names(self) -> dict[str, Any]:
        """Return the names of the classes."""
        return {"classes": list(self.classes)}

    @classmethod
    def from_names(cls, names: dict[str, Any]) -> "Classification":
        """Return the task of some classes."""
        return cls(names["classes"])

    def frame(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return logits (rows, classes) as the columns of predictions.tsv.

        Args:
            outputs: (rows, classes) logits.
        """
        from scipy.special import softmax

        probabilities = softmax(np.asarray(outputs, "float64"), axis=1)
        frame = pd.DataFrame(
            probabilities, columns=pd.Index([f"p_{name}" for name in self.classes])
        )
        names = np.array(self.classes, dtype=object)
        frame.insert(0, "prediction", names[probabilities.argmax(axis=1)])
        return frame


def check_classes(targets: np.ndarray, name: str, way_out: str) -> None:
    """Refuse a single class, and classes of a single row.

    Args:
        targets: (rows,) class names.
        name: Of their column.
        way_out: Ways out of classes of a single row, for the error.

    Raises:
        ValueError: Naming the column and the classes.
    """
    classes, counts = np.unique(targets.astype(str), return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"{name}: one class only ({str(classes[0])!r}); expected at least 2.")
    pairs = zip(classes, counts, strict=True)
    rare = [label for label, count in pairs if count < FEWEST_OF_A_CLASS]
    if rare:
        shown = ", ".join(repr(str(label)) for label in rare[:MOST_NAMED])
        shown += f" and {len(rare) - MOST_NAMED} more" if len(rare) > MOST_NAMED else ""
        raise ValueError(
            f"{name}: a class needs at least {FEWEST_OF_A_CLASS} members; these have one: "
            f"{shown}. {way_out}"
        )
