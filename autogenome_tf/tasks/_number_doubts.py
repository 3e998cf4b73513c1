"""Targets that may not be what they seem: numbers that are codes, classes that are numbers."""

from collections.abc import Iterator, Sequence

import numpy as np

from autogenome_tf.tasks._labels import natural

# A target of at most so many whole numbers may be codes of classes.
FEW_NUMBERS = 5
# Targets that a warning names.
_MOST_NAMED = 5
# Of one value in the squared distances from the median, among so many values or more.
_MOST_OF_ONE, _FEWEST_VALUES = 0.5, 10
# Of the standard deviation of a target in the step between numbers of single precision.
_COARSE = 0.01


def are_few_whole(values: np.ndarray) -> bool:
    """Return whether numbers may be codes of classes: a few whole ones.

    Args:
        values: The known values of a target.
    """
    numbers = np.unique(values)
    return 0 < len(numbers) <= FEW_NUMBERS and bool((numbers % 1 == 0).all())


def uneven(values: np.ndarray, name: str) -> Iterator[str]:
    """Yield texts on a target one value of which outweighs the others, or that hardly varies.

    Args:
        values: The known values of the target.
        name: Name of the target.
    """
    yield from _outweighing(values, name)
    yield from _coarse(values, name)


def _outweighing(values, name):
    """Yield a text on a value that decides the fit of a target alone."""
    squares = (values - np.median(values)) ** 2
    place = int(squares.argmax())
    if len(values) < _FEWEST_VALUES or squares[place] <= _MOST_OF_ONE * squares.sum():
        return
    others, share = np.delete(values, place), squares[place] / squares.sum()
    yield (
        f"{name}: one value, {values[place]:g}, makes up {share:.0%} of the squared differences "
        f"from the median (all others are {others.min():g} to {others.max():g}), so fit and scores "
        "follow this row. Check it; where values span orders of magnitude, predict their logarithm."
    )


def _coarse(values, name):
    """Yield a text on a target that varies little for its size: models predict it in steps."""
    step, spread = np.spacing(np.float32(np.abs(values).max())), values.std()
    if 0 < spread * _COARSE < step:
        yield (
            f"{name}: varies little for its size (mean {values.mean():g}, standard deviation "
            f"{spread:.3g}), and models predict in single precision, here in steps of {step:.2g}. "
            f"Subtract a constant, such as {np.median(values):g}."
        )


def numbers_among_words(labels: np.ndarray, name: str) -> Iterator[str]:
    """Yield a text on a target that is learned as classes because a few cells are no numbers.

    Args:
        labels: The known labels of the target.
        name: Name of the target.
    """
    numbers, words = _numbers_and_words(labels)
    if numbers and words:
        yield (
            f"{name}: {len(numbers)} of {len(numbers) + len(words)} classes are numbers: the "
            f"target is learned as classes since other cells are not, such as {words[0]!r}. If it "
            "is a number, leave these cells empty, or name them in data.missing_words."
        )


def fractions_as_classes(labels: np.ndarray, name: str) -> Iterator[str]:
    """Yield a text on classes that are measured numbers as it seems: many, with fractions.

    Args:
        labels: The labels.
        name: Name of the target.
    """
    numbers, words = _numbers_and_words(labels)
    if any(number % 1 for number in numbers):
        yield (
            f"{name}: {len(numbers)} of {len(numbers) + len(words)} classes are numbers, some with "
            "fractions, and their order is not learned. If they are measured, set task.type "
            "regression."
        )


def _numbers_and_words(labels):
    """Divide classes into numbers and words; no numbers unless most of many classes are such."""
    keys = sorted(natural(label) for label in set(labels))
    numbers = [number for is_word, number, _ in keys if not is_word]
    words = [label for is_word, _, label in keys if is_word]
    return (numbers if len(numbers) > max(FEW_NUMBERS, len(words)) else []), words


def doubts_of_numbers(targets: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return warnings about the targets of a regression.

    Args:
        targets: (rows, targets) numbers, NaN where one is missing.
        names: Of the targets.
    """
    columns = [column[~np.isnan(column)] for column in targets.T]
    pairs = [pair for pair in zip(names, columns, strict=True) if len(pair[1])]
    coded = [name for name, values in pairs if are_few_whole(values)]
    found = []
    if coded:
        more = [f"and {len(coded) - _MOST_NAMED} more"] * (len(coded) > _MOST_NAMED)
        found.append(
            f"{', '.join([*coded[:_MOST_NAMED], *more])}: at most {FEW_NUMBERS} different whole "
            "numbers are learned as numbers. If they are codes of classes, set task.type "
            "classification."
        )
    return found + [text for name, values in pairs for text in uneven(values, name)]
