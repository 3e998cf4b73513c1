"""Groups of rows that a split may tear apart: people in barcodes, groups written twice."""

import collections
import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._origins import is_of_persons, places

# Ids of samples that begin with what several samples are of, and what that is called: patients of
# TCGA, donors of GTEx, samples that were measured several times.
_OWNERS = {
    "patient": re.compile(r"(TCGA[-.]\w{2}[-.]\w{4})[-.]\d{2}\w?([-.].*)?"),
    "donor": re.compile(r"(GTEX[-.][A-Z0-9]{4,5})[-.].+"),
    "sample": re.compile(r"(.*[^-_. ])[-_. ](rep|replicate|techrep)[-_. ]?\d+", re.IGNORECASE),
}
# Letters and numbers that a dash may stand between or not; between numbers it means something.
_DASH = re.compile("(?<=[a-z])[-_\u2010-\u2015](?=[a-z0-9])|(?<=[0-9])[-_\u2010-\u2015](?=[a-z])")
# Stages and grades, with a letter behind them or none.
_NUMERALS = ("i", "ii", "iii", "iv")
_ROMAN = re.compile(rf"(?<![a-z])({'|'.join(_NUMERALS)})(?=[abc]?$)")
# Short forms of words, which meet where labels of several sources are joined.
_SHORT = {
    "true": "1", "yes": "1", "y": "1", "false": "0", "no": "0", "n": "0", "male": "m",
    "female": "f", "positive": "+", "pos": "+", "negative": "-", "neg": "-",
}  # fmt: skip


def patients(dataset: Dataset, is_test: np.ndarray) -> Iterator[str]:
    """Yield a text on patients, by the ids of samples, who are on both sides of the split.

    Nothing where a column names the same patients: `audit` warns of that column.

    Args:
        dataset: All rows.
        is_test: (rows,) whether a row is tested on.
    """
    for owner, form in _OWNERS.items():
        found = [form.fullmatch(str(name)) for name in dataset.samples]
        if not all(found):
            continue
        owners = np.array([match[1] for match in found if match])
        shared = sorted(set(owners[is_test]) & set(owners[~is_test]))
        if shared and places(owners) not in _persons(dataset):
            yield (
                f"Samples of the same {owner} are in both training and test parts ({len(shared)} "
                f"{owner}s, such as {str(shared[0])!r}): scores are too optimistic for a new "
                f"{owner}. Add a column of {owner}s and name it in data.split.group."
            )


def _persons(dataset):
    """Return how each column that names persons parts the rows."""
    columns = () if dataset.origins is None else dataset.origins.items()
    return {places(levels) for name, levels in columns if is_of_persons(dataset, name)}


def groups_of_one(groups: np.ndarray) -> Iterator[str]:
    """Yield a text on groups of one row each, which keep nothing together.

    Args:
        groups: (rows,) names.
    """
    if len(set(groups.tolist())) == len(groups):
        yield (
            "data.split.group: each row is a group of its own, so the split is as without groups. "
            "Name a column of what several samples share, such as a donor."
        )


def groups_of_further_rows(
    groups: np.ndarray, part: np.ndarray, evaluated: np.ndarray | None
) -> Iterator[str]:
    """Yield texts on groups that are both learned and scored, since files have rows of both.

    Args:
        groups: (rows,) names.
        part: (rows,) part of each row.
        evaluated: Names of the groups of `data.evaluate`, or None.
    """
    scored = {
        "validation part": (groups[part == "validation"], part == "train"),
        "test part": (groups[part == "test"], part != "test"),
        "rows of data.evaluate": ([] if evaluated is None else evaluated, part != "test"),
    }
    for name, (own, is_learned) in scored.items():
        if shared := sorted(set(own) & set(groups[is_learned])):
            yield (
                f"data.split.group: groups of the rows to learn from are also in the {name} "
                f"({len(shared)}, such as {shared[0]!r}), whose scores are too optimistic for new "
                "groups. Keep all rows of a group in one file."
            )


