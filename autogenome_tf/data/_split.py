"""Split of rows into train, validation and test: stratified, grouped, or from a file."""

import dataclasses
import logging
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.core.growing import LIMIT
from autogenome_tf.core.seeds import derive
from autogenome_tf.data._dataset import Dataset, Table
from autogenome_tf.data._match import match_rows
from autogenome_tf.data._reader import ReadOptions
from autogenome_tf.data._targets import read_targets

log = logging.getLogger(__name__)

PARTS = ("train", "validation", "test")
# Of a split file, beside the sample ids.
_COLUMNS = ("part", "fold")
AUTO_FOLDS = 5
# With more rows to learn from, one validation part is as sure as folds, at a fifth of the price.
FEW_ROWS = 2000


@dataclasses.dataclass(frozen=True)
class Split:
    """Part and fold of each row.

    Attributes:
        part: (rows,) of "train", "validation" (only where there is one fold), "test".
        fold: (rows,) 1-based fold in which a training row is held out; 0 for none.
        has_given_folds: Whether a file says which rows are in a fold together.
    """

    part: np.ndarray
    fold: np.ndarray
    has_given_folds: bool = False

    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the (training rows, validation rows) of each fit, as row numbers."""
        if self.fold.any():
            learn = self.fold > 0
            folds = np.unique(self.fold[learn])
            return [
                (np.flatnonzero(learn & (self.fold != k)), np.flatnonzero(self.fold == k))
                for k in folds
            ]
        return [(np.flatnonzero(self.part == "train"), np.flatnonzero(self.part == "validation"))]

    def frame(self, samples: Sequence[str] | np.ndarray) -> pd.DataFrame:
        """Return the rows of split.tsv.

        Args:
            samples: (rows,) sample ids.
        """
        frame = pd.DataFrame({"sample": samples, "part": self.part})
        if self.fold.any():
            frame["fold"] = self.fold
        return frame


def number_of_folds(asked: int | Literal["auto"], rows: int, genes: int, limit: int = LIMIT) -> int:
    """Return the number of folds that the config's `search.folds` asks for.

    Args:
        asked: The config's value, at least 1, or "auto".
        rows: Rows to learn from.
        genes: Columns of the matrix.
        limit: Bytes of memory that "auto" may fill with a copy of the rows for each fold.
    """
    if asked != "auto":
        return asked
    return AUTO_FOLDS if rows <= FEW_ROWS and AUTO_FOLDS * rows * genes * 4 <= limit else 1


def split(dataset: Dataset, asked: Any, folds: int, seed: int, is_exact: bool = False) -> Split:
    """Divide the rows of a `Dataset`.

    Args:
        dataset: Text targets are stratified over; `groups` stay on one side.
        asked: The config's `data.split`: fractions, or the path of a file with columns sample
            and part (and, where it likes, fold).
        folds: Fits a trial; with more than one, no row is kept for validation alone.
        seed: Of the shuffling.
        is_exact: Whether exactly so many folds are asked for: a file with others, or fewer rows (or
            groups) to learn from, is an error then. Else there are as many folds as can be.

    Raises:
        InputError: Where the file does not cover the rows, or a part would be empty.
    """
    if isinstance(asked, str):
        parts = _from_file(dataset, asked, folds, seed, is_exact)
        given = len(np.unique(parts.fold[parts.fold > 0]))
        if is_exact and given not in (0, folds):
            raise InputError(f"{asked}: fold: {given} folds; search.folds asks for {folds}.")
        return parts
    part = np.full(len(dataset), "train", dtype=object)
    part[_drawn(dataset, np.arange(len(dataset)), asked.test, derive(seed, "test"))] = "test"
    rest = np.flatnonzero(part == "train")
    folds = folds if is_exact else _fewer(folds, dataset, rest)
    if folds == 1:
        share = asked.validation * len(dataset) / max(1, len(rest))
        part[_drawn(dataset, rest, share, derive(seed, "validation"))] = "validation"
    return Split(part, _folds(dataset, part, folds, derive(seed, "folds")))


def _drawn(dataset, rows, share, seed):
    """Return the row numbers of about `share` of `rows`, stratified or by whole groups."""
    # Here, as below: `check` imports this room and does not wait for scikit-learn.
    from sklearn import model_selection

    if share <= 0 or len(rows) < 2:
        return np.zeros(0, int)
    labels = _labels(dataset, rows)
    if dataset.groups is not None:
        pieces = min(max(2, round(1 / share)), len(np.unique(dataset.groups[rows])))
        if pieces < 2:
            if len(rows) == len(dataset):
                raise InputError(
                    "data.split.group: all samples are of one group; expected several."
                )
            raise InputError(
                f"data.split.group: one of {len(np.unique(dataset.groups))} groups is the test "
                "part, and all samples left are of one group; expected two groups or more to learn "
                "from. Set data.split.test to 0, or give samples of more groups."
            )
        return rows[next(_by_group(pieces, seed, labels, dataset.groups[rows]))[1]]
    size = max(1, round(share * len(rows)))
    try:
        return model_selection.train_test_split(
            rows, test_size=size, random_state=seed, stratify=labels
        )[1]
    except ValueError:
        # Too few rows to have every class on both sides: classes then fall as they fall.
        return model_selection.train_test_split(rows, test_size=size, random_state=seed)[1]


def _folds(dataset, part, folds, seed):
    """Return the fold numbers of the training rows, 0 elsewhere."""
    from sklearn import model_selection

    fold = np.zeros(len(dataset), int)
    rows = np.flatnonzero(part == "train")
    if folds == 1:
        return fold
    labels = _labels(dataset, rows)
    pieces = _pieces(dataset, rows)
    if pieces < folds:
        raise InputError(
            f"search.folds: {folds} folds need at least as many training rows (or groups); there "
            f"are {pieces}."
        )
    if labels is not None and np.unique(labels, return_counts=True)[1].max() < folds:
        # No class is large enough to be in every fold.
        labels = None
    if dataset.groups is not None:
        pairs = _by_group(folds, seed, labels, dataset.groups[rows])
    else:
        kind = model_selection.KFold if labels is None else model_selection.StratifiedKFold
        pairs = _silent(kind(folds, shuffle=True, random_state=seed).split(rows, labels))
    for number, (_, held) in enumerate(pairs, 1):
        fold[rows[held]] = number
    return fold


def _pieces(dataset, rows):
    """Return the number of rows, or of groups, that can be divided."""
    return len(rows) if dataset.groups is None else len(np.unique(dataset.groups[rows]))


def _fewer(folds, dataset, rows):
    """Return the number of folds, lowered to what the training rows allow."""
    return max(1, min(folds, _pieces(dataset, rows)))


def _by_group(pieces, seed, labels, groups):
    from sklearn import model_selection

    if labels is None:
        kind = model_selection.GroupKFold(pieces, shuffle=True, random_state=seed)
        return _silent(kind.split(groups, None, groups))
    kind = model_selection.StratifiedGroupKFold(pieces, shuffle=True, random_state=seed)
    return _silent(kind.split(groups, labels, groups))


def _silent(pairs):
    """Draw the pairs without scikit-learn's note on classes smaller than the number of folds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield from list(pairs)


