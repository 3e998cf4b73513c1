"""What one cell of a text table is: a number, a missing value, text, the heading of the ids."""

import re

MISSING = frozenset({"", "NA", "NaN", "nan", "null", "N/A", "None", "."})

_ID_NAMES = frozenset(
    "barcode cell id index name obs obs_names patient row row_names rownames sample samples".split()
)
# These stand over ids, or over groups of rows: what is below decides.
_PERHAPS_ID_NAMES = frozenset(
    "accession case donor eid iid individual participant person subject subject_name".split()
)
_ID_ENDS = ("sampleid", "_id", "_barcode", "sample_name")
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
    >>> is_id_name("PatientID"), is_id_name("#sample"), is_id_name("BID"), is_id_name("Arid1a")
    (True, True, False, False)
    """
    word = _word(name)
    is_joined = re.search(r"[a-z]I[Dd]$", name.strip()) is not None
    return is_corner(name) or word in _ID_NAMES or word.endswith(_ID_ENDS) or is_joined


def is_perhaps_id_name(name):
    """Whether a heading stands over sample ids, or over groups of samples.

    >>> is_perhaps_id_name("Donor"), is_perhaps_id_name("TP53")
    (True, False)
    """
    return _word(name) in _PERHAPS_ID_NAMES


def _word(name):
    return re.sub(r"[\s.]+", "_", name.strip().lstrip("#").lower())
