"""From ranked trials to the final model: the one procedure of winner and baseline."""

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._average import average
from autogenome_tf.ensemble._final_model import FinalModel
from autogenome_tf.ensemble._refit import refit
from autogenome_tf.training import CrossValidation, TrialResult


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
            folds on all rows; with more the networks of the trials are averaged.
        seed: The config's.
        deadline: `time.monotonic()` at which the fit must be over.
    """
    if size == 1:
        # On the folds, it trains by the step that its trial has compiled.
        return refit(cross_validation, results[0].trial, derive(seed, "fit"), deadline)
    cross_validation.forget_steps()
    return average(cross_validation, results, deadline)
