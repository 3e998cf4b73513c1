"""Linear support vector machine: the squared hinge loss, each class against the rest."""

import time
from typing import Any

import numpy as np
import scipy.linalg

from autogenome_tf.core import blas
from autogenome_tf.training._linear._solver import LinearSolver

# Newton steps for each penalty, at most; from the solution before, a few are enough.
STEPS = 50
# A step that moves no output by more than this ends the iteration.
SMALLEST = 1e-10


class Hinge(LinearSolver):
    """Minimise the mean squared hinge loss plus l2 times the squared kernel, by Newton's method.

    Rows inside the margin are active, and the loss is least squares on these (Keerthi, DeCoste
    2005, "A modified finite Newton method"). It ends at the exact minimum when the active rows stay
    the same. Penalties of scikit-learn's LinearSVC are C = 1 / (2 l2 rows); the bias has no penalty
    here.
    """

    def path(self, rows, values, deadline=float("inf")):
        """Solve for each penalty, strongest first, from the solution before."""
        squares = _LeastSquares(rows.inputs - rows.mean, rows.weights / rows.weights.sum())
        signs = 2 * rows.indicators - 1
        is_pair = rows.outputs == 2  # one against the other: the same twice, but for the sign
        signs = signs[:, 1:] if is_pair else signs
        layers = np.zeros((len(rows.mean) + 1, signs.shape[1]))
        for l2 in values:
            with blas.one_thread():
                layers = _solved(squares, signs, layers, l2, deadline)
            found = np.hstack([-layers, layers]) if is_pair else layers
            kernel, bias = found[:-1], found[-1]
            yield kernel, bias - rows.mean @ kernel


def _solved(squares, signs, layers, l2, deadline):
    """Return the weights and biases of the minimum for a penalty.

    All classes take a step at once: what they have in common is computed once.

    Args:
        squares: Least squares on any of the rows.
        signs: (rows, classes) 1 for the class, -1 for the others.
        layers: (inputs + 1, classes) weights and bias to begin with.
        l2: The penalty.
        deadline: `time.monotonic()` after which no further step begins.
    """
    layers, outputs, left = layers.copy(), squares.outputs(layers), np.arange(signs.shape[1])
    squares.penalise(l2)
    for _ in range(STEPS):
        now, before, own = layers[:, left], outputs[:, left], signs[:, left]
        active = own * before < 1
        step = squares.solved(own, active) - now
        change = squares.outputs(step)
        # Where the whole step leaves the active rows the same, it ends at the minimum.
        is_last = (active == (own * (before + change) < 1)).all(axis=0)
        slope, curvature = l2 * np.stack([(step * now)[:-1].sum(0), (step * step)[:-1].sum(0)])
        share = _best_shares(own * before, own * change, squares.shares, slope, curvature)
        share[is_last] = 1.0
        layers[:, left], outputs[:, left] = now + share * step, before + share * change
        left = left[~is_last & (np.abs(share * change).max(axis=0) > SMALLEST)]
        if not len(left) or time.monotonic() > deadline:
            break
    return layers


def _best_shares(margins, moves, weights, slope, curvature):
    """Return the (classes,) shares of a step, 0 to 1, at which the objective is least.

    Along a step its slope is linear between the points where a row enters the margin or leaves it.

    Args:
        margins: (rows, classes) outputs of the side of each row.
        moves: (rows, classes) what the whole step adds to them.
        weights: (rows,) weight of each row.
        slope: (classes,) slope of the penalty where the step begins.
        curvature: (classes,) what the whole step adds to it.
    """
    gaps, is_active = 1 - margins, margins < 1
    turns = np.full(margins.shape, np.inf)
    with np.errstate(over="ignore"):  # a row that hardly moves never turns
        np.divide(gaps, moves, out=turns, where=np.where(is_active, moves > 0, moves < 0))
    order = np.argsort(turns, axis=0)
    turns = np.take_along_axis(turns, order, axis=0)
    turns = np.concatenate([turns, np.full((1, turns.shape[1]), np.inf)])

    def summed(first, terms):
        """Return the sum over active rows before and after each turn."""
        turned = np.take_along_axis(np.where(is_active, -terms, terms), order, axis=0)
        first = first + (is_active * terms).sum(axis=0)
        return first + np.concatenate([np.zeros((1, len(first))), np.cumsum(turned, axis=0)])

    weighed = weights[:, None] * moves
    slopes, curvatures = summed(slope, -weighed * gaps), summed(curvature, weighed * moves)
    roots = np.full(turns.shape, np.inf)
    with np.errstate(over="ignore"):
        np.divide(-slopes, curvatures, out=roots, where=curvatures > 0)
    first = np.argmax(roots <= turns, axis=0)
    return np.clip(roots[first, np.arange(len(first))], 0.0, 1.0)


