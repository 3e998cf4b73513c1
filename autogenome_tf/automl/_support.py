"""Tables that support attributions: stability over networks, gene sets, pairs of genes."""

import logging

import numpy as np
import pandas as pd
import scipy.stats

from autogenome_tf import explainers, families
from autogenome_tf.automl._explained import Explained
from autogenome_tf.explainers import Attributions

log = logging.getLogger(__name__)


def write_stability(explained: Explained, found: Attributions) -> None:
    """Write stability.tsv: how far networks agree on the genes.

    They are those that the final model averages, or of the best trial trained with other seeds.

    Args:
        explained: Model and rows.
        found: The attributions of the model.
    """
    settings = explained.settings
    several = explainers.networks(explained.model, settings.repeats)
    which = "networks of the final model"
    if len(several) < 2:
        if not explained.retraining.is_possible:
            log.info("stability: not computed, since it needs the rows in memory; see data.memory")
            return
        trial = explained.best_trial
        several = explained.retraining.seeds(trial, settings.repeats)
        which = f"seeds of trial {trial.number}, {trial.family}"
        if len(several) == 1:
            log.info(
                "stability: %s gives the same model with every seed, since its loss has a single "
                "minimum",
                trial.family,
            )
            return
    totals = [explained.attributions(one, found.method).totals for one in several]
    # Logits of differently trained networks differ in size; what counts is each one's own.
    totals = [own * found.totals.sum() / max(own.sum(), 1e-30) for own in totals]
    frame, jaccard = explainers.stability(found.features, totals, settings.top)
    explained.run.write_table("stability.tsv", frame)
    log.info(
        "stability: %d %s; the lists of the top %d genes have a mean Jaccard index of %.2f",
        len(several), which, settings.top, jaccard,
    )  # fmt: skip


def write_sets(explained: Explained) -> None:
    """Write sets.tsv: what gene sets contribute to networks of the best trial that has some.

    It need not be the best of all: networks are trained for it anyway.

    Args:
        explained: Model and rows.
    """
    wired = [trial for trial in explained.trials if families.has_levels(trial.family)]
    if not wired or not wired[0].is_scored:
        return
    trial, retraining = wired[0], explained.retraining
    if not retraining.is_possible:
        log.info(
            "gene sets: not explained, since that trains many networks and needs the rows in memory"
        )
        return
    levels = retraining.cross_validation.kept_levels(trial.configuration)
    names = families.member(trial.family).level_names[: len(levels)]
    frame = explainers.set_importance(
        dict(zip(names, levels, strict=True)),
        retraining.controls(trial, explained.settings.sets),
        explained.chosen.explained.values, explained.chosen.background,
        units=trial.values["set_units"], top=explained.settings.top,
        means=explained.means,
    )  # fmt: skip
    explained.run.write_table("sets.tsv", frame)
    log.info("gene sets of trial %d: %s", trial.number, _foremost_set(_measures(frame)))


def _foremost_set(frame):
    """Return a text of the first set, and the correlation with size on shuffled targets."""
    first = frame.iloc[0]
    own = frame[frame["level"] == first["level"]]
    text = f"{first['set']} ranks first, {first['above']:.1f} sd above both controls"
    if own["genes"].nunique() > 1:
        hubs = scipy.stats.spearmanr(own["other_labels"], own["genes"]).statistic
        text += f"; on shuffled targets importance and size correlate by {hubs:.2f} (Spearman)"
    return text


def write_interactions(explained: Explained, found: Attributions) -> None:
    """Write interactions.tsv: the pairs of the foremost genes.

    Args:
        explained: Model and rows.
        found: The attributions of the model.
    """
    settings = explained.settings.interactions
    genes = np.sort(np.argsort(-found.totals, kind="stable")[: settings.genes])
    if len(genes) < 2:
        log.info("interactions: none, since there is only one gene")
        return

    def pairs(model):
        return explainers.interactions(
            model, explained.chosen.explained, explained.chosen.background, genes,
            method=settings.method, remaining_fraction=explained.settings.part,
            means=explained.means,
        )  # fmt: skip

    null = []
    baseline = next((trial for trial in explained.trials if trial.number == 0), None)
    # A representation has no targets that could be drawn without interactions.
    if settings.null and baseline:
        drawn = explained.retraining.additive_null(explained.best_trial, baseline, settings.null)
        null = [pairs(model) for model in drawn]
    frame = pairs(explained.model).table(found.features, null)
    explained.run.write_table("interactions.tsv", frame)
    first = _measures(frame).iloc[0]
    log.info(
        "interactions: strongest of %d pairs is %s with %s (%.3g standard deviations of the "
        "output%s)",
        len(frame), first["feature_1"], first["feature_2"], first["strength"],
        f", q {first['q']:.2g}" if null else "",
    )  # fmt: skip


def _measures(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table without outputs that are called as one of the measures before them."""
    return frame.loc[:, ~frame.columns.duplicated()]
