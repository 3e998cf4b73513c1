"""From ranked trials to the final model: the one procedure of winner and baseline."""

import dataclasses
import logging

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._average import average
from autogenome_tf.ensemble._final_model import FinalModel
from autogenome_tf.ensemble._finalists import best_judged
from autogenome_tf.ensemble._linear_average import linear_average
from autogenome_tf.ensemble._refit import Refit, train
from autogenome_tf.training import CrossValidation, TrialResult

log = logging.getLogger(__name__)


def fit_final_model(
    cross_validation: CrossValidation,
    results: list[TrialResult],
    *,
    size: int,
    seed: int,
    deadline: float = float("inf"),
) -> FinalModel:
    """Fit the final model from the best results of a search.

    Args:
        cross_validation: The rows that the trials were trained on.
        results: Best first, at least one; with a size of 1, of all trials that may become the
            model.
        size: The config's `ensemble.size`, resolved. With 1 the first trial is trained anew, with
            folds on all rows, as several networks by `ensemble.seeds`, or as `linear_average` of
            all learners of its family; where the deadline ends that too early, its networks of the
            search are averaged; of a representation that of the first fold is kept. With more the
            networks of the trials are averaged.
        seed: The config's.
        deadline: `time.monotonic()` at which the fit must be over.
    """
    judged: dict[int, TrialResult] = {}
    if size == 1:
        first, judged = best_judged(cross_validation, results, derive(seed, "fit"), deadline)
        others = [one for one in results if one.trial.number != first.trial.number]
        final = linear_average(cross_validation, [first, *others], derive(seed, "fit"), deadline)
        if final is not None:
            return dataclasses.replace(final, judged=tuple(judged.values()))
        seeds = cross_validation.seeds_of(first.trial.family)
        several = f", {seeds} networks that differ in their seed" if seeds > 1 else ""
        log.info("final fit: %s%s", first.trial.configuration, several)
        # On the folds, it trains by the step that its trial has compiled.
        found = train(
            cross_validation, first.trial, derive(seed, "fit"), seeds, deadline,
            judged=judged.get(first.trial.number),
        )  # fmt: skip
        if found.is_complete or first.fit is None:
            return found.final_model(cross_validation, tuple(judged.values()))
        log.info("final fit: the time ended it; the networks of the search take its place")
        results = [first]
    cross_validation.forget_steps()
    if cross_validation.task.has_targets:
        final = average(cross_validation, results, deadline)
    else:
        # Latent spaces of several networks have no mean; the first fold's is kept.
        fit = results[0].known_fit
        final = Refit(results[0], fit, cross_validation, fit).final_model(cross_validation)
    return dataclasses.replace(final, judged=tuple(judged.values()))
