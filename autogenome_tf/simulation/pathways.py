"""Expression that follows the activities of gene sets, and classes that follow a few of those."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.core import seeds
from autogenome_tf.core.errors import InputError
from autogenome_tf.simulation._targets import numbered
from autogenome_tf.simulation.expression import (
    LOG_MEAN,
    LOG_MEAN_SPREAD,
    LOG_SPREAD,
    check_each,
    check_most,
)

LEAST = {"samples": 4, "features": 1, "classes": 2, "sets": 1, "genes": 1, "informative": 1}
LOADING = 0.5  # at noise 1 a set explains a fifth of the variance of a gene that is in no other
# Of a class score, in units of the activities it is made of.
BLUR = 0.5


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Parameters of simulated pathways; a wrong value raises `errors.InputError`.

    Args:
        samples: Rows, at least 4 and two a class.
        features: Genes.
        classes: Classes, at least 2; two are of about equal size, more need not be.
        sets: Gene sets.
        genes: Genes a set on average, half of it to half more; drawn from all genes, so that sets
            overlap.
        informative: Sets that the classes follow.
        noise: Standard deviation of a gene beside its sets, whose activities have 1.
        seed: At least 0.
    """

    samples: int = 300
    features: int = 1000
    classes: int = 2
    sets: int = 100
    genes: int = 40
    informative: int = 3
    noise: float = 1.0
    seed: int = 7

    def __post_init__(self):
        """Refuse what cannot be drawn."""
        check_each(self, LEAST)
        limits = {
            "genes": self.features * 2 // 3,
            "informative": self.sets,
            "classes": self.samples // 2,
        }
        check_most(self, limits)


@dataclasses.dataclass(frozen=True)
class Pathways:
    """A drawn matrix, its gene sets and what was planted in them.

    Args:
        values: float32 of (samples, features), above 0.
        samples: Sample ids.
        features: Gene names.
        target: Class names of (samples,).
        activity: float64 of (samples, sets).
        members: For each set the positions of its genes, sorted.
        truth: A row a set: `set`, `role` (informative, null), `effect` (standard deviation of its
            weight over classes).
        parameters: What was asked for.
    """

    values: np.ndarray
    samples: list
    features: list
    target: np.ndarray
    activity: np.ndarray
    members: list
    truth: pd.DataFrame
    parameters: Parameters

    def gmt(self) -> str:
        """Return the gene sets as the text of a GMT file."""
        names = np.array(self.features)
        lines = zip(self.truth["set"], self.members, strict=True)
        return "".join("\t".join([name, "simulated", *names[own]]) + "\n" for name, own in lines)


def draw(**parameters: Any) -> Pathways:
    """Draw a matrix in memory; the same parameters give the same values.

    Args:
        **parameters: Fields of `Parameters`.

    Returns:
        A `Pathways`.

    Raises:
        InputError: A class has fewer than 2 samples.

    >>> drawn = draw(samples=20, features=50, sets=5, genes=8, informative=2)
    >>> drawn.values.shape, drawn.truth["role"].tolist().count("informative")
    ((20, 50), 2)
    """
    asked = Parameters(**parameters)
    rng = np.random.default_rng(seeds.derive(asked.seed, "simulate/pathways"))
    sizes = rng.integers(-(-asked.genes // 2), asked.genes * 3 // 2 + 1, asked.sets)
    members = [np.sort(rng.choice(asked.features, size, replace=False)) for size in sizes]
    activity = rng.normal(size=(asked.samples, asked.sets))
    states = asked.noise * rng.normal(size=(asked.samples, asked.features))
    for own, drawn in zip(members, activity.T, strict=True):
        # A set raises some of its genes and lowers others.
        signs = rng.choice([-1.0, 1.0], len(own))
        states[:, own] += LOADING * drawn[:, None] * signs
    target, effect = _draw_classes(rng, asked, activity)
    means = LOG_MEAN + np.abs(LOG_MEAN_SPREAD * rng.normal(size=asked.features))
    names = np.array(numbered("class_", asked.classes, width=len(str(asked.classes))))
    roles = np.where(effect > 0, "informative", "null")
    sets = numbered("SET", asked.sets, width=len(str(asked.sets)))
    return Pathways(
        values=np.exp(means + LOG_SPREAD * states).astype("float32"),
        samples=numbered("S", asked.samples, width=4),
        features=numbered("GENE", asked.features, width=5),
        target=names[target],
        activity=activity,
        members=members,
        truth=pd.DataFrame({"set": sets, "role": roles, "effect": effect}),
        parameters=asked,
    )


def _draw_classes(rng, asked, activity):
    """Return the class of each sample, by number, and the effect of each set on the classes."""
    informative = np.sort(rng.choice(asked.sets, asked.informative, replace=False))
    weights = rng.normal(size=(asked.informative, asked.classes))
    weights /= weights.std(axis=1, keepdims=True)
    scores = activity[:, informative] @ weights
    scores += BLUR * rng.normal(size=scores.shape)
    target = scores.argmax(axis=1)
    counts = np.bincount(target, minlength=asked.classes)
    if counts.min() < 2:
        raise InputError(
            f"simulate: classes: one of {asked.classes} has {counts.min()} of the {asked.samples} "
            "samples; expected at least 2: ask for fewer classes, more samples or another seed."
        )
    effect = np.zeros(asked.sets)
    effect[informative] = weights.std(axis=1)
    return target, effect
