"""The final model as an average: networks of the best trials, as one gene-level model."""

import functools
import logging
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pandas as pd

from autogenome_tf import families, metrics
from autogenome_tf.ensemble import _selection
from autogenome_tf.ensemble._final_model import FinalModel, gates_table
from autogenome_tf.models import Predictor, averaged
from autogenome_tf.nn.dense_weights import to_dense_weights
from autogenome_tf.nn.trees import forests_outputs
from autogenome_tf.nn.vectorized import dense, frozen
from autogenome_tf.training import CrossValidation, TrialResult

log = logging.getLogger(__name__)


def average(
    cross_validation: CrossValidation,
    results: list[TrialResult],
    deadline: float = float("inf"),
) -> FinalModel:
    """Average the networks of the best trials into one model.

    Every network keeps its own best weights; a trial's networks count alike.

    Args:
        cross_validation: The rows that the trials were trained on.
        results: To choose from, best first. Of those whose networks are not at hand, the first is
            trained again, and others while time lasts.
        deadline: `time.monotonic()` at which the last must be over.
    """
    known = list(_at_hand(results, deadline))
    score = functools.partial(_skill, cross_validation)
    shares = _selection.select([result.calibrated for result in known], score)
    members = [(share, one) for share, one in zip(shares, known, strict=True) if share]
    for share, one in members if len(results) > 1 else ():
        log.info("ensemble: %.2f of trial %d, %s", share, one.trial.number, one.trial.family)
    outputs = np.asarray(sum(share * one.calibrated for share, one in members))
    fits = [(share, one.trial, one.fit) for share, one in members if one.fit is not None]
    temperature = cross_validation.temperature(outputs)
    return FinalModel.of(
        cross_validation,
        average_of(cross_validation, members, temperature),
        outputs,
        temperature,
        history=history_of(members),
        trials=tuple(one.trial.number for _, one in members),
        gates=gates_table(cross_validation, fits),
    )


def average_of(
    cross_validation: CrossValidation,
    members: list[tuple[float, TrialResult]],
    temperature: Any = 1.0,
) -> Predictor:
    """Return the model that averages the networks of some trials.

    Args:
        cross_validation: The rows that the trials were trained on.
        members: Share and result of each trial, its networks at hand.
        temperature: Divisor of the sum, above 0.
    """
    return Predictor.assemble(
        list(_branches(cross_validation, members)), cross_validation.task,
        cross_validation.features, cross_validation.settings.data.missing, temperature,
    )  # fmt: skip


def _skill(cross_validation, outputs):
    """Return the objective of (rows, outputs) on the validation rows, higher is better."""
    score = cross_validation.score(cross_validation.validation_rows, outputs)
    return metrics.sign(cross_validation.objective) * score


def _at_hand(results, deadline) -> Iterator[TrialResult]:
    """Yield results with networks, as far as these are at hand or there is time to train them."""
    for place, result in enumerate(results):
        trial = result.trial
        if result.fit is None and place and time.monotonic() + trial.seconds > deadline:
            log.info("ensemble: no time is left to retrain trial %d", trial.number)
            continue
        yield result.trained()


def history_of(members: list[tuple[float, TrialResult]]) -> pd.DataFrame:
    """Return the rows of history.tsv of several trials, their number in a column trial.

    Args:
        members: Share and result of each trial, its networks at hand.
    """
    frames = [
        pd.DataFrame(one.known_fit.history).assign(trial=one.trial.number) for _, one in members
    ]
    return pd.concat(frames, ignore_index=True)


def _branches(cross_validation, members):
    """Yield each transform that takes part, its constants, and the network of its members.

    Trees have a network of their own, since they are explained in their own way.
    """
    grouped = {}
    for share, one in members:
        inputs = cross_validation.fold_inputs(one.trial.configuration)
        kind = _forests if families.is_of_trees(one.trial.family) else _network
        same = grouped.setdefault((inputs.transform.name, kind), {})
        same.setdefault(inputs, []).append((share, one))
    for (_, kind), same in grouped.items():
        inputs = next(iter(same))
        constants = inputs.common_scaling()
        yield inputs.transform, constants, kind(cross_validation, constants, same)


def _forests(cross_validation, constants, grouped):
    """Return one Keras model of the forests of all members; see `_network`."""
    genes = keras.Input((len(constants.genes),), name="genes")
    parts = [
        averaged(outputs, share / one.temperature, one.trial.number)
        for inputs, members in grouped.items()
        for share, one in members
        for outputs in [_forest(inputs, constants, genes, one)]
    ]
    return keras.Model(genes, _sum(parts), name="network")


