"""Attributions of a whole model: those of its networks, added up in units of its outputs."""

import logging

import numpy as np

from autogenome_tf.core.chunked import dense
from autogenome_tf.core.errors import InputError, StageError, unknown
from autogenome_tf.explainers._attributions import Attributions
from autogenome_tf.explainers._base import Explainer
from autogenome_tf.explainers._members import member, names, tried_by_auto
from autogenome_tf.explainers._model import Model, Rows
from autogenome_tf.explainers._rule import Unexplained, without_rule

log = logging.getLogger(__name__)

AUTO = "auto"

# Float32 keeps seven digits, of an output and of the hidden units behind it.
ROUNDING = 1e-6


def explain(
    model: Model, rows: Rows, background: np.ndarray, method: str = AUTO, *,
    remaining_fraction: float = 0.0,
) -> Attributions:  # fmt: skip
    """Attribute the outputs of a model for some rows to genes.

    Args:
        model: A fitted `Predictor` or `LatentModel`.
        rows: A `Dataset` of rows to explain, in the model's gene order.
        background: (background, genes) raw values of rows that stand for "nothing known".
        method: An explainer's name, or "auto": the first of `tried_by_auto` that is defined on all
            layers.
        remaining_fraction: Part of a gene's raw value that an in-silico perturbation leaves, at
            least 0.

    Returns:
        `Attributions` of calibrated logits, or of values in original units.

    Raises:
        InputError: For an unknown method, or one that is not defined on the model.
        StageError: Where attributions do not add up.
    """
    if method not in (AUTO, *names()):
        raise unknown("explanation.method", method, (AUTO, *names()))
    raw, background = dense(rows.values), dense(background)
    tried = tried_by_auto() if method == AUTO else [method]
    for name in tried:
        explainer = member(name)
        own = explainer.background(model, raw, rows.samples, background)
        try:
            values, base = _attributed(explainer, model, raw, own, remaining_fraction)
            break
        except Unexplained as error:
            if name == tried[-1]:
                raise InputError(f"explanation.method: {name}: {error}") from None
            log.info("explanation: %s cannot be used: %s", name, error)
    found = Attributions(
        values, base, raw, list(rows.samples), model.features, model.output_names, name
    )
    if explainer.tolerance is not None:
        _check_additivity(model, found, explainer.tolerance)
    return found


def _attributed(explainer: Explainer, model, raw, background, remaining_fraction):
    """Return (samples, features, outputs) and (outputs,) in units of the outputs."""
    scale, offset = model.output_scale
    total = np.zeros((len(raw), len(model.features), len(scale)), "float32")
    base = np.zeros(len(scale))
    for branch in model.branches:
        seen = explainer.seen_background(branch, raw, background, remaining_fraction)
        base += branch.outputs(background).mean(axis=0, dtype="float64") * scale
        own = explainer.contributions(branch.network, branch.seen(raw), seen)
        total[:, branch.kept] += own * scale
    return total, (base + offset).astype("float32")


def _check_additivity(model, found, tolerance):
    """Refuse attributions that do not add up to the outputs less the base values."""
    outputs = model.outputs(found.data)
    expected = outputs - found.base_values
    wrong = np.abs(found.values.sum(axis=1, dtype="float64") - expected).max()
    largest = np.abs(expected).max()
    scale, _ = model.output_scale
    # Below this a difference of outputs is rounding, and a nearly constant model has no larger one.
    rounding = ROUNDING * (np.abs(outputs).max() + np.abs(scale).max())
    if not wrong <= max(tolerance * largest, rounding):
        raise StageError(
            f"explanation: {found.method} does not add up: contributions differ from the outputs "
            f"by up to {wrong:.3g} of {largest:.3g}; {_suspects(model)}."
        )


def _suspects(model):
    """Name the layers that have no exact rule, or all kinds of layers where each has one."""
    networks = [branch.network for branch in model.branches]
    found = [text for network in networks for text in without_rule(network)]
    if found:
        return "; ".join(found)
    kinds = [type(layer).__name__ for network in networks for layer in network.layers]
    return f"every layer has an exact rule: {', '.join(dict.fromkeys(kinds))}"
