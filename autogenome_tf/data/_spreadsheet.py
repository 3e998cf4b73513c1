"""Names of genes that a spreadsheet has turned into dates or numbers."""

import re
from collections.abc import Iterable, Iterator

from autogenome_tf.core.errors import some

_MONTH = "(mar|sep|dec|oct|apr|nov)"
# What a spreadsheet makes of MARCH1, SEPT2 and DEC1, and of 2310009E13.
_DATE = re.compile(
    rf"\d{{1,2}}-{_MONTH}|{_MONTH}-\d{{1,2}}|\d{{4}}-\d\d-\d\d( 00:00:00)?", re.IGNORECASE
)
_DATED = re.compile(rf"{_MONTH}[a-z]*\d", re.IGNORECASE)
_NUMBER = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)


def dates(names: Iterable[str]) -> list[str]:
    """Return the names that are dates as spreadsheets write them.

    >>> dates(["1-Mar", "Sep-02", "TP53", "2021-09-02"])
    ['1-Mar', 'Sep-02', '2021-09-02']
    """
    return [name for name in names if _DATE.fullmatch(name)]


def restored(lacking: Iterable[str], others: Iterable[str]) -> Iterator[str]:
    """Yield a text on dates among names that a spreadsheet may have made of genes that lack.

    Args:
        lacking: Names of genes that lack.
        others: Names that stand in their place.

    >>> next(restored(["MARCHF1", "TP53"], ["1-Mar", "MYC"]))
    "A spreadsheet may have made '1-Mar' of a gene such as 'MARCHF1': restore it."
    """
    found, genes = dates(others), [name for name in lacking if _DATED.match(name)]
    if found and genes:
        named = f"{some(found, 3)} of a gene such as {genes[0]!r}"
        yield f"A spreadsheet may have made {named}: restore it."


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
