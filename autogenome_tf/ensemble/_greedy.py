"""The final predictor as an average: networks of the best trials, chosen by out-of-fold outputs."""

import dataclasses
import logging
import time

import keras
import numpy as np
import pandas as pd

from autogenome_tf import metrics
from autogenome_tf.ensemble._final import Final, gates
from autogenome_tf.models import Predictor
from autogenome_tf.nn.layers import to_dense_weights
from autogenome_tf.nn.vectorized import dense, frozen

log = logging.getLogger(__name__)

# With fewer rows to learn from, one trial says little, and ten cost little.
FEW_ROWS, MANY_TRIALS, FEW_TRIALS = 1000, 10, 3
# Rounds of greedy selection.
ROUNDS = 30


def size_for(asked, rows):
    """Resolve the config's `ensemble.size` for so many rows to learn from."""
    if asked != "auto":
        return asked
    return MANY_TRIALS if rows < FEW_ROWS else FEW_TRIALS


def assemble(folds, attempts, deadline=float("inf")):
    """Average the networks of the best attempts into one model.

    Every network keeps its own best weights; a trial's networks count alike.

    Args:
        folds: `NetworkCrossValidation` the attempts were made on.
        attempts: `search.Attempt`s to choose from, best first. Of those whose networks another
            process has trained, the first is trained again, and others while time lasts.
        deadline: `time.monotonic()` at which the last must be over.

    Returns:
        A `Final`.
    """
    found = list(_at_hand(attempts, deadline))
    shares = select([outcome.calibrated for _, outcome in found], folds)
    members = [
        Member(trial, outcome, share)
        for (trial, outcome), share in zip(found, shares, strict=True)
        if share
    ]
    for member in members if len(attempts) > 1 else ():
        trial = member.trial
        log.info("ensemble: %.2f of trial %d, %s", member.share, trial.number, trial.family)
    outputs = sum(member.share * member.outcome.calibrated for member in members)
    temperature = folds.temperature(outputs)
    predictor = Predictor.assemble(
        list(_branches(folds, members)), folds.task, folds.features,
        folds.settings.data.missing, temperature,
    )  # fmt: skip
    found = [
        (member.share, folds, member.trial, member.outcome.fit)
        for member in members
        if member.outcome.fit.gates is not None
    ]
    return Final.of(folds, predictor, _history(members), outputs, temperature, gates(found))


def _at_hand(attempts, deadline):
    """Trials and their outcomes, as far as these are known or there is time for them."""
    for place, attempt in enumerate(attempts):
        trial, outcome = attempt.trial, attempt.outcome
        if outcome is None and place and time.monotonic() + trial.seconds > deadline:
            log.info("ensemble: no time is left to train trial %d again", trial.number)
            continue
        yield trial, outcome or attempt.repeat()


@dataclasses.dataclass(frozen=True)
class Member:
    """A trial with its networks and the share it has in the average."""

    trial: object
    outcome: object
    share: float


def select(outputs, folds):
    """Greedy selection with replacement (Caruana et al. 2004, "Ensemble selection from libraries").

    Args:
        outputs: For each candidate, best first, its (rows, outputs) for rows it had not seen.
        folds: `NetworkCrossValidation` whose objective decides.

    Returns:
        (candidates,) shares that sum to 1; the first alone where the objective is undefined.
    """
    held, sign = folds.validation_rows, 1 if metrics.HIGHER_IS_BETTER[folds.objective] else -1
    counts, total = np.zeros(len(outputs), int), np.zeros(outputs[0].shape)
    best, best_counts = -np.inf, np.eye(len(outputs), dtype=int)[0]
    for chosen in range(1, ROUNDS + 1):
        scores = [sign * folds.score(held, (total + part) / chosen) for part in outputs]
        first = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
        counts = counts + (np.arange(len(outputs)) == first)
        total = total + outputs[first]
        if scores[first] > best:
            best, best_counts = scores[first], counts
    return best_counts / best_counts.sum()


def _history(members):
    frames = [
        pd.DataFrame(member.outcome.fit.history).assign(trial=member.trial.number)
        for member in members
    ]
    return pd.concat(frames, ignore_index=True)


