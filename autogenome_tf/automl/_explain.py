"""The explain stage: attributions of the model's outputs to genes, and what supports them."""

import logging
import time

import numpy as np

from autogenome_tf import explainers
from autogenome_tf.automl._explained import Explained
from autogenome_tf.automl._support import write_interactions, write_sets, write_stability
from autogenome_tf.config import Explanation
from autogenome_tf.core.errors import InputError
from autogenome_tf.explainers import Attributions

log = logging.getLogger(__name__)


def overridden(
    settings: Explanation, method: str | None, samples: int | None, pairs: int | None
) -> Explanation:
    """Return settings with what a call gives in place of the config's; None keeps that.

    Args:
        settings: The config's `explanation` section.
        method: Of the attributions.
        samples: Rows to explain, at least 1.
        pairs: Genes whose pairs are ranked, at least 0.

    Raises:
        InputError: For a number that is too small.
    """
    for name, value, least in (("samples", samples, 1), ("interactions", pairs, 0)):
        if value is not None and value < least:
            raise InputError(f"explain: {name}: expected at least {least}; received {value}.")
    given = {"method": method, "samples": samples}
    if pairs is not None:
        given["interactions"] = settings.interactions.model_copy(update={"genes": pairs})
    kept = {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update=kept)


def explain(explained: Explained, times: dict[str, float]) -> Attributions:
    """Attribute outputs to genes; write all files of the explain stage.

    Args:
        explained: Model and rows.
        times: Takes the seconds of the attribution.

    Raises:
        InputError: Where the method is not defined on the model.
        StageError: Where contributions do not add up to the outputs.
    """
    started, settings = time.monotonic(), explained.settings
    found = explained.attributions()
    explainer = explainers.member(found.method)
    _write(explained, found, explainer.further_tables(explained.model))
    times["attribution"] = time.monotonic() - started
    log.info(
        "explanation: %s of %d rows against %s, %.1f s", found.method, len(found.samples),
        explainer.compared_with, times["attribution"],
    )  # fmt: skip
    if settings.repeats > 1:
        write_stability(explained, found)
    if settings.sets:
        write_sets(explained)
    if settings.interactions.genes:
        write_interactions(explained, found)
    return found


def _write(explained, found, further):
    """Write attributions.tsv and .npz, effects.tsv and further tables.

    Tables that belong to earlier attributions are removed.
    """
    run = explained.run
    run.remove_optional("explain", explainers.further_tables())
    for name, frame in further.items():
        run.write_table(name, frame)
    run.write_table("attributions.tsv", found.table())
    run.write_table("effects.tsv", found.effects(explained.settings.top))
    run.write_arrays(
        "attributions.npz",
        values=found.values,
        base_values=found.base_values,
        data=found.data,
        samples=np.array(found.samples, str),
        features=np.array(found.features, str),
        outputs=np.array(found.outputs, str),
        method=np.array(found.method),
    )
