"""DeepSHAP as shap computes it: `shap.DeepExplainer` (Lundberg and Lee 2017)."""

import keras
import numpy as np

from autogenome_tf.explainers._base import Explainer
from autogenome_tf.explainers._shap import shap_values


class DeepShap(Explainer):
    """Attribute by `shap.DeepExplainer`; slower than `fast_deep_shap`, with the same values."""

    summary = "the values of `fast_deep_shap`, by shap itself"
    auto_order = 2

    def attribute(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute logits or values to genes; see `Explainer.attribute`."""
        return shap_values(network, rows, background)
