"""scikit-learn estimators around the same search and networks: for pipelines and cross-validation.

A run folder is made for the time of `fit` only; what stays is the fitted model.
"""

import contextlib
import logging
import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse
import scipy.special
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from autogenome_tf.automl import AutoGenome
from autogenome_tf.config import listed, merged
from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.data import Dataset, numbered_features
from autogenome_tf.models import LatentModel, Predictor

FILE = "model.keras"


class _Estimator(BaseEstimator):
    """Base of the estimators: a config from a few parameters, and a model that pickles."""

    _kind = Predictor

    def _learn(self, X, y):  # noqa: N803 (scikit-learn's name)
        """Run the search in a folder of its own and keep the model."""
        with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder, _silent():
            make = pd.DataFrame.sparse.from_spmatrix if scipy.sparse.issparse(X) else pd.DataFrame
            # Rows with names: a column of numbers is a feature here, whatever it looks like.
            rows = [f"row_{number}" for number in range(1, X.shape[0] + 1)]
            names = getattr(self, "feature_names_in_", numbered_features(X.shape[1]))
            automl = AutoGenome(self._config(folder), data=(make(X, rows, names), y))
            self.leaderboard_ = automl.train()
            self.predictor_ = self._kind.load(automl.folder / FILE)
        return self

    def _config(self, folder):
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31 - 1)
        given = {
            "name": "estimator",
            "seed": int(seed),
            "data": {"split": {"test": 0.0}},
            "search": {"max_trials": self.max_trials, "max_seconds": self.max_seconds},
            **self._asked(),
        }
        fixed = {"output_dir": folder, "output": {"figures": False}}
        return _plain(merged(merged(given, self._given()), fixed))

    def _given(self):
        """Return the config keys that follow from the estimator's parameters."""
        return self.config

    @property
    def _takes_missing(self):
        return merged({"data": {"missing": "error"}}, self.config)["data"]["missing"] != "error"

    def _checked(self, X, **options):  # noqa: N803
        return validate_data(
            self, X, accept_sparse="csr", dtype=np.float32,
            ensure_all_finite="allow-nan" if self._takes_missing else True, **options,
        )  # fmt: skip

    def _outputs(self, X):  # noqa: N803
        check_is_fitted(self)
        values = self._checked(X, reset=False)
        rows = [f"row_{number}" for number in range(1, values.shape[0] + 1)]
        dataset = Dataset(values, np.array(rows, object), self.predictor_.features, source="X")
        return self.predictor_.outputs(dataset)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.allow_nan = True, self._takes_missing
        return tags

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "predictor_" in state:
            with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder:
                state["predictor_"].save(Path(folder, FILE))
                state["predictor_"] = Path(folder, FILE).read_bytes()
        return state

    def __setstate__(self, state):
        if "predictor_" in state:
            with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder:
                Path(folder, FILE).write_bytes(state["predictor_"])
                state = state | {"predictor_": self._kind.load(Path(folder, FILE))}
        super().__setstate__(state)


class _Supervised(_Estimator):
    """An estimator with targets."""

    def __init__(
        self,
        families: Any = None,
        max_trials: int = 30,
        max_seconds: float | None = None,
        ensemble_size: int | str = 1,
        config: dict[str, Any] | None = None,
        random_state: Any = 7,
    ):
        self.families = families
        self.max_trials = max_trials
        self.max_seconds = max_seconds
        self.ensemble_size = ensemble_size
        self.config = config
        self.random_state = random_state

    def _asked(self):
        named = {} if self.families is None else {"families": dict(
            self.families
            if isinstance(self.families, dict)
            else dict.fromkeys(listed(self.families))
        )}  # fmt: skip
        return {"task": {"type": self._task}, "ensemble": {"size": self.ensemble_size}, **named}

    def _conformal(self, coverage):
        check_is_fitted(self)
        if not 0 < coverage < 1:
            raise InputError(f"coverage: expected a number between 0 and 1; received {coverage}.")
        if self.predictor_.conformal is None:
            raise InputError(
                "this model has no prediction sets: it was trained with evaluation.coverage [] or "
                "by an earlier version; train it again."
            )
        return self.predictor_.conformal


class AutoGenomeClassifier(ClassifierMixin, _Supervised):
    """Search and train a network that predicts classes.

    Args:
        families: Names of families, or a dict of name to hyperparameters as in a config; None for
            linear, mlp, resnet and densenet.
        max_trials: Of the search.
        max_seconds: Wall-clock budget of a `fit`, or None.
        ensemble_size: 1, a number of trials to choose from, or "auto".
        config: Further keys of a config, as nested dicts.
        random_state: Seed, a `numpy.random.RandomState`, or None.

    Attributes:
        classes_: (classes,) labels, sorted.
        leaderboard_: DataFrame of the trials, best first.
        predictor_: The fitted `predictor.Predictor`.
        n_features_in_: Number of genes.
    """

    _task = "classification"

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Learn from X (samples, genes), dense, sparse or a DataFrame, and y (samples,) labels.

        Args:
            X: (samples, genes) DataFrame, array, sparse matrix or AnnData.
            y: (samples,) class names.
        """
        X, y = self._checked(X, y=y)  # noqa: N806
        check_classification_targets(y)
        self.classes_, places = np.unique(y, return_inverse=True)
        return self._learn(X, places.astype(str))

    def _given(self):
        weights = (merged({}, self.config).get("task") or {}).get("class_weight")
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
        return self._conformal(coverage).sets(self._outputs(X), coverage)


class AutoGenomeRegressor(RegressorMixin, _Supervised):
    """Search and train a network that predicts values; see `AutoGenomeClassifier`."""

    _task = "regression"

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Learn from X (samples, genes) and y (samples,) or (samples, targets).

        Args:
            X: (samples, genes) DataFrame, array, sparse matrix or AnnData.
            y: (samples,) or (samples, targets) numbers.
        """
        X, y = self._checked(X, y=y, multi_output=True, y_numeric=True)  # noqa: N806
        self._is_flat = y.ndim == 1
        return self._learn(X, y)

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
        ends = self._conformal(coverage).intervals(self._outputs(X).astype("float64"), coverage)
        stacked = np.stack(ends, axis=1)
        return stacked[:, :, 0] if self._is_flat else stacked

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class ResVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Estimator):
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


def _plain(value):
    """Return the values of NumPy as Python's, such as those of a grid of parameters."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


@contextlib.contextmanager
def _silent():
    """Say nothing on the console, where nobody has asked the package's logger to speak."""
    logger, silence = logging.getLogger("autogenome_tf"), logging.NullHandler()
    logger.addHandler(silence)
    try:
        yield
    finally:
        logger.removeHandler(silence)