def check_classes_of_groups(groups: np.ndarray, classes: np.ndarray, name: str) -> None:
    """Refuse groups of which each has all rows of its classes, such as the classes themselves.

    Args:
        groups: (rows,) names of groups.
        classes: (rows,) names of classes.
        name: Of the column of groups.

    Raises:
        InputError: Every class has a single group.
    """
    pairs = set(zip(groups.tolist(), classes.tolist(), strict=True))
    if len(pairs) == len(set(classes)) > 1:
        group, one = min(pairs)
        raise InputError(
            f"data.split.group: {name}: all rows of each class are in one group, such as class "
            f"{one!r} in group {group!r}. A group stays on one side of the split, so no class "
            "could be both learned and tested. Name a column of what several samples share, such "
            "as a donor, or leave data.split.group out."
        )


def classes_in_one_group(groups: np.ndarray, classes: np.ndarray) -> Iterator[str]:
    """Yield a text on classes of which all rows are in one group.

    Args:
        groups: (rows,) names of groups.
        classes: (rows,) names of classes.
    """
    found = _in_one(groups, classes)
    if found:
        yield (
            f"All rows of {some(found)} are in one group each: where this group is held out, the "
            "class is not learned, so scores are too low, and nothing shows that it is learned "
            "and not the group. Give rows of such classes from several groups."
        )


def classes_in_one_fold(folds: np.ndarray, classes: np.ndarray) -> Iterator[str]:
    """Yield a text on classes of which all training rows, two at least, are in one fold.

    Args:
        folds: (rows,) number of the fold of a training row, 0 for others.
        classes: (rows,) names of classes.
    """
    counts = collections.Counter(classes[folds > 0].tolist())
    found = [one for one in _in_one(folds[folds > 0], classes[folds > 0]) if counts[one] > 1]
    if found:
        yield (
            f"All training rows of {some(found)} are in one fold each: where it is held out, the "
            "class is not learned, so validation scores are too low. Give rows of each class to "
            "several folds."
        )


def _in_one(groups, classes):
    """Return the classes of which all rows are in one group."""
    owners = collections.defaultdict(set)
    for group, one in zip(groups.tolist(), classes.tolist(), strict=True):
        owners[one].add(group)
    return sorted(str(one) for one, own in owners.items() if len(own) == 1)


def alike(names: Iterable[str]) -> Iterator[list[str]]:
    """Yield the names, several at a time, that differ only in how they are written.

    >>> list(alike(["Tumor", "tumor ", "1", "TRUE", "0.0", "0", "'x'", "z"]))
    [['Tumor', 'tumor '], ['1', 'TRUE'], ['0.0', '0']]
    >>> list(alike(["T-cell", "T cell", "Stage II", "stage 2", "CD4+", "CD4-", "1-2", "12"]))
    [['T-cell', 'T cell'], ['Stage II', 'stage 2']]
    """
    groups = collections.defaultdict(list)
    for name in names:
        groups[_plain(str(name))].append(str(name))
    return (group for group in groups.values() if len(group) > 1)


def groups_alike(groups: np.ndarray) -> Iterator[str]:
    """Yield a text on names of groups that differ only in how they are written.

    Args:
        groups: (rows,) names.
    """
    found = list(alike(dict.fromkeys(groups.tolist())))
    if found:
        yield (
            f"{len(found)} groups are written in several ways, such as {some(found[0])}: their "
            "rows count as different groups and may be in both training and test parts. Write "
            "each group in one way."
        )


def levels_alike(levels: Iterable[str], name: str) -> Iterator[str]:
    """Yield a text on levels of a column that differ only in how they are written.

    Args:
        levels: Level of each row.
        name: Of the column.
    """
    found = list(alike(dict.fromkeys(levels)))
    if found:
        yield (
            f"{name}: {len(found)} levels are written in several ways, such as {some(found[0])}, "
            "and count as different ones. Write each in one way."
        )


def _plain(name):
    """Return a name without case, blanks, dashes and quotes; numbers and words in one form."""
    # Signs without width, which are no blanks, are of the category Cf.
    letters = (one for one in name if unicodedata.category(one) != "Cf")
    name = unicodedata.normalize("NFKC", "".join(letters))
    name = " ".join(name.casefold().split()).strip("\"'")
    name = _ROMAN.sub(lambda found: str(_NUMERALS.index(found[0]) + 1), name)
    name = _DASH.sub("", name.replace(" ", ""))
    name = _SHORT.get(name, name)
    try:
        return f"{float(name):.12g}"
    except ValueError:
        return name
