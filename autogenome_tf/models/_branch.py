"""One transform of a fitted model and the network behind it."""

import dataclasses
from typing import Any

import numpy as np

from autogenome_tf.core.chunked import Matrix, batches


@dataclasses.dataclass(frozen=True)
class Branch:
    """Join the preprocessing by one transform and the network on its values.

    Attributes:
        transform: Name of the transform.
        kept: (kept,) positions of the genes that the preprocessing keeps.
        preprocessing: Keras model, raw (rows, genes) -> (rows, kept).
        network: Keras model (rows, kept) -> (rows, outputs) before scale and temperature.
    """

    transform: str
    kept: np.ndarray
    preprocessing: Any
    network: Any

    def seen(self, values: Matrix) -> np.ndarray:
        """Preprocess raw rows, an array or CSR, to network inputs, (rows, kept) float32.

        Args:
            values: (rows, genes) raw values.
        """
        return np.concatenate([self._inputs(batch) for batch in batches(values)])

    def outputs(self, values: Matrix) -> np.ndarray:
        """Run preprocessing and network on raw rows, an array or CSR; returns (rows, outputs).

        Args:
            values: (rows, genes) raw values.
        """
        found = [self.network(self._inputs(batch), training=False) for batch in batches(values)]
        return np.concatenate([np.asarray(part) for part in found])

    def _inputs(self, batch):
        return np.asarray(self.preprocessing(batch, training=False))
