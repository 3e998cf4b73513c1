"""Probabilistic principal components (Tipping and Bishop 1999), their spectrum cross-fitted."""

import dataclasses

import numpy as np
import sklearn.decomposition

SMALLEST_VARIANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class ProbabilisticPCA:
    """A linear model of rows: ``z @ kernel + mean`` and noise, z standard normal.

    Attributes:
        mean: (genes,) mean of the rows.
        kernel: (units, genes) loadings.
        variance: Of the noise, the same for all genes; above 0.
    """

    mean: np.ndarray
    kernel: np.ndarray
    variance: float

    @classmethod
    def of(cls, rows: np.ndarray, units: int) -> "ProbabilisticPCA":
        """Fit a model; units beyond the rank of the rows have loadings of 0.

        The variance along a component is measured on rows that it was not fitted to, half against
        half: with few rows and many genes components explain far more of their own rows.

        Args:
            rows: (rows, genes).
            units: Number of latent units.
        """
        found = _components(rows, units)
        along, variance = _spectrum(rows, len(found.components_))
        kernel = np.zeros((units, rows.shape[1]))
        scale = np.sqrt(np.maximum(along - variance, 0.0))
        kernel[: len(scale)] = scale[:, None] * found.components_
        return cls(found.mean_, kernel, variance)

    @classmethod
    def of_sets(cls, rows: np.ndarray, units: np.ndarray, genes: np.ndarray) -> "ProbabilisticPCA":
        """Fit units that are wired to some genes each: the first component of these genes.

        Units that are wired to all genes take the components of the residuals of the others.

        Args:
            rows: (rows, genes).
            units: (connections,) indices of units.
            genes: (connections,) indices of the genes that they are wired to.
        """
        all_genes, count = rows.shape[1], int(np.max(units)) + 1
        own = [genes[units == unit] for unit in range(count)]
        kernel = np.zeros((count, all_genes))
        for unit, some in enumerate(own):
            if len(some) < all_genes:
                kernel[unit, some] = cls.of(rows[:, some], 1).kernel[0]
        mean = rows.mean(axis=0, dtype="float64")
        wide = [unit for unit, some in enumerate(own) if len(some) == all_genes]
        noise = max(float(rows.var(axis=0).mean()), SMALLEST_VARIANCE)
        found = cls(mean, kernel, noise)
        left = (rows - mean) - (rows - mean) @ found.encoder @ kernel
        rest = cls.of(left.astype("float32"), max(1, len(wide)))
        kernel[wide] = rest.kernel[: len(wide)]
        return cls(mean, kernel, rest.variance)

    @property
    def encoder(self) -> np.ndarray:
        """Return the (genes, units) map from centred rows to posterior means."""
        products = self.kernel @ self.kernel.T + self.variance * np.eye(len(self.kernel))
        return np.linalg.solve(products, self.kernel).T

    @property
    def posterior(self) -> np.ndarray:
        """Return the (units,) variances of the posterior with independent units."""
        return self.variance / (np.sum(self.kernel**2, axis=1) + self.variance)


def _components(rows, units):
    """Fit principal components, at most as many as the rank allows; deterministic."""
    count, genes = rows.shape
    return sklearn.decomposition.PCA(min(units, count - 1, genes), random_state=0).fit(rows)


def _spectrum(rows, units):
    """Measure variances of components and the residual variance a gene on the other half's rows."""
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
