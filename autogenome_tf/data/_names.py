"""Names that nearly agree: the one rule by which those of one list are those of another."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from autogenome_tf.data._cells import is_number

ABSENT, REPEATED = -1, -2

_SIGNS = re.compile(r"[^0-9A-Za-z]+")
# R puts an X before a name that begins with a digit.
_OF_R = re.compile(r"^X(?=\d)")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_VERSION = re.compile(r"^(ENS[A-Z]*\d{11})[.-]\d+(_PAR_Y)?$")
# GENCODE's names of genes on Y that X has too, before version 25.
_OF_Y = re.compile(r"^(ENS[A-Z]*)R(\d{10})(?=[.-]|$)(.*)$")
# Project, site and participant; then sample and vial; see TCGA's barcodes.
_TCGA = re.compile(r"^(tcga-\w\w-\w{4})(-\d\d)?([a-z])?(-.*)?$")


@dataclasses.dataclass(frozen=True)
class Likeness:
    """Two lists of names beside each other.

    Attributes:
        take: (names,) place of each name among the others, `ABSENT`, or `REPEATED` where several
            are the same.
        count: Number of the others that are names at all.
        rule: What was left out of both, in words; "" where the names are the same as they stand.
    """

    take: np.ndarray
    count: int
    rule: str = ""

    @property
    def hits(self) -> int:
        """Return the number of names that are found."""
        return int((self.take >= 0).sum())

    @property
    def found(self) -> set[int]:
        """Return the places of the others that are found."""
        return set(self.take[self.take >= 0])

    @property
    def is_distinct(self) -> bool:
        """Return whether no two names stand for one, on either side."""
        return len(self.found) == self.hits and not (self.take == REPEATED).any()

    @property
    def is_complete(self) -> bool:
        """Return whether all names of the shorter list are found."""
        return self.is_distinct and 0 < self.hits >= min(len(self.take), self.count)


def likeness(names: Sequence[str | None], others: Sequence[str | None], rule="") -> Likeness:
    """Look up names among others; None is not a name.

    >>> likeness(["b", "x"], ["a", "b", "c", "c"]).take.tolist()
    [1, -1]
    """
    place: dict[str, int] = {}
    for number, other in enumerate(others):
        if other is not None:
            place[other] = REPEATED if other in place else number
    take = [ABSENT if name is None else place.get(name, ABSENT) for name in names]
    return Likeness(np.array(take, int), sum(other is not None for other in others), rule)


def nearest_rule(
    names: Sequence[str | None], others: Sequence[str | None], rules: Iterable[str] | None = None
) -> Likeness | None:
    """Find the rule by which most names are found, the first of those that explain all.

    Args:
        names: Names of one side, each once.
        others: Names of the other side.
        rules: Keys of `RULES`; None: all, and `cut`.

    Returns:
        The best `Likeness`, which need not be complete; None where no rule finds a name.
    """
    found = []
    for rule in RULES if rules is None else rules:
        form = RULES[rule]
        mine, theirs = ([name and form(name) for name in side] for side in (names, others))
        found.append(likeness(mine, theirs, rule))
        if found[-1].is_complete:
            return found[-1]
    if rules is None:
        found += [cut(names, others, is_end) for is_end in (False, True)]
    found = [one for one in found if one.hits]
    complete = [one for one in found if one.is_complete]
    return max(complete or found, key=lambda one: one.hits, default=None)


def likenesses(
    names: Sequence[str | None], others: Sequence[str | None], rules: Iterable[str] | None = None
) -> list[Likeness]:
    """Compare names as they stand, then by the rule by which most are found, if one finds any.

    Args:
        names: As for `nearest_rule`.
        others: As for `nearest_rule`.
        rules: As for `nearest_rule`.
    """
    near = nearest_rule(names, others, rules)
    return [likeness(names, others), *([] if near is None else [near])]


def cut(names: Sequence[str | None], others: Sequence[str | None], is_end=False) -> Likeness:
    """Look up names that are beginnings (or ends) of the others, up to a sign, or the reverse.

    >>> cut(["AAAC-1", "GGGT-1"], ["GGGT", "AAAC"]).take.tolist()
    [1, 0]
    """
    rule = f"what stands {'before' if is_end else 'behind'} the shorter name"
    mine, theirs = ([name and plain(name) for name in side] for side in (names, others))
    forward = likeness(_shortened(mine, set(theirs), is_end), theirs, rule)
    backward = likeness(mine, _shortened(theirs, set(mine), is_end), rule)
    return max(forward, backward, key=lambda one: (one.is_complete, one.hits))


def _shortened(names, known, is_end):
    """Return the longest part of each name that is known, the name itself where none is."""
    return [name and next((p for p in _parts(name, is_end) if p in known), name) for name in names]


def _parts(name, is_end):
    """Yield a name and its ever shorter beginnings (ends), cut at signs."""
    while name:
        yield name
        name = name.partition("-")[2] if is_end else name.rpartition("-")[0]


def _number(name):
    return repr(float(name)) if is_number(name) else name


def _signs(name):
    return _SIGNS.sub("-", _OF_R.sub("", name)).strip("-")


def _without_zeros(name):
    return _ZEROS.sub("", name)


def plain(name: str) -> str:
    """Return a name without case, signs and leading zeros."""
    return _without_zeros(_signs(name).casefold())


def _without_version(name):
    return _VERSION.sub(r"\1\2", _OF_Y.sub(r"\g<1>0\2\3_PAR_Y", name))


def _symbol(name):
    # DepMap's columns are called TP53 (7157).
    return re.split(r"[|;]|\s\([^()]*\)$", name)[0].strip()


def _barcode(parts):
    def form(name):
        found = _TCGA.match(_signs(name).casefold())
        return "".join(part or "" for part in found.groups()[:parts]) if found else name

    return form


def tissues(names: Iterable[str | None]) -> list[str]:
    """Return the codes of samples in TCGA's barcodes, such as 01 of tumours and 11 of normals."""
    found = (_TCGA.match(_signs(name).casefold()) for name in names if name)
    return sorted({match[2].strip("-") for match in found if match and match[2]})


ALIKE = "case, signs and leading zeros"
NUMBERS = "how numbers are written"
PATIENT = "what stands behind the patient in TCGA's barcodes"
VERSION = "the version of Ensembl ids"
# What may differ between two names of one thing, and the form without it; the simplest first.
RULES: dict[str, Callable[[str], str]] = {
    NUMBERS: _number,
    "upper and lower case": str.casefold,
    "the signs between their parts": _signs,
    "leading zeros": _without_zeros,
    ALIKE: plain,
    VERSION: _without_version,
    "what stands behind the vial in TCGA's barcodes": _barcode(3),
    "what stands behind the sample in TCGA's barcodes": _barcode(2),
    PATIENT: _barcode(1),
    "what stands behind the symbol": _symbol,
}
OF_GENES = (
    "upper and lower case",
    "the signs between their parts",
    VERSION,
    "what stands behind the symbol",
)
