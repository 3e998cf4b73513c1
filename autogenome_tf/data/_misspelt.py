"""Class names that are nearly another, or nearly a word for a missing label."""

import os
from collections.abc import Iterable, Iterator

from autogenome_tf.data._cells import MISSING

# Rows of a class that may be a misspelt one, rows of the other, and letters that are compared.
FEW, MANY, SHORTEST = 2, 10, 3


# Words for a missing label beside those that are read as such; of these any longer one in another
# case is one.
_WORDS = frozenset(
    "missing,nd,n.d.,not done,not known,no data,tbd,unlabelled,unlabeled,unassigned,not assigned,"
    "unannotated,undetermined,undefined".split(",")
)
_SHORTEST_WORD = 5
_MISSING_LIKE = _WORDS | {word.casefold() for word in MISSING if len(word) >= _SHORTEST_WORD}


def missing_like(counts: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Yield classes that may stand for a missing label: signs among words, or such a word.

    Args:
        counts: Pairs of name and number of rows.

    >>> list(missing_like([("case", 9), ("?", 3), ("UNKNOWN", 2)])), list(missing_like([("+", 4)]))
    ([('?', 3), ('UNKNOWN', 2)], [])
    """
    known = [(str(name), count) for name, count in counts]
    # A plus beside words is positive, and then a minus is not missing.
    are_words = any(any(map(str.isalnum, name)) for name, _ in known)
    are_words = are_words and "+" not in dict(known)
    for name, count in known:
        is_sign = are_words and not any(map(str.isalnum, name))
        # Those that a file has after all are values by the config.
        if name not in MISSING and (is_sign or name.casefold() in _MISSING_LIKE):
            yield name, count


def misspelt(
    counts: Iterable[tuple[str, int]],
) -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    """Yield pairs of a very rare class and a common one whose name differs by a letter or two.

    Args:
        counts: Pairs of name and number of rows.
    """
    known = [(str(name), count) for name, count in counts]
    common = [one for one in known if one[1] >= MANY]
    for rare in known:
        if rare[1] <= FEW:
            yield from ((rare, one) for one in common if _is_typo(rare[0], one[0]))


def _is_typo(name, other):
    """Return whether a name is another with two letters swapped, or one more, less or changed.

    >>> _is_typo("RSM", "RMS"), _is_typo("lumnal", "luminal"), _is_typo("stage1", "stage2")
    (True, True, False)
    """
    first, second = name.casefold(), other.casefold()
    if first == second or min(len(first), len(second)) < SHORTEST:
        return False
    start = len(os.path.commonprefix([first, second]))
    end = len(os.path.commonprefix([first[start:][::-1], second[start:][::-1]]))
    ours, theirs = first[start : len(first) - end], second[start : len(second) - end]
    if any(map(str.isdigit, ours + theirs)):
        return False
    is_swapped = len(ours) == 2 and ours == theirs[::-1]
    is_one = max(len(ours), len(theirs)) == 1 and len(first) > SHORTEST
    return is_swapped or is_one
