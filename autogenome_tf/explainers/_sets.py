"""Importance of gene sets over many trained networks, beside that in two controls.

In a network with a fixed wiring a unit with many connections looks important whatever the data
says, and one training differs from the next (Esser-Skala and Fortelny 2023). So importance is a
mean over many trained networks, and stands beside that in networks wired to other genes and in
networks trained on shuffled targets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from autogenome_tf.explainers._levels import contributions
from autogenome_tf.explainers._model import Model
from autogenome_tf.tasks import OutputMeans

KINDS = ("trained", "genes", "labels")


class Level(Protocol):
    """The sets of one layer, as far as their importance goes."""

    @property
    def names(self) -> Sequence[str]:
        """Return (sets,) names."""
        ...

    @property
    def sizes(self) -> np.ndarray:
        """Return (sets,) inputs that each is connected to."""
        ...


def set_importance(
    levels: Mapping[str, Level], trained: Iterable[tuple[str, Model, np.ndarray]],
    rows: np.ndarray, background: np.ndarray, *, units: int, top: int,
    means: OutputMeans | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Explain the sets that units of networks stand for.

    Args:
        levels: The sets of each layer by the name of its activation, from the genes on.
        trained: For each trained network three things. Its kind: "trained", "genes" (wired to
            other genes) or "labels" (trained on shuffled targets). A model of one branch, whose
            network it is until the next one comes. The (inputs,) order in which it sees genes.
        rows: (rows, genes) raw values of the rows to explain.
        background: (background, genes) raw values that stand for "nothing known".
        units: Units of each set.
        top: How many sets are foremost.
        means: Means of outputs, which are explained in their place; None: each output is.

    Returns:
        A frame, best first within each level, of these columns:

        - `level`, `set`, `genes` (inputs it is connected to) and `rank` (by `above`).
        - `share` of the level's total mean absolute contribution, the mean over networks; `sd`,
          `rank_low` and `rank_high` over networks; `in_top`, the share of networks that have the
          set among the `top` foremost.
        - `other_genes` and `other_labels`: the mean share in networks wired to other genes, and in
          networks trained on shuffled targets.
        - `above_genes` and `above_labels`: how far the share lies above those means, in standard
          deviations of those networks; `above` is the smaller of the two.
        - For each output the mean absolute contribution.
    """
    shares = {kind: [[] for _ in levels] for kind in KINDS}
    sizes, outputs = [[] for _ in levels], []
    for kind, model, order in trained:
        outputs, scale = model.output_names, np.abs(model.output_scale[0])
        (branch,) = model.branches
        seen, against = branch.seen(rows)[:, order], branch.seen(background)[:, order]
        found = contributions(branch.network, list(levels), seen, against)
        if means is not None:
            found = [means.averaged(values * scale) for values in found]
            outputs, scale = means.names, np.ones(len(means.names))
        for place, (level, values) in enumerate(zip(levels.values(), found, strict=True)):
            of_sets = _of_sets(level, values, units)
            total = of_sets.sum(axis=1)
            # Outputs of differently trained networks differ in size.
            shares[kind][place].append(total / max(total.sum(), 1e-30))
            if kind == "trained":
                sizes[place].append(of_sets * scale)
    frames = [
        _table(level, name, {kind: np.array(shares[kind][place]) for kind in KINDS},
               np.mean(sizes[place], axis=0), outputs, top)
        for place, (name, level) in enumerate(levels.items())
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _of_sets(level, values, units):
    """Average absolute contributions of each set: (rows, units, outputs) to (sets, outputs)."""
    sets = len(level.names)
    # Behind the sets' units may stand those of a bypass.
    own = values[:, : sets * units].reshape(len(values), sets, units, -1).sum(axis=2)
    return np.abs(own).mean(axis=0, dtype="float64")


def _table(level, name, shares, means, outputs, top):
    """Return the rows of one level.

    Args:
        level: Its `Level`.
        name: Of the level.
        shares: Kind to (networks, sets).
        means: (sets, outputs).
        outputs: Their names.
        top: How many sets are foremost.
    """
    trained = shares["trained"]
    ranks = np.argsort(np.argsort(-trained, axis=1, kind="stable"), axis=1) + 1
    above = {
        kind: (trained.mean(axis=0) - shares[kind].mean(axis=0))
        / np.maximum(shares[kind].std(axis=0, ddof=1), 1e-12)
        for kind in ("genes", "labels")
    }
    least = np.minimum(above["genes"], above["labels"])
    frame = pd.DataFrame(
        {
            "level": name,
            "set": level.names,
            "genes": level.sizes,
            "rank": np.argsort(np.argsort(-least, kind="stable")) + 1,
            "share": trained.mean(axis=0),
            "sd": trained.std(axis=0, ddof=1),
            "rank_low": ranks.min(axis=0),
            "rank_high": ranks.max(axis=0),
            "in_top": (ranks <= top).mean(axis=0),
            "other_genes": shares["genes"].mean(axis=0),
            "other_labels": shares["labels"].mean(axis=0),
            "above_genes": above["genes"],
            "above_labels": above["labels"],
            "above": least,
        }
    )
    for place, output in enumerate(outputs):
        frame.insert(len(frame.columns), str(output), means[:, place], allow_duplicates=True)
    return frame.sort_values("rank", kind="stable")
