"""Pairs of genes that act together: what two do beyond the sum of what each does.

Second derivatives are zero almost everywhere on networks of rectifiers, so interactions are
measured by finite changes.
"""

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import pandas as pd

from autogenome_tf.explainers._rule import BLOCK, SplitNetwork
from autogenome_tf.nn.trees import has_trees


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Hold the strength of interaction of pairs of genes.

    Attributes:
        values: (samples, pairs, outputs) float32, in units of the outputs.
        first, second: (pairs,) positions of the genes.
        spread: (outputs,) standard deviation of the outputs over the same rows.
        outputs: Names of classes or targets.
    """

    values: np.ndarray
    first: np.ndarray
    second: np.ndarray
    spread: np.ndarray
    outputs: list[str]

    @property
    def strength(self) -> np.ndarray:
        """Return (pairs,) mean absolute interaction, in standard deviations of the output."""
        means = np.abs(self.values).mean(axis=0, dtype="float64")
        return (means / np.maximum(self.spread, 1e-12)).mean(axis=1)

    def table(self, features: Sequence[str], null: Sequence["Pairs"] = ()) -> pd.DataFrame:
        """Return the rows of interactions.tsv.

        Args:
            features: Gene names.
            null: `Pairs` of the same genes of networks trained on targets without interactions.

        Returns:
            A frame, strongest first: feature_1, feature_2, rank, strength; with `null` also p (the
            probability of such a strength without interactions) and q (the false discovery rate of
            the pairs down to this one, Benjamini and Hochberg 1995); then the mean interaction
            with its sign for each output.
        """
        names, strength = np.asarray(features), self.strength
        frame = pd.DataFrame({"feature_1": names[self.first], "feature_2": names[self.second]})
        frame["strength"] = strength
        if null:
            drawn = np.sort(np.concatenate([one.strength for one in null]))
            above = len(drawn) - np.searchsorted(drawn, strength, side="left")
            frame["p"] = (1 + above) / (1 + len(drawn))
            frame["q"] = _discovery_rates(frame["p"].to_numpy())
        frame = frame.sort_values("strength", ascending=False, kind="stable")
        frame.insert(2, "rank", np.arange(1, len(frame) + 1))
        means = self.values.mean(axis=0, dtype="float64")[frame.index]
        # An output may be called as a measure is.
        for position, output in enumerate(self.outputs):
            frame.insert(len(frame.columns), str(output), means[:, position], allow_duplicates=True)
        return frame.reset_index(drop=True)


def _discovery_rates(p):
    order = np.argsort(p, kind="stable")
    rates = p[order] * len(p) / np.arange(1, len(p) + 1)
    found = np.empty(len(p))
    found[order] = np.minimum.accumulate(rates[::-1])[::-1]
    return np.minimum(found, 1.0)


def double_knockout(
    network: keras.Model, rows: np.ndarray, changed: np.ndarray, genes: Sequence[int]
) -> np.ndarray:
    """Compute f(x) - f(without i) - f(without j) + f(without both), for pairs of some genes.

    Args:
        network: Functional Keras model (rows, genes) -> (rows, outputs).
        rows: (rows, genes) float32.
        changed: (rows, genes) what each becomes where it is knocked out.
        genes: Positions of the genes to pair.

    Returns:
        (rows, pairs, outputs), in the order of `itertools.combinations`.
    """
    kernel, seen, run = _stems(network, genes)
    first, second = map(list, zip(*itertools.combinations(range(len(genes)), 2), strict=True))
    shift, units = (changed - rows)[:, genes, None], seen(rows)[:, None]

    def outputs(points):
        flat = points.reshape(-1, points.shape[-1])
        return np.asarray(run(flat)).reshape(*points.shape[:2], -1)

    found = np.zeros((len(rows), len(first), network.output_shape[-1]), "float32")
    together = max(1, BLOCK // (8 * len(first) * units.shape[-1]))
    for start in range(0, len(rows), together):
        some = slice(start, start + together)
        here, moved = units[some], shift[some] * kernel
        alone = outputs(here + moved)
        both = outputs(here + moved[:, first] + moved[:, second])
        found[some] = outputs(here) - alone[:, first] - alone[:, second] + both
    return found


def _stems(network, genes):
    """Return kernel (genes, units) of some genes, a function of rows to units, and one of units.

    Trees look at the genes themselves, which are their units.
    """
    if has_trees(network):
        kernel = np.zeros((len(genes), network.input_shape[-1]), "float32")
        kernel[np.arange(len(genes)), genes] = 1.0
        return kernel, np.asarray, network
    split = SplitNetwork(network, is_exact=False)
    return split.kernel[genes], split.units, split.run


def changed_importance(
    attribute: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    changed: np.ndarray,
    genes: Sequence[int],
) -> np.ndarray:
    """Compute deep feature interaction maps: how the part of one gene depends on another.

    |part of j - part of j without i|, averaged over both directions (Greenside et al. 2018).

    Args:
        attribute: A function from (rows, genes) to contributions (rows, genes, outputs).
        rows: (rows, genes) float32.
        changed: (rows, genes) what each becomes where it is knocked out.
        genes: Positions of the genes to pair.

    Returns:
        (rows, pairs, outputs), in the order of `itertools.combinations`.
    """
    before = attribute(rows)[:, genes]
    directed = []
    together = max(1, BLOCK // (rows.size * before.shape[-1]))
    for start in range(0, len(genes), together):
        some = genes[start : start + together]
        without = np.tile(rows, (len(some), 1, 1))
        for own, gene in zip(without, some, strict=True):
            own[:, gene] = changed[:, gene]
        parts = attribute(without.reshape(-1, rows.shape[1]))[:, genes]
        directed += list(np.abs(before - parts.reshape(len(some), *before.shape)))
    pairs = itertools.combinations(range(len(genes)), 2)
    return np.stack([(directed[i][:, j] + directed[j][:, i]) / 2 for i, j in pairs], axis=1)
