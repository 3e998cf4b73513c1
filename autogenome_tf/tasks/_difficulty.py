"""Difficulty of a prediction: how large its error is likely to be, by the predicted value."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from autogenome_tf.tasks._kept import KeptArrays

# Penalty of the slopes, in rows; the intercept has none.
PENALTY = 5.0
FOLDS = 5
# An error below this share of the median counts as that: logarithms of 0 would decide alone.
LEAST_ERROR = 0.05
# Intervals must become shorter by this share, at a coverage lower by no more than the second.
GAIN, LOSS = 0.05, 0.01


@dataclasses.dataclass(frozen=True)
class Difficulty(KeptArrays):
    """Ridge regression of the logarithm of absolute errors on predicted values and their squares.

    Attributes:
        mean: (targets,) mean of the outputs that it was fitted to.
        scale: (targets,) their standard deviation.
        most: (targets,) largest standardised distance from the mean among them.
        slopes: (targets, 2) of the standardised value and its square.
    """

    mean: np.ndarray
    scale: np.ndarray
    most: np.ndarray
    slopes: np.ndarray

    @classmethod
    def of(cls, errors: np.ndarray, outputs: np.ndarray) -> Difficulty:
        """Fit to errors of rows that networks had not seen.

        Args:
            errors: (rows, targets) absolute errors, NaN where the value is missing.
            outputs: (rows, targets) predicted values.
        """
        mean, scale = outputs.mean(axis=0), outputs.std(axis=0) + np.finfo("float64").tiny
        standard = (outputs - mean) / scale
        columns = zip(errors.T, standard.T, strict=True)
        slopes = np.stack([_slopes(own, values) for own, values in columns])
        return cls(mean, scale, np.abs(standard).max(axis=0), slopes)

    def __call__(self, outputs: Any, library: Any = np) -> Any:
        """Return the relative size of errors, (rows, targets), above 0.

        Args:
            outputs: (rows, targets) predicted values, an array or a tensor.
            library: Functions for them, numpy or `keras.ops`.
        """
        kind = None if library is np else "float32"
        mean, scale, most, slopes = (
            np.asarray(one, kind) for one in (self.mean, self.scale, self.most, self.slopes)
        )
        standard = library.clip((outputs - mean) / scale, -most, most)
        return library.exp(slopes[:, 0] * standard + slopes[:, 1] * (standard**2 - 1))


def out_of_fold(errors: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the difficulty of each row by a fit to other rows, (rows, targets).

    Args:
        errors: As for `Difficulty.of`.
        outputs: As for `Difficulty.of`.
    """
    fold, found = np.arange(len(errors)) % FOLDS, np.ones_like(errors)
    for number in range(min(FOLDS, len(errors))):
        others = fold != number
        found[~others] = Difficulty.of(errors[others], outputs[others])(outputs[~others])
    return found


def is_worthwhile(errors: np.ndarray, sizes: np.ndarray, coverage: float) -> bool:
    """Return whether intervals that follow the difficulty are shorter at equal coverage.

    In each fold of the rows, widths come from the other rows; mean width and coverage are those of
    the fold, of all targets together.

    Args:
        errors: (rows, targets) absolute errors, NaN where the value is missing.
        sizes: (rows, targets) difficulty by a fit to other rows.
        coverage: Share of rows, between 0 and 1.
    """
    plain, own = (_measured(errors, one, coverage) for one in (np.ones_like(sizes), sizes))
    (width, covered), (own_width, own_covered) = plain, own
    return bool(own_width < (1 - GAIN) * width and own_covered >= covered - LOSS)


def _measured(errors, sizes, coverage):
    """Return mean width, relative to each target's median error, and coverage over folds."""
    fold, ratios = np.arange(len(errors)) % FOLDS, errors / sizes
    widths, hits = [], []
    for number in range(FOLDS):
        level = np.nanquantile(ratios[fold != number], coverage, axis=0, method="higher")
        own = fold == number
        widths.append(level * sizes[own] / np.nanmedian(errors, axis=0))
        hits.append((ratios[own] <= level)[~np.isnan(ratios[own])])
    return np.mean(np.concatenate(widths)), np.mean(np.concatenate(hits))


def _slopes(errors, standard):
    known = ~np.isnan(errors)
    errors, standard = errors[known], standard[known]
    logs = np.log(np.maximum(errors, LEAST_ERROR * np.median(errors) + np.finfo("float64").tiny))
    design = np.stack([standard, standard**2 - 1], axis=1)
    design, logs = design - design.mean(axis=0), logs - logs.mean()
    return np.linalg.solve(design.T @ design + PENALTY * np.eye(2), design.T @ logs)
