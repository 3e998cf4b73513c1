"""Groups of rows that a split may tear apart: people in TCGA's barcodes, groups written twice."""

import collections
import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np

from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Dataset

_PATIENT = re.compile(r"(TCGA[-.]\w{2}[-.]\w{4})[-.]\d{2}\w?([-.].*)?")


def patients(dataset: Dataset, is_test: np.ndarray) -> Iterator[str]:
    """Yield a text on TCGA's patients with samples on both sides of the split.

    Args:
        dataset: All rows, without groups.
        is_test: (rows,) whether a row is tested on.
    """
    found = [_PATIENT.fullmatch(str(name)) for name in dataset.samples]
    if dataset.groups is not None or not all(found):
        return
    owners = np.array([match[1] for match in found if match])
    shared = sorted(set(owners[is_test]) & set(owners[~is_test]))
    if shared:
        yield (
            f"Samples of the same patient are in both training and test parts ({len(shared)} "
            f"patients, such as {str(shared[0])!r}): scores are too optimistic for a new patient. "
            "Add a column of patients and name it in data.split.group."
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
    owners = collections.defaultdict(set)
    for group, one in zip(groups.tolist(), classes.tolist(), strict=True):
        owners[one].add(group)
    found = sorted(str(one) for one, own in owners.items() if len(own) == 1)
    if found:
        yield (
            f"All rows of {some(found)} are in one group each: where this group is held out, the "
            "class is not learned, so scores are too low, and nothing shows that it is learned "
            "and not the group. Give rows of such classes from several groups."
        )


def alike(names: Iterable[str]) -> Iterator[list[str]]:
    """Yield the names, several at a time, that differ only in how they are written.

    >>> list(alike(["Tumor", "tumor ", "1", "TRUE", "0.0", "0", "'x'", "y"]))
    [['Tumor', 'tumor '], ['1', 'TRUE'], ['0.0', '0']]
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


def _plain(name):
    """Return a name without case, blanks and quotes; letters, numbers and truth in one form."""
    # Signs without width, which are no blanks, are of the category Cf.
    letters = (one for one in name if unicodedata.category(one) != "Cf")
    name = unicodedata.normalize("NFKC", "".join(letters))
    name = "".join(name.casefold().split()).strip("\"'")
    name = {"true": "1", "false": "0"}.get(name, name)
    try:
        return f"{float(name):.12g}"
    except ValueError:
        return name
