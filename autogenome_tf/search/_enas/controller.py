"""The LSTM that samples arcs, and learns from their rewards by REINFORCE (Pham et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.core.seeds import derive
from autogenome_tf.nn.graphs import compiled

if TYPE_CHECKING:
    from autogenome_tf.config import Enas

# As published: no first moment, and an epsilon that damps what is seldom decided.
ADAM = {"beta_1": 0.0, "epsilon": 1e-3}
START = 0.1
# A spread of rewards below it is that of rounding.
LEAST = 1e-6
# A logit of probability 0 that, unlike minus infinity, has finite gradients.
NEVER = -1e9


class Controller:
    """Sample arcs by a policy that learns: for each layer a width, then a bit for each skip.

    Logits are divided by the temperature and squashed to ``tanh_constant * tanh(logits)``, so that
    no choice out of C can be surer than e^c / (e^c + (C - 1) e^-c). A skip has the logits [-q, q],
    which makes its probability sigmoid(2 q), q attending to the state of the LSTM at its source
    (additive attention). Layer 1 decides nothing; its state can be attended to. Decisions beside
    the arc follow the last layer, one step of the LSTM each.

    Args:
        allowed: For each layer from the second, for each of its decisions (its width, then its
            skips from layer 1 on), a list of which positions may be chosen, such as [True, True].
        settings: The config's section `search.enas`.
        seed: Of initial weights and of what is sampled.
        beside: Number of options of each decision behind the arc; none by default.
    """

    def __init__(
        self, allowed: list[list[list[bool]]], settings: Enas, seed: int,
        beside: Sequence[int] = (),
    ):  # fmt: skip
        self._settings = settings
        self._widths = max(len(layer[0]) for layer in allowed)
        self._closed = [_closed(layer[0], self._widths) for layer in allowed]
        self._closed_skips = [[_closed(options, 2) for options in layer[1:]] for layer in allowed]
        self.decisions = sum(map(len, allowed)) + len(beside)
        units, random = settings.units, np.random.default_rng(derive(seed, "controller"))

        def start(*shape):
            return keras.Variable(random.uniform(-START, START, shape).astype("float32"))

        self._cell = start(2 * units, 4 * units)
        self._begin = start(1, units)
        self._embedding = start(self._widths, units)
        self._to_widths = start(units, self._widths)
        self._to_source, self._to_target = start(units, units), start(units, units)
        self._to_skip = start(units, 1)
        self._to_options = [start(units, count) for count in beside]
        self._of_options = [start(count, units) for count in beside]
        self._weights = [
            self._cell, self._begin, self._embedding, self._to_widths, self._to_source,
            self._to_target, self._to_skip, *self._to_options, *self._of_options,
        ]  # fmt: skip
        self._optimizer = keras.optimizers.Adam(settings.learning_rate, **ADAM)
        self._optimizer.build(self._weights)
        self._moving = np.full(2, np.nan)
        self._noise = np.array([derive(seed, "arcs"), 0], "int32")
        arcs = ((None, self.decisions), tf.int32)
        self._sampled = compiled(self._sample, ((), tf.int32), ((2,), tf.int32))
        self._learned = compiled(self._learn, arcs, ((None,), tf.float32))

    @property
    def baseline(self) -> float:
        """Return the moving average of rewards; NaN before the first."""
        return float(self._moving[0])

    def sample(self, count: int) -> np.ndarray:
        """Draw arcs, (count, decisions) positions."""
        self._noise = self._noise + np.array([0, 1], "int32")
        return self._sampled(count, self._noise).numpy()

    def learn(self, codes: np.ndarray, rewards: np.ndarray) -> dict[str, float]:
        """Make arcs of a reward above the moving average likelier.

        The loss is the mean of -log p(arc) (reward - baseline) / spread, minus the entropy bonus,
        plus the skip penalty. The penalty is the divergence of each skip's Bernoulli probability
        from the target rate. Baseline and spread are moving averages: of rewards, and of their
        standard deviation in an update.

        The published code differs. It does not divide, so that rewards that differ little hardly
        teach. Its baseline starts at 0 and needs some hundred updates. It adds a surrogate of the
        entropy to the reward, and penalises another distribution than the one it samples from.

        Args:
            codes: (count, decisions) as sampled.
            rewards: (count,), larger is better.

        Returns:
            Dict of reward, baseline, entropy (nats an arc) and skip_rate.
        """
        now = np.array([np.mean(rewards), np.std(rewards)])
        share = 1.0 if np.isnan(self.baseline) else 1 - self._settings.baseline_decay
        self._moving = share * now + (1 - share) * np.nan_to_num(self._moving)
        advantage = ((rewards - self.baseline) / max(self._moving[1], LEAST)).astype("float32")
        entropy, skip_rate = self._learned(tf.constant(codes, tf.int32), tf.constant(advantage))
        return {
            "reward": float(now[0]),
            "baseline": self.baseline,
            "entropy": float(entropy),
            "skip_rate": float(skip_rate),
        }

    def state(self) -> list[np.ndarray]:
        """Return everything that learning changes, as arrays."""
        variables = [*self._weights, *self._optimizer.variables]
        return [self._noise, self._moving, *(v.numpy() for v in variables)]

    def restore(self, state: list[np.ndarray]) -> None:
        """Restore a `state`."""
        self._noise, self._moving, *values = state
        for variable, value in zip(
            [*self._weights, *self._optimizer.variables], values, strict=True
        ):
            variable.assign(value)

    def _sample(self, count, noise):
        made, *_ = self._walk(count, noise=noise)
        return tf.stack(made.chosen, axis=1)

    def _learn(self, arcs, advantage):
        settings = self._settings
        with tf.GradientTape() as tape:
            weights = [weight.value for weight in self._weights]
            made, divergence, rates = self._walk(tf.shape(arcs)[0], arcs)
            loss = -tf.reduce_mean(made.log_p * advantage)
            loss -= settings.entropy_weight * tf.reduce_mean(made.entropy)
            loss += settings.skip_weight * tf.reduce_mean(divergence)
        gradients = tape.gradient(loss, weights)
        self._optimizer.apply(
            [
                tf.zeros_like(weight) if gradient is None else tf.convert_to_tensor(gradient)
                for weight, gradient in zip(weights, gradients, strict=True)
            ],
            self._weights,
        )
        return tf.reduce_mean(made.entropy), tf.reduce_mean(rates)

    def _walk(self, count, arcs=None, noise=None):
        """Decide layer by layer, or follow `arcs`.

        Returns:
            The `_Decisions`, and for each arc the mean divergence of free skips from the target
            rate and the mean probability of skips.
        """
        units = self._settings.units
        state = tf.zeros((count, units)), tf.zeros((count, units))
        begin = tf.tile(self._begin.value, (count, 1))
        state = self._step(begin, state)
        anchors, inputs, made = [state[1]], begin, _Decisions(count, arcs, noise)
        divergences, rates = [tf.zeros(count)], [tf.zeros(count)]
        for closed, closed_skips in zip(self._closed, self._closed_skips, strict=True):
            state = self._step(inputs, state)
            logits = self._squashed(state[1] @ self._to_widths.value) + closed
            width = made.next(logits)
            state = self._step(tf.gather(self._embedding.value, width), state)
            # The layer directly before is always a source.
            wired = [tf.zeros(count)] * (len(anchors) - 1) + [tf.ones(count)]
            for source, closed_skip in enumerate(closed_skips):
                q = self._attention(anchors[source], state[1])
                logits = self._squashed(tf.concat([-q, q], axis=1))
                if closed_skip.any():
                    logits += closed_skip
                else:
                    rate = tf.sigmoid(logits[:, 1] - logits[:, 0])
                    divergences.append(_divergence(logits, self._settings.skip_target))
                    rates.append(rate)
                wired[source] = tf.cast(made.next(logits), tf.float32)
            pairs = zip(wired, anchors, strict=True)
            total = tf.add_n([bit[:, None] * anchor for bit, anchor in pairs])
            inputs = total / (1 + tf.add_n(wired))[:, None]
            anchors.append(state[1])
        for to_options, of_options in zip(self._to_options, self._of_options, strict=True):
            state = self._step(inputs, state)
            option = made.next(self._squashed(state[1] @ to_options.value))
            inputs = tf.gather(of_options.value, option)
        free = max(1, len(rates) - 1)
        return made, tf.add_n(divergences) / free, tf.add_n(rates) / free

    def _step(self, x, state):
        """Run one step of the LSTM on (count, units); return cell and hidden state."""
        cell, hidden = state
        gates = tf.concat([x, hidden], axis=1) @ self._cell.value
        i, f, o, g = tf.split(gates, 4, axis=1)
        cell = tf.sigmoid(i) * tf.tanh(g) + tf.sigmoid(f) * cell
        return cell, tf.sigmoid(o) * tf.tanh(cell)

    def _attention(self, anchor, hidden):
        mixed = tf.tanh(anchor @ self._to_source.value + hidden @ self._to_target.value)
        return mixed @ self._to_skip.value

    def _squashed(self, logits):
        settings = self._settings
        if settings.temperature:
            logits = logits / settings.temperature
        return settings.tanh_constant * tf.tanh(logits) if settings.tanh_constant else logits


class _Decisions:
    """Make the decisions of some arcs one after the other, or follow those that are given.

    Args:
        count: Number of arcs.
        arcs: (count, decisions) positions to follow; None to draw them.
        noise: (2,) seed of the draws.

    Attributes:
        chosen: The (count,) positions of each decision so far.
        log_p: (count,) log probability of each arc.
        entropy: (count,) nats of each arc.
    """

    def __init__(self, count, arcs, noise):
        self._arcs, self._noise = arcs, noise
        self.chosen, self.log_p, self.entropy = [], tf.zeros(count), tf.zeros(count)

    def next(self, logits):
        """Return the (count,) positions of the next decision, from (count, options) logits."""
        number = len(self.chosen)
        if self._arcs is None:
            seed = self._noise + tf.constant([number, 0])
            position = tf.random.stateless_categorical(logits, 1, seed, dtype=tf.int32)[:, 0]
        else:
            position = self._arcs[:, number]
        log_all = tf.nn.log_softmax(logits)
        self.log_p += tf.gather(log_all, position, batch_dims=1)
        self.entropy -= tf.reduce_sum(tf.exp(log_all) * log_all, axis=1)
        self.chosen.append(position)
        return position


def _closed(options, length):
    """Return (length,) logits to add: 0 where a position may be chosen, elsewhere `NEVER`."""
    padded = np.zeros(length, bool)
    padded[: len(options)] = options
    return np.where(padded, 0.0, NEVER).astype("float32")


def _divergence(logits, target):
    """Return the Kullback-Leibler divergence of a skip's probability from the target, (count,)."""
    log_p = tf.nn.log_softmax(logits)
    log_target = np.log([1 - target, target]).astype("float32")
    return tf.reduce_sum(tf.exp(log_p) * (log_p - log_target), axis=1)
