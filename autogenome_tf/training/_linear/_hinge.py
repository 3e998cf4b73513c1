"""Linear support vector machine: the squared hinge loss, each class against the rest."""

import time
from typing import Any

import numpy as np
import scipy.linalg
import scipy.optimize

from autogenome_tf.core import blas
from autogenome_tf.training._linear._solver import LinearSolver

# Newton steps for each penalty, at most; from the solution before, a few are enough.
STEPS = 50
# A step of less than this share of the way to the minimum of the active rows ends the iteration.
SMALLEST = 1e-9


class Hinge(LinearSolver):
    """Minimise the mean squared hinge loss plus l2 times the squared kernel, by Newton's method.

    Rows inside the margin are active, and the loss is least squares on these (Keerthi, DeCoste
    2005, "A modified finite Newton method"). It ends at the exact minimum when the active rows stay
    the same. Penalties of scikit-learn's LinearSVC are C = 1 / (2 l2 rows); the bias has no penalty
    here.
    """

    def path(self, rows, values, deadline=float("inf")):
        """Solve for each penalty, strongest first, from the solution before."""
        inputs, shares = rows.inputs - rows.mean, rows.weights / rows.weights.sum()
        squares = _LeastSquares(inputs.astype("float64"), shares)
        machines = [_Machine(squares, signs) for signs in (2 * rows.indicators - 1).T]
        for l2 in values:
            with blas.one_thread():
                layers = np.stack([one.solved(l2, deadline) for one in machines], axis=1)
            kernel, bias = layers[:-1], layers[-1]
            yield kernel, bias - rows.mean @ kernel


class _Machine:
    """One class against the rest.

    Args:
        squares: Least squares on any of the rows.
        signs: (rows,) 1 for the class, -1 for the others.
    """

    def __init__(self, squares, signs):
        self._squares, self._signs = squares, signs
        self._layer = np.zeros(squares.inputs.shape[1] + 1)

    def solved(self, l2, deadline):
        """Return (inputs + 1,) weights and bias of the minimum for a penalty."""
        for _ in range(STEPS):
            outputs = self._squares.outputs(self._layer)
            active = self._signs * outputs < 1
            step = self._squares.solved(self._signs, active, l2) - self._layer
            change = self._squares.outputs(step)
            share = self._share_of_step(outputs, change, step, l2)
            self._layer = self._layer + share * step
            is_same = (active == (self._signs * (outputs + share * change) < 1)).all()
            if (is_same and share == 1) or share < SMALLEST or time.monotonic() > deadline:
                break
        return self._layer

    def _share_of_step(self, outputs, change, step, l2):
        """Return the share of a step, above 0 to 1, at which the objective is least."""
        kernel, direction = self._layer[:-1], step[:-1]

        def slope(share):
            gaps = np.maximum(1 - self._signs * (outputs + share * change), 0)
            penalty = l2 * direction @ (kernel + share * direction)
            return penalty - (self._squares.shares * self._signs * change) @ gaps

        # The slope at 0 is below 0 but for rounding.
        if slope(1.0) <= 0 or slope(0.0) >= 0:
            return 1.0
        return float(scipy.optimize.brentq(slope, 0.0, 1.0))


class _LeastSquares:
    """Ridge regression with a free bias on a part of the rows.

    Args:
        inputs: (rows, inputs).
        shares: (rows,) weights that sum to 1.
    """

    def __init__(self, inputs, shares):
        self.inputs, self.shares = inputs, shares
        is_wide = 2 * inputs.shape[1] > len(inputs)
        self._products: Any = inputs @ inputs.T if is_wide else None

    def outputs(self, layer):
        """Return the (rows,) outputs of (inputs + 1,) weights and bias."""
        return self.inputs @ layer[:-1] + layer[-1]

    def solved(self, targets, active, l2):
        """Return (inputs + 1,) weights and bias for the targets of the active rows."""
        rows = np.flatnonzero(active)
        if not len(rows):
            return np.append(np.zeros(self.inputs.shape[1]), targets.mean())
        solve = self._of_inputs if self._products is None else self._of_rows
        return solve(targets[rows], rows, l2)

    def _of_rows(self, targets, rows, l2):
        """Solve one equation a row."""
        ridge = self._products.take(rows, axis=0).take(rows, axis=1)
        ridge[np.diag_indices_from(ridge)] += l2 / self.shares[rows]
        sides = np.stack([targets, np.ones(len(rows))], axis=1)
        fitted, ones = _solve(ridge, sides).T
        bias = fitted.sum() / ones.sum()
        return np.append(self.inputs[rows].T @ (fitted - bias * ones), bias)

    def _of_inputs(self, targets, rows, l2):
        """Solve one equation an input."""
        x, shares = self.inputs[rows], self.shares[rows] / self.shares[rows].sum()
        x_mean, mean = shares @ x, shares @ targets
        x = x - x_mean
        ridge = (shares[:, None] * x).T @ x
        ridge[np.diag_indices_from(ridge)] += l2 / self.shares[rows].sum()
        kernel = _solve(ridge, (shares * (targets - mean)) @ x)
        return np.append(kernel, mean - x_mean @ kernel)


def _solve(matrix, sides):
    """Solve for a symmetric positive definite matrix, which is overwritten."""
    # Transposed it is in LAPACK's own order, and needs no copy.
    factor = scipy.linalg.cho_factor(matrix.T, overwrite_a=True, check_finite=False)
    return scipy.linalg.cho_solve(factor, sides, check_finite=False)
