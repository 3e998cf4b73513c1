"""The estimator of a latent space."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autogenome_tf.estimators._estimator import Estimator
from autogenome_tf.models import LatentModel


class ResVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """Search and train a variational autoencoder with skip connections; see `resvae.ResVAE`.

    Args:
        latent: Number of latent units.
        likelihood: auto (by the values), gaussian, bernoulli, negative_binomial or zero_inflated.
        max_trials: Of the search.
        max_seconds: Wall-clock budget of a `fit`, or None.
        config: Further keys of a config, as nested dicts.
        random_state: Seed, a `numpy.random.RandomState`, or None.

    Attributes:
        leaderboard_: DataFrame of the trials, best first.
        predictor_: The fitted `LatentModel`.
        n_features_in_: Number of genes.
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
    ):
        self.latent = latent
        self.likelihood = likelihood
        self.max_trials = max_trials
        self.max_seconds = max_seconds
        self.config = config
        self.random_state = random_state

    def _asked(self):
        network = {"latent": self.latent, "likelihood": self.likelihood}
        return {"task": {"type": "representation"}, "families": {"resvae": network}}

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Learn from X (samples, genes); y is ignored.

        Args:
            X: (samples, genes) DataFrame, array, sparse matrix or AnnData.
            y: Not used.
        """
        return self._learn(self._checked(X), None)

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return latent means (samples, latent).

        Args:
            X: (samples, genes) rows with the genes of training.
        """
        return self._outputs(X)

    def inverse_transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return expected values (samples, kept genes) of latent points, by the likelihood.

        Args:
            X: (samples, latent) latent points.
        """
        check_is_fitted(self)
        return self.predictor_.decode(np.asarray(X, "float32"))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return self.predictor_.autoencoder.latent
