"""Contracts of what is explained: a fitted model, the networks inside, and rows."""

from collections.abc import Sequence
from typing import Any, Protocol

import keras
import numpy as np


class Branch(Protocol):
    """A preprocessing of the genes and the network behind it, a part of a model."""

    @property
    def transform(self) -> str:
        """Return the name of the transform of raw values."""
        ...

    @property
    def kept(self) -> np.ndarray:
        """Return (kept,) positions of the genes that the network sees."""
        ...

    @property
    def preprocessing(self) -> keras.Model:
        """Return Keras model, raw (rows, genes) -> (rows, kept)."""
        ...

    @property
    def network(self) -> keras.Model:
        """Return Keras model (rows, kept) -> (rows, outputs), before the output's scale."""
        ...

    def seen(self, values: np.ndarray) -> np.ndarray:
        """Preprocess raw rows, (rows, genes) -> (rows, kept) float32."""
        ...

    def outputs(self, values: np.ndarray) -> np.ndarray:
        """Run preprocessing and network on raw rows, (rows, genes) -> (rows, outputs)."""
        ...


class Model(Protocol):
    """A fitted model: branches whose outputs are added up, then scaled."""

    @property
    def features(self) -> list[str]:
        """Return the gene names in the order of the input."""
        ...

    @property
    def output_names(self) -> list[str]:
        """Return the names of classes, targets or latent units."""
        ...

    @property
    def output_scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (outputs,) factor of the branches' sum, and (outputs,) what is added then."""
        ...

    @property
    def branches(self) -> Sequence[Any]:
        """Return a `Branch` for each transform that takes part."""
        ...

    def outputs(self, values: np.ndarray, /) -> np.ndarray:
        """Run the model on raw rows, (rows, genes) -> (rows, outputs).

        Args:
            values: (rows, genes) raw values.
        """
        ...


class Rows(Protocol):
    """Rows to explain: a `Dataset`, as far as explainers look at it."""

    @property
    def values(self) -> Any:
        """Return (rows, genes) raw, an array or CSR."""
        ...

    @property
    def samples(self) -> Any:
        """Return (rows,) sample ids."""
        ...
