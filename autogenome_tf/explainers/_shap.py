"""The only file that imports shap: `shap.DeepExplainer`, and `shap.Explanation` for its plots.

While `DeepExplainer` works it replaces entries of TensorFlow's gradient registry and how gradients
are recorded. Where it fails on the way, some of that stays, and the next training in the process
fails; so all is put back whatever happens.
"""

import contextlib
import re
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from tensorflow.python.eager import execute
from tensorflow.python.framework import ops

from autogenome_tf.explainers._rule import Unexplained


def shap_values(network: keras.Model, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Run `shap.DeepExplainer`; see `Explainer.attribute`.

    Raises:
        Unexplained: shap has no rule for an operation of the network.
    """
    # It takes seconds to import, and most runs do not need it.
    import shap

    with _unchanged_gradients(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            explainer = shap.DeepExplainer(network, background)
            values = explainer.shap_values(rows, check_additivity=False)
        except Exception as error:
            missing = re.search(r"gradient registry has no entry for: shap_(\w+)", str(error))
            if missing is None:
                raise
            raise Unexplained(
                f"shap has no rule for the operation {missing[1]}; layers of the network: "
                f"{', '.join(dict.fromkeys(type(layer).__name__ for layer in network.layers))}"
            ) from None
    return np.asarray(values, "float32").reshape(*rows.shape, -1)


def shap_explanation(**parts: Any) -> Any:
    """Make a `shap.Explanation` of its parts, for shap's own plots."""
    import shap

    return shap.Explanation(**parts)


@contextlib.contextmanager
def _unchanged_gradients() -> Iterator[None]:
    """Restore TensorFlow's gradient registry and recorder when the block ends, also by an error."""
    registry, record = ops._gradient_registry._registry, execute.record_gradient
    kept = {name: dict(entry) for name, entry in registry.items()}
    try:
        yield
    finally:
        execute.record_gradient = record
        registry.clear()
        registry.update(kept)
