"""From ranked trials to the final model: the one procedure of winner and baseline."""

import logging

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._average import average
from autogenome_tf.ensemble._final_model import FinalModel
from autogenome_tf.ensemble._refit import train
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
        results: Best first, at least one.
        size: The config's `ensemble.size`, resolved. With 1 the first trial is trained anew, with
            folds on all rows; where the deadline ends that too early, its networks of the search
            are averaged. With more the networks of the trials are averaged.
        seed: The config's.
        deadline: `time.monotonic()` at which the fit must be over.
    """
    if size == 1:
        first, *_ = results = results[:1]
        values = ", ".join(f"{name} {value}" for name, value in first.trial.values.items())
        log.info("final fit: %s (%s)", first.trial.family, values)
        # On the folds, it trains by the step that its trial has compiled.
        found = train(cross_validation, first.trial, derive(seed, "fit"), deadline=deadline)
        if found.is_complete or first.fit is None:
            return found.final_model(cross_validation)
        log.info("final fit: the time ended it; the networks of the trial's folds are averaged")
    cross_validation.forget_steps()
    return average(cross_validation, results, deadline)
