"""Conformal prediction: sets of classes, and intervals of values, with a stated coverage.

Rows that networks had not seen say how well a prediction fits the truth; a new row is compared
with them (cross-conformal prediction; Vovk 2015, "Cross-conformal predictors").
"""

from __future__ import annotations

import abc
import dataclasses
import logging
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from autogenome_tf.tasks._difficulty import Difficulty, is_worthwhile, out_of_fold
from autogenome_tf.tasks._kept import KeptArrays, rounded, thinned
from autogenome_tf.tasks._novelty import Novelty

log = logging.getLogger(__name__)

# Fewer values of a target say too little of where errors are larger.
FEWEST_FOR_DIFFICULTY = 50
SEPARATOR = " | "
# Stands for all classes or targets in coverage.tsv.
ALL = "all"


@dataclasses.dataclass(frozen=True)
class Conformal(abc.ABC):
    """The fit of predictions for rows that networks had not seen.

    Attributes:
        names: Name of each output.
        kept: For each output the sorted numbers that new rows are compared with.
        coverage: Shares of rows, each between 0 and 1, whose truth a set or an interval holds.
        signature: Name of the signature of the exported model.
        beside: Class of each further attribute that a model file keeps, unless it is None.
    """

    names: Sequence[str]
    kept: Sequence[np.ndarray]
    coverage: Sequence[float]

    signature: ClassVar[str]
    beside: ClassVar[dict[str, type[KeptArrays]]]

    def as_json(self) -> dict[str, Any]:
        """Return the content of a model file as JSON values."""
        kept = [rounded(own).tolist() for own in self.kept]
        known = {name: getattr(self, name) for name in self.beside}
        further = {name: one.as_json() for name, one in known.items() if one is not None}
        return {"kept": kept, "coverage": list(self.coverage), **further}

    @classmethod
    def from_json(cls, names: Sequence[str], found: dict[str, Any]) -> Any:
        """Rebuild from what `as_json` returned.

        Args:
            names: Name of each output.
            found: From a model file.
        """
        kept = [np.array(own, "float64") for own in found["kept"]]
        given = {name: found[name] for name in cls.beside if name in found}
        further = {name: cls.beside[name].from_json(one) for name, one in given.items()}
        return cls(list(names), kept, tuple(found["coverage"]), **further)

    @abc.abstractmethod
    def columns(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return the sets or intervals of rows as columns of predictions.tsv.

        Args:
            outputs: (rows, outputs): calibrated logits, or values in original units.
        """

    @abc.abstractmethod
    def covered(self, targets: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
        """Count the rows whose truth lies in their set or interval, as rows of coverage.tsv.

        Args:
            targets: (rows,) class names, or (rows, targets) in original units.
            outputs: (rows, outputs) as for `columns`.

        Returns:
            A frame: coverage, output (a class or target, or "all"), rows, covered (share of them),
            low and high (95 % Wilson interval), size (mean number of classes, or mean width).
        """

    @abc.abstractmethod
    def in_graph(self, outputs: Any) -> dict[str, Any]:
        """Return the named results of the exported model, at the first coverage.

        Args:
            outputs: (rows, outputs) tensor as for `columns`.
        """


@dataclasses.dataclass(frozen=True)
class PredictionSets(Conformal):
    """Sets of classes, class by class: rare classes are covered as often as common ones.

    A class belongs to the set of a row if its p-value is above 1 - coverage. Its p-value is the
    share of rows of the class, the row itself among them, whose own class was given no higher
    probability.

    Attributes:
        novelty: Says how unlike all training rows a row is; None in models of earlier versions.
    """

    novelty: Novelty | None = None

    signature: ClassVar[str] = "prediction_set"
    beside: ClassVar = {"novelty": Novelty}

    @classmethod
    def of(
        cls, classes: Sequence[str], targets: np.ndarray, outputs: np.ndarray, coverage: Any
    ) -> PredictionSets:
        """Keep the probability of its own class of each row.

        Args:
            classes: Name of each class.
            targets: (rows,) class positions.
            outputs: (rows, classes) calibrated logits of networks that had not seen the row.
            coverage: Shares of rows, each between 0 and 1.
        """
        probabilities = _softmax(outputs)
        kept = [thinned(probabilities[targets == place, place]) for place in range(len(classes))]
        return cls(list(classes), kept, tuple(coverage), Novelty.of(targets, outputs))

    def p_values(self, outputs: np.ndarray) -> np.ndarray:
        """Return the p-value of each class, (rows, classes), above 0 and at most 1.

        Args:
            outputs: (rows, classes) calibrated logits.
        """
        probabilities = _softmax(outputs)
        below = [
            np.searchsorted(own, probabilities[:, place], side="right")
            for place, own in enumerate(self.kept)
        ]
        counts = np.array([len(own) for own in self.kept])
        return (np.stack(below, axis=1) + 1) / (counts + 1)

    def sets(self, outputs: np.ndarray, coverage: float) -> np.ndarray:
        """Return which classes are in the set of each row, (rows, classes) bool.

        Args:
            outputs: (rows, classes) calibrated logits.
            coverage: Share of rows, between 0 and 1.
        """
        return self.p_values(outputs) > _miss(coverage)

    def columns(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return a column for each coverage, its classes likeliest first, and `novelty_p`."""
        order = np.argsort(-np.asarray(outputs), axis=1, kind="stable")
        found = {}
        for coverage in self.coverage:
            is_in = self.sets(outputs, coverage)
            found[f"set_{_percent(coverage)}"] = [
                SEPARATOR.join(self.names[int(place)] for place in ranks if inside[place])
                for ranks, inside in zip(order, is_in, strict=True)
            ]
        if self.novelty is not None:
            found["novelty_p"] = self.novelty.p_values(outputs)
        return pd.DataFrame(found)

    def covered(self, targets: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
        """Count the rows whose class is in their set, of all and of each class."""
        names = np.asarray(targets, object)
        rows = []
        for coverage in self.coverage:
            is_in = self.sets(outputs, coverage)
            own = (is_in & (names[:, None] == np.array(self.names, object))).any(axis=1)
            sizes = is_in.sum(axis=1)
            rows.append(_line(coverage, ALL, own, sizes))
            rows += [
                _line(coverage, name, own[names == name], sizes[names == name])
                for name in self.names
            ]
        return pd.DataFrame(rows)

    def in_graph(self, outputs: Any) -> dict[str, Any]:
        """Return p_value and prediction_set (rows, classes) by class, and novelty_p (rows,)."""
        from keras import ops

        probabilities = ops.softmax(outputs)
        below = [
            ops.searchsorted(own.astype("float32"), probabilities[:, place], side="right")
            for place, own in enumerate(self.kept)
        ]
        counts = np.array([len(own) + 1 for own in self.kept], "float32")
        p_value = (ops.cast(ops.stack(below, axis=1), "float32") + 1) / counts
        found = {"p_value": p_value, "prediction_set": p_value > _miss(self.coverage[0])}
        if self.novelty is not None:
            novelty = self.novelty.p_values(outputs, ops)
            found["novelty_p"] = ops.cast(novelty, "float32")
        return found


@dataclasses.dataclass(frozen=True)
class PredictionIntervals(Conformal):
    """Intervals around predicted values: as wide as the errors for rows not seen.

    Attributes:
        difficulty: Relative size of the errors by predicted value, which errors are divided by and
            widths multiplied with; None: all intervals of a target are equally wide.
    """

    difficulty: Difficulty | None = None

    signature: ClassVar[str] = "prediction_interval"
    beside: ClassVar = {"difficulty": Difficulty}

    @classmethod
    def of(
        cls, names: Sequence[str], targets: np.ndarray, outputs: np.ndarray, coverage: Any
    ) -> PredictionIntervals:
        """Keep the absolute error of each row that has a value.

        Where intervals become shorter by it (see `is_worthwhile`), widths follow the difficulty.

        Args:
            names: Name of each target.
            targets: (rows, targets) in original units, NaN where missing.
            outputs: (rows, targets) of networks that had not seen the row.
            coverage: Shares of rows, each between 0 and 1.
        """
        outputs = np.asarray(outputs, "float64")
        errors, difficulty = np.abs(targets - outputs), None
        if np.isfinite(errors).sum(axis=0).min() >= FEWEST_FOR_DIFFICULTY:
            sizes = out_of_fold(errors, outputs)
            if is_worthwhile(errors, sizes, coverage[0]):
                errors, difficulty = errors / sizes, Difficulty.of(errors, outputs)
                log.info("prediction intervals: their widths follow the predicted value")
        kept = [thinned(own[~np.isnan(own)]) for own in errors.T]
        return cls(list(names), kept, tuple(coverage), difficulty)

    def _sizes(self, outputs, library=np):
        return 1.0 if self.difficulty is None else self.difficulty(outputs, library)

    def half_widths(self, coverage: float) -> np.ndarray:
        """Return half the width at difficulty 1 of each target, (targets,); infinite for few rows.

        Args:
            coverage: Share of rows, between 0 and 1.
        """
        # Without the rounding of 20 * 0.55, whose next whole number is 12.
        ranks = [math.ceil(round((len(own) + 1) * coverage, 9)) for own in self.kept]
        return np.array(
            [
                own[rank - 1] if rank <= len(own) else np.inf
                for own, rank in zip(self.kept, ranks, strict=True)
            ]
        )

    def intervals(self, outputs: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval of each value, (rows, targets) twice.

        Args:
            outputs: (rows, targets) values in original units.
            coverage: Share of rows, between 0 and 1.
        """
        half = self.half_widths(coverage) * self._sizes(outputs)
        return outputs - half, outputs + half

    def columns(self, outputs: np.ndarray) -> pd.DataFrame:
        """Return low and high for each coverage and target."""
        found = {}
        for coverage in self.coverage:
            ends = zip(("low", "high"), self.intervals(outputs, coverage), strict=True)
            for end, values in ends:
                for place, name in enumerate(self.names):
                    suffix = f"_{name}" if len(self.names) > 1 else ""
                    found[f"{end}_{_percent(coverage)}{suffix}"] = values[:, place]
        return pd.DataFrame(found)

    def covered(self, targets: np.ndarray, outputs: np.ndarray) -> pd.DataFrame:
        """Count the values that are in their interval, of all and of each target."""
        targets = np.asarray(targets, "float64").reshape(len(outputs), -1)
        rows = []
        for coverage in self.coverage:
            low, high = self.intervals(outputs, coverage)
            is_in, is_known = (low <= targets) & (targets <= high), ~np.isnan(targets)
            widths = high - low
            rows.append(_line(coverage, ALL, is_in[is_known], widths[is_known]))
            if len(self.names) > 1:
                rows += [
                    _line(coverage, name, is_in[known, place], widths[known, place])
                    for place, (name, known) in enumerate(zip(self.names, is_known.T, strict=True))
                ]
        return pd.DataFrame(rows)

    def in_graph(self, outputs: Any) -> dict[str, Any]:
        """Return low and high, (rows, targets) each."""
        from keras import ops

        half = self.half_widths(self.coverage[0]).astype("float32") * self._sizes(outputs, ops)
        return {"low": outputs - half, "high": outputs + half}


def _softmax(outputs):
    from scipy.special import softmax

    # As exact as the exported model, so that both give the same sets.
    return softmax(np.asarray(outputs, "float32"), axis=1)


def _miss(coverage):
    """Return the share that is not covered, without the rounding of 1 - 0.9."""
    return round(1 - coverage, 12)


def _percent(coverage):
    return f"{100 * coverage:g}"


def _line(coverage, name, is_in, sizes):
    low, high = _wilson(int(is_in.sum()), len(is_in))
    known = bool(len(is_in))
    return {
        "coverage": coverage, "output": name, "rows": len(is_in),
        "covered": float(is_in.mean()) if known else np.nan, "low": low, "high": high,
        "size": float(sizes.mean()) if known else np.nan,
    }  # fmt: skip


def _wilson(hits, count):
    """Return the 95 % interval of a share (Wilson 1927)."""
    from scipy.stats import binomtest

    if not count:
        return np.nan, np.nan
    found = binomtest(hits, count).proportion_ci(0.95, "wilson")
    return float(found.low), float(found.high)
