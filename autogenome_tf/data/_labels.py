"""Rows without a label: left out, counted, and the words that stood for a missing one named."""

import collections
import dataclasses

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import NOT
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._texts import WORDS


def labelled_rows(
    dataset: Dataset, columns: pd.DataFrame, names: list[str], where: str
) -> tuple[Dataset, pd.DataFrame]:
    """Leave out the rows that have none of the targets.

    Args:
        dataset: The rows.
        columns: Frame of the same rows that holds the targets.
        names: Of the targets.
        where: The file of the columns, for messages.

    Returns:
        The rows with a target, with a warning where there were others, and their columns.

    Raises:
        InputError: No row has a target.
    """
    empty = columns[names].isna().to_numpy().all(axis=1)
    if not names or not empty.any():
        return dataset, columns
    words = _words(columns, names)
    if empty.all():
        raise InputError(f"{where}: {some(names)}: expected labels; no sample has one.{words}")
    count = f"{empty.sum()} of {len(dataset)} samples"
    text = f"{where}: {some(names)}: {count} have no label and are left out.{words}"
    kept = np.flatnonzero(~empty)
    warnings = (*dataset.warnings, ("labels", text))
    return dataclasses.replace(dataset.rows(kept), warnings=warnings), columns.iloc[kept]


def _words(columns, names):
    """Say what words of the whole columns were read as missing, and how they are read as values."""
    met = collections.Counter()
    for name in names:
        met.update(columns.attrs.get(WORDS, {}).get(name, {}))
    del met[""]
    if not met:
        return ""
    listed = ", ".join(f"{word!r} ({count} times)" for word, count in met.most_common())
    return (
        f" Read as missing in the whole file: {listed}. For a word that is a value (a class) write "
        f'data.missing_words ["{NOT}{met.most_common(1)[0][0]}"].'
    )
