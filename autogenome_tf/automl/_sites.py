"""Scores by site: metrics of each level of the columns of `data.sites`, known and left out."""

import dataclasses
import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd

from autogenome_tf import metrics
from autogenome_tf.automl._unseen import UnseenPart
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import RunData
from autogenome_tf.ensemble import Retraining
from autogenome_tf.run import Run
from autogenome_tf.tasks import Task
from autogenome_tf.training import Splits, Trial

log = logging.getLogger(__name__)

# A level of fewer rows has metrics, but is not compared; from fewer nothing is learned.
FEWEST = 10
# Each level that is left out is a further fit, or one a fold.
MOST_LEFT_OUT = 30
RESAMPLES = 300
# A gap is a warning where chance makes one as large more seldom.
CHANCE = 0.01
LEFT_OUT = "left_out"
COLUMNS = ["column", "part", "level", "rows", "worst", "p", "metric", "value", "low", "high"]


@dataclasses.dataclass(frozen=True)
class ScoredRows:
    """Rows with what is true and what networks say of them.

    Attributes:
        targets: (rows,) class positions, or (rows, targets) in original units.
        outputs: (rows, outputs).
        weights: (rows,) weight of each row; None: all rows count alike.
    """

    targets: np.ndarray
    outputs: np.ndarray
    weights: np.ndarray | None

    def at(self, rows: np.ndarray) -> "ScoredRows":
        """Return some of the rows.

        Args:
            rows: (n,) their numbers, or (rows,) whether each is meant.
        """
        weights = None if self.weights is None else self.weights[rows]
        return ScoredRows(self.targets[rows], self.outputs[rows], weights)


class Sites:
    """Score the levels of some columns.

    Args:
        task: The model's task.
        seed: The config's.
    """

    def __init__(self, task: Task, seed: int):
        self._task, self._seed = task, seed
        self.frames: list[pd.DataFrame] = []

    @property
    def metric(self) -> str:
        """Return the metric that levels are compared by; R² depends on the range of a level."""
        return "rmse" if self._task.has_units else self._task.headlines[0]

    def add(self, column: str, part: str, levels: np.ndarray, rows: ScoredRows) -> None:
        """Score each level of a column in a part; warn of a gap that exceeds chance.

        Args:
            column: Name of the column.
            part: Name of the part of the rows.
            levels: (rows,) names of levels, None where one is not known.
            rows: The rows.
        """
        places = {
            level: np.flatnonzero(levels == level)
            for level in sorted({level for level in levels if level is not None})
        }
        large = [level for level in places if len(places[level]) >= FEWEST]
        worst, p = None, np.nan
        if len(large) > 1:
            # Not by np.isin, to which a row without a level is of a level named None.
            is_compared = np.array([level in large for level in levels])
            own, seed = rows.at(is_compared), derive(self._seed, f"sites/{column}/{part}")
            worst, p = metrics.gap(
                self._task, own.targets, own.outputs, levels[is_compared], self.metric, seed,
                weights=own.weights,
            )  # fmt: skip
        for level, place in places.items():
            own = rows.at(place)
            found = metrics.with_intervals(
                self._task, own.targets, own.outputs, derive(self._seed, level), RESAMPLES,
                weights=own.weights,
            )  # fmt: skip
            # Undefined metrics are None, beside which numbers would stay objects.
            frame = pd.DataFrame(found, dtype=float).T.rename_axis("metric").reset_index()
            known = {"column": column, "part": part, "level": level, "rows": len(place)}
            known |= {"worst": level == worst, "p": p if level == worst else np.nan}
            self.frames.append(frame.assign(**known)[COLUMNS])
        if p <= CHANCE:
            self._warn(column, part, worst, p)

    def _warn(self, column, part, level, p):
        log.warning(
            "%s: the %s scores differ between levels by more than chance (p %.2g); the worst is "
            "%s. See sites.tsv, and quote its score for such samples.",
            column, part.replace("_", "-"), p, level, extra={"about": "sites"},
        )  # fmt: skip

    def compare(self, column: str, known: ScoredRows, left_out: np.ndarray) -> None:
        """Warn where scores fall if the level of a row is left out of training.

        Args:
            column: Name of the column.
            known: The rows, by networks trained with other rows of the level.
            left_out: (rows, outputs) of networks trained without the level.
        """
        sign = metrics.sign(self.metric)
        seed = derive(self._seed, f"sites/{column}")
        apart = metrics.differences(
            self._task, known.targets, known.outputs, left_out, seed, RESAMPLES,
            weights=known.weights,
        )  # fmt: skip
        found = apart[self.metric]
        if found["value"] is None or min(sign * found["low"], sign * found["high"]) <= 0:
            return
        log.warning(
            "%s: samples of a level that training has not seen score worse: %s changes by %.3g "
            "(%.3g to %.3g). For a new %s quote the left-out scores of sites.tsv.",
            column, self.metric, -found["value"],
            *sorted((-found["low"], -found["high"])), column, extra={"about": "sites"},
        )  # fmt: skip


