"""Columns of text as a frame: blanks stripped, missing cells None, words for them counted."""

from collections.abc import Mapping, Sequence

import pandas as pd

from autogenome_tf.data._cells import (
    MISSING,
    counted_words,
    decimal_mark,
    is_comma_number,
    value_of,
    with_point,
)

# Of a frame's `attrs`: for each column how often which word stood for a missing value.
WORDS = "missing_words"


def frame_of_texts(
    columns: Mapping[str, Sequence[str]], index=None, words: frozenset[str] = MISSING
) -> pd.DataFrame:
    """Make a frame of columns of text.

    Args:
        columns: Cells by the name of their column.
        index: One id a row, or None.
        words: What text stands for a missing value.

    Returns:
        A frame of text and None; `attrs` has the words that were met.
    """
    filled = {name: _values(cells, words) for name, cells in columns.items()}
    frame = pd.DataFrame(filled, index=index, dtype=object)
    frame.attrs[WORDS] = {name: counted_words(cells, words) for name, cells in columns.items()}
    return frame


def _values(cells, words):
    """Return the cells of a column; in a column of numbers alone a decimal comma is a point."""
    values = [value_of(cell, words) for cell in cells]
    known = [value for value in values if value is not None]
    if decimal_mark(known) == "," and all(is_comma_number(v) or v.isdigit() for v in known):
        return [value and with_point(value) for value in values]
    return values


def without_words(frame: pd.DataFrame, words: frozenset[str] = MISSING) -> pd.DataFrame:
    """Replace words for a missing value by None in a frame of objects from a file with types."""
    frame, counts = frame.copy(), {}
    for name in frame:
        is_word = frame[name].isin(list(words)).to_numpy()
        counts[name] = counted_words(frame[name].to_numpy()[is_word], words)
        frame.loc[is_word, name] = None
    frame.attrs[WORDS] = counts
    return frame
