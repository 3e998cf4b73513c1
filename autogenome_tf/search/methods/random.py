"""Random search: the same chance for every family and every combination."""

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, config, seed, *_):
    """Propose at random, without repeating a combination."""
    return Proposer("random", spaces, config.objective, seed, max_trials=config.search.max_trials)
