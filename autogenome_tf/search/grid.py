"""Grid search: every combination in order, the last hyperparameter of the last family first."""

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, settings, objective, seed):
    """Propose combination after combination, each once."""
    return Proposer("grid", spaces, objective, seed, max_trials=settings.max_trials)
