"""Means of outputs that are explained in their place."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class OutputMeans:
    """Means of groups of outputs, which are explained in place of the outputs.

    Attributes:
        names: Name of each mean.
        shares: (outputs, means) share of each output in each mean.
    """

    names: Sequence[str]
    shares: np.ndarray

    @classmethod
    def of(cls, names: Sequence[str], counts: Sequence[int]) -> "OutputMeans":
        """Return the means of some outputs after the other.

        Args:
            names: Name of each mean.
            counts: Number of outputs of each.
        """
        columns = np.repeat(np.eye(len(counts)), counts, axis=0)
        return cls(list(names), (columns / columns.sum(axis=0)).astype("float32"))

    def averaged(self, values: Any) -> Any:
        """Return the means of values, (..., means).

        Args:
            values: (..., outputs), an array or a tensor.
        """
        return values @ self.shares
