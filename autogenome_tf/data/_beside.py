"""The rows of a matrix with the columns of its target files beside them, row by row."""

import dataclasses
import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.data._dataset import Dataset, Table
from autogenome_tf.data._match import Match, NoCommonId, match_rows
from autogenome_tf.data._texts import COMMAS, SHEETS, WORDS

log = logging.getLogger(__name__)

# As `data.target`: every column of the file of targets.
ALL = "*"
# Of a frame's `attrs`: names of the columns that may be targets, all but the ids.
TARGETS = "targets"


def with_columns(
    table: Table, frames: Sequence[pd.DataFrame], data, source: str, *, may_lack: bool = False
) -> tuple[Dataset, pd.DataFrame]:
    """Match the rows of a matrix with those of its target files.

    Args:
        table: The matrix.
        frames: Its target files, as `read_targets` returns them; none: the targets stand in it.
        data: The config's `data` section.
        source: The matrix file, for messages.
        may_lack: Whether rows stay that have none in any of the files.

    Returns:
        The rows that have one in any of the files, or all, and as many rows of columns, of the
        files and of the matrix; ``attrs`` has the ``source`` of the columns, `TARGETS` and `WORDS`.

    Raises:
        InputError: Rows cannot be matched, or two files have a column of one name.
    """
    if not frames:
        return _alone(table, data, source)
    _check_key(data.id, table, frames, source)
    otherwise = "have no label" if may_lack else "are left out"
    table, matches = _matched(table, frames, data, source, otherwise)
    warnings = list(table.warnings)
    for found in matches:
        warnings += found.warnings
        if found.said:
            log.info("%s", found.said)
    columns = _joined(table, frames, matches)
    warnings += _contradictions(table, columns, source)
    warnings += _doubtful_commas(frames, data)
    warnings += _doubtful_sheets(frames)
    table = dataclasses.replace(table, warnings=tuple(warnings))
    owners = tuple(found.owner for found in matches if found.owner)
    dataset = dataclasses.replace(dataset_of(table, source, data.limit), owners=owners)
    kept = np.any([found.take >= 0 for found in matches], axis=0)
    if kept.all():
        return dataset, columns
    if len(frames) > 1:
        text = f"{source}: {int((~kept).sum())} samples have no row in any of the files of targets"
        dataset = dataset.warned("matching", f"{text} and {otherwise}.")
    if may_lack:
        return dataset, columns
    # `iloc` copies what belongs to a frame.
    return dataset.rows(np.flatnonzero(kept)), columns.iloc[np.flatnonzero(kept)]


def dataset_of(table: Table, source: str, limit: int = chunked.LIMIT) -> Dataset:
    """Return a `Table` as a `Dataset` without targets; rows without ids are numbered."""
    return Dataset(
        values=table.values,
        samples=np.array(_names(table), dtype=object),
        features=list(table.features),
        limit=limit,
        source=source,
        warnings=table.warnings,
    )


def _alone(table, data, source):
    """Return the columns that the matrix file itself has."""
    dataset = dataset_of(table, source, data.limit)
    columns = pd.DataFrame(index=dataset.samples) if table.extra is None else table.extra
    columns = columns.set_axis(dataset.samples)
    columns.attrs = {**columns.attrs, "source": source, TARGETS: list(columns.columns)}
    return dataset, columns


def _check_key(key, table, frames, source):
    known = [name for frame in frames for name in (frame.index.name, *frame.columns) if name]
    if key is None or table.id_column == key or key in known:
        return
    extra = [] if table.extra is None else table.extra.columns
    raise unknown(f"{source}: data.id", key, [*extra, *known])


def _matched(table, frames, data, source, otherwise):
    """Match each file with the matrix; return the matrix, and the `Match` of each.

    A file without an id of the matrix is matched by a column of those that have some: a sheet of
    samples and their patients leads to a table of patients.
    """
    found: dict[int, Match] = {}

    def match(place, table, source):
        return match_rows(
            table, frames[place], source, asked=data.target_names, key=data.id,
            otherwise=otherwise if len(frames) == 1 else "",
        )  # fmt: skip

    left: dict[int, NoCommonId] = {}
    for place in range(len(frames)):
        try:
            found[place] = match(place, table, source)
        except NoCommonId as error:
            left[place] = error
        else:
            table = found[place].table
    if left and not found:
        raise next(iter(left.values()))
    if left:
        named = " with ".join([source, *(frames[place].attrs["source"] for place in found)])
        beside = _once([_taken(frames[place], one) for place, one in found.items()])
        through = dataclasses.replace(table, extra=beside)
        found |= {place: match(place, through, named) for place in left}
    return table, [found[place] for place in range(len(frames))]


