"""The cost of genes that new rows lack, measured on rows of the run."""

import logging

import numpy as np

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import Dataset, RunData
from autogenome_tf.models import Predictor, tables

log = logging.getLogger(__name__)

# By the config's `data.missing`.
FILL = {
    "error": "training means", "mean": "training means", "median": "training medians", "zero": "0",
}  # fmt: skip


def warn_of_lacking(predictor: Predictor, new: Dataset, rows: RunData, config: Config) -> None:
    """Warn of genes that new rows lack, with the score of the run's rows without these genes.

    Args:
        predictor: The model of the run.
        new: New rows that the model has accepted.
        rows: The rows of the run.
        config: Its config.
    """
    if not new.lacking:
        return
    share, count = 100 * predictor.share(new.lacking), len(predictor.features)
    text = (
        f"{new.source}: lacks {len(new.lacking)} of the {count} genes of training "
        f"({some(new.lacking)}), {share:.3g} % of the model's importance; they are filled with "
        f"{FILL[predictor.missing]}. {_cost(predictor, new.lacking, rows, config)}"
    )
    log.warning("%s", text, extra={"about": "genes"})


def _cost(predictor, lacking, rows, config):
    try:
        measured, words = rows_to_measure(rows)
    except InputError as error:
        return f"The effect on the scores is not known: {error}"
    seed, name = derive(config.seed, "bootstrap/lacking"), config.objective
    found = tables.without_genes(predictor, measured, lacking, seed)
    full, without = (scores[name] for scores in found)
    text = f"Without these genes, {name} on {len(measured)} {words} is {_interval(without)}"
    text += f" in place of {_interval(full)}"
    return f"{text}{'' if _is_inside(without, full) else ', outside its interval'}."


def rows_to_measure(rows: RunData) -> tuple[Dataset, str]:
    """Return the labelled rows of a run that its model has seen least, and what they are.

    Raises:
        InputError: Where the run's files cannot be read.
    """
    dataset, parts = rows.labelled
    if (parts.part == "test").any():
        return dataset.rows(np.flatnonzero(parts.part == "test")), "test rows"
    if rows.scored is not None:
        return rows.scored, "rows of data.evaluate"
    if (parts.part == "validation").any():
        return dataset.rows(np.flatnonzero(parts.part == "validation")), "validation rows"
    return dataset, "training rows (an optimistic score)"


def _interval(score):
    if score["value"] is None:
        return "undefined"
    return f"{score['value']:.3g} ({score['low']:.3g} to {score['high']:.3g})"


def _is_inside(score, other):
    return score["value"] is None or other["low"] <= score["value"] <= other["high"]
