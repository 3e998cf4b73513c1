"""Cox regression with a ridge penalty: proportional hazards, ties by Efron's method."""

import time

import numpy as np
import scipy.optimize

from autogenome_tf.core import blas
from autogenome_tf.tasks.partial_likelihood import RiskSets
from autogenome_tf.training._linear._solver import LinearSolver

# Of L-BFGS for each penalty, at most.
ITERATIONS = 2000
# Size of the gradient that ends it, by the penalty: weights are within this of the minimum.
TOLERANCE = 1e-6


class Cox(LinearSolver):
    """Minimise minus the log partial likelihood a row plus l2 times the squared kernel.

    Penalties of scikit-survival's CoxPHSurvivalAnalysis are alpha = 2 l2 rows.
    """

    def path(self, rows, values, deadline=float("inf")):
        """Solve for each penalty, strongest first, from the solution before."""
        times, events = rows.targets.T
        sets, inputs = RiskSets(times, events, rows.weights), rows.inputs - rows.mean
        kernel, count = np.zeros(inputs.shape[1]), float(rows.weights.sum())

        def function(point, l2):
            loss, slopes = sets.losses_and_slopes(inputs @ point)
            gradient = inputs.T @ slopes / count + 2 * l2 * point
            return loss / count + l2 * (point**2).sum(), gradient

        def in_time(point):
            if time.monotonic() > deadline:
                raise StopIteration

        for l2 in values:
            options = {"maxiter": ITERATIONS, "maxcor": 20, "ftol": 0, "gtol": TOLERANCE * l2}
            with blas.one_thread():
                kernel = scipy.optimize.minimize(
                    function, kernel, (l2,), "L-BFGS-B", jac=True, callback=in_time,
                    options=options,
                ).x  # fmt: skip
            yield kernel[:, None], -(rows.mean @ kernel)[None]
