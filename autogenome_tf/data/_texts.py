"""Columns of text as a frame: blanks stripped, missing cells None, words for them counted."""

from collections.abc import Mapping, Sequence

import pandas as pd

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._cells import (
    MISSING,
    counted_words,
    decimal_mark,
    is_comma_number,
    value_of,
    with_point,
)
from autogenome_tf.data._distinct import repeated
from autogenome_tf.data._reader import ReadOptions

# Of a frame's `attrs`: for each column how often which word stood for a missing value.
WORDS = "missing_words"
# Likewise: names of the sheets of a spreadsheet that may be meant, the one that was read first.
SHEETS = "sheets"
# Likewise: names of columns whose commas, taken for decimal ones, may all part thousands.
COMMAS = "commas"


def frame_of_texts(
    columns: Mapping[str, Sequence[str]], index=None, words: frozenset[str] = MISSING
) -> pd.DataFrame:
    """Make a frame of columns of text.

    Args:
        columns: Cells by the name of their column.
        index: One id a row, or None.
        words: What text stands for a missing value.

    Returns:
        A frame of text and None; `attrs` has the words that were met and doubtful commas.
    """
    filled = {name: _values(cells, words) for name, cells in columns.items()}
    frame = pd.DataFrame(filled, index=index, dtype=object)
    frame.attrs[WORDS] = {name: counted_words(cells, words) for name, cells in columns.items()}
    frame.attrs[COMMAS] = [name for name, cells in columns.items() if _may_be_thousands(cells)]
    return frame


def _may_be_thousands(cells):
    commas = [cell for cell in cells if is_comma_number(cell)]
    return bool(commas) and all(decimal_mark([cell, "1"]) is None for cell in commas)


def _values(cells, words):
    """Return the cells of a column; in a column of numbers alone a decimal comma is a point."""
    values = [value_of(cell, words) for cell in cells]
    known = [value for value in values if value is not None]
    if decimal_mark(known) == "," and all(is_comma_number(v) or v.isdigit() for v in known):
        return [value and with_point(value) for value in values]
    return values


def columns_of(
    source: str,
    columns: Sequence[tuple[str, Sequence[str]]],
    ids: pd.Index | None,
    options: ReadOptions,
    said: str,
) -> pd.DataFrame:
    """Make the frame of a file of targets.

    Args:
        source: Path of the file.
        columns: Pairs of the name of a column and its cells.
        ids: Sample ids, one a row, with their heading as name, or None.
        options: `ReadOptions` with the words for a missing value.
        said: What was detected, for the log.

    Returns:
        The frame; `attrs` has `source`, `has_ids`, `said`, the words that were met, and what is to
        be said where ids come again (`repeated`, None).

    Raises:
        InputError: An id or a name is empty or comes twice.
    """
    _check_names(source, "sample id", [] if ids is None else list(ids))
    _check_names(source, "column name", [name for name, _ in columns])
    frame = frame_of_texts(dict(columns), ids, options.missing_words)
    about = {"source": source, "has_ids": ids is not None, "said": said, "repeated": None}
    frame.attrs |= about
    return frame


def _check_names(source, what, names):
    if "" in names:
        place = list(names).index("") + 1
        raise InputError(f"{source}: {what} {place} of {len(names)} is empty.")
    if twice := repeated(names):
        raise InputError(f"{source}: duplicate {what}: {some(twice)}; expected each only once.")


def without_words(frame: pd.DataFrame, words: frozenset[str] = MISSING) -> pd.DataFrame:
    """Replace words for a missing value by None in a frame of objects from a file with types."""
    frame, counts = frame.copy(), {}
    for name in frame:
        is_word = frame[name].isin(list(words)).to_numpy()
        counts[name] = counted_words(frame[name].to_numpy()[is_word], words)
        if is_word.any():
            frame[name] = frame[name].astype(object).mask(is_word, None)
    frame.attrs[WORDS] = counts
    return frame
