"""Names of genes that a spreadsheet has turned into dates or numbers."""

import re
from collections.abc import Iterable, Iterator

from autogenome_tf.core.errors import some

_MONTH = "(mar|sep|dec|oct|apr|nov)"
# What a spreadsheet makes of MARCH1, SEPT2 and DEC1, and of 2310009E13.
_DATE = re.compile(
    rf"\d{{1,2}}-{_MONTH}|{_MONTH}-\d{{1,2}}|\d{{4}}-\d\d-\d\d( 00:00:00)?", re.IGNORECASE
)
_NUMBER = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)


def dates(names: Iterable[str]) -> list[str]:
    """Return the names that are dates as spreadsheets write them.

    >>> dates(["1-Mar", "Sep-02", "TP53", "2021-09-02"])
    ['1-Mar', 'Sep-02', '2021-09-02']
    """
    return [name for name in names if _DATE.fullmatch(name)]


def changed_names(names: list[str]) -> Iterator[str]:
    """Yield a text on names of genes that a spreadsheet has changed.

    Args:
        names: Names of the genes.
    """
    found = [*dates(names), *(name for name in names if _NUMBER.fullmatch(name))]
    # Where all names are such, they are what they are: points in time, concentrations.
    if 0 < len(found) < len(names) / 2:
        yield (
            f"{len(found)} gene names are dates or numbers that a spreadsheet has made of names "
            f"such as MARCH1 or 2310009E13: {some(found)}. Restore them, or rename them by "
            "data.gene_names; new rows with the right names lack these genes."
        )
