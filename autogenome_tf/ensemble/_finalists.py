"""The best trial, judged with as many networks a fold as the final model averages."""

import logging
import time

from autogenome_tf.ensemble._refit import judge, part_of, skill
from autogenome_tf.training import CrossValidation, TrialResult

log = logging.getLogger(__name__)


def best_judged(
    cross_validation: CrossValidation,
    results: list[TrialResult],
    seed: int,
    deadline: float = float("inf"),
) -> tuple[TrialResult, dict[int, TrialResult]]:
    """Return the best trial by the score of the average that would be the final model.

    A search trains one network a fold, or a few, whose average would be better; a linear learner
    has no more to gain. So the best network is judged again with all its seeds, and then whichever
    trial is best, until that one has been. What luck has put ahead falls back.

    Args:
        cross_validation: The rows that the trials were trained on.
        results: Best first, at least one.
        seed: Of initial weights and order.
        deadline: `time.monotonic()` at which the final fit must be over.

    Returns:
        The best result, and those that were judged again, by the number of their trials.
    """
    until, judged = part_of(deadline), {}
    results = list(results)
    while time.monotonic() < until:
        place = _next(cross_validation, results, judged)
        if place is None:
            break
        trial = results[place].trial
        seeds = cross_validation.seeds_of(trial.family)
        again, counts = judge(cross_validation, trial, seed, seeds, until)
        if not counts:
            break
        log.info(
            "final fit: trial %d (%s) judged with %d networks a fold: %s %.4g (%.4g in the search)",
            trial.number, trial.family, seeds, cross_validation.objective, again.trial.score,
            trial.score,
        )  # fmt: skip
        results[place] = judged[trial.number] = again
        # Stable: of two with the same score, the simpler stays ahead.
        results.sort(key=lambda one: skill(cross_validation, one.trial), reverse=True)
    # Where time ended that, networks that are at hand go before those that must be trained anew.
    ready = [one.fit is not None or not _is_averaged(cross_validation, one) for one in results]
    return results[ready.index(True) if any(ready) else 0], judged


def _is_averaged(cross_validation, result):
    return cross_validation.seeds_of(result.trial.family) > 1


def _next(cross_validation, results, judged):
    """Return the place of the result to judge, or None where the best needs no more."""
    several = [place for place, one in enumerate(results) if _is_averaged(cross_validation, one)]
    if not several or (judged and (several[0] or results[0].trial.number in judged)):
        return None
    return several[0]
