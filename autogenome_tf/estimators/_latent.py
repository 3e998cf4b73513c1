"""The estimator of a latent space."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from autogenome_tf.core.errors import InputError
from autogenome_tf.estimators._estimator import Estimator
from autogenome_tf.models import LatentModel


def _learns_labels(estimator):
    """Return whether an estimator predicts labels."""
    return estimator.labels != "none"


class ResVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """Search and train a variational autoencoder with skip connections; see `families.ResVAE`.

    Args:
        latent: Number of latent units.
        likelihood: auto (by the values), gaussian, bernoulli, negative_binomial or zero_inflated.
        max_trials: Of the search.
        max_seconds: Wall-clock budget of a `fit`, or None.
        config: Further keys of a config, as nested dicts.
        random_state: Seed, a `numpy.random.RandomState`, or None.
        labels: "semi" where y of `fit` shapes the latent space, "none" where it is ignored; see
            `task.labels`. All samples of `fit` train or choose the epoch, so that no label says how
            good a "semi" space is: compare `predict` with the labels of samples kept apart.

    Attributes:
        leaderboard_: DataFrame of the trials, best first.
        predictor_: The fitted `models.LatentModel`.
        n_features_in_: Number of genes.
        classes_: (labels,) names in the order of `predict_proba`, of labels "semi".
    """

    _kind = LatentModel

    def __init__(
        self,
        latent: int = 16,
        likelihood: str = "auto",
        max_trials: int = 1,
        max_seconds: float | None = None,
        config: dict[str, Any] | None = None,
        random_state: Any = 7,
        labels: str = "none",
    ):
        self.latent = latent
        self.likelihood = likelihood
        self.max_trials = max_trials
        self.max_seconds = max_seconds
        self.config = config
        self.random_state = random_state
        self.labels = labels

    def _asked(self):
        network = {"latent": self.latent, "likelihood": self.likelihood}
        task = {"type": "representation", "labels": self.labels}
        return {"task": task, "families": {"resvae": network}}

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Learn from X (samples, genes).

        Args:
            X: (samples, genes) DataFrame, array or sparse matrix.
            y: (samples,) labels, None or NaN where a sample has none; not used with labels "none".

        Raises:
            InputError: Labels are "semi", and y is None or of another length.
        """
        values = self._checked(X)
        if not _learns_labels(self):
            return self._learn(values, None)
        if y is None or len(y) != values.shape[0]:
            received = "none" if y is None else len(y)
            raise InputError(
                f"ResVAE: labels {self.labels!r} needs y with {values.shape[0]} labels; received "
                f"{received}."
            )
        return self._learn(values, np.asarray(y, object))

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return latent means (samples, latent).

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        return self._outputs(X)

    @available_if(_learns_labels)
    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return the probability of each label, (samples, labels); of labels "semi" alone.

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        rows = self._rows(X)
        return self.predictor_.run(rows, "probabilities")

    @available_if(_learns_labels)
    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return the most probable label, (samples,) text; of labels "semi" alone.

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def inverse_transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return expected values (samples, kept genes) of latent points, by the likelihood.

        Args:
            X: (samples, latent) latent points.
        """
        check_is_fitted(self)
        return self.predictor_.decode(np.asarray(X, "float32"))

    @property
    def classes_(self) -> np.ndarray:
        """Return the labels that shaped the latent space, (labels,) text."""
        check_is_fitted(self)
        return np.array(self.predictor_.task.classes, object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return self.predictor_.autoencoder.latent
