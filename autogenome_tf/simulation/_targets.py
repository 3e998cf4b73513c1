"""Planted targets: classes, numbers or times; what expression does for each kind stands here."""

import math
from typing import Any, ClassVar

import numpy as np

from autogenome_tf.core import seeds

EFFECT = 0.8  # typical distance of a class mean from the gene's mean, in units of noise 1
RESIDUAL = 0.5  # at noise 1 a regression target is 80 % explained: 1 / (1 + 0.5 ** 2)
MEDIAN = 24.0  # months until half of the samples at a log-hazard of 0 have had the event


def numbered(prefix: str, count: int, width: int) -> list[str]:
    """Return names with numbers from 1.

    >>> numbered("GENE", 2, width=5)
    ['GENE00001', 'GENE00002']
    """
    return [f"{prefix}{number:0{width}d}" for number in range(1, count + 1)]


def stream(asked: Any, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose, derived from the seed of the parameters."""
    return np.random.default_rng(seeds.derive(asked.seed, f"simulate/{purpose}"))


class Classes:
    """A class a sample, all of equal size; classes shift main genes and correlate pairs."""

    columns: ClassVar[str | list[str]] = "target"

    @staticmethod
    def fewest_samples(asked: Any) -> int:
        """Return the least number of samples: two a class."""
        return 2 * asked.classes

    @staticmethod
    def labels(asked: Any) -> list[str]:
        """Return class names, padded so that they sort by number."""
        return numbered("class_", asked.classes, width=len(str(asked.classes)))

    @staticmethod
    def draw_effects(rng: np.random.Generator, asked: Any) -> np.ndarray:
        """Draw class means and correlations, (informative + interactions, classes)."""
        main = rng.normal(size=(asked.informative, asked.classes))
        main -= main.mean(axis=1, keepdims=True)
        sizes = EFFECT * rng.uniform(0.5, 1.5, size=(asked.informative, 1))
        main *= sizes / main.std(axis=1, keepdims=True)
        alternating = np.resize([1.0, -1.0], (asked.interactions, asked.classes))
        signs = rng.permuted(alternating, axis=1)
        return np.vstack([main, signs / math.hypot(1, RESIDUAL * asked.noise)])

    @classmethod
    def plant(cls, rng, asked: Any, places: Any, effects: np.ndarray, states: np.ndarray):
        """Draw the class of each sample and plant it in `states`, in place."""
        codes = rng.permutation(np.arange(asked.samples) % asked.classes)
        cls._shift(asked, places, effects[:, codes].T, states)
        return np.array(cls.labels(asked))[codes]

    @staticmethod
    def _shift(asked, places, effects, states):
        """Shift main genes and correlate pairs, in place; `effects` of (samples, effects)."""
        shifts, correlations = np.hsplit(effects, [asked.informative])
        first, second = places.pairs.T
        # Each gene of a pair stays standard normal in every class: only their product informs.
        states[:, second] *= np.sqrt(1 - correlations**2)
        states[:, second] += correlations * states[:, first]
        scale = np.full(asked.features, asked.noise, np.float32)
        scale[places.pairs] = 1
        states *= scale
        states[:, places.main] += shifts

    @staticmethod
    def sizes(effects: np.ndarray) -> np.ndarray:
        """Return the size of each effect, (effects,): its standard deviation over classes."""
        return effects.std(axis=1)


class Numbers:
    """A number a sample: a sum of main genes and of products of pairs, with a residual."""

    columns: ClassVar[str | list[str]] = "target"

    @staticmethod
    def fewest_samples(asked: Any) -> int:
        """Return 0: a number needs no further samples."""
        return 0

    @staticmethod
    def labels(asked: Any) -> list[str]:
        """Return the name of the target."""
        return ["target"]

    @staticmethod
    def draw_effects(rng: np.random.Generator, asked: Any) -> np.ndarray:
        """Draw coefficients, (effects, 1), strongest first; together they explain variance 1."""
        sizes = [*np.geomspace(1, 0.1, asked.informative), *[0.5] * asked.interactions]
        signed = np.array(sizes) * rng.choice([-1.0, 1.0], len(sizes))
        return signed[:, None] / (np.linalg.norm(signed) or 1)

    @staticmethod
    def plant(rng, asked: Any, places: Any, effects: np.ndarray, states: np.ndarray):
        """Return the number of each sample; `states` stay as they are."""
        products = states[:, places.pairs].prod(axis=2)
        terms = np.hstack([states[:, places.main], products])
        residual = RESIDUAL * asked.noise * stream(asked, "response").normal(size=asked.samples)
        return terms @ effects[:, 0] + residual

    @staticmethod
    def sizes(effects: np.ndarray) -> np.ndarray:
        """Return the size of each effect, (effects,): its coefficient."""
        return effects[:, 0]


class Times(Numbers):
    """A time to an event a sample: the number of `Numbers` is its log-hazard."""

    columns: ClassVar[str | list[str]] = ["time", "event"]

    @staticmethod
    def labels(asked: Any) -> list[str]:
        """Return the name of what the coefficients add up to."""
        return ["log_hazard"]

    @classmethod
    def plant(cls, rng, asked: Any, places: Any, effects: np.ndarray, states: np.ndarray):
        """Return time (in months) and event of each sample; `states` stay as they are.

        The hazard is constant; where hazards are `crossing`, the sign of each log-hazard changes
        at `MEDIAN`, so that early risk is late protection. Censoring does not follow expression.
        """
        factor = np.exp(super().plant(rng, asked, places, effects, states))
        drawn = stream(asked, "times")
        reached = drawn.exponential(MEDIAN / math.log(2), asked.samples)
        times = reached / factor
        if asked.crossing:
            late = times > MEDIAN
            times[late] = MEDIAN + (reached - factor * MEDIAN)[late] * factor[late]
        return _censored(times, drawn.exponential(size=asked.samples), asked.censoring)


def _censored(times, drawn, share):
    """Return times and events as a structured array; a share of them has an earlier censoring."""
    found = np.empty(len(times), [("time", float), ("event", np.int64)])
    latest = drawn * np.quantile(times / drawn, 1 - share) if share else np.full(len(times), np.inf)
    found["time"], found["event"] = np.minimum(times, latest), times <= latest
    return found


# By the name of the task that a config then asks for.
TARGETS = {"classification": Classes, "regression": Numbers, "survival": Times}
