"""The single networks of an ensemble, each as a model that can be explained."""

import dataclasses
import itertools
from typing import Any

import keras
import numpy as np

from autogenome_tf.explainers._model import Model
from autogenome_tf.nn.graphs import averages


class SingleNetwork:
    """One network of an ensemble, with what explainers ask of a model.

    Args:
        model: The ensemble's `Predictor`.
        number: Of the branch that the network belongs to.
        network: Keras model (rows, kept) -> (rows, outputs).

    Attributes:
        features: Gene names in the order of the input.
        output_names: Names of classes or targets.
        branches: A list of the only branch.
        output_scale: Ones and zeros: outputs are logits or standardised values.
    """

    def __init__(self, model: Model, number: int, network: keras.Model):
        self.features, self.output_names = model.features, model.output_names
        self.branches = [dataclasses.replace(model.branches[number], network=network)]
        count = len(self.output_names)
        self.output_scale = np.ones(count), np.zeros(count)

    def outputs(self, values: np.ndarray) -> np.ndarray:
        """Run the network on raw rows, (rows, genes) -> (rows, outputs)."""
        return self.branches[0].outputs(values)


def networks(model: Model, most: int) -> list[SingleNetwork]:
    """Return the networks that an ensemble averages, at most so many, each as a model of its own.

    They are taken in turn from the trials that take part, so that each is seen.

    Args:
        model: The ensemble's `Predictor`.
        most: How many at most.

    Returns:
        An empty list where the model is a single network.
    """
    by_trial = []
    for number, branch in enumerate(model.branches):
        for average in averages(branch.network):
            stacked: Any = average.input
            by_trial.append(
                [(number, branch.network, stacked, replica) for replica in range(stacked.shape[1])]
            )
    in_turn = (one for turn in itertools.zip_longest(*by_trial) for one in turn if one)
    return [
        # shap takes the last layer's output for the network's, and a slice is no layer.
        SingleNetwork(
            model,
            number,
            keras.Model(network.inputs[0], keras.layers.Reshape((-1,))(stacked[:, replica])),
        )
        for number, network, stacked, replica in itertools.islice(in_turn, most)
    ]