def _joined(table, frames, matches):
    """Return the columns of the files, then of the matrix, in the order of the matrix's rows."""
    where = " and ".join(frame.attrs["source"] for frame in frames)
    if len({found.is_by_order for found in matches}) > 1:
        raise InputError(f"{where}: only one of them has sample ids; expected all or none.")
    parts = [_taken(*pair) for pair in zip(frames, matches, strict=True)]
    names = [name for part in parts for name in part.columns]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    for name in twice:
        first, *others = [part[name] for part in parts if name in part]
        if any(_disagree(first, other).any() for other in others):
            raise InputError(
                f"{where}: both have the column {name!r}, with different values; expected each "
                "only once."
            )
    parts = [_once(parts)]
    for frame, found in zip(frames, matches, strict=True):
        # Ids may be asked for too, such as those of patients beside those of samples.
        if frame.attrs["has_ids"] and frame.index.name not in names:
            parts.append(_taken(frame.index.to_frame(), found))
            names.append(frame.index.name)
    if table.extra is not None:
        extra = table.extra.drop(columns=[name for name in table.extra if name in names])
        parts.append(extra.reset_index(drop=True))
    columns = pd.concat(parts, axis=1)
    columns.index = pd.Index(_names(table))
    ids = {found.column for found in matches}
    named = dict.fromkeys(name for frame in frames for name in frame.columns)
    targets = [name for name in named if name not in ids]
    words = {name: met for frame in frames for name, met in frame.attrs[WORDS].items()}
    columns.attrs = {"source": where, TARGETS: targets, WORDS: words}
    return columns


def _contradictions(table, columns, source):
    """Yield warnings of columns of the matrix that say something else than the target files."""
    extra = pd.DataFrame() if table.extra is None else table.extra.reset_index(drop=True)
    for name in extra.columns.intersection(columns.attrs[TARGETS]):
        ours, theirs = extra[name].astype(object), columns[name].reset_index(drop=True)
        others = int(_disagree(ours, theirs).sum())
        if others:
            text = (
                f"{source} and {columns.attrs['source']}: both have the column {name!r}, with "
                f"other values for {others} of {len(extra)} samples; those of the second are used, "
                "those of the first are left out."
            )
            yield "matching", text


def _doubtful_commas(frames, data):
    """Yield warnings of targets whose commas may part thousands."""
    for frame in frames:
        for name in frame.attrs.get(COMMAS, ()):
            if name in data.target_names or data.target_names in ([], [ALL]):
                yield (
                    "commas",
                    (
                        f"{frame.attrs['source']}: {name}: every comma has three digits behind it "
                        "and is taken for a decimal one. Where it parts thousands, leave it out."
                    ),
                )


def _doubtful_sheets(frames):
    """Yield warnings of spreadsheets in which several sheets have the columns."""
    for frame in frames:
        if frame.attrs.get(SHEETS):
            first, *others = frame.attrs[SHEETS]
            yield (
                "columns",
                (
                    f"{frame.attrs['source']}: the sheet {first!r} is read; {some(others)} could "
                    "be meant as well. Name the sheet in data.targets_sheet."
                ),
            )


def _disagree(ours, theirs):
    """Return where both have a cell, and not the same: as text, and as numbers where both are."""
    first, second = (pd.to_numeric(column, errors="coerce") for column in (ours, theirs))
    is_text = ours.map(str) == theirs.map(str)
    are_equal = is_text | np.isclose(first.astype(float), second.astype(float))
    return ours.notna() & theirs.notna() & ~are_equal


def _once(parts):
    """Return the columns of frames of the same rows as one; one of several may have gaps."""
    known: dict[str, pd.Series] = {}
    for name, column in (pair for part in parts for pair in part.items()):
        known[name] = known[name].where(known[name].notna(), column) if name in known else column
    return pd.DataFrame(known, index=parts[0].index)


def _taken(frame: pd.DataFrame, found: Match) -> pd.DataFrame:
    """Return the rows of a file in the order of the matrix, None where it has none."""
    taken = frame.reset_index(drop=True).astype(object).reindex(found.take).reset_index(drop=True)
    return taken.where(taken.notna(), None)


def _names(table):
    return table.samples or [f"row_{i}" for i in range(1, table.values.shape[0] + 1)]
