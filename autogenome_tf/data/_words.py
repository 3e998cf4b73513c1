"""Words of four bases (tetranucleotides): the composition of a sequence."""

import itertools

import numpy as np

from autogenome_tf.core.errors import InputError

BASES, WORD = "ACGT", 4
# Letters of IUPAC for several bases, and gaps. No word is counted across them.
UNKNOWN = "RYSWKMBDHVN-"
# Bases of a sequence below which shares of so many words are mostly chance.
SHORT = 1000
# Of a sequence of 5,000 bases the root of a share has a standard deviation of 1 / (2 sqrt(5000)),
# by chance alone; times this it is 0.05. Composition differs within a genome too, about as much
# again, and log depths of contigs by some 0.15.
UNIT = 7.0


def composition(where: str, codes: np.ndarray) -> np.ndarray:
    """Return `UNIT` times the roots of the shares of words in a sequence.

    A word and its reverse complement are one, since the strand is unknown (Teeling et al. 2004,
    doi:10.1111/j.1462-2920.2004.00624.x). Words with a letter that is not one base are left out.
    Roots have Hellinger's distance: chance moves that of a rare word as far as that of a frequent
    one; in this unit it is as far as it moves log depths.

    Args:
        where: Place and id of the sequence, for messages.
        codes: (bases,) integers, as `codes` returns them.

    Returns:
        (136,) in the order of `WORDS`.

    Raises:
        InputError: There is no word.
    """
    counts = words(codes)
    if not counts.any():
        raise InputError(
            f"{where}: {len(codes)} letters without {WORD} known bases in a row; expected longer "
            "sequences: leave it out."
        )
    return UNIT * np.sqrt(counts / counts.sum())


def words(codes: np.ndarray) -> np.ndarray:
    """Count the words of four bases of a sequence, each with its reverse complement.

    Args:
        codes: (bases,) integers: place of each base in `BASES`, or 4 where it is unknown.

    Returns:
        (136,) counts in the order of `WORDS`.
    """
    numbers = numbers_of_words(codes, WORD)
    return np.bincount(_PLACES[numbers[numbers >= 0]], minlength=len(WORDS))


def numbers_of_words(codes: np.ndarray, length: int) -> np.ndarray:
    """Return the number of the word of so many bases that begins at each base.

    Args:
        codes: (bases,) int32: place of each base in `BASES`, or 4 where it is unknown.
        length: Bases of a word, at most 15.

    Returns:
        (bases - length + 1,) places among all words in the order of the alphabet; -1 where a base
        is unknown.
    """
    count = max(0, len(codes) - length + 1)
    unknown = np.concatenate([[0], np.cumsum(codes >= len(BASES))])
    numbers, size = codes & 3, 1
    while size < length:
        # Of two words the last bases of the second are those behind the first.
        step = min(size, length - size)
        numbers = numbers[:-step] << 2 * step | numbers[step:] & (1 << 2 * step) - 1
        size += step
    return np.where(unknown[length:] == unknown[:count], numbers[:count], -1)


def codes(where: str, letters: str) -> np.ndarray:
    """Return the code of each base of a sequence: its place in `BASES`, or 4 for an unknown one.

    Args:
        where: Place and id of the sequence, for messages.
        letters: Its bases, in either case; U is T.

    Raises:
        InputError: A letter is none of a nucleotide sequence.
    """
    found = _CODES[np.frombuffer(letters.encode("ascii", "replace"), "uint8")]
    wrong = found < 0
    if wrong.any():
        place = int(wrong.argmax())
        raise InputError(
            f"{where}: received {letters[place]!r} at base {place + 1}; expected nucleotides "
            f"({BASES}, U, or {UNKNOWN} where several are possible)."
        )
    return found


def _canonical():
    """Return the words that come before their reverse complement, and the place of each word."""
    turned = str.maketrans(BASES, BASES[::-1])
    every = ["".join(letters) for letters in itertools.product(BASES, repeat=WORD)]
    first = [min(word, word[::-1].translate(turned)) for word in every]
    kept = tuple(sorted(set(first)))
    return kept, np.array([kept.index(word) for word in first])


WORDS, _PLACES = _canonical()


def _letters():
    """Return the code of each byte; -1 for those that are no letter of a nucleotide sequence."""
    found = np.full(256, -1, "int32")
    for letters, place in [*zip(BASES, range(len(BASES)), strict=True), ("U", 3), (UNKNOWN, 4)]:
        for letter in letters + letters.lower():
            found[ord(letter)] = place
    return found


_CODES = _letters()
