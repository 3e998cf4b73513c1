"""Hyperband (Li et al. 2018): many short trials, the best of each round trained for longer."""

from autogenome_tf.search import OracleMethod, Request


class Hyperband(OracleMethod):
    """Propose bracket after bracket until the trials or the time are used up.

    The first bracket begins with the starting points. A promoted configuration is trained anew for
    its longer span: no checkpoint is kept of any.
    """

    summary = "KerasTuner's, many short trials of which the best are trained for longer"
    oracle = "hyperband"

    def options(self, request: Request) -> dict:
        """Return the longest span and an endless number of brackets."""
        return {"max_epochs": request.search.epochs, "hyperband_iterations": None}
