"""Bayesian optimisation: a Gaussian process over families and hyperparameters (KerasTuner's)."""

from autogenome_tf.search._keras_tuner import Proposer


def proposer(spaces, config, seed, *_):
    """Propose defaults, then at random up to a quarter of the trials, then by confidence bounds.

    KerasTuner's own default would stay random for three trials a hyperparameter.
    """
    return Proposer(
        "bayesian",
        spaces,
        config.objective,
        seed,
        max_trials=config.search.max_trials,
        num_initial_points=max(5, config.search.max_trials // 4),
    )
