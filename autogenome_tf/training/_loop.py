"""The training loop: range test, plateau decay, early stopping, best weights; or to convergence."""

import dataclasses
import time

import numpy as np

from autogenome_tf.core.seeds import derive

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


class Diverged(ArithmeticError):
    """The loss stopped being a finite number before a single epoch was worth keeping."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Attributes:
        epochs: At most.
        batch_size: At most; smaller where rows would not fill 8 batches.
        optimizer: A name of `sections.OPTIMIZERS`.
        learning_rate: A number, or "auto" for a range test, or its lowest and highest rate.
        patience: Epochs without a better held-out loss before training stops.
        min_gain: By how much a held-out loss must be better to count.
        drop_after: Epochs without gain that multiply the rate by `drop`; None: a third of
            the patience.
        drop: See `drop_after`.
        rates: Learning rate of each epoch, to repeat a schedule where nothing is held out.
        deadline: `time.monotonic()` after which no further epoch starts.
    """

    epochs: int
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float | str | list = "auto"
    patience: int = 15
    min_gain: float = 0.0
    drop_after: int | None = None
    drop: float = 0.3
    rates: tuple = ()
    deadline: float = float("inf")

    @classmethod
    def of(cls, settings, epochs, deadline=float("inf"), rates=()):
        """Return the plan of a config's section `training` for so many epochs."""
        return cls(
            epochs=epochs,
            batch_size=settings.batch_size,
            optimizer=settings.optimizer,
            learning_rate=settings.learning_rate,
            patience=settings.patience,
            min_gain=settings.min_gain,
            drop_after=settings.decay.after,
            drop=settings.decay.factor,
            rates=tuple(rates),
            deadline=deadline,
        )


@dataclasses.dataclass(frozen=True)
class Fit:
    """What training left behind.

    Attributes:
        weights: The network's weights, (replicas, ...) each, every replica's at its own best epoch.
        held: For each fold its outputs (held rows, outputs), averaged over seeds, at the epoch that
            is best for the other folds, so that choosing the epoch does not leak.
        best_epoch: 1-based, the median over replicas; the last one where nothing is held out.
        history: A dict an epoch: epoch, loss, validation_loss, learning_rate, seconds.
        parameters: Number of trained parameters of one network.
        gates: (replicas, inputs) how far gates before the first layer are open; None without.
    """

    weights: list
    held: list
    best_epoch: int
    history: list
    parameters: int = 0
    gates: np.ndarray | None = None

    def replica(self, number):
        """Weights of one network, in its order."""
        return [stack[number] for stack in self.weights]


def fit(engine, networks, plan, seed, factors=None, epistasis=0.0):
    """Train replicas of one network together.

    Args:
        engine: What `replicas.engine` made for networks of this structure.
        networks: One Keras model a seed; the replicas of a seed start alike in all folds.
        plan: `Plan`; its optimizer is the engine's.
        seed: Order of rows and noise; each replica derives its own.
        factors: (folds, inputs) that inputs are multiplied by, or None.
        epistasis: Strength of the penalty on the engine's genotypes.

    Returns:
        A `Fit`.

    Raises:
        Diverged: When not one epoch had a finite loss.
    """
    engine.begin(networks, seed, factors, epistasis)
    batches = Batches(engine, plan.batch_size, seed)
    rate = plan.learning_rate if plan.rates else first_rate(engine, batches, plan)
    return _run(engine, batches, plan, rate)


def converge(engine, network, ladder, iterations=500, deadline=float("inf"), factors=None):
    """Train a network whose loss has a single minimum, for a ladder of penalties.

    Args:
        engine: What `replicas.engine` made for it, of one seed, in memory.
        network: A Keras model without hidden layers; its kernels are penalised.
        ladder: Penalties, strongest first, so that each solution starts the next.
        iterations: Of L-BFGS for each penalty, at most.
        deadline: `time.monotonic()` after which no further iteration starts.
        factors: (folds, inputs) that inputs are multiplied by, or None.

    Yields:
        A pair for each rung: the penalty and its `Fit` (one epoch long).
    """
    engine.begin([network], seed=1, factors=factors)
    for l2 in ladder:
        started = time.monotonic()
        loss, held = engine.minimise(l2, iterations, deadline)
        score = float(np.mean(_held_losses(engine, held) or [np.nan]))
        line = _line(1, loss, score, float("nan"), started)
        yield l2, Fit(engine.weights(), held, 1, [line], engine.parameters)


