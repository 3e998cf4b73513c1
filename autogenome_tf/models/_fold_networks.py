"""The networks of each fold alone, inside a model that averages the networks of all folds."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from autogenome_tf.models._predictor import Predictor

# Names of the layers behind a member's networks; the number of its trial follows.
REPLICAS, SHARE = "replicas_", "share_"


def averaged(outputs: Any, share: Any, number: int) -> Any:
    """Average the replicas of a member by layers that `FoldNetworks` finds again.

    Args:
        outputs: (batch, replicas, outputs) symbolic.
        share: Factor of the mean, or (outputs,) factors.
        number: Number of the trial, unique in a network.

    Returns:
        (batch, outputs) symbolic.
    """
    mean = keras.layers.GlobalAveragePooling1D(name=f"{REPLICAS}{number}")(outputs)
    return keras.layers.Rescaling(np.asarray(share).tolist(), name=f"{SHARE}{number}")(mean)


class FoldNetworks:
    """Run the networks of one fold alone; replica r is of fold ``r % folds``.

    A row that a fold validates on is new to the networks of that fold. With the transform `rank`
    the model ranks among all training rows, where each fold was trained on ranks of its own.

    Args:
        predictor: A model with `has_folds`.
        folds: Number of folds.
    """

    def __init__(self, predictor: Predictor, folds: int):
        self._folds = folds
        self._scale, self._offset = predictor.output_scale
        self._branches = [
            (branch.preprocessing, *_taps(branch.network)) for branch in predictor.branches
        ]

    @staticmethod
    def has_folds(predictor: Predictor, folds: int) -> bool:
        """Return whether a model keeps the networks of so many folds apart.

        Args:
            predictor: A fitted model; those of earlier versions have layers without names.
            folds: Number of folds.
        """
        counts = [count for branch in predictor.branches for count in _counts(branch.network)]
        return all(count and count % folds == 0 for count in counts)

    def outputs(self, values: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Return the outputs of each row by the networks of its fold.

        Args:
            values: (rows, features) raw values; NaN is filled as by `Predictor.outputs`.
            fold: (rows,) number of the fold, from 0.

        Returns:
            (rows, outputs) logits, or values in original units.
        """
        total = np.sum(list(self._of_folds(values)), axis=0)
        chosen = total[np.arange(len(values)), fold]
        return (chosen * self._scale + self._offset).astype("float32")

    def _of_folds(self, values) -> Iterator[np.ndarray]:
        """Yield the contribution of each member to the outputs, (rows, folds, outputs)."""
        for preprocessing, networks, shares in self._branches:
            found = networks(preprocessing(values, training=False), training=False)
            # A model of one output returns it alone.
            found = keras.tree.flatten(found)
            for replicas, share in zip(found, shares, strict=True):
                rows, _, outputs = replicas.shape
                parts = np.reshape(replicas, (rows, -1, self._folds, outputs))
                yield share * parts.mean(axis=1, dtype="float64")


def _members(network):
    """Return the layers that average the replicas of each member."""
    return [layer for layer in network.layers if layer.name.startswith(REPLICAS)]


def _counts(network):
    """Return the number of replicas of each member; 0 where no layer names them."""
    return [layer.input.shape[1] for layer in _members(network)] or [0]


def _taps(network):
    """Return a model of the replicas' outputs of each member, and the members' factors."""
    layers = _members(network)
    numbers = [layer.name.removeprefix(REPLICAS) for layer in layers]
    shares = [np.asarray(network.get_layer(f"{SHARE}{number}").scale) for number in numbers]
    return keras.Model(network.inputs, [layer.input for layer in layers]), shares
