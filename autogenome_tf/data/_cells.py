"""What one cell of a text table is: a number, a missing value, text, the heading of the ids."""

import re

MISSING = frozenset({"", "NA", "NaN", "nan", "null", "N/A", "None", "."})

_ID_NAMES = frozenset(
    "accession barcode cell eid id iid index name obs obs_names patient row row_names rownames "
    "sample sample_name samples".split()
)
# Joined to "id"; other words that are, such as plate or batch, stand over groups of samples.
_OF_IDS = "case cell donor individual participant patient person sample subject".split()
_ID_ENDS = ("_id", "_barcode", *(f"{word}id" for word in _OF_IDS))
# R and pandas leave the corner of a table with row names empty, or call it this.
_CORNER = re.compile(r"(unnamed:_0|__index_level_0__)?")


def is_missing(cell):
    """Whether a cell says that there is no value."""
    return cell.strip() in MISSING


def is_number(cell):
    """Whether a cell is a number; Python's ``1_000`` is not.

    >>> is_number("-1.5e3"), is_number("inf"), is_number("1_000"), is_number("TP53")
    (True, True, False, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def is_text(cell):
    """Whether a cell is neither a number nor missing."""
    return not is_missing(cell) and not is_number(cell)


def is_corner(name):
    """Whether a heading is the empty corner above row names."""
    return _CORNER.fullmatch(name.strip().lower().replace(" ", "_")) is not None


def is_id_name(name):
    """Whether a heading stands over sample ids.

    >>> is_id_name("Sample ID"), is_id_name("Unnamed: 0"), is_id_name(""), is_id_name("TP53")
    (True, True, True, False)
    >>> is_id_name("PatientID"), is_id_name("#sample"), is_id_name("BID"), is_id_name("batchID")
    (True, True, False, False)
    """
    word = re.sub(r"[\s.]+", "_", name.strip().lstrip("#").lower())
    return is_corner(name) or word in _ID_NAMES or word.endswith(_ID_ENDS)
