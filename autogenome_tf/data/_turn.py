"""Matrices of genes x samples, recognised by what stands beside them or by their names."""

import dataclasses
from collections.abc import Sequence

import pandas as pd

from autogenome_tf.data._dataset import Table
from autogenome_tf.data._id_columns import FEWEST_IDS, ids_of
from autogenome_tf.data._names import plain
from autogenome_tf.data._orientation import (
    AUTO,
    GENES,
    SAMPLES,
    orientation_by_ids,
    orientation_by_names,
    transposed,
)


def turned(table: Table, frames: Sequence[pd.DataFrame], data, source: str) -> Table:
    """Transpose a matrix whose header, not its rows, has the ids of the target files.

    What the ids show goes before the heading of the first column, and behind `data.orientation`;
    where they show nothing, usual names of genes and samples do.

    Args:
        table: The matrix.
        frames: Target files, as `read_targets` returns them.
        data: The config's `data` section.
        source: The matrix file, for messages.
    """
    if data.orientation != AUTO:
        return table
    known = set().union(*(ids_of(frame, data.target_names) for frame in frames))
    for form in (str, plain):
        features = [form(name) for name in table.features]
        samples = [form(name) for name in table.samples or ()]
        ids = set(map(form, known))
        found = orientation_by_ids(
            dataclasses.replace(table, features=features, samples=samples), ids
        )
        if found == GENES and len(ids.intersection(features)) >= FEWEST_IDS:
            return _by_ids(table, data.limit)
        if found == SAMPLES:
            return table
        if len(ids.intersection(features)) >= FEWEST_IDS:
            return _doubted(table, source)
    return _by_names(table, data, source)


def _doubted(table, source):
    """Return a matrix as it is, whose rows and header have the ids alike, with a warning."""
    text = (
        f"{source}: its rows and its header have the same number of ids of the targets, so both "
        "may be samples. It is read as "
        f"{'genes x samples' if table.orientation == GENES else 'samples x genes'}; "
        "data.orientation says how it is."
    )
    return dataclasses.replace(table, warnings=(*table.warnings, ("orientation", text)))


def _by_ids(table, limit):
    reason = "the ids of the targets are in its header"
    if table.orientation != GENES:
        return transposed(table, reason, limit)
    said = f"{table.said}, but taken as samples x genes (the ids of the targets are in its rows)"
    return dataclasses.replace(transposed(table, reason, limit), said=said, orientation=SAMPLES)


def _by_names(table, data, source):
    extra = () if table.extra is None else table.extra.columns
    is_certain = table.orientation is not None or set(data.columns).intersection(extra)
    if is_certain or orientation_by_names(table) != GENES:
        return table
    text = (
        f"{source}: its rows have gene names or its columns have sample names "
        f"({table.samples[0]!r}, {table.features[0]!r}), so it is read as genes x samples; set "
        "data.orientation to change that."
    )
    table = transposed(table, "names of genes and samples", data.limit)
    return dataclasses.replace(table, warnings=(*table.warnings, ("orientation", text)))
