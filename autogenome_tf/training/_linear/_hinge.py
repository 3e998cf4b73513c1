"""Linear support vector machine: the squared hinge loss, each class against the rest."""

import time

import numpy as np
import scipy.optimize
import threadpoolctl

from autogenome_tf.training._linear._solver import LinearSolver

# Of L-BFGS for each penalty, at most.
ITERATIONS = 2000
# Size of the gradient that ends it, by the penalty: weights are within this of the minimum.
TOLERANCE = 1e-5


class Hinge(LinearSolver):
    """Minimise the mean squared hinge loss plus l2 times the squared kernel, by L-BFGS.

    Penalties of scikit-learn's LinearSVC are C = 1 / (2 l2 rows); the bias has no penalty here.
    """

    def path(self, rows, values, deadline=float("inf")):
        """Solve for each penalty, strongest first, from the solution before."""
        signs, inputs = 2 * rows.indicators - 1, rows.inputs - rows.mean
        shares = (rows.weights / rows.weights.sum())[:, None]
        shape = inputs.shape[1] + 1, rows.outputs
        layer = np.zeros(shape)

        def function(point, l2):
            kernel, bias = np.split(point.reshape(shape), [-1])
            gaps = np.maximum(1 - signs * (inputs @ kernel + bias), 0)
            slopes = -2 * shares * signs * gaps
            gradient = np.concatenate([inputs.T @ slopes + 2 * l2 * kernel, slopes.sum(0)[None]])
            return (shares * gaps**2).sum() + l2 * (kernel**2).sum(), gradient.ravel()

        def in_time(point):
            if time.monotonic() > deadline:
                raise StopIteration

        for l2 in values:
            options = {"maxiter": ITERATIONS, "maxcor": 20, "ftol": 0, "gtol": TOLERANCE * l2}
            # Threads of BLAS would wait for each other longer than they work.
            with threadpoolctl.threadpool_limits(1):
                layer = scipy.optimize.minimize(
                    function,
                    layer.ravel(),
                    (l2,),
                    "L-BFGS-B",
                    jac=True,
                    callback=in_time,
                    options=options,
                ).x.reshape(shape)
            yield layer[:-1], layer[-1] - rows.mean @ layer[:-1]
