"""Grid search: every combination in order, the last hyperparameter of the last family first."""

import keras_tuner

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, settings, objective, seed):
    """Propose combination after combination, each once."""
    oracle = keras_tuner.oracles.GridSearchOracle
    return Proposer(oracle, spaces, objective, seed, max_trials=settings.max_trials)
