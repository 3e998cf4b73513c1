"""Classes of too few rows to be split: left out or merged where a config asks for it."""

import collections
import dataclasses

import numpy as np

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Dataset

ERROR, LEAVE_OUT, MERGE = "error", "leave_out", "merge"
# One for each of five folds, and one for the test part.
FEWEST_TO_SPLIT = 6
# The class that rare ones become.
OTHER = "other"


def without_rare_classes(dataset: Dataset, how: str, learned: Dataset | None = None) -> Dataset:
    """Leave out or merge classes of fewer than `FEWEST_TO_SPLIT` rows.

    Args:
        dataset: Labelled rows.
        how: `data.rare_classes`: `ERROR` changes nothing, since a class that cannot be split is
            refused later.
        learned: The rows to learn from, whose rare classes are those of further rows; None: these
            are they.

    Raises:
        InputError: Fewer than two classes are left.
    """
    targets = dataset.targets
    if how == ERROR or targets is None:
        return dataset
    counts = collections.Counter(targets)
    rare = frozenset(name for name, count in counts.items() if count < FEWEST_TO_SPLIT)
    rare = rare if learned is None else learned.rare_classes
    is_rare = np.isin(targets.astype(str), list(rare)) if rare else np.zeros(len(dataset), bool)
    dataset = dataclasses.replace(dataset, rare_classes=rare)
    if not is_rare.any():
        return dataset
    named = some(f"{name} ({counts[name]})" for name in sorted(rare) if counts[name])
    what = f"{dataset.source}: classes with fewer than {FEWEST_TO_SPLIT} rows are"
    if how == MERGE:
        targets = np.where(is_rare, OTHER, targets).astype(object)
        dataset = dataclasses.replace(dataset, targets=targets)
        dataset = dataset.warned("classes", f"{what} merged into {OTHER!r}: {named}.")
    else:
        dataset = dataset.rows(np.flatnonzero(~is_rare))
        text = f"{what} left out: {named}; {len(dataset)} samples remain."
        dataset = dataset.warned("classes", text)
    if learned is None and len(set(dataset.known_targets)) < 2:
        raise InputError(
            f"{what} {how.replace('_', ' ')}, and fewer than 2 classes remain: {named}."
        )
    return dataset
