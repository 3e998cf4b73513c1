"""The cost of genes that new rows lack, measured on rows of the run."""

import dataclasses
import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import Dataset, RunData
from autogenome_tf.models import FoldNetworks, LatentModel, Predictor, tables

log = logging.getLogger(__name__)

# By the config's `data.missing`.
FILL = {
    "error": "training means", "mean": "training means", "median": "training medians", "zero": "0",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class LackingGenes:
    """Warnings of genes that new rows lack, with the score of the run's rows without these genes.

    Attributes:
        model: The model of the run.
        of_folds: Returns the model that keeps the networks of each fold, where the run has one: the
            same, or that of folds.keras, which is loaded only where genes lack.
        rows: The rows of the run.
        config: Its config.
    """

    model: Predictor
    of_folds: Callable[[], Predictor]
    rows: RunData
    config: Config

    def warn(self, new: Dataset) -> None:
        """Warn where rows lack genes; do nothing where they have all.

        Args:
            new: New rows that the model has accepted.
        """
        if not new.lacking or isinstance(self.model, LatentModel):
            return
        share, count = 100 * self.model.share(new.lacking), len(self.model.features)
        text = (
            f"{new.source}: lacks {len(new.lacking)} of the {count} genes of training "
            f"({some(new.lacking)}), {share:.3g} % of the model's importance; they are filled with "
            f"{FILL[self.model.missing]}. {self._cost(new.lacking)}"
        )
        log.warning("%s", text, extra={"about": "genes"})

    def _cost(self, lacking):
        try:
            measured = self.measured()
        except InputError as error:
            return f"The effect on the scores is not known: {error}"
        seed, name = derive(self.config.seed, "bootstrap/lacking"), self.config.objective
        found = tables.without_genes(
            measured.model, measured.rows, lacking, seed, fold=measured.fold
        )
        full, without = (scores[name] for scores in found)
        text = f"Without these genes, {name} is {_interval(without)} in place of {_interval(full)}"
        place = "" if _is_inside(without, full) else ", outside its interval"
        return f"{text}{place}: {measured.words}."

    def measured(self) -> "Measured":
        """Return the labelled rows that the effect is measured on, and the networks for it.

        Each row is new to its networks: with folds it is validated on by those of its fold. Models
        of earlier versions do not keep them apart; the whole model is measured then, on rows
        that it has seen least.

        Raises:
            InputError: Where the run's files cannot be read.
        """
        dataset, parts = self.rows.labelled
        folds = np.unique(parts.fold[parts.fold > 0])
        if not len(folds):
            return self._whole(dataset, parts.part, ("validation", "test"))
        model = self.of_folds()
        if not FoldNetworks.has_folds(model, len(folds)):
            return self._whole(dataset, parts.part, ("test", "validation"))
        learn = np.flatnonzero(parts.fold > 0)
        words = f"the out-of-fold score of {len(learn)} training rows"
        fold = np.searchsorted(folds, parts.fold[learn])
        return Measured(model, dataset.rows(learn), words, fold)

    def _whole(self, dataset, part, order):
        """Return rows for the whole model: of the first part that there is, or of training."""
        for name in order:
            if (part == name).any():
                rows = dataset.rows(np.flatnonzero(part == name))
                return Measured(self.model, rows, f"the score of {len(rows)} {name} rows")
        rows, kind = self.rows.to_evaluate, "rows of data.evaluate"
        if rows is None or rows.lacking:
            rows, kind = dataset, "training rows, which is optimistic"
        return Measured(self.model, rows, f"the score of {len(rows)} {kind}")


class Measured(NamedTuple):
    """Labelled rows that the effect of absent genes is measured on.

    Attributes:
        model: The model whose networks compute their outputs.
        rows: The rows, in its gene order.
        words: The rows, in words.
        fold: (rows,) number of the fold whose networks compute a row's outputs, or None for all.
    """

    model: Predictor
    rows: Dataset
    words: str
    fold: np.ndarray | None = None


def _interval(score):
    if score["value"] is None:
        return "undefined"
    return f"{score['value']:.3g} ({score['low']:.3g} to {score['high']:.3g})"


def _is_inside(score, other):
    return score["value"] is None or other["low"] <= score["value"] <= other["high"]
