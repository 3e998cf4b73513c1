"""The training loop: range test, plateau decay, early stopping, best weights; or to convergence."""

import dataclasses
import time

import numpy as np

from autogenome_tf.replicas import InMemory, Streamed
from autogenome_tf.seeds import derive

FEWEST_STEPS = 8
SMALLEST_BATCH = 8
# Steps of the range test, and how far below the rate of least loss training starts.
RAMP = 40
BELOW_LEAST = 6.0
# Learning rates that a noisy test on few rows may not leave.
BANDS = {
    "adam": (5e-4, 1e-2),
    "adamw": (5e-4, 1e-2),
    "sgd": (1e-3, 0.3),
    "momentum": (1e-3, 0.1),
    "rmsprop": (3e-4, 5e-3),
    "adagrad": (1e-2, 0.3),
    "adadelta": (0.1, 3.0),
    "ftrl": (1e-2, 0.5),
    "lamb": (1e-3, 2e-2),
    "lion": (5e-5, 2e-3),
}
# A plateau of a third of the patience multiplies the rate by this.
RATE_DROP = 0.3


class Diverged(ArithmeticError):
    """The loss stopped being a finite number before a single epoch was worth keeping."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Attributes:
        epochs: At most.
        batch_size: At most; smaller where rows would not fill 8 batches.
        optimizer: A name of `config.OPTIMIZERS`.
        learning_rate: A number, or "auto" for a range test.
        patience: Epochs without a better held-out loss before training stops.
        rates: Learning rate of each epoch, to repeat a schedule where nothing is held out.
        deadline: `time.monotonic()` after which no further epoch starts.
    """

    epochs: int
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float | str = "auto"
    patience: int = 15
    rates: tuple = ()
    deadline: float = float("inf")


@dataclasses.dataclass(frozen=True)
class Fit:
    """What training left behind.

    Attributes:
        weights: For each replica the arrays of its network's weights, at the best epoch.
        held: For each replica its outputs (held rows, outputs), at the epoch that is best for the
            other replicas, so that choosing the epoch does not leak.
        best_epoch: 1-based; the last one where nothing is held out.
        history: A dict an epoch: epoch, loss, validation_loss, learning_rate, seconds.
    """

    weights: list
    held: list
    best_epoch: int
    history: list


def fit(networks, rows, task, plan, seed):
    """Train replicas of one network together.

    Args:
        networks: One Keras model a replica, of the same layers (the same model several times
            lets replicas start from the same weights).
        rows: `Rows`.
        task: The loss of each row, in outputs of the network.
        plan: `Plan`.
        seed: Order of rows; each replica derives its own.

    Returns:
        A `Fit`.

    Raises:
        Diverged: When not one epoch had a finite loss.
    """
    kind = Streamed if rows.is_streamed else InMemory
    engine = kind(networks, rows, task, plan.optimizer, seed)
    batches = _Batches(rows.train, plan.batch_size, seed)
    rate = plan.learning_rate
    if rate == "auto" and not plan.rates:
        rate = _range_test(engine, batches, BANDS[plan.optimizer])
    return _run(engine, batches, rows, task, plan, rate)


def converge(network, rows, task, ladder, iterations=500):
    """Train a network whose loss has a single minimum, for a ladder of penalties.

    Args:
        network: A Keras model without hidden layers; its kernels are penalised.
        rows: `Rows` in memory.
        task: The loss of each row.
        ladder: Penalties, strongest first, so that each solution starts the next.
        iterations: Of L-BFGS for each penalty, at most.

    Yields:
        A pair for each rung: the penalty and its `Fit` (one epoch long).
    """
    engine = InMemory([network] * len(rows.train), rows, task)
    for l2 in ladder:
        started = time.monotonic()
        loss, held = engine.minimise(l2, iterations)
        scores = _held_losses(held, rows, task)
        line = _line(1, loss, float(np.mean(scores or [np.nan])), float("nan"), started)
        yield l2, Fit(engine.weights(), held, 1, [line])


