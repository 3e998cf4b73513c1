"""Rows for a model that is fitted: its genes by name, sample ids below any heading."""

import dataclasses
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from autogenome_tf.core.errors import some
from autogenome_tf.data._beside import dataset_of
from autogenome_tf.data._columns import with_covariates
from autogenome_tf.data._dataset import Dataset, Table
from autogenome_tf.data._empty import of_one_value
from autogenome_tf.data._gene_names import aligned
from autogenome_tf.data._ids import texts
from autogenome_tf.data._memory import table_of
from autogenome_tf.data._orientation import AUTO, turned_by_genes
from autogenome_tf.data._read import read_table
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._usable import check_missing

log = logging.getLogger(__name__)


def load_new(
    data, rows: Any, genes: Sequence[str], levels: Mapping[str, float] = MappingProxyType({})
) -> Dataset:
    """Read rows for a model.

    Args:
        data: The config's `data` section.
        rows: A path (``~`` is home), or a DataFrame, an array, a sparse matrix or an AnnData.
        genes: The model's genes, in its order.
        levels: Names of the covariates' columns in training, and their means.

    Returns:
        The rows with the model's genes alone.

    Raises:
        InputError: Where genes lack or a value is wrong.
    """
    options = dataclasses.replace(ReadOptions.of(data), genes=frozenset(genes))

    def turn(table):
        is_asked = data.orientation != AUTO
        return table if is_asked else turned_by_genes(table, options.genes, data.limit)

    if isinstance(rows, (str, Path)):
        source = os.path.expanduser(rows)
        table = read_table(source, options=options, turn=turn)
    else:
        source, table = "the given rows", turn(table_of(rows, options=options))
    if table.said:
        log.info("%s", table.said)
    found, ids = _with_ids(table, source)
    if ignored := _beside_genes(table, [*data.columns, *ids]):
        log.info(
            "%s: columns that the model does not use are ignored: %d (%s)",
            source, len(ignored), some(ignored),
        )  # fmt: skip
    table = found
    dataset = dataset_of(table, source, data.limit)
    if data.covariates:
        extra = pd.DataFrame(index=range(len(dataset))) if table.extra is None else table.extra
        known = list(levels), list(levels.values())
        dataset = with_covariates(dataset, extra, data.covariates, source, *known)
    beside = () if table.extra is None else [str(name) for name in table.extra.columns]
    dataset = aligned(dataset, genes, data.missing_genes > 0, beside)
    doubts = (f"{source}: {text}" for text in of_one_value(dataset))
    for text in (*(text for _, text in dataset.warnings), *doubts):
        log.warning("%s", text)
    check_missing(dataset, data.missing, source, is_new=True)
    return dataset


def _beside_genes(table: Table, known: Sequence[Any]) -> list[Any]:
    """Return the columns that are neither genes of the model nor known otherwise."""
    return [] if table.extra is None else [name for name in table.extra if name not in known]


def _with_ids(table: Table, source: str) -> tuple[Table, list[Any]]:
    """Take the first column that differs in every row for the sample ids, where there are none.

    Returns:
        The table, and the name of the column in a list, empty where none was taken.
    """
    if table.samples is not None or table.extra is None:
        return table, []
    for name, column in table.extra.items():
        if column.notna().all() and column.is_unique and not _has_fractions(column):
            log.info("%s: the column %r is used as the sample ids", source, name)
            return dataclasses.replace(table, samples=texts(column)), [name]
    return table, []


def _has_fractions(column):
    numbers = pd.to_numeric(column, errors="coerce")
    return bool((numbers % 1 > 0).any())
