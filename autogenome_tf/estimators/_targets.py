"""Estimators of classes and of values."""

from typing import Any, Self

import numpy as np
import scipy.special
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets

from autogenome_tf.config import merged
from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.estimators._estimator import Supervised, weighed
from autogenome_tf.tasks import kind_of


class AutoGenomeClassifier(ClassifierMixin, Supervised):
    """Search and train a network that predicts classes.

    Args:
        families: Names of families, or a dict of name to hyperparameters as in a config; None for
            those of a config without any.
        max_trials: Of the search.
        max_seconds: Wall-clock budget of a `fit`, or None.
        ensemble_size: 1, a number of trials to choose from, or "auto".
        config: Further keys of a config, as nested dicts.
        random_state: Seed, a `numpy.random.RandomState`, or None.

    Attributes:
        classes_: (classes,) labels, sorted.
        leaderboard_: DataFrame of the trials, best first.
        predictor_: The fitted `models.Predictor`.
        n_features_in_: Number of genes.
    """

    _task = "classification"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from X (samples, genes), dense, sparse or a DataFrame, and y (samples,) labels.

        Args:
            X: (samples, genes) DataFrame, array or sparse matrix.
            y: (samples,) class names, of one type.
            sample_weight: (samples,) weight of each row, at least 0; 0 leaves it out. None: all
                rows count alike.
        """
        X, y = self._checked(X, y=y)  # noqa: N806
        try:
            np.unique(y)
        except TypeError:  # they cannot be sorted
            kinds = ", ".join(sorted({type(label).__name__ for label in y}))
            raise InputError(
                f"y: labels of several types ({kinds}); expected one, such as y.astype(str)."
            ) from None
        check_classification_targets(y)
        X, y, sample_weight = weighed(X, y, sample_weight)  # noqa: N806
        self.classes_, places = np.unique(y, return_inverse=True)
        self._check_classes(y)
        self._learn(X, places.astype(str), sample_weight)
        # `data.rare_classes` may have left some out.
        self.classes_ = self.classes_[[int(place) for place in self.predictor_.task.classes]]
        return self

    def _check_classes(self, y):
        """Refuse classes that cannot be learned, by their own names, or that would be merged."""
        data = merged({}, self.config).get("data")
        how = data.get("rare_classes", "error") if isinstance(data, dict) else "error"
        if how == "merge":
            raise InputError(
                "config: data.rare_classes: received 'merge', but an estimator predicts labels of "
                "y; expected 'leave_out', or y with a class of all rare labels."
            )
        if how == "error":
            try:
                kind_of(self._task).check_learnable(y.astype(str), ["y"])
            except ValueError as error:
                raise InputError(str(error)) from None

    def _given(self):
        task = merged({}, self.config).get("task")
        weights = task.get("class_weight") if isinstance(task, dict) else None
        if not isinstance(weights, dict):
            return self.config
        # Labels are learned by their places.
        places = {str(label): str(place) for place, label in enumerate(self.classes_)}
        for label in weights:
            if str(label) not in places:
                raise unknown("config: task.class_weight", label, places)
        weights = {places[str(label)]: weight for label, weight in weights.items()}
        return self.config | {"task": self.config["task"] | {"class_weight": weights}}

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return probabilities (samples, classes) in the order of `classes_`.

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        return scipy.special.softmax(self._outputs(X).astype("float64"), axis=1)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return the most probable class of each row, (samples,).

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        likeliest = self._outputs(X).argmax(axis=1)
        return self.classes_[likeliest]

    def predict_set(self, X: Any, coverage: float = 0.9) -> np.ndarray:  # noqa: N803
        """Return which classes are in the prediction set of each row, (samples, classes) bool.

        Args:
            X: (samples, genes) rows with the genes of training.
            coverage: Share of rows whose set holds the true class, between 0 and 1; default 0.9.
        """
        return self._with_coverage(coverage).sets(self._outputs(X), coverage)

    def novelty(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return the share of training rows as far from all classes as each row, (samples,).

        Args:
            X: (samples, genes) rows with the genes of training.

        Returns:
            p-values, above 0 and at most 1; small where a row is unlike all training rows.
        """
        return self._conformal.novelty.p_values(self._outputs(X))


class AutoGenomeRegressor(RegressorMixin, Supervised):
    """Search and train a network that predicts values; see `AutoGenomeClassifier`."""

    _task = "regression"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from X (samples, genes) and y (samples,) or (samples, targets).

        Args:
            X: (samples, genes) DataFrame, array or sparse matrix.
            y: (samples,) or (samples, targets) numbers.
            sample_weight: As for `AutoGenomeClassifier.fit`.
        """
        X, y = self._checked(X, y=y, multi_output=True, y_numeric=True)  # noqa: N806
        X, y, sample_weight = weighed(X, y, sample_weight)  # noqa: N806
        self._is_flat = y.ndim == 1
        return self._learn(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return values in original units, in the shape of the training targets.

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        outputs = self._outputs(X).astype("float64")
        return outputs[:, 0] if self._is_flat else outputs

    def predict_interval(self, X: Any, coverage: float = 0.9) -> np.ndarray:  # noqa: N803
        """Return the ends of the prediction interval of each value.

        Args:
            X: (samples, genes) rows with the genes of training.
            coverage: Share of rows whose interval holds the true value, between 0 and 1; default
                0.9.

        Returns:
            (samples, 2), or (samples, 2, targets) of several targets: low and high, in original
            units; infinite where training rows are too few for this coverage.
        """
        ends = self._with_coverage(coverage).intervals(self._outputs(X).astype("float64"), coverage)
        stacked = np.stack(ends, axis=1)
        return stacked[:, :, 0] if self._is_flat else stacked

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
