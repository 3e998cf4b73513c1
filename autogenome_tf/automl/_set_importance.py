"""What sets of genes contribute, over many trainings, beside what chance and wiring give them.

In a network with a fixed wiring a unit with many connections looks important whatever the data
says, and one training differs from the next (Esser-Skala and Fortelny 2023). So importance is a
mean over many trainings, and stands beside that in networks wired to other genes and in networks
trained on shuffled targets.
"""

import numpy as np
import pandas as pd

from autogenome_tf import families
from autogenome_tf.ensemble import with_controls
from autogenome_tf.explainers import contributions

KINDS = ("trained", "genes", "labels")


def set_importance(folds, trial, config, rows, background):
    """Explain the sets that a trial's units stand for.

    Args:
        folds: `NetworkCrossValidation` the trial was found on, in memory.
        trial: The `Trial`; its family has `levels`.
        config: The whole `Config`.
        rows: (rows, genes) raw values of the rows to explain.
        background: (rows, genes) raw values that stand for "nothing known".

    Returns:
        A frame, best first within each level. `level`, `set`, `genes` (inputs it is connected to),
        `rank` (by `above`), `share` (of the level's total mean absolute contribution; its mean over
        networks) with `sd`, `rank_low` and `rank_high` over networks and `in_top` (share of
        networks that have it among the `explanation.top` foremost); `other_genes` and
        `other_labels`, the mean share in networks wired to other genes and in networks trained on
        shuffled targets; `above_genes` and `above_labels`, how many standard deviations of those
        networks the share lies above that, and `above`, the smaller of the two; then for each
        output the mean absolute contribution.
    """
    levels = folds.levels(trial.family, trial.values)
    names = families.member(trial.family).level_names[: len(levels)]
    shares = {kind: [[] for _ in levels] for kind in KINDS}
    sizes = [[] for _ in levels]
    count = config.explanation.sets
    for kind, predictor, order in with_controls(folds, trial, config, count):
        (branch,) = predictor.branches
        seen, reference = branch.seen(rows)[:, order], branch.seen(background)[:, order]
        found = contributions(branch.network, names, seen, reference)
        for place, (level, values) in enumerate(zip(levels, found, strict=True)):
            means = _of_sets(level, values, trial.values["set_units"])
            total = means.sum(axis=1)
            # Outputs of differently trained networks differ in size.
            shares[kind][place].append(total / max(total.sum(), 1e-30))
            if kind == "trained":
                sizes[place].append(means * np.abs(predictor.output_scale[0]))
    frames = [
        _table(level, name, {kind: np.array(shares[kind][place]) for kind in KINDS},
               np.mean(sizes[place], axis=0), predictor.output_names, config.explanation.top)
        for place, (level, name) in enumerate(zip(levels, names, strict=True))
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _of_sets(level, values, units):
    """Mean absolute contribution of each set, (sets, outputs), from (rows, units, outputs)."""
    sets = len(level.names)
    # Behind the sets' units may stand those of a bypass.
    own = values[:, : sets * units].reshape(len(values), sets, units, -1).sum(axis=2)
    return np.abs(own).mean(axis=0, dtype="float64")


def _table(level, name, shares, means, outputs, top):
    """The rows of one level.

    Args:
        level: Its `genesets.Membership`.
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