def _labels(dataset, rows):
    targets = dataset.targets
    return None if targets is None or targets.dtype != object else targets[rows].astype(str)


def _from_file(dataset, path, folds, seed, is_exact):
    frame = _of_samples(dataset, path)
    for sample, part in frame["part"].items():
        if part not in PARTS:
            raise unknown(f"{path}: sample {sample}: part", part, PARTS)
    part = frame["part"].to_numpy(dtype=object)
    if folds > 1 and (part == "validation").any():
        log.warning(
            "%s: with %d folds, validation rows are trained on like train rows", path, folds
        )
        part[part == "validation"] = "train"
    if "fold" in frame.columns and folds > 1:
        return Split(part, _given_folds(frame, part, path), has_given_folds=True)
    if not is_exact:
        folds = _fewer(folds, dataset, np.flatnonzero(part == "train"))
    return Split(part, _folds(dataset, part, folds, derive(seed, "folds")))


def _of_samples(dataset, path):
    """Return the rows of a split file in the order of the samples, matched as targets are."""
    frame = read_targets(path, ReadOptions(columns=_COLUMNS))
    table = Table(dataset.values, list(dataset.samples), dataset.features)
    found = match_rows(table, frame, dataset.source, asked=_COLUMNS)
    if "part" not in frame.columns or found.is_by_order:
        named = [frame.index.name] if frame.attrs["has_ids"] else []
        raise InputError(
            f"{path}: expected the columns sample and part ({', '.join(PARTS)}); received "
            f"{some([*named, *frame.columns])}."
        )
    for about, text in found.warnings:
        log.warning("%s", text, extra={"about": about})
    missing = [str(name) for name in dataset.samples[found.take < 0]]
    if missing:
        raise InputError(f"{path}: no part given for {len(missing)} samples: {some(missing)}.")
    return frame.iloc[found.take].set_axis(list(dataset.samples))


def _given_folds(frame, part, path):
    given = pd.to_numeric(frame["fold"], errors="coerce").fillna(0)
    fold = given.where(given % 1 == 0, 0).to_numpy(int)
    fold[part != "train"] = 0
    wrong = np.flatnonzero((part == "train") & (fold < 1))
    if len(wrong) or len(np.unique(fold[part == "train"])) < 2:
        expected = f"{path}: fold: every training sample needs one of at least 2 whole numbers"
        place = wrong[0] if len(wrong) else int((part == "train").argmax())
        received = frame["fold"].iloc[place]
        raise InputError(
            f"{expected} from 1 on; received {received!r} for sample {frame.index[place]}."
        )
    return fold
