"""Bayesian optimisation: a Gaussian process over families and hyperparameters (KerasTuner's)."""

from autogenome_tf.search import OracleMethod, Request


class Bayesian(OracleMethod):
    """Propose starting points, then at random, then by confidence bounds.

    It is random up to a quarter of the trials, starting points included. KerasTuner's own default
    would stay random for three trials a hyperparameter.
    """

    summary = "KerasTuner's Gaussian process, begun with starting points"
    oracle = "bayesian"

    def options(self, request: Request) -> dict:
        """Return the number of trials, and of those before the Gaussian process is asked."""
        trials = request.search.max_trials
        return {"max_trials": trials, "num_initial_points": max(5, trials // 4)}
