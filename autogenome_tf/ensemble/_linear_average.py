"""The average of linear learners: a linear model that owes less to the luck of the best of them."""

import functools
import logging
import time

import numpy as np

from autogenome_tf import families
from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble._average import average_of, history_of
from autogenome_tf.ensemble._final_model import FinalModel
from autogenome_tf.ensemble._refit import train
from autogenome_tf.ensemble._selection import posterior_shares
from autogenome_tf.models import Predictor
from autogenome_tf.nn.dense_weights import to_dense_weights
from autogenome_tf.training import CrossValidation, TrialResult

log = logging.getLogger(__name__)

# A learner of a smaller share changes the average less than it costs to train.
LEAST_SHARE = 0.01


def linear_average(
    cross_validation: CrossValidation,
    results: list[TrialResult],
    seed: int,
    deadline: float = float("inf"),
) -> FinalModel | None:
    """Average the linear learners of a search, each trained on all rows, by their posterior shares.

    Of numbers this is better than the best learner: in loss and score on all five sets of
    `tests/benchmarks/linear_averages.py`; of classes it is not.

    Args:
        cross_validation: The rows that the trials were trained on.
        results: Best first, at least one; the others may be of any family.
        seed: Of the shares.
        deadline: `time.monotonic()` at which the fit must be over.

    Returns:
        The final model, of the first alone where time is over; None where that is no linear learner
        or time ended its fit, targets are no numbers, or no other learner has a share.
    """
    first = results[0].trial.family
    if not cross_validation.task.has_units or not families.member(first).is_convex:
        return None
    alike = [one for one in results if one.trial.family == first]
    if len(alike) < 2:
        return None
    learners = [_with_outputs(one) for one in alike]
    rows = cross_validation.validation_rows
    shares = posterior_shares(
        cross_validation.task, cross_validation.targets[rows],
        np.stack([one.outputs[rows] for one in learners]), cross_validation.weights[rows],
        derive(seed, "shares"),
    )  # fmt: skip
    members = [pair for pair in zip(shares, learners, strict=True) if pair[0] >= LEAST_SHARE]
    whole, refits = None, []
    for share, one in members if len(members) > 1 else ():
        if refits and time.monotonic() + one.trial.seconds > deadline:
            log.info("final fit: no time is left for the other linear learners")
            break
        found = train(cross_validation, one.trial, seed, deadline=deadline, whole=whole)
        if not found.is_complete:
            break
        whole = found.cross_validation
        refits.append((share, found))
    if len(refits) < 2:
        return refits[0][1].final_model(cross_validation) if refits else None
    total = sum(share for share, _ in refits)
    return _model_of(cross_validation, [(share / total, found) for share, found in refits])


def _with_outputs(result):
    """Return a result with its out-of-fold outputs, which an interrupted run has not kept."""
    return result if len(result.outputs) else result.trained()


def _model_of(cross_validation, refits):
    """Return the final model of pairs of share and `Refit`."""
    for share, found in refits:
        trial = found.result.trial
        log.info("final fit: %.2f of trial %d, %s", share, trial.number, trial.configuration)
    on_folds = [(share, found.result) for share, found in refits]
    last = refits[0][1].cross_validation
    predictor = Predictor.assemble(
        list(_branches(last, refits)), last.task, last.features, last.settings.data.missing, 1.0
    )
    return FinalModel.of(
        cross_validation,
        predictor,
        np.asarray(sum(share * one.outputs for share, one in on_folds)),
        1.0,
        history=history_of(on_folds),
        trials=tuple(one.trial.number for _, one in on_folds),
        folds=None
        if last is cross_validation
        else functools.partial(average_of, cross_validation, on_folds),
    )


def _branches(cross_validation, refits):
    """Yield each transform that takes part, its constants, and the sum of its learners."""
    alike = {}
    for share, found in refits:
        inputs = cross_validation.fold_inputs(found.result.trial.configuration)
        alike.setdefault(inputs.transform.name, []).append((share, found, inputs))
    for own in alike.values():
        _, found, inputs = own[0]
        constants = inputs.constants[0]
        layers = [_layer(cross_validation, constants, *one) for one in own]
        network = cross_validation.network(
            found.result.trial.configuration, inputs=len(constants.genes), is_plain=True
        )
        network.set_weights([np.sum(parts, axis=0) for parts in zip(*layers, strict=True)])
        yield inputs.transform, constants, network


def _layer(cross_validation, constants, share, found, inputs):
    """Return kernel and bias of a learner on genes, times its share."""
    trial = found.result.trial
    weights = to_dense_weights(cross_validation.network(trial.configuration), found.fit.weights)
    (kernel,), (bias,) = weights
    power = trial.values.get("spectral_power", 0.0)
    return [share * part for part in inputs.on_genes(0, kernel, bias, constants, power)]
