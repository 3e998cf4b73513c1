"""What explainers find, as tables."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import scipy.stats

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Attributions:
    """What each gene contributes to each output, for each explained row.

    Attributes:
        values: (samples, features, outputs) float32, in units of the outputs.
        base_values: (outputs,) what the contributions are added to: the mean output of the
            background.
        data: (samples, features) raw values of the explained rows.
        samples: Sample ids.
        features: Gene names.
        outputs: Names of classes or targets.
        method: Name of the explainer.
    """

    values: np.ndarray
    base_values: np.ndarray
    data: np.ndarray
    samples: list
    features: list
    outputs: list
    method: str

    @property
    def totals(self):
        """(features,) mean absolute contribution, summed over outputs."""
        return totals(self.values)

    def table(self):
        """The rows of attributions.tsv: feature, rank, total, then mean |value| an output."""
        means = np.abs(self.values).mean(axis=0, dtype="float64")
        frame = pd.DataFrame(means, columns=[str(name) for name in self.outputs])
        # Outputs may be called as these columns are.
        frame.insert(0, "total", means.sum(axis=1), allow_duplicates=True)
        frame.insert(0, "feature", list(self.features), allow_duplicates=True)
        frame = frame.iloc[np.lexsort((np.array(self.features, str), -means.sum(axis=1)))]
        frame.insert(1, "rank", np.arange(1, len(frame) + 1), allow_duplicates=True)
        return frame.reset_index(drop=True)

    def effects(self, top):
        """The rows of effects.tsv: what the foremost genes of each output do to it, with sign.

        Args:
            top: How many genes of each output, by their mean absolute contribution.

        Returns:
            A frame: output, feature, rank, mean, low and high (95 % interval of the mean over the
            rows explained, by Student's t), positive (share of rows where it is above 0),
            correlation of the gene's raw value with its contribution: above 0, high values speak
            for the output, whatever the sign of the mean; missing where either is constant.
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

    def explanation(self):
        """The same as a `shap.Explanation`, base values filled, for shap's own plots."""
        import shap

        return shap.Explanation(
            values=self.values,
            base_values=np.tile(self.base_values, (len(self.values), 1)),
            data=self.data,
            feature_names=list(self.features),
            output_names=[str(name) for name in self.outputs],
        )


def _correlation(data, values):
    """Of a gene's known values with its contributions; NaN where either is constant."""
    known = np.isfinite(data)
    if not known.any() or np.ptp(data[known]) == 0 or np.ptp(values[known]) == 0:
        return np.nan
    return np.corrcoef(data[known], values[known])[0, 1]


def totals(values):
    """Mean absolute contribution of each gene, summed over outputs.

    Args:
        values: (samples, features, outputs).

    Returns:
        (features,) float64.
    """
    return np.abs(values).mean(axis=0, dtype="float64").sum(axis=-1)


def stability(features, found, top):
    """How far attributions of several networks agree.

    Args:
        features: Gene names.
        found: (networks, features) what `totals` gives for each.
        top: Length of the lists of foremost genes that are compared.

    Returns:
        A frame, best first: feature, mean and sd of the total mean absolute contribution, rank_low
        and rank_high over networks, in_top (share of networks whose list it is in); and the mean
        Jaccard index of two networks' lists.
    """
    found, names = np.asarray(found, "float64"), np.asarray(features)
    ranks = np.empty(found.shape, int)
    for own, place in zip(found, ranks, strict=True):
        place[np.lexsort((names, -own))] = np.arange(1, len(names) + 1)
    frame = pd.DataFrame(
        {
            "feature": names,
            "mean": found.mean(axis=0),
            "sd": found.std(axis=0, ddof=1),
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
