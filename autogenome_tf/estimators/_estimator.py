"""The base of all estimators: a config from parameters, a run for the time of `fit`, pickling."""

import contextlib
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from autogenome_tf.automl import AutoGenome
from autogenome_tf.config import listed, merged
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset, is_annotated, numbered_features
from autogenome_tf.models import Predictor

FILE = "model.keras"
# Column of the weights of rows beside the targets.
WEIGHT = "sample_weight"


class Estimator(BaseEstimator):
    """Base of the estimators: a config from a few parameters, and a model that pickles."""

    _kind = Predictor

    def _learn(self, X, y, sample_weight=None):  # noqa: N803 (scikit-learn's name)
        """Run the search in a folder of its own and keep the model."""
        with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder, _silent():
            make = pd.DataFrame.sparse.from_spmatrix if scipy.sparse.issparse(X) else pd.DataFrame
            # Rows with names: a column of numbers is a feature here, whatever it looks like.
            rows = [f"row_{number}" for number in range(1, X.shape[0] + 1)]
            names = getattr(self, "feature_names_in_", numbered_features(X.shape[1]))
            config = self._config(folder)
            if sample_weight is not None:
                y = _beside(y, sample_weight).set_axis(rows)
                config = merged(config, {"data": {"weight": WEIGHT}})
            automl = AutoGenome(config, data=(make(X, rows, names), y))
            self.leaderboard_ = automl.train()
            self.predictor_ = self._kind.load(automl.folder / FILE)
        return self

    def _config(self, folder) -> Any:
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
        config: Any = _plain(merged(merged(given, self._given()), fixed))
        asked, task = given["task"]["type"], config["task"]
        # What is no section at all has an error of its own.
        received = task.get("type") if isinstance(task, dict) else asked
        if received != asked:
            raise InputError(
                f"{type(self).__name__}: expected task.type {asked!r} in config; received "
                f"{received!r}. Leave it out, or train with autogenome_tf.AutoGenome."
            )
        return config

    def _given(self):
        """Return the config keys that follow from the estimator's parameters."""
        return self.config

    @property
    def _takes_missing(self):
        return merged({"data": {"missing": "error"}}, self.config)["data"]["missing"] != "error"

    def _checked(self, X, **options):  # noqa: N803
        if is_annotated(X):
            raise InputError(
                "X: received AnnData; expected a DataFrame, an array or a sparse matrix, such as "
                "adata.to_df() or adata.X. autogenome_tf.tl takes AnnData."
            )
        _warn_of_order(X, options.get("y"))
        return validate_data(
            self, _as_checked(X), accept_sparse="csr", dtype=np.float32,
            ensure_all_finite="allow-nan" if self._takes_missing else True, **options,
        )  # fmt: skip

    def _outputs(self, X):  # noqa: N803
        rows = self._rows(X)
        return self.predictor_.outputs(rows)

    def _rows(self, X):  # noqa: N803
        """Return new rows for the fitted model as a `Dataset`."""
        check_is_fitted(self)
        values = self._checked(X, reset=False)
        rows = [f"row_{number}" for number in range(1, values.shape[0] + 1)]
        return Dataset(values, np.array(rows, object), self.predictor_.features, source="X")

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


class Supervised(Estimator):
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

    def _with_coverage(self, coverage) -> Any:
        found = self._conformal
        if not 0 < coverage < 1:
            raise InputError(f"coverage: expected a number between 0 and 1; received {coverage}.")
        return found

    @property
    def _conformal(self) -> Any:
        check_is_fitted(self)
        if self.predictor_.conformal is None:
            raise InputError(
                "this model has no prediction sets: it was trained with evaluation.coverage [] or "
                "by an earlier version; train it again."
            )
        return self.predictor_.conformal


def _warn_of_order(X, y):  # noqa: N803
    """Warn where the same index labels stand in another order in X and y."""
    if not isinstance(X, pd.DataFrame) or not isinstance(y, (pd.Series, pd.DataFrame)):
        return
    if not X.index.equals(y.index) and set(X.index) == set(y.index):
        warnings.warn(
            "X and y have the same index labels in different orders. As in all of scikit-learn, "
            "row i of X is paired with row i of y; y.loc[X.index] pairs them by label.",
            stacklevel=4,
        )


def _as_checked(X):  # noqa: N803
    """Return rows so that scikit-learn sees what it passes over: masks, numbers that are names.

    Raises:
        InputError: They are dates, which would become numbers.
    """
    if isinstance(X, pd.DataFrame):
        # Entrez ids are names: genes in another order would be taken for those of training.
        is_numbered = X.columns.inferred_type == "integer"
        return X.set_axis(X.columns.astype(str), axis=1) if is_numbered else X
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    if kind in ("m", "M"):
        raise InputError(f"X: received values of type {X.dtype}; expected numbers.")
    return np.ma.filled(X.astype("float32"), np.nan) if isinstance(X, np.ma.MaskedArray) else X


def weighed(X: Any, y: Any, sample_weight: Any) -> tuple[Any, np.ndarray, Any]:  # noqa: N803
    """Return rows, targets and weights without the rows of weight 0.

    Args:
        X: (samples, genes) checked.
        y: (samples, ...) targets.
        sample_weight: (samples,) weights, a single one, or None.

    Raises:
        ValueError: A weight is below 0 or not finite, or none is above 0.
    """
    if sample_weight is None:
        return X, y, None
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    kept = np.flatnonzero(weights)
    return X[kept], np.asarray(y)[kept], weights[kept]


def _beside(y, weights):
    """Return targets as a frame with their weights in a further column."""
    values = np.asarray(y)
    if values.dtype.names:
        # As scikit-survival has them: the event first.
        columns = {name: values[name].astype("float64") for name in values.dtype.names[::-1]}
    elif values.ndim > 1:
        columns = {f"target_{i + 1}": values[:, i] for i in range(values.shape[1])}
    else:
        columns = {"target": values}
    return pd.DataFrame(columns | {WEIGHT: weights})


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