def write_sites(
    run: Run,
    rows: RunData,
    task: Task,
    parts: dict[str, UnseenPart],
    *,
    seed: int,
    retraining: Retraining,
    trial: Trial,
) -> None:
    """Write sites.tsv: metrics of each level of the columns of `data.sites`.

    Args:
        run: The run.
        rows: Its rows.
        task: The model's task.
        parts: Rows that training has not seen.
        seed: The config's.
        retraining: Trains networks without a level.
        trial: The best trial, which they are networks of.
    """
    sites = Sites(task, seed)
    for name, part in parts.items():
        for column, levels in () if part.sites is None else part.sites.items():
            own = ScoredRows(task.as_scored(part.targets), part.outputs, part.weights)
            sites.add(column, name, levels.to_numpy(), own)
    _leave_out(sites, rows, task, retraining, trial)
    run.write_table("sites.tsv", pd.concat(sites.frames, ignore_index=True))


def _leave_out(sites, rows, task, retraining, trial):
    """Score each level by networks trained without it."""
    learn, _ = rows.learnable
    if not retraining.is_possible:
        log.info("sites: no level is left out, since that needs the rows in memory")
        return
    targets = task.as_scored(learn.known_targets)
    known = ScoredRows(targets, retraining.unseen(trial), learn.weights)
    folds = retraining.cross_validation.splits
    for column in learn.sites:
        levels = learn.sites[column].to_numpy()
        splits = list(splits_by_level(levels, learn.groups, folds))
        if not 0 < len(splits) <= MOST_LEFT_OUT:
            log.info(
                "sites: %s: no level is left out; there would be %d fits, expected 1 to %d",
                column, len(splits), MOST_LEFT_OUT,
            )  # fmt: skip
            continue
        outputs = retraining.unseen(trial, splits)
        left_out = ScoredRows(targets, outputs, learn.weights)
        scored = np.flatnonzero(np.isfinite(outputs).all(axis=1))
        sites.add(column, LEFT_OUT, levels[scored], left_out.at(scored))
        both = scored[np.isfinite(known.outputs[scored]).all(axis=1)]
        sites.compare(column, known.at(both), outputs[both])


def splits_by_level(
    levels: np.ndarray, groups: np.ndarray | None, folds: Splits
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows of all other levels and those of each level, no group on both sides.

    Args:
        levels: (rows,) names of levels, None where one is not known.
        groups: (rows,) names of groups, or None.
        folds: (train rows, validation rows) of each fold; a group is on one side. Their rows are
            divided, not all at once, where a group has rows of several levels.
    """
    every = np.arange(len(levels))
    is_torn = groups is not None and len({*zip(groups, levels, strict=True)}) > len({*groups})
    for level in sorted({level for level in levels if level is not None}):
        for train, held in folds if is_torn else [(every, every)]:
            own = train[levels[train] != level], held[levels[held] == level]
            if len(own[0]) >= FEWEST and len(own[1]):
                yield own
