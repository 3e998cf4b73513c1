"""Random search: the same chance for every family and every combination."""

import keras_tuner

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, settings, objective, seed):
    """Propose at random, without repeating a combination."""
    oracle = keras_tuner.oracles.RandomSearchOracle
    return Proposer(oracle, spaces, objective, seed, max_trials=settings.max_trials)