class _LeastSquares:
    """Ridge regression with a free bias on a part of the rows, for several targets.

    What all targets share is computed once. Where more than half of the rows take part, the others
    are taken out of what was computed of all.

    Args:
        inputs: (rows, inputs).
        shares: (rows,) weights that sum to 1.
    """

    def __init__(self, inputs, shares):
        self._inputs, self.shares = np.column_stack([inputs, np.ones(len(inputs))]), shares
        is_wide = 2 * inputs.shape[1] > len(inputs)
        self._products: Any = inputs @ inputs.T if is_wide else None
        self._l2, self._of_all = 0.0, None

    def penalise(self, l2):
        """Set the penalty of the kernel."""
        self._l2, self._of_all = l2, None

    def outputs(self, layers):
        """Return the (rows, targets) outputs of (inputs + 1, targets) weights and biases."""
        return self._inputs @ layers

    def solved(self, targets, active):
        """Return (inputs + 1, targets) weights and biases for the targets of the active rows."""
        solve = self._of_inputs if self._products is None else self._of_rows
        layers = solve(targets, active)
        is_alone = ~active.any(axis=0)
        layers[:, is_alone], layers[-1, is_alone] = 0.0, targets[:, is_alone].mean(axis=0)
        return layers

    def _of_rows(self, targets, active):
        """Solve one equation a row."""
        duals, biases = np.zeros(targets.shape), np.zeros(targets.shape[1])
        for place in np.flatnonzero(active.any(axis=0)):
            is_in = active[:, place]
            fitted, ones = self._duals(targets[:, place], is_in)
            biases[place] = fitted.sum() / ones.sum()
            duals[is_in, place] = fitted - biases[place] * ones
        layers = self._inputs.T @ duals
        layers[-1] = biases
        return layers

    def _duals(self, targets, is_in):
        """Return (2, active rows): the solutions for the targets and for ones."""
        sides = np.stack([targets, np.ones(len(targets))], axis=1)
        if 2 * is_in.sum() <= len(is_in):
            rows = np.flatnonzero(is_in)
            return _solve(self._ridge(rows), sides[rows]).T
        if self._of_all is None:
            self._of_all = _solve(self._ridge(np.arange(len(is_in))), np.eye(len(is_in)))
        fitted, others = self._of_all @ sides, np.flatnonzero(~is_in)
        if len(others):
            inverse = self._of_all.take(others, axis=0)
            fitted -= inverse.T @ _solve(inverse.take(others, axis=1), fitted[others])
        return fitted[is_in].T

    def _ridge(self, rows):
        ridge = self._products.take(rows, axis=0).take(rows, axis=1)
        ridge[np.diag_indices_from(ridge)] += self._l2 / self.shares[rows]
        return ridge

    def _of_inputs(self, targets, active):
        """Solve one equation an input."""
        layers = self._inputs.T @ (self.shares[:, None] * active * targets)
        for place in np.flatnonzero(active.any(axis=0)):
            layers[:, place] = _solve(self._covariance(active[:, place]), layers[:, place])
        return layers

    def _covariance(self, is_in):
        """Return the (inputs + 1, inputs + 1) sums of products over active rows, with the ridge."""
        if 2 * is_in.sum() <= len(is_in):
            return self._summed(is_in) + self._penalties()
        if self._of_all is None:
            self._of_all = self._summed(slice(None)) + self._penalties()
        return self._of_all - self._summed(~is_in)

    def _summed(self, rows):
        part = self._inputs[rows]
        return (self.shares[rows, None] * part).T @ part

    def _penalties(self):
        return np.diag(np.append(np.full(self._inputs.shape[1] - 1, self._l2), 0.0))


def _solve(matrix, sides):
    """Solve for a symmetric positive definite matrix, which is overwritten."""
    # Transposed it is in LAPACK's own order, and needs no copy.
    factor = scipy.linalg.cho_factor(matrix.T, overwrite_a=True, check_finite=False)
    return scipy.linalg.cho_solve(factor, sides, check_finite=False)
