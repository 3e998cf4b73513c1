"""Columns of a matrix that are its sample ids: named by a config, or numbers that count rows."""

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError
from autogenome_tf.data._cells import is_id_name
from autogenome_tf.data._checked import numbered_features
from autogenome_tf.data._dataset import Table
from autogenome_tf.tasks import as_text

# Rows from which on numbers that count one by one are no accident.
FEWEST_COUNTED = 8
# Columns that are looked at for others that count: ranks do so in each.
OTHERS = 50
# Whole numbers that float32 holds exactly end here.
_EXACT = 1 << 24
# Words of headings over numbers that name a row.
_WORDS = frozenset("id ids nr no num number code subject patient sample participant case".split())


def identified(table: Table, key: str | None, source: str) -> Table:
    """Take the ids of a table from the column that `data.id` names, where the table has it.

    Raises:
        InputError: A row has no id there.
    """
    if key is None or table.extra is None or key not in table.extra.columns:
        return table
    empty = np.flatnonzero(table.extra[key].isna())
    if len(empty):
        raise InputError(
            f"{source}: {key}: missing in row {empty[0] + 1}; data.id needs an id for each row."
        )
    samples = texts(table.extra[key])
    extra = table.extra.drop(columns=key).set_axis(samples)
    extra = extra if len(extra.columns) else None
    return dataclasses.replace(table, samples=samples, extra=extra, id_column=key)


def with_counted_ids(
    table: Table, source: str, again: Callable[[str], Table], genes: frozenset[str] = frozenset()
) -> Table:
    """Take a first column that counts rows, or numbers them by its heading, for the sample ids.

    Args:
        table: A table; one with ids comes back as it is.
        source: The file, for messages.
        again: A function that reads it once more with a column set aside as text, since large
            numbers lose digits as values.
        genes: Of a model, which are no ids.
    """
    if table.samples is not None or len(table.features) < 2 or table.features[0] in genes:
        return table
    first = _column(table.values, 0)
    name, reason = table.features[0], _reason(table, first)
    if reason is None:
        return table
    is_made_up = table.features == numbered_features(len(table.features))
    read = _without_first(table, first) if is_made_up else again(name)
    samples = texts(read.column(name))
    if len(set(samples)) < len(samples):
        return table
    text = (
        f"{source}: the first column{'' if is_made_up else f' {name!r}'} {reason} ({samples[0]}, "
        f"{samples[1]} ...): it is used as the sample ids, not as a gene."
    )
    found = identified(read, name, source)
    return dataclasses.replace(found, warnings=(*table.warnings, ("ids", text)))


def texts(column: pd.Series) -> list[str]:
    """Return cells as text; whole numbers lose a trailing .0, so that 1 and 1.0 are one."""
    return [as_text(cell).strip() for cell in column]


def _column(values, place):
    parts = (block[:, [place]] for _, block in chunked.blocks(values))
    parts = (part.toarray() if scipy.sparse.issparse(part) else part for part in parts)
    return np.concatenate([part[:, 0] for part in parts])


def _reason(table, first):
    """Return the evidence that numbers are ids, in words; None where there is none."""
    if not _are_whole(first):
        return None
    is_large = np.abs(first).max() >= _EXACT
    if not is_large and len(np.unique(first)) < len(first):
        return None
    words = set(re.split(r"[^a-z]+", table.features[0].lower()))
    if is_id_name(table.features[0]) or words & _WORDS:
        return "has a number for each row"
    others = range(1, min(OTHERS, len(table.features)))
    if _counts(first) and not any(_counts(_column(table.values, place)) for place in others):
        return "counts the rows"
    return None


def _are_whole(values):
    return bool((values % 1 == 0).all())


def _counts(values):
    """Return whether values are consecutive whole numbers, in any order."""
    if len(values) < FEWEST_COUNTED or not _are_whole(values):
        return False
    return bool((np.diff(np.sort(values)) == 1).all())


def _without_first(table, first):
    """Return a table without names whose first column is set aside."""
    kept = list(range(1, len(table.features)))
    extra = pd.DataFrame({table.features[0]: first})
    if table.extra is not None:
        extra = pd.concat([extra, table.extra.reset_index(drop=True)], axis=1)
    values = chunked.columns(table.values, kept)
    return dataclasses.replace(
        table, values=values, features=numbered_features(len(kept)), extra=extra
    )