def _run(engine, batches, rows, task, plan, rate):
    """The loop over epochs: plateau decay, early stopping, best weights."""
    curves, outputs, history = [], [], []
    best, best_weights, since_best, since_drop = np.inf, None, 0, 0
    for epoch in range(1, plan.epochs + 1):
        started = time.monotonic()
        rate = plan.rates[epoch - 1] if plan.rates else rate
        index = batches.epoch()
        losses, held = engine.epoch(index, np.full(len(index), rate, "float32"))
        scores = _held_losses(held, rows, task)
        score = float(np.mean(scores)) if scores else float("nan")
        if not np.isfinite(losses).all() or (scores and not np.isfinite(score)):
            break
        history.append(_line(epoch, losses.mean(), score, rate, started))
        curves.append(scores)
        outputs.append(held)
        since_best, since_drop = since_best + 1, since_drop + 1
        if not scores or score < best:
            best, since_best, since_drop = score, 0, 0
            best_weights = engine.weights() if scores else None
        if since_drop >= max(1, plan.patience // 3) and not plan.rates:
            rate, since_drop = rate * RATE_DROP, 0
        if since_best >= plan.patience or time.monotonic() > plan.deadline:
            break
    if not history:
        raise Diverged(f"the loss was not a finite number at learning rate {rate:.3g}")
    weights = best_weights or engine.weights()
    return Fit(weights, *_judged(np.array(curves), outputs), history)


def _line(epoch, loss, validation_loss, rate, started):
    return {
        "epoch": epoch,
        "loss": float(loss),
        "validation_loss": validation_loss,
        "learning_rate": float(rate),
        "seconds": time.monotonic() - started,
    }


def _held_losses(held, rows, task):
    """Weighted held-out loss of each replica."""
    losses = []
    for outputs, index in zip(held, rows.held, strict=True):
        if len(index):
            each = np.asarray(task.row_losses(rows.truth[index], outputs))
            losses.append(float(np.average(each, weights=rows.weights[index])))
    return losses


def _judged(curves, outputs):
    """Outputs of each replica at the epoch that is best for the others, and the best of all."""
    if not curves.size:
        return outputs[-1], len(outputs)
    held = []
    for replica in range(len(outputs[0])):
        others = np.delete(curves, replica, axis=1) if curves.shape[1] > 1 else curves
        held.append(outputs[int(others.mean(axis=1).argmin())][replica])
    return held, int(curves.mean(axis=1).argmin()) + 1


def _range_test(engine, batches, band):
    """Learning rate from a short ramp (Smith 2017): well below where the loss is least."""
    ramp = np.geomspace(band[0] / 10, band[1] * 10, RAMP)
    start = engine.state()
    losses, _ = engine.epoch(batches.first(RAMP), ramp.astype("float32"), judge=False)
    engine.restore(start)
    bounded = np.minimum(np.where(np.isfinite(losses), losses, np.inf), 3 * losses[:5].mean())
    smooth = np.convolve(np.pad(bounded, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    return float(np.clip(ramp[int(np.argmin(smooth))] / BELOW_LEAST, *band))


class _Batches:
    """Full batches of row numbers for every replica, by wrap-around, in a seeded order."""

    def __init__(self, train, batch_size, seed):
        self._train = [np.asarray(rows) for rows in train]
        most = max(map(len, self._train))
        fitting = max(SMALLEST_BATCH, most // FEWEST_STEPS)
        self._size = min(batch_size, fitting, most)
        self._steps = -(-most // self._size)
        self._random = [
            np.random.default_rng(derive(seed, f"replica/{k}")) for k in range(len(train))
        ]

    def epoch(self):
        """(steps, replicas, batch) row numbers; each row comes at least once."""
        return self._draw(self._random, self._steps)

    def first(self, steps):
        """So many batches of their own order, for a rehearsal."""
        rehearsal = [np.random.default_rng(0) for _ in self._train]
        return self._draw(rehearsal, steps)

    def _draw(self, generators, steps):
        drawn = [
            self._wrapped(rows, random, steps * self._size).reshape(steps, self._size)
            for rows, random in zip(self._train, generators, strict=True)
        ]
        return np.stack(drawn, axis=1).astype("int32")

    @staticmethod
    def _wrapped(rows, random, length):
        rounds = -(-length // len(rows))
        return np.concatenate([random.permutation(rows) for _ in range(rounds)])[:length]