def _forest(inputs, constants, genes, result):
    """Return the outputs of a member's forests, (batch, forests, outputs) symbolic."""
    folds = len(inputs.constants)
    placed = [
        inputs.trees_on_genes(replica % folds, trees, constants)
        for replica, trees in enumerate(result.fit.weights[0])
    ]
    return forests_outputs(genes, placed, result.trial.number)


def _network(cross_validation, constants, grouped):
    """Return one Keras model (rows, genes) -> (rows, outputs): members summed by their shares.

    Args:
        cross_validation: The rows that the members were trained on.
        constants: `FittedScaling` of what the model sees.
        grouped: `FoldInputs` to the members, pairs of share and result, that learned on them.
    """
    genes = keras.Input((len(constants.genes),), name="genes")
    parts = [
        _part(cross_validation, entrance, *member)
        for inputs, members in grouped.items()
        for entrance in [_entrance(inputs, constants, members)(inputs, constants, genes)]
        for member in members
    ]
    return keras.Model(genes, _sum(parts), name="network")


def _sum(parts):
    return keras.layers.Add()(parts) if len(parts) > 1 else parts[0]


def _part(cross_validation, entrance, share, result):
    """Return the contribution of a member to the sum, (batch, outputs) symbolic."""
    trial = result.trial
    wired = cross_validation.network(trial.configuration)
    weights = to_dense_weights(wired, result.fit.weights)
    kernel, bias = weights[:2]
    stem = entrance.stem(kernel, bias, trial.values.get("spectral_power", 0.0))
    network = cross_validation.network(trial.configuration, is_plain=True)
    outputs = frozen(network, weights, stem)
    return averaged(outputs, share / result.temperature, trial.number)


def _entrance(inputs, constants, members):
    """Choose the kind of first layer that needs fewer weights."""
    return _Coordinates if _is_smaller(inputs, constants, members) else _Genes


def _is_smaller(inputs, constants, members):
    """Return whether coordinates shared by all members need fewer weights than genes."""
    if inputs.are_genes:
        return False
    kernels = [one.fit.weights[0] for _, one in members]
    units = sum(kernel.shape[0] * kernel.shape[2] for kernel in kernels)
    shared = len(inputs.coordinates) * inputs.width * len(constants.genes)
    return shared + inputs.width * units < len(constants.genes) * units


class _Genes:
    """Make first layers of kernels on genes."""

    def __init__(self, inputs, constants, genes):
        self._inputs, self._constants, self._genes = inputs, constants, genes

    def stem(self, kernel, bias, power):
        """Make the first layers of all replicas.

        Args:
            kernel: (replicas, inputs, units).
            bias: (replicas, units).
            power: Spectral power that they were trained with.

        Returns:
            (batch, replicas, units) symbolic.
        """
        folds = len(self._inputs.constants)
        folded = [
            self._inputs.on_genes(replica % folds, *layer, self._constants, power)
            for replica, layer in enumerate(zip(kernel, bias, strict=True))
        ]
        kernels, biases = zip(*folded, strict=True)
        flat = keras.layers.Dense(kernel.shape[0] * kernel.shape[2])
        flat.build(self._genes.shape)
        flat.set_weights([np.concatenate(kernels, axis=1), np.concatenate(biases)])
        return keras.layers.Reshape((kernel.shape[0], kernel.shape[2]))(flat(self._genes))


class _Coordinates:
    """Make first layers on the coordinates of all folds, which one dense layer makes of genes."""

    def __init__(self, inputs, constants, genes):
        self._inputs = inputs
        self._folds = len(inputs.constants)
        same, nothing = np.eye(inputs.width), np.zeros(inputs.width)
        whole = _Genes(inputs, constants, genes)
        kernels = np.broadcast_to(same, (self._folds, *same.shape))
        self._coordinates = whole.stem(kernels, np.broadcast_to(nothing, kernels.shape[:2]), 0.0)

    def stem(self, kernel, bias, power):
        """Make the first layers of all replicas; see `_Genes.stem`."""
        seeds = len(kernel) // self._folds
        factors = np.tile(self._inputs.factors(power), (seeds, 1))
        x = self._coordinates
        x = keras.ops.tile(x, (1, seeds, 1)) if seeds > 1 else x
        return dense("bkd,kdu->bku", x, kernel * factors[:, :, None], bias)
