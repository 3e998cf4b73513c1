"""Probabilistic principal components (Tipping and Bishop 1999), their spectrum cross-fitted."""

import dataclasses

import numpy as np
import sklearn.decomposition

SMALLEST_VARIANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class ProbabilisticPCA:
    """Rows as ``z @ kernel + mean`` and noise of one variance, z standard normal.

    Attributes:
        mean: (genes,).
        kernel: (units, genes).
        variance: Of the noise.
    """

    mean: np.ndarray
    kernel: np.ndarray
    variance: float

    @classmethod
    def of(cls, rows, units):
        """Fit to (rows, genes); units beyond what rows can tell stay 0.

        What each component explains is measured on rows that it was not found on, half against
        half: among few rows and many genes components explain far more of their own rows.
        """
        found = _components(rows, units)
        along, variance = _spectrum(rows, len(found.components_))
        kernel = np.zeros((units, rows.shape[1]))
        scale = np.sqrt(np.maximum(along - variance, 0.0))
        kernel[: len(scale)] = scale[:, None] * found.components_
        return cls(found.mean_, kernel, variance)

    @classmethod
    def of_sets(cls, rows, units, told):
        """Fit units that tell of some genes each: the first component of their own genes.

        Units that tell of all genes take the components of what the others leave.

        Args:
            rows: (rows, genes).
            units: (connections,) numbers of units.
            told: (connections,) numbers of the genes they tell of.
        """
        genes, count = rows.shape[1], int(np.max(units)) + 1
        own = [told[units == unit] for unit in range(count)]
        kernel = np.zeros((count, genes))
        for unit, some in enumerate(own):
            if len(some) < genes:
                kernel[unit, some] = cls.of(rows[:, some], 1).kernel[0]
        mean = rows.mean(axis=0, dtype="float64")
        wide = [unit for unit, some in enumerate(own) if len(some) == genes]
        noise = max(float(rows.var(axis=0).mean()), SMALLEST_VARIANCE)
        found = cls(mean, kernel, noise)
        left = (rows - mean) - (rows - mean) @ found.encoder @ kernel
        rest = cls.of(left.astype("float32"), max(1, len(wide)))
        kernel[wide] = rest.kernel[: len(wide)]
        return cls(mean, kernel, rest.variance)

    @property
    def encoder(self):
        """(genes, units) that lead from centred rows to the posterior's means."""
        products = self.kernel @ self.kernel.T + self.variance * np.eye(len(self.kernel))
        return np.linalg.solve(products, self.kernel).T

    @property
    def posterior(self):
        """(units,) variances of the posterior, or of what is nearest to it with units apart."""
        return self.variance / (np.sum(self.kernel**2, axis=1) + self.variance)


def _components(rows, units):
    """At most so many principal components, the same for the same rows."""
    count, genes = rows.shape
    return sklearn.decomposition.PCA(min(units, count - 1, genes), random_state=0).fit(rows)


def _spectrum(rows, units):
    """Variance along each component, and what is left a gene, on rows of the other half."""
    along, left = np.zeros(units), []
    halves = np.arange(len(rows)) % 2
    for half in (0, 1) if len(rows) > 3 else ():
        found = _components(rows[halves == half], units)
        others = rows[halves != half] - found.mean_
        count = len(found.components_)
        own = ((others @ found.components_.T) ** 2).mean(axis=0)
        along[:count] += own / 2
        total = (others**2).sum(axis=1).mean()
        left.append((total - own.sum()) / max(1, rows.shape[1] - count))
    return along, max(float(np.mean(left or [1.0])), SMALLEST_VARIANCE)
