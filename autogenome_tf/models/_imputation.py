"""Imputation of counts, scored by molecular cross-validation (Batson, Royer and Webber 2019).

The molecules of each sample are dealt into two halves at random, which are independent given the
expression of its genes. Methods see one half and are compared with the other.
"""

import dataclasses
import functools
from typing import Any

import numpy as np
import pandas as pd
import sklearn.decomposition

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.models._latent_model import LatentModel
from autogenome_tf.preprocessing import Transform

# Methods: the model, components of the same number, the mean of each gene.
LATENT, PCA, MEAN = "latent", "pca", "mean"
# A gene is never expected below this part of its mean; components may go below 0.
LEAST = 0.01
NORMALISED = Transform("library_log1p")


@dataclasses.dataclass(frozen=True, eq=False)
class Imputation:
    """Distances of held-out counts from what each method expects.

    Attributes:
        molecules: (genes,) mean held-out count of a sample.
        deviances: By method the (rows,) Poisson deviances, summed over genes.
        errors: By method the (rows,) squared errors of log-normalised values, summed over genes.
        of_genes: By method the (genes,) Poisson deviances, summed over rows.
    """

    molecules: np.ndarray
    deviances: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    of_genes: dict[str, np.ndarray]

    @classmethod
    def of(
        cls, model: LatentModel, values: Matrix, is_train: np.ndarray, rows: np.ndarray, seed: int
    ) -> "Imputation":
        """Impute some rows by a model, by components of training rows, and by their means.

        Components, as many as the latent space has units, and means are of one half of the
        molecules of the training rows; the model is taken as it is. Fractions of counts are
        rounded.

        Args:
            model: Its likelihood is of counts.
            values: (all rows, features) raw values without gaps.
            is_train: (all rows,) whether each is a training row.
            rows: (n,) positions of the rows to impute.
            seed: Of the deal.
        """
        random, raw = np.random.default_rng(seed), chunked.dense(values[rows])
        genes = model.sources[0][1][: model.autoencoder.genes]
        train, _ = _halves(chunked.dense(values[is_train])[:, genes], random)
        seen, observed = _halves(raw[:, genes], random)
        raw[:, genes] = seen
        expected = model.run(raw, "reconstruction")
        logs = {LATENT: log_normalised(expected)}
        logs |= _references(train, seen, model.autoencoder.latent, seed)
        library, known = seen.sum(axis=1, keepdims=True), log_normalised(observed)
        shares = train.sum(axis=0) / max(train.sum(), 1)
        counts = {LATENT: expected, PCA: library * _shares(logs[PCA]), MEAN: library * shares}
        floor = LEAST * library * shares + 1e-12
        each = {name: deviance(observed, np.maximum(one, floor)) for name, one in counts.items()}
        return cls(
            observed.mean(axis=0),
            {name: one.sum(axis=1) for name, one in each.items()},
            {name: ((one - known) ** 2).sum(axis=1) for name, one in logs.items()},
            {name: one.sum(axis=0) for name, one in each.items()},
        )

    def measures(self) -> dict[str, Any]:
        """Return functions of (n,) numbers of rows by the name of a metric.

        Returns:
            Dict of imputed_deviance and imputed_error, the sums over rows divided by those of the
            gene means, and of the components the same with the prefix ``pca_``.
        """
        both = {"imputed_deviance": self.deviances, "imputed_error": self.errors}
        return {
            prefix + name: functools.partial(_ratio, one[method], one[MEAN])
            for name, one in both.items()
            for prefix, method in (("", LATENT), ("pca_", PCA))
        }

    def frame(self, genes: list[str]) -> pd.DataFrame:
        """Return the rows of imputation.tsv, of genes that have held-out counts.

        Args:
            genes: Names of the genes.
        """
        frame = pd.DataFrame({"feature": genes, "molecules": self.molecules})
        for name, method in (("deviance", LATENT), ("pca_deviance", PCA)):
            frame[name] = self.of_genes[method] / np.maximum(self.of_genes[MEAN], 1e-30)
        return frame[frame["molecules"] > 0]


def deviance(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Compute the Poisson deviance of counts, elementwise.

    Args:
        observed: (rows, genes) counts.
        expected: (rows, genes) above 0.
    """
    logs = np.log(np.maximum(observed, 1) / expected)
    return 2 * (observed * logs - (observed - expected))


def log_normalised(counts: np.ndarray) -> np.ndarray:
    """Compute ln(1 + counts per 10,000) of (rows, genes)."""
    return np.asarray(NORMALISED(np.asarray(counts, "float64")))


def _ratio(own, means, index):
    return float(own[index].sum() / max(means[index].sum(), 1e-30))


def _halves(values, random):
    """Deal the molecules of (rows, genes) counts, fractions rounded."""
    counts = np.round(values).astype(int)
    first = random.binomial(counts, 0.5)
    return first, counts - first


def _references(train, seen, count, seed):
    """Return log-normalised values that components, and means, of training rows expect."""
    fitted = log_normalised(train)
    pca = sklearn.decomposition.PCA(min(count, *fitted.shape), random_state=seed).fit(fitted)
    components = pca.inverse_transform(pca.transform(log_normalised(seen)))
    return {PCA: components, MEAN: np.broadcast_to(pca.mean_, components.shape)}


def _shares(logs):
    """Return the shares of genes in (rows, genes) log-normalised values."""
    counts = np.expm1(np.maximum(logs, 0))
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