def _branches(folds, members):
    """For each transform that takes part: it, its constants, and the network of its members."""
    grouped = {}
    for member in members:
        views = folds.fold_inputs(member.trial.family, member.trial.values)
        same = grouped.setdefault(views.transform.name, {})
        same.setdefault(views, []).append(member)
    for same in grouped.values():
        views = next(iter(same))
        constants = views.common_scaling()
        yield views.transform, constants, _network(folds, constants, same)


def _network(folds, constants, grouped):
    """One Keras model (rows, genes) -> (rows, outputs): the sum of members by their shares.

    Args:
        folds: `NetworkCrossValidation`.
        constants: `FittedScaling` of what the model sees.
        grouped: `FoldInputs` to the members that learned on them.
    """
    genes = keras.Input((len(constants.genes),), name="genes")
    parts = [
        _part(folds, entrance, member)
        for views, members in grouped.items()
        for entrance in [_entrance(views, constants, members)(views, constants, genes)]
        for member in members
    ]
    total = keras.layers.Add()(parts) if len(parts) > 1 else parts[0]
    return keras.Model(genes, total, name="network")


def _part(folds, entrance, member):
    """What a member adds, (batch, outputs) symbolic."""
    trial = member.trial
    weights = to_dense_weights(
        folds.network(trial.family, trial.values), member.outcome.fit.weights
    )
    kernel, bias = weights[:2]
    stem = entrance.stem(kernel, bias, trial.values.get("spectral_power", 0.0))
    network = folds.network(trial.family, trial.values, is_plain=True)
    mean = keras.layers.GlobalAveragePooling1D()(frozen(network, weights, stem))
    return keras.layers.Rescaling(member.share / member.outcome.temperature)(mean)


def _entrance(views, constants, members):
    """The kind of first layer that needs fewer weights."""
    return _Coordinates if _is_smaller(views, constants, members) else _Genes


def _is_smaller(views, constants, members):
    """Whether coordinates that all members share need fewer weights than kernels on genes."""
    if views.coordinates[0].name == "genes":
        return False
    kernels = [member.outcome.fit.weights[0] for member in members]
    units = sum(kernel.shape[0] * kernel.shape[2] for kernel in kernels)
    shared = len(views.coordinates) * views.width * len(constants.genes)
    return shared + views.width * units < len(constants.genes) * units


class _Genes:
    """First layers as kernels on genes."""

    def __init__(self, views, constants, genes):
        self._views, self._constants, self._genes = views, constants, genes

    def stem(self, kernel, bias, power):
        """(replicas, inputs, units) and (replicas, units) -> (batch, replicas, units) symbolic."""
        folds = len(self._views.constants)
        folded = [
            self._views.on_genes(replica % folds, *layer, self._constants, power)
            for replica, layer in enumerate(zip(kernel, bias, strict=True))
        ]
        kernels, biases = zip(*folded, strict=True)
        flat = keras.layers.Dense(kernel.shape[0] * kernel.shape[2])
        flat.build(self._genes.shape)
        flat.set_weights([np.concatenate(kernels, axis=1), np.concatenate(biases)])
        return keras.layers.Reshape((kernel.shape[0], kernel.shape[2]))(flat(self._genes))


class _Coordinates:
    """First layers on the coordinates of all folds, which one dense layer makes of the genes."""

    def __init__(self, views, constants, genes):
        self._views = views
        self._folds = len(views.constants)
        same, nothing = np.eye(views.width), np.zeros(views.width)
        whole = _Genes(views, constants, genes)
        kernels = np.broadcast_to(same, (self._folds, *same.shape))
        self._coordinates = whole.stem(kernels, np.broadcast_to(nothing, kernels.shape[:2]), 0.0)

    def stem(self, kernel, bias, power):
        """As `_Genes.stem`."""
        seeds = len(kernel) // self._folds
        factors = np.tile(self._views.factors(power), (seeds, 1))
        x = self._coordinates
        x = keras.ops.tile(x, (1, seeds, 1)) if seeds > 1 else x
        return dense("bkd,kdu->bku", x, kernel * factors[:, :, None], bias)
