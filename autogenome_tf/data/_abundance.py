"""Abundance of contigs: how deeply the reads of each sample cover each of them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._distinct import repeated
from autogenome_tf.data._orientation import SAMPLES
from autogenome_tf.data._read import read_table
from autogenome_tf.data._reader import ReadOptions

# Columns of jgi_summarize_bam_contig_depths (MetaBAT) that are no depth of a sample.
_TOTAL, _LENGTH, _VARIANCE = "totalAvgDepth", "contigLen", "-var"
# The depth among the columns of samtools coverage, and the ends of its names in tables of CoverM.
_OF_SAMTOOLS, _OF_COVERM = "meandepth", " Mean"


def with_abundance(
    table: Table, lengths: Sequence[int], path: str, source: str, options: ReadOptions
) -> Table:
    """Put log(1 + depth) of each sample behind the other features of contigs.

    Args:
        table: The contigs, by their ids.
        lengths: Bases of each.
        path: Table of contigs x samples: mean depths, ids in the first column, in any order. Of
            depths as MetaBAT, CoverM or samtools coverage write them only the means are taken,
            and a column of the lengths of the contigs is left out.
        source: File of the contigs, for messages.
        options: How tables are read.

    Raises:
        InputError: A contig has no row, or a depth is missing or below 0, or there is none.
    """
    own = ReadOptions(orientation=SAMPLES, limit=options.limit, expansion=options.expansion)
    found, contigs = read_table(path, options=own), table.samples or []
    # The id of a contig is the first word of its header, which some tables have whole.
    ids = [name.partition(" ")[0] for name in found.samples or ()]
    if twice := repeated(ids):
        raise InputError(
            f"{path}: several rows are of contig {some(twice)}, by the first word of their ids; "
            "expected one for each."
        )
    places = {name: row for row, name in enumerate(ids)}
    lacking = [name for name in contigs if name not in places]
    if lacking:
        raise InputError(
            f"{path}: lacks {len(lacking)} of {len(contigs)} ids of {source}, such as "
            f"{some(lacking)}; expected a row for each, with its id in the first column."
        )
    values: Any = found.values
    values = values.toarray() if scipy.sparse.issparse(values) else values
    values = values[[places[name] for name in contigs]]
    every = _samples(found.features)
    columns = [column for column in every if not np.array_equal(values[:, column], lengths)]
    if not columns:
        raise InputError(
            f"{path}: received no depths, but {some(found.features)}; expected a column of mean "
            "depths for each sample."
        )
    depths = values[:, columns]
    wrong = np.argwhere(~(depths >= 0))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"{path}: {contigs[row]}, {found.features[columns[column]]}: received "
            f"{depths[row, column]:g}; expected a depth of at least 0."
        )
    both = np.concatenate([np.asarray(table.values), np.log1p(depths).astype("float32")], axis=1)
    names = [found.features[column] for column in columns]
    features, warnings = [*table.features, *names], (*table.warnings, *found.warnings)
    return dataclasses.replace(table, values=both, features=features, warnings=warnings)


def _samples(names):
    """Return the places of the columns that are depths of a sample."""
    every = list(enumerate(names))
    if _OF_SAMTOOLS in names:
        return [names.index(_OF_SAMTOOLS)]
    if _TOTAL in names:
        return [
            place
            for place, name in every
            if name not in (_TOTAL, _LENGTH) and not name.endswith(_VARIANCE)
        ]
    means = [place for place, name in every if name.endswith(_OF_COVERM)]
    return means or [place for place, _ in every]
