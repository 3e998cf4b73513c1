"""Attributions of genes to outputs, as arrays and as tables."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from autogenome_tf.explainers._shap import shap_explanation
from autogenome_tf.tasks import OutputMeans

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Attributions:
    """Hold each gene's contribution to each output, for each explained row.

    Attributes:
        values: (samples, features, outputs) float32, in units of the outputs.
        base_values: (outputs,) mean output of the background, which contributions are added to.
        data: (samples, features) raw values of the explained rows.
        samples: Sample ids.
        features: Gene names.
        outputs: Names of classes or targets.
        method: Name of the explainer.
    """

    values: np.ndarray
    base_values: np.ndarray
    data: np.ndarray
    samples: list[str]
    features: list[str]
    outputs: list[str]
    method: str

    def averaged(self, means: OutputMeans) -> "Attributions":
        """Return the attributions of means of outputs: attributions are linear in outputs.

        Args:
            means: The means.
        """
        values, base = means.averaged(self.values), means.averaged(np.asarray(self.base_values))
        return dataclasses.replace(self, values=values, base_values=base, outputs=list(means.names))

    @property
    def totals(self) -> np.ndarray:
        """Return (features,) mean absolute contribution, summed over outputs."""
        return totals(self.values)

    def table(self) -> pd.DataFrame:
        """Return the rows of attributions.tsv: feature, rank, total, then |value| by output."""
        means = np.abs(self.values).mean(axis=0, dtype="float64")
        frame = pd.DataFrame(means, columns=np.array(self.outputs, str))
        # Outputs may be called as these columns are.
        frame.insert(0, "total", means.sum(axis=1), allow_duplicates=True)
        frame.insert(0, "feature", list(self.features), allow_duplicates=True)
        frame = frame.iloc[np.lexsort((np.array(self.features, str), -means.sum(axis=1)))]
        frame.insert(1, "rank", np.arange(1, len(frame) + 1), allow_duplicates=True)
        return frame.reset_index(drop=True)

    def effects(self, top: int) -> pd.DataFrame:
        """Return the rows of effects.tsv: signed effects of the foremost genes of each output.

        Args:
            top: How many genes of each output, by their mean absolute contribution.

        Returns:
            A frame: output, feature, rank; mean, low and high (95 % interval of the mean over the
            rows explained, by Student's t); positive, the share of rows where the contribution is
            above 0; correlation of the gene's raw value with its contribution. Above 0, high values
            speak for the output, whatever the sign of the mean. It is missing where either is
            constant.
        """
        count, lines = len(self.values), []
        quantile = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, max(count - 1, 1))
        for position, output in enumerate(self.outputs):
            values = self.values[:, :, position]
            order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:top]
            for rank, gene in enumerate(order, start=1):
                own = values[:, gene].astype("float64")
                error = own.std(ddof=1) / count**0.5 if count > 1 else np.nan
                lines.append(
                    {
                        "output": str(output),
                        "feature": self.features[gene],
                        "rank": rank,
                        "mean": own.mean(),
                        "low": own.mean() - quantile * error,
                        "high": own.mean() + quantile * error,
                        "positive": (own > 0).mean(),
                        "correlation": _correlation(self.data[:, gene], own),
                    }
                )
        return pd.DataFrame(lines)

    def explanation(self) -> Any:
        """Convert to a `shap.Explanation`, base values filled, for shap's own plots."""
        return shap_explanation(
            values=self.values,
            base_values=np.tile(self.base_values, (len(self.values), 1)),
            data=self.data,
            feature_names=list(self.features),
            output_names=[str(name) for name in self.outputs],
        )


def _correlation(data, values):
    """Correlate a gene's known values with its contributions; NaN where either is constant."""
    known = np.isfinite(data)
    if not known.any() or np.ptp(data[known]) == 0 or np.ptp(values[known]) == 0:
        return np.nan
    return np.corrcoef(data[known], values[known])[0, 1]


def totals(values: np.ndarray) -> np.ndarray:
    """Return the mean absolute contribution of each gene, summed over outputs.

    Args:
        values: (samples, features, outputs).

    Returns:
        (features,) float64.
    """
    return np.abs(values).mean(axis=0, dtype="float64").sum(axis=-1)


def stability(
    features: Sequence[str], found: Sequence[np.ndarray], top: int
) -> tuple[pd.DataFrame, float]:
    """Compare the attributions of several networks.

    Args:
        features: Gene names.
        found: (networks, features) the `totals` of each.
        top: Length of the lists of foremost genes that are compared.

    Returns:
        A frame, best first: feature, mean and sd of the total mean absolute contribution, rank_low
        and rank_high over networks, in_top (share of networks whose list it is in); and the mean
        Jaccard index of two networks' lists.
    """
    values, names = np.asarray(found, "float64"), np.asarray(features)
    ranks = np.empty(values.shape, int)
    for own, place in zip(values, ranks, strict=True):
        place[np.lexsort((names, -own))] = np.arange(1, len(names) + 1)
    frame = pd.DataFrame(
        {
            "feature": names,
            "mean": values.mean(axis=0),
            "sd": values.std(axis=0, ddof=1),
            "rank_low": ranks.min(axis=0),
            "rank_high": ranks.max(axis=0),
            "in_top": (ranks <= top).mean(axis=0),
        }
    )
    lists = [set(np.flatnonzero(own <= top)) for own in ranks]
    pairs = itertools.combinations(lists, 2)
    jaccard = np.mean([len(one & other) / len(one | other) for one, other in pairs])
    frame = frame.sort_values(["mean", "feature"], ascending=[False, True], kind="stable")
    return frame.reset_index(drop=True), float(jaccard)
