"""Integrated gradients from every background row (Sundararajan et al. 2017), averaged."""

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.explainers._base import Explainer
from autogenome_tf.explainers._rule import SplitNetwork, jacobian, traced

# Midpoints of a path: first tried, and at most. Kinks of activations decide how many it takes.
FEWEST_STEPS, MOST_STEPS = 50, 800
# Part of the largest output by which contributions may miss the outputs before steps are doubled.
GOAL = 5e-3


class Gradient(Explainer):
    """Attribute by integrated gradients; defined for every layer that has a gradient."""

    summary = "integrated gradients from every background row"
    tolerance = 1e-2
    auto_order = 3

    def attribute(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute logits or values to genes; see `Explainer.attribute`.

        The path from a background row to an explained one is straight, so that it is in the outputs
        of the layers on the genes too. Gradients at its midpoints are averaged, at twice as many
        until contributions add up.
        """
        split = SplitNetwork(network, is_exact=False)
        reference = split.units(background)
        derivatives = traced(lambda units: jacobian(split.run, units), reference.shape[1])
        base = np.mean(split.run(reference), axis=0)

        def averaged(units, steps):
            total = np.zeros((split.outputs, len(units), *reference.shape), "float32")
            for step in range(steps):
                along = (step + 0.5) / steps
                points = reference + along * (units[:, None] - reference)
                found = derivatives(tf.constant(points.reshape(-1, points.shape[-1])))
                total += found.numpy().reshape(total.shape) / steps
            return total

        def multipliers(units):
            change = np.asarray(split.run(units)) - base
            steps = FEWEST_STEPS
            while True:
                found = averaged(units, steps)
                added = np.einsum("ksbu,sbu->sk", found, units[:, None] - reference)
                wrong = np.abs(added / len(reference) - change).max()
                if steps >= MOST_STEPS or wrong <= GOAL * np.abs(change).max():
                    return found
                steps *= 2

        return split.attribute(rows, background, multipliers)