def _run(engine, batches, plan, rate):
    """The loop over epochs: plateau decay, early stopping, best weights."""
    progress, history = _Progress(engine), []
    best, since_best, since_drop = np.inf, 0, 0
    drop_after = plan.drop_after or max(1, plan.patience // 3)
    for epoch in range(1, plan.epochs + 1):
        started = time.monotonic()
        rate = plan.rates[epoch - 1] if plan.rates else rate
        index = batches.epoch()
        losses, held = engine.epoch(index, np.full(len(index), rate, "float32"))
        if not np.isfinite(losses).all():
            break
        score = progress.note(held)
        if progress.is_judged and not np.isfinite(score):
            break
        line = _line(epoch, losses.mean(), score, rate, started)
        history.append(line | engine.measured())
        since_best, since_drop = since_best + 1, since_drop + 1
        if not progress.is_judged or score < best - plan.min_gain or not engine.is_settled:
            best, since_best, since_drop = score, 0, 0
        if since_drop >= drop_after and not plan.rates:
            rate, since_drop = rate * plan.drop, 0
        if since_best >= plan.patience or time.monotonic() > plan.deadline:
            break
    if not history:
        raise Diverged(f"the loss was not a finite number at learning rate {rate:.3g}")
    return Fit(*progress.judged(len(history)), history, engine.parameters)


class _Progress:
    """What held-out rows say of each epoch: outputs, losses, and the best weights so far."""

    def __init__(self, engine):
        self._engine = engine
        self.is_judged = any(map(len, engine.rows.held))
        self._outputs, self._curves = [], []
        self._least = np.full(engine.count, np.inf)
        self._epochs = np.ones(engine.count, int)
        self._best = None

    def note(self, held):
        """Take the outputs of an epoch; returns the mean over folds of their averages' loss."""
        folds = self._engine.folds
        averaged = [np.mean(held[fold::folds], axis=0) for fold in range(folds)]
        losses = _held_losses(self._engine, averaged)
        if not self.is_judged:
            weights = self._engine.weights()
            if self._best is None or all(np.isfinite(weight).all() for weight in weights):
                self._best, self._outputs = weights, [averaged]
            return float("nan")
        if np.isfinite(losses).all():
            self._outputs.append(averaged)
            self._curves.append(losses)
            own = losses if len(held) == folds else _held_losses(self._engine, held)
            self._keep(np.asarray(own) < self._least, np.asarray(own))
        return float(np.mean(losses))

    def _keep(self, is_better, losses):
        """Keep the weights of the replicas that are better than ever."""
        if not is_better.any():
            return
        self._least = np.where(is_better, losses, self._least)
        self._epochs[is_better] = len(self._curves)
        weights = self._engine.weights()
        if self._best is None or is_better.all():
            self._best = weights
        else:
            for kept, new in zip(self._best, weights, strict=True):
                kept[is_better] = new[is_better]

    def judged(self, epochs):
        """Best weights, outputs of each fold at the epoch best for the others, the median epoch."""
        if not self.is_judged:
            return self._best, self._outputs[-1], epochs
        curves, held = np.array(self._curves), []
        for fold in range(self._engine.folds):
            others = np.delete(curves, fold, axis=1) if curves.shape[1] > 1 else curves
            held.append(self._outputs[int(others.mean(axis=1).argmin())][fold])
        return self._best, held, int(np.median(self._epochs))


def _line(epoch, loss, validation_loss, rate, started):
    return {
        "epoch": epoch,
        "loss": float(loss),
        "validation_loss": validation_loss,
        "learning_rate": float(rate),
        "seconds": time.monotonic() - started,
    }


def _held_losses(engine, held):
    """Weighted loss of held rows, for outputs a fold or a replica."""
    rows = engine.rows
    index = [rows.held[number % engine.folds] for number in range(len(held))]
    every = np.concatenate(index)
    each = np.asarray(engine.task.row_losses(rows.truth[every], np.concatenate(held)))
    parts = np.split(each, np.cumsum([len(part) for part in index])[:-1])
    return [
        float(np.average(losses, weights=rows.weights[part]))
        for losses, part in zip(parts, index, strict=True)
        if len(part)
    ]


def first_rate(engine, batches, plan):
    """The learning rate that training starts with: given, or by a range test.

    Args:
        engine: What `replicas.engine` made.
        batches: `Batches`.
        plan: What has `optimizer` and `learning_rate`, as `Plan`.
    """
    asked = plan.learning_rate
    if asked == "auto":
        return range_test(engine, batches, BANDS[plan.optimizer])
    return range_test(engine, batches, sorted(asked)) if isinstance(asked, list) else asked


def range_test(engine, batches, band):
    """Learning rate from a short ramp (Smith 2017): well below where the loss is least.

    Args:
        engine: What `replicas.engine` made.
        batches: `Batches`.
        band: Lowest and highest rate that may come out.
    """
    ramp = np.geomspace(band[0] / 10, band[1] * 10, RAMP)
    start = engine.state()
    losses, _ = engine.epoch(batches.first(RAMP), ramp.astype("float32"), judge=False)
    engine.restore(start)
    bounded = np.minimum(np.where(np.isfinite(losses), losses, np.inf), 3 * losses[:5].mean())
    smooth = np.convolve(np.pad(bounded, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    return float(np.clip(ramp[int(np.argmin(smooth))] / BELOW_LEAST, *band))


class Batches:
    """Full batches of row numbers for every replica, by wrap-around, in a seeded order.

    Args:
        engine: What `replicas.engine` made.
        batch_size: At most; smaller where rows would not fill 8 batches.
        seed: Of the order.
        together: Batches a step, one behind the other; each has seen every row after an epoch.
    """

    def __init__(self, engine, batch_size, seed, together=1):
        train = [engine.rows.train[k % engine.folds] for k in range(engine.count)]
        self._train = [np.asarray(rows) for rows in train]
        most = max(map(len, self._train))
        fitting = max(SMALLEST_BATCH, most // FEWEST_STEPS)
        self._size = min(batch_size, fitting, most)
        self._steps = -(-most // self._size)
        self._together = together
        self._random = [
            np.random.default_rng(derive(seed, f"replica/{k}")) for k in range(len(train))
        ]

    def epoch(self):
        """(steps, replicas, together * batch) row numbers; each row comes at least once."""
        return self._draw(self._random, self._steps)

    def first(self, steps):
        """So many batches of their own order, for a rehearsal."""
        rehearsal = [np.random.default_rng(0) for _ in self._train]
        return self._draw(rehearsal, steps)

    def _draw(self, generators, steps):
        parts = []
        for _ in range(self._together):
            drawn = [
                self._wrapped(rows, random, steps * self._size).reshape(steps, self._size)
                for rows, random in zip(self._train, generators, strict=True)
            ]
            parts.append(np.stack(drawn, axis=1))
        return np.concatenate(parts, axis=2).astype("int32")

    @staticmethod
    def _wrapped(rows, random, length):
        rounds = -(-length // len(rows))
        return np.concatenate([random.permutation(rows) for _ in range(rounds)])[:length]
