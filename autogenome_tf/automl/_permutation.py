"""Permutation test: how often permuted targets are predicted as well as the true ones."""

import logging

import numpy as np

from autogenome_tf import metrics
from autogenome_tf.ensemble import Retraining
from autogenome_tf.training import Trial

log = logging.getLogger(__name__)


def permutation_test(
    retraining: Retraining,
    trial: Trial,
    count: int,
    scores: dict[str, dict],
    groups: np.ndarray | None,
) -> dict[str, dict]:
    """Compare metrics of validation, `TaskKind.tested`, with those of permuted targets.

    The score compared is the corrected one where it is known: the fits to permuted targets were not
    chosen from many either (Ojala and Garriga 2010, "Permutation tests for studying classifier
    performance", test 1).

    Args:
        retraining: Trains the trial anew.
        trial: The best trial.
        count: Number of permutations.
        scores: Metrics of "validation", and of "validation_corrected" where that is known.
        groups: (rows,) group of each row to learn from, whose targets move together; or None.

    Returns:
        Each metric's name to {"value", "low", "high", "p", "permutations"}: the score compared, the
        95 % range of permuted targets, and (1 + those at least as good) / (1 + count).
    """
    names = retraining.cross_validation.task.tested
    nulls = retraining.shuffled_scores(trial, count, names, groups).T
    own = scores.get(metrics.CORRECTED) or scores["validation"]
    return {
        name: _compared(name, own[name]["value"], null[np.isfinite(null)])
        for name, null in zip(names, nulls, strict=True)
    }


def _compared(name, value, null):
    """Return the p-value of a score beside those of permuted targets, and their range."""
    sign = metrics.sign(name)
    if value is None or not len(null):
        log.warning(
            "evaluation.permutations: %s is undefined", name, extra={"about": "permutation"}
        )
        undefined = dict.fromkeys(("value", "low", "high", "p"))
        return undefined | {"permutations": len(null)}
    low, high = np.percentile(null, [2.5, 97.5])
    p = (1 + int((sign * null >= sign * value).sum())) / (1 + len(null))
    log.info("permutation test: %s %.4g, permuted %.4g to %.4g, p %.3g", name, value, low, high, p)
    known = {"value": value, "low": float(low), "high": float(high)}
    return known | {"p": p, "permutations": len(null)}
