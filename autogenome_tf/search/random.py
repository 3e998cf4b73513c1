"""Random search: the same chance for every family and every combination."""

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, settings, objective, seed):
    """Propose at random, without repeating a combination."""
    return Proposer("random", spaces, objective, seed, max_trials=settings.max_trials)
