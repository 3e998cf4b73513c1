"""Representation: a latent space of the rows, without targets to learn."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._labels import read_labels
from autogenome_tf.tasks._task import Task


@dataclasses.dataclass(frozen=True)
class Representation(Task):
    """A few numbers from which a row is reconstructed; nothing is predicted.

    Networks are judged by two outputs a row: its negative log likelihood, and its divergence from
    the prior, whose sum is the negative evidence lower bound (ELBO).

    Attributes:
        covariates: Columns behind the genes that encoder and decoder both see.
    """

    covariates: int = 0

    type = "representation"
    losses = ("elbo",)
    objectives = {"elbo": True}
    families = ("resvae",)
    has_targets = False
    explained = "the mean of a latent unit"
    outputs = 2
    output_names = ("reconstruction", "kl")

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return labels that score the latent space, (rows,) text."""
        return read_labels(columns)

    @classmethod
    def strata(cls, targets: np.ndarray) -> np.ndarray:
        """Return the labels."""
        return targets

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "Representation":
        """Return the task with the number of columns that are covariates."""
        return cls(rows.covariates)

    def encode(self, targets: Any) -> np.ndarray:
        """Return zeros, (rows,) float32: there are no targets to learn.

        Args:
            targets: (rows,) anything with a length.
        """
        return np.zeros(len(targets), "float32")

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the negative ELBO of each row: anything, (rows, 2) -> (rows,)."""
        from keras import ops

        return ops.sum(outputs, axis=-1)

    def metrics(
        self,
        targets: np.ndarray,
        outputs: np.ndarray,
        index: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Compute the mean ELBO of (rows, 2) outputs; targets and weights are not looked at."""
        bounds = -np.asarray(outputs).sum(axis=1)
        return {"elbo": np.array([bounds.mean()]) if index is None else bounds[index].mean(axis=1)}
