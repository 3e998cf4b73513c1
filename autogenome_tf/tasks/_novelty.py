"""Novelty of a row: how far its outputs lie from those of all classes of the training rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from autogenome_tf.tasks._kept import KeptArrays, rounded, thinned

# A row with a lower p-value is called novel.
NOVEL = 0.01


@dataclasses.dataclass(frozen=True)
class Novelty(KeptArrays):
    """Mahalanobis distance to the nearest class mean, in the outputs less their mean.

    All classes have one covariance, shrunk towards a sphere (Ledoit and Wolf 2004), as in Lee et
    al. 2018, "A simple unified framework for detecting out-of-distribution samples", eq. 2. Means,
    covariance and distances are those of training rows that the networks had not seen.

    Attributes:
        means: (classes with training rows, outputs) of the outputs less their mean.
        whitening: (outputs, outputs) that turns distances from them into Euclidean ones.
        kept: Sorted distances of the training rows, that new rows are compared with.
    """

    means: np.ndarray
    whitening: np.ndarray
    kept: np.ndarray

    @classmethod
    def of(cls, targets: np.ndarray, outputs: np.ndarray) -> Novelty:
        """Fit to rows that networks had not seen.

        Args:
            targets: (rows,) class positions.
            outputs: (rows, classes) calibrated logits.
        """
        from sklearn.covariance import LedoitWolf

        centred = _centred(np.asarray(outputs, "float64"))
        _, places = np.unique(targets, return_inverse=True)
        means = np.stack([centred[places == own].mean(axis=0) for own in range(places.max() + 1)])
        shrunk = LedoitWolf(assume_centered=True).fit(centred - means[places]).covariance_
        lengths, directions = np.linalg.eigh(shrunk)
        whitening = directions / np.sqrt(np.maximum(lengths, np.finfo("float32").tiny))
        found = cls(rounded(means), rounded(whitening), kept=np.ones(0))
        distances = found.distances(np.asarray(outputs, "float32"))
        return dataclasses.replace(found, kept=rounded(thinned(distances)))

    def distances(self, outputs: Any, library: Any = np) -> Any:
        """Return the squared distance of each row from the nearest class mean, (rows,) float32.

        Args:
            outputs: (rows, classes) calibrated logits, an array or a tensor.
            library: Functions for them, numpy or `keras.ops`.
        """
        # As exact as the exported model, so that both give the same p-values.
        whitening = self.whitening.astype("float32")
        turned = library.matmul(_centred(outputs, library), whitening)
        apart = turned[:, None, :] - (self.means.astype("float32") @ whitening)
        return library.min(library.sum(apart**2, axis=-1), axis=-1)

    def p_values(self, outputs: Any, library: Any = np) -> Any:
        """Return the share of training rows, the row itself among them, that are as far away.

        Args:
            outputs: (rows, classes) calibrated logits, an array or a tensor.
            library: Functions for them, numpy or `keras.ops`.

        Returns:
            (rows,) above 0 and at most 1; small where a row is unlike all training rows.
        """
        outputs = outputs if library is not np else np.asarray(outputs, "float32")
        distances = self.distances(outputs, library)
        below = library.searchsorted(self.kept.astype("float32"), distances, side="left")
        count = len(self.kept)
        return (count + 1 - below) / (count + 1)


def _centred(outputs, library=np):
    """Return logits less their mean, which no probability depends on."""
    return outputs - library.mean(outputs, axis=1, keepdims=True)
