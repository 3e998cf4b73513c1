"""Representation: a latent space of the rows; labels score it, and may shape it."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.tasks._labels import natural, read_labels
from autogenome_tf.tasks._task import Task

# The label of a row that has none.
UNLABELLED = ""


@dataclasses.dataclass(frozen=True)
class Representation(Task):
    """A few numbers from which a row is reconstructed, and, where labels shape them, its label.

    Networks are judged by two outputs a row: its negative log likelihood, and its divergence from
    the prior, whose sum is the negative evidence lower bound (ELBO). Where labels shape the space
    the weighted cross-entropy of its label is the third: epochs are chosen by the sum of all,
    trials by the ELBO.

    Attributes:
        covariates: Columns behind the genes that encoder and decoder both see.
        classes: Labels that shape the latent space, in their order; none where labels only score.
    """

    covariates: int = 0
    classes: tuple[str, ...] = ()

    type = "representation"
    losses = ("elbo",)
    objectives = {"elbo": True}
    families = ("resvae",)
    has_targets = False
    may_have_gaps = True
    explained = "the mean of a latent unit"

    @property
    def outputs(self) -> int:
        """Return the number of outputs."""
        return len(self.output_names)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Return the names of the outputs."""
        return ("reconstruction", "kl", "cross_entropy")[: 3 if self.classes else 2]

    @classmethod
    def read(cls, columns: pd.DataFrame) -> np.ndarray:
        """Return labels, (rows,) text, "" where there is none."""
        labels, is_known = np.full(len(columns), UNLABELLED, object), columns.notna().all(axis=1)
        labels[is_known] = read_labels(columns[is_known])
        return labels

    @classmethod
    def strata(cls, targets: np.ndarray) -> np.ndarray:
        """Return the labels."""
        return targets

    @classmethod
    def fitted(cls, settings: Any, rows: Any, is_train: np.ndarray) -> "Representation":
        """Return the task with the number of covariates' columns, and the labels to learn."""
        known = () if settings.labels == "none" else set(rows.targets[is_train]) - {UNLABELLED}
        return cls(rows.covariates, tuple(sorted(known, key=natural)))

    def encode(self, targets: Any) -> np.ndarray:
        """Return the position in `classes` of each label, (rows,) int32; -1 for any other.

        Args:
            targets: (rows,) labels.
        """
        places = {name: place for place, name in enumerate(self.classes)}
        return np.array([places.get(label, -1) for label in targets], "int32")

    def names(self) -> dict[str, Any]:
        """Return the labels that shape the space, where there are any."""
        return {"classes": list(self.classes)} if self.classes else {}

    def row_losses(self, targets: Any, outputs: Any) -> Any:
        """Return the loss of each row: anything, (rows, outputs) -> (rows,)."""
        from keras import ops

        return ops.sum(outputs, axis=-1)

    def _metrics(self, targets, outputs, index, weights, name=None):
        """Compute the mean ELBO; targets and weights are not looked at."""
        bounds = -np.asarray(outputs)[:, :2].sum(axis=1)
        return {"elbo": np.array([bounds.mean()]) if index is None else bounds[index].mean(axis=1)}
