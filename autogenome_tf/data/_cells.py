"""Kinds of cells of a text table: number, missing value, text, heading of the ids."""

import collections
import re
from collections.abc import Iterable, Sequence

from autogenome_tf.core.errors import InputError, nearest

# Words that stand for a missing value unless a config says otherwise (`data.missing_words`).
_OF_PANDAS = (
    "NA", "<NA>", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "None", "NULL", "null", "#NA", "#N/A",
    "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
)  # fmt: skip
_OF_TCGA = (
    "[Not Available]", "[Not Applicable]", "[Not Evaluated]", "[Unknown]", "[Discrepancy]",
    "[Pending]", "Not Available", "Not Applicable", "Not Reported", "not reported", "Unknown",
    "unknown", "'--", "--",
)  # fmt: skip
_OF_SPREADSHEETS = ("#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")
_OF_DATABASES = ("na", ".", r"\N")
_OF_GENOTYPES = ("./.", ".|.")
MISSING: frozenset[str] = frozenset(
    ("", *_OF_PANDAS, *_OF_TCGA, *_OF_SPREADSHEETS, *_OF_DATABASES, *_OF_GENOTYPES)
)
# Before a word of `data.missing_words` that is a value, such as a class of that name.
NOT = "!"

_ID_NAMES = frozenset(
    "accession barcode cell eid id iid index individual name obs obs_names participant patient row "
    "row_names rownames sample sample_name samples subject".split()
)
# Joined to "id"; other words that are, such as plate or batch, stand over groups of samples.
_OF_IDS = "case cell donor individual participant patient person sample subject".split()
_ID_ENDS = ("_id", "_barcode", *(f"{word}id" for word in _OF_IDS))
_COMMA = re.compile(r"[+-]?(\d*,\d+|\d{1,3}(,\d{3})+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
# R and pandas leave the corner of a table with row names empty, or call it this.
_CORNER = re.compile(r"(unnamed:_0|__index_level_0__)?")


def missing_words(asked: Iterable[str] = ()) -> frozenset[str]:
    """Return the words that stand for a missing value; a blank cell always does.

    Args:
        asked: The config's `data.missing_words`: further words, and usual ones that are values
            after all, such as ``"!None"``.

    Raises:
        InputError: A word to be a value is none of the usual ones.

    >>> words = missing_words(["-999", "!None"])
    >>> "-999" in words, "None" in words, "NA" in words
    (True, False, True)
    """
    asked = [word.strip() for word in asked]
    values = {word.removeprefix(NOT).strip() for word in asked if word.startswith(NOT)}
    for word in sorted(values - MISSING):
        raise InputError(
            f"data.missing_words: {NOT + word!r}: {word!r} is not among the usual words for a "
            f"missing value; nothing to take out.{nearest(word, MISSING)}"
        )
    return (MISSING | {word for word in asked if not word.startswith(NOT)}) - (values - {""})


def is_missing(cell: str, words: frozenset[str] = MISSING) -> bool:
    """Return whether a cell says that there is no value."""
    return cell.strip() in words


def value_of(cell: str, words: frozenset[str] = MISSING) -> str | None:
    """Return a cell without blanks around it, None where it is missing."""
    cell = cell.strip()
    return None if cell in words else cell


def counted_words(cells: Iterable[object], words: frozenset[str] = MISSING) -> dict[str, int]:
    """Count the words for a missing value among the cells of a column, most frequent first."""
    texts = (cell.strip() for cell in cells if isinstance(cell, str))
    return dict(collections.Counter(text for text in texts if text in words).most_common())


def is_number(cell: str) -> bool:
    """Return whether a cell is a number; Python's ``1_000`` is not.

    >>> is_number("-1.5e3"), is_number("inf"), is_number("1_000"), is_number("TP53")
    (True, True, False, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def is_comma_number(cell: str) -> bool:
    """Return whether a cell is a number with a decimal comma, or with commas between thousands.

    >>> is_comma_number("-1,5e3"), is_comma_number("1,234,567"), is_comma_number("1.5")
    (True, True, False)
    """
    return _COMMA.fullmatch(cell.strip()) is not None


def decimal_mark(cells: Iterable[str]) -> str | None:
    """Return the decimal mark of some cells, "." or ","; None where ``1,234`` may be 1.234 or 1234.

    Cells that all have three digits behind one comma are read with a decimal comma unless whole
    numbers stand among them, as they do among counts.

    >>> decimal_mark(["1", "1.5"]), decimal_mark(["7", "1,5"]), decimal_mark(["7", "1,234"])
    ('.', ',', None)
    >>> decimal_mark(["0,123", "7,000"]), decimal_mark(["1,234", "5,678"])
    (',', ',')
    """
    cells = [cell.strip() for cell in cells]
    commas = [cell for cell in cells if is_comma_number(cell)]
    if not commas:
        return "."
    if any(cell.count(",") > 1 for cell in commas):
        return None
    is_certain = not all(map(_THOUSANDS.fullmatch, commas))
    return "," if is_certain or not any(map(is_number, cells)) else None


def with_point(cell: str) -> str:
    """Return a number with a decimal comma written with a point, any other cell as it is."""
    return cell.replace(",", ".") if is_comma_number(cell) else cell


def is_text(cell: str, words: frozenset[str] = MISSING) -> bool:
    """Return whether a cell is neither a number nor missing."""
    return not is_missing(cell, words) and not is_number(cell)


def is_corner(name):
    """Return whether a heading is the empty corner above row names."""
    return _CORNER.fullmatch(name.strip().lower().replace(" ", "_")) is not None


def are_numbers_of_rows(ids: Sequence[str | None]) -> bool:
    """Return whether ids are 0, 1, 2 ... or 1, 2, 3 ... in the order that they stand in."""
    counts = ([str(n) for n in range(start, start + len(ids))] for start in (0, 1))
    return any(map(list(ids).__eq__, counts))


def is_id_name(name):
    """Return whether a heading is one of sample ids.

    >>> is_id_name("Sample ID"), is_id_name("Unnamed: 0"), is_id_name(""), is_id_name("TP53")
    (True, True, True, False)
    >>> is_id_name("PatientID"), is_id_name("#sample"), is_id_name("BID"), is_id_name("batchID")
    (True, True, False, False)
    """
    word = re.sub(r"[\s.]+", "_", name.strip().lstrip("#").lower())
    return is_corner(name) or word in _ID_NAMES or word.endswith(_ID_ENDS)
