"""Hyperband (Li et al. 2018): many short trials, the best of each round trained for longer."""

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, config, seed, *_):
    """Propose bracket after bracket until the trials or the time are used up.

    A promoted configuration is trained anew for its longer span: no checkpoint is kept of any.
    """
    return Proposer(
        "hyperband",
        spaces,
        config.objective,
        seed,
        max_epochs=config.search.epochs,
        hyperband_iterations=None,
    )
