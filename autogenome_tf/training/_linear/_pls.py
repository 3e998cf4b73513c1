"""Partial least squares by NIPALS (Wold 1966), for a path of numbers of components."""

import numpy as np

from autogenome_tf.training._linear._solver import LinearSolver

# A component below this share of the rows' size is rounding.
SMALLEST = 1e-10


class PartialLeastSquares(LinearSolver):
    """Regress the targets, or the indicators of classes, on components of highest covariance.

    Targets with gaps in the same rows share components, which those rows alone decide.
    """

    is_descending = False

    def path(self, rows, values, deadline=float("inf")):
        """Solve for each number of components, fewest first; see `LinearSolver.path`."""
        values = list(values)
        groups = _of_same_gaps(rows.indicators)
        most = int(max(values))
        found = [(own, list(_layers(rows, own, most))) for own in groups]
        for count in values:
            kernel = np.zeros((rows.inputs.shape[1], rows.outputs))
            bias = np.zeros(rows.outputs)
            for own, layers in found:
                kernel[:, own], bias[own] = layers[min(int(count), len(layers) - 1)]
            yield kernel, bias


def _of_same_gaps(targets):
    """Return the columns of targets, grouped by the rows in which they are missing."""
    patterns, group = np.unique(np.isnan(targets), axis=1, return_inverse=True)
    return [np.flatnonzero(group.ravel() == own) for own in range(patterns.shape[1])]


def _layers(rows, columns, most):
    """Yield kernel and bias of some targets for 0 to so many components, or to the rank."""
    has_value = ~np.isnan(rows.indicators)
    is_measured = has_value[:, columns[0]]
    x, y = rows.inputs[is_measured], rows.indicators[is_measured][:, columns]
    # A row's weight is shared by its values.
    weights = rows.weights[is_measured] / has_value[is_measured].sum(axis=1)
    roots = np.sqrt(weights / weights.sum())[:, None]
    x_mean, y_mean = (roots**2 * x).sum(0), (roots**2 * y).sum(0)
    x, y = roots * (x - x_mean), roots * (y - y_mean)
    # The rotations turn inputs into components, all of which are orthogonal over the rows.
    size, rotations, kernel = np.linalg.norm(x), [], np.zeros((x.shape[1], len(columns)))
    yield kernel, y_mean
    loadings = []
    for _ in range(most):
        direction = _direction(x.T @ y)
        scores = x @ direction
        length = np.linalg.norm(scores)
        if length <= SMALLEST * size:
            return
        rotation = direction.copy()
        for own, loading in zip(rotations, loadings, strict=True):
            rotation -= (loading @ direction) * own
        scores, rotation = scores / length, rotation / length
        loading, weights = x.T @ scores, y.T @ scores
        x, y = x - np.outer(scores, loading), y - np.outer(scores, weights)
        rotations, loadings = [*rotations, rotation], [*loadings, loading]
        kernel = kernel + np.outer(rotation, weights)
        yield kernel, y_mean - x_mean @ kernel


def _direction(covariance):
    """Return the unit vector of inputs that has the highest covariance with the targets."""
    values, vectors = np.linalg.eigh(covariance.T @ covariance)
    direction = covariance @ vectors[:, -1]
    return direction / max(np.linalg.norm(direction), np.finfo("float64").tiny)
