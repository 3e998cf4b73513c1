"""Rows without a label: counted, left out, and the words that stood for a missing one named."""

import collections
import logging

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import NOT
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._texts import WORDS
from autogenome_tf.tasks import Kind

log = logging.getLogger(__name__)

# Targets that a warning names.
MOST_NAMED = 5


def labelled_rows(
    dataset: Dataset,
    columns: pd.DataFrame,
    names: list[str],
    where: str,
    kind: Kind,
) -> tuple[Dataset, pd.DataFrame]:
    """Leave out the rows that lack targets which their kind needs, and count the gaps of others.

    Args:
        dataset: The rows.
        columns: Frame of the same rows that holds the targets.
        names: Of the targets.
        where: The file of the columns, for messages.
        kind: The class of the task. Where labels are optional no row is left out.

    Returns:
        The rows that are kept, with a warning where targets are missing, and their columns.

    Raises:
        InputError: No row has a target.
    """
    gaps = columns[names].isna().to_numpy()
    empty = gaps.any(axis=1) if kind.needs_all_targets else gaps.all(axis=1)
    if not names or not gaps.any():
        return dataset, columns
    if not empty.any():
        return _with_gaps(dataset, names, gaps, where), columns
    words = _words(columns, names)
    if empty.all():
        raise InputError(f"{where}: {some(names)}: expected labels; no sample has one.{words}")
    count = f"{empty.sum()} of {len(dataset)} samples"
    text = f"{where}: {some(names)}: {count} have no label"
    if not kind.has_targets:
        log.info("%s.%s", text, words)
        return dataset, columns
    text = f"{text} and are left out.{words}"
    kept = np.flatnonzero(~empty)
    dataset = dataset.rows(kept).warned("labels", text)
    return _with_gaps(dataset, names, gaps[kept], where), columns.iloc[kept]


def _with_gaps(dataset, names, gaps, where):
    """Warn of samples that have some of the targets."""
    if not gaps.any():
        return dataset
    counts = [f"{name}: {count}" for name, count in zip(names, gaps.sum(axis=0), strict=True)]
    listed = ", ".join([*counts[:MOST_NAMED], *["..."] * (len(counts) > MOST_NAMED)])
    text = (
        f"{where}: {int(gaps.any(axis=1).sum())} of {len(dataset)} samples have missing targets "
        f"({listed}): losses and metrics use the measured values only."
    )
    return dataset.warned("labels", text)


def _words(columns, names):
    """Return the text about words read as missing, and how to read them as values."""
    met = collections.Counter()
    for name in names:
        met.update(columns.attrs.get(WORDS, {}).get(name, {}))
    del met[""]
    if not met:
        return ""
    listed = ", ".join(f"{word!r} ({count} times)" for word, count in met.most_common())
    return (
        f" Read as missing in the whole file: {listed}. If a word is a value (a class), set "
        f'data.missing_words ["{NOT}{met.most_common(1)[0][0]}"].'
    )
