"""The training loop: plateau decay, early stopping, best weights; or to convergence."""

import time
from collections.abc import Iterable, Iterator

import keras
import numpy as np

from autogenome_tf.training._batches import Batches
from autogenome_tf.training._engines import Engine, InMemory, Penalty
from autogenome_tf.training._learning_rate import first_rate
from autogenome_tf.training._plan import Fit, Plan

# Factor of the initial weights of a convex loss: they are far from its minimum, but at 0 an output
# that is rectified would have no slope.
SMALL = 1e-3


class Diverged(ArithmeticError):
    """The loss stopped being a finite number before a single epoch was worth keeping."""


def fit(engine: Engine, plan: Plan, seed: int) -> Fit:
    """Train replicas of one network together.

    Args:
        engine: Compiled steps for the network, begun.
        plan: How long and how fast; its optimizer is the engine's.
        seed: Of the order of rows; each replica derives its own.

    Raises:
        Diverged: When not one epoch had a finite loss.
    """
    batches = Batches(engine, plan.batch_size, seed)
    rate = plan.rates[0] if plan.rates else first_rate(engine, batches, plan)
    return _run(engine, batches, plan, rate)


def converge(
    engine: InMemory,
    network: keras.Model,
    penalties: Iterable[Penalty],
    deadline: float = float("inf"),
    factors: np.ndarray | None = None,
) -> Iterator[tuple[Penalty, Fit]]:
    """Train a network whose loss has a single minimum, for each value of an L2 path.

    Args:
        engine: Compiled steps for it, of one seed, in memory.
        network: A Keras model without hidden layers; its kernel is penalised.
        penalties: L2 values, strongest first, so that each solution starts the next; in place of a
            number that of each of several targets by its name.
        deadline: `time.monotonic()` after which no further iteration starts.
        factors: (folds, inputs) that inputs are multiplied by, or None.

    Yields:
        A pair for each penalty: its value and its `Fit` (one epoch long).
    """
    engine.begin([network], seed=1, factors=factors)
    engine.set_weights([SMALL * weight for weight in engine.weights()])
    for l2 in penalties:
        started = time.monotonic()
        loss, validation = engine.minimise(l2, deadline)
        score = float(np.mean(_validation_losses(engine, validation) or [np.nan]))
        line = _line(1, loss, score, float("nan"), started)
        yield l2, Fit(engine.weights(), validation, 1, [line], engine.parameters)


def _run(engine, batches, plan, rate):
    """Train epoch by epoch until there is no gain, no time or no epoch left."""
    progress, history = _Progress(engine), []
    best, since_best, since_drop = np.inf, 0, 0
    drop_after = plan.drop_after or max(1, plan.patience // 3)
    if engine.is_fitted:
        started = time.monotonic()
        score = progress.note(engine.validation_outputs(), 0)
        best = score if np.isfinite(score) else best
        if progress.is_validated:
            history.append(_line(0, np.nan, score, np.nan, started) | engine.measured())
    for epoch in range(1, plan.epochs + 1):
        started = time.monotonic()
        rate = plan.rates[epoch - 1] if plan.rates else rate
        index = batches.epoch()
        losses, validation = engine.epoch(index, np.full(len(index), rate, "float32"))
        if not np.isfinite(losses).all():
            break
        score = progress.note(validation, epoch)
        if progress.is_validated and not np.isfinite(score):
            break
        line = _line(epoch, losses.mean(), score, rate, started)
        history.append(line | engine.measured())
        since_best, since_drop = since_best + 1, since_drop + 1
        if not progress.is_validated or score < best - plan.min_gain or not engine.is_settled:
            best, since_best, since_drop = score, 0, 0
        if since_drop >= drop_after and not plan.rates:
            rate, since_drop = rate * plan.drop, 0
        if since_best >= plan.patience or time.monotonic() > plan.deadline:
            break
    if plan.epochs and not (history and history[-1]["epoch"]):
        raise Diverged(f"the loss was not finite at learning rate {rate:.3g}")
    return Fit(*progress.best(len(history)), history, engine.parameters)


class _Progress:
    """Track validation outputs and losses per epoch and keep each replica's best weights."""

    def __init__(self, engine):
        self._engine = engine
        self.is_validated = any(map(len, engine.rows.validation))
        self._outputs, self._curves = [], []
        self._least = np.full(engine.count, np.inf)
        self._epochs = np.ones(engine.count, int)
        self._best: list[np.ndarray] = []

    def note(self, validation, epoch):
        """Take the outputs of an epoch, 0 before the first.

        Returns:
            The mean loss of the folds' averaged outputs.
        """
        folds = self._engine.folds
        averaged = [np.mean(validation[fold::folds], axis=0) for fold in range(folds)]
        losses = _validation_losses(self._engine, averaged)
        if not self.is_validated:
            weights = self._engine.weights()
            if not self._best or all(np.isfinite(weight).all() for weight in weights):
                self._best, self._outputs = weights, [averaged]
            return float("nan")
        if np.isfinite(losses).all():
            self._outputs.append(averaged)
            self._curves.append(losses)
            is_one = len(validation) == folds
            own = losses if is_one else _validation_losses(self._engine, validation)
            self._keep(np.asarray(own) < self._least, np.asarray(own), epoch)
        return float(np.mean(losses))

    def _keep(self, is_better, losses, epoch):
        """Keep the weights of the replicas that are better than ever."""
        if not is_better.any():
            return
        self._least = np.where(is_better, losses, self._least)
        self._epochs[is_better] = epoch
        weights = self._engine.weights()
        if not self._best or is_better.all():
            self._best = weights
        else:
            for kept, new in zip(self._best, weights, strict=True):
                kept[is_better] = new[is_better]

    def best(self, epochs):
        """Return best weights, outputs of each fold at the epoch best for the others, an epoch."""
        if not self.is_validated:
            return self._best, self._outputs[-1], epochs
        curves, outputs = np.array(self._curves), []
        for fold in range(self._engine.folds):
            others = np.delete(curves, fold, axis=1) if curves.shape[1] > 1 else curves
            outputs.append(self._outputs[int(others.mean(axis=1).argmin())][fold])
        return self._best, outputs, int(np.median(self._epochs))


def _line(epoch, loss, validation_loss, rate, started):
    return {
        "epoch": epoch,
        "loss": float(loss),
        "validation_loss": validation_loss,
        "learning_rate": float(rate),
        "seconds": time.monotonic() - started,
    }


def _validation_losses(engine, outputs):
    """Return the weighted loss of validation rows, for outputs of each fold or each replica."""
    rows = engine.rows
    index = [rows.validation[number % engine.folds] for number in range(len(outputs))]
    known = [
        (rows.targets[part], own, rows.weights[part])
        for part, own in zip(index, outputs, strict=True)
    ]
    parts = engine.task.part_losses(known)
    return [
        float(np.average(losses, weights=rows.weights[part]))
        for losses, part in zip(parts, index, strict=True)
        if len(part)
    ]
