"""ComBat (Johnson et al. 2007): batches brought to one mean and variance, gene by gene."""

import numpy as np

# Iterations end when no standardised effect changes by more.
CLOSE = 1e-6


def combat(values: np.ndarray, batches: np.ndarray, is_fitted: np.ndarray) -> np.ndarray:
    """Return values without the mean and variance of their batch, as `scanpy.pp.combat` does.

    Batch effects are shrunk towards their mean over genes by parametric empirical Bayes. Rows
    of a batch without two different fitted rows keep their values.

    Args:
        values: (rows, genes) on a logarithmic scale.
        batches: (rows,) names of batches.
        is_fitted: (rows,) which rows effects are estimated from; all rows are corrected.
    """
    effects = {name: is_fitted & (batches == name) for name in np.unique(batches[is_fitted])}
    effects = {name: rows for name, rows in effects.items() if np.ptp(values[rows], axis=0).any()}
    if not effects:
        return values
    fitted = np.any(list(effects.values()), axis=0)
    mean = values[fitted].mean(axis=0)
    within = sum(values[rows].var(axis=0) * rows.sum() for rows in effects.values())
    scale = np.sqrt(within / fitted.sum())
    # A gene without variance inside batches keeps its values.
    varies = scale > 0
    corrected = values.copy()
    for name, rows in effects.items():
        fit = (values[rows][:, varies] - mean[varies]) / scale[varies]
        shift, spread = _posterior(fit)
        own = np.ix_(batches == name, varies)
        standard = (values[own] - mean[varies]) / scale[varies]
        corrected[own] = (standard - shift) / np.sqrt(spread) * scale[varies] + mean[varies]
    return corrected


def _posterior(standard):
    """Return the (genes,) posterior means of a batch's shift and of its variance."""
    count, shift, spread = len(standard), standard.mean(axis=0), standard.var(axis=0, ddof=1)
    observed, centre, width = shift, shift.mean(), shift.var()
    mean = spread.mean()
    # One gene has no variance between genes: its prior is a point.
    variance = np.fmax(spread.var(ddof=min(1, spread.size - 1)), 1e-9 * mean**2)
    shape, rate = 2 + mean**2 / variance, mean + mean**3 / variance
    squares = (standard**2).sum(axis=0)
    change = np.inf
    while change > CLOSE:
        before = shift, spread
        shift = (width * count * observed + spread * centre) / (width * count + spread)
        sums = squares - 2 * count * observed * shift + count * shift**2
        spread = (sums / 2 + rate) / (count / 2 + shape - 1)
        change = np.abs(np.subtract((shift, spread), before)).max()
    return shift, spread
