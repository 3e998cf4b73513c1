"""Grid search: every combination in order, the last hyperparameter of the last family first."""

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, config, seed, *_):
    """Propose combination after combination, each once."""
    return Proposer("grid", spaces, config.objective, seed, max_trials=config.search.max_trials)
