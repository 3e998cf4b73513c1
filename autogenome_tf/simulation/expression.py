"""Expression matrices with planted genes, drawn by chance from a few parameters."""

import dataclasses
import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.core import errors
from autogenome_tf.simulation._targets import TARGETS, numbered, stream

LEAST = {"samples": 4, "features": 1, "classes": 2, "batches": 1}  # everything else: 0
BLOCKS, BLOCK_SIZE, RHO = 5, 10, 0.8  # a block is its driver and its passengers
LOG_MEAN, LOG_MEAN_SPREAD = 3.0, 1.5  # of a gene's typical count (natural log): 1 to 400
LOG_MOST = 16.0  # 9 million: a larger count would not be exact in float32
LOG_SPREAD = 0.5  # one unit of `noise` or effect in natural log: a factor of 1.6
LIBRARY_SPREAD = 0.3  # log sequencing depth: most samples within a factor of 2
BATCH_SHARE = 0.3  # of the genes, planted ones too, that a batch moves


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Parameters of a simulated expression matrix; a wrong value raises `errors.InputError`.

    Args:
        samples: Rows; at least 4, and at least two a class.
        features: Genes, planted ones included.
        classes: Classes of equal size, at least 2; of classification only.
        informative: Genes with a main effect.
        interactions: Pairs of genes that affect the target only together.
        blocks: Main-effect genes with nine co-expressed passengers each; None plants five, or
            as many as there is room for.
        batches: Batches of equal size, independent of the target.
        batch_effect: Standard deviation of a batch's shift, in units of `noise` 1.
        dropout: Expected share of values set to zero, in [0, 1); low genes drop first.
        noise: Standard deviation of a gene within a class, whose means are about 0.8 apart from
            the gene's mean; for regression and survival, twice the residual of the target or
            log-hazard, whose signal is 1.
        task: ``"classification"``, ``"regression"`` or ``"survival"``.
        censoring: Share of samples that are censored, in [0, 1); of survival only.
        crossing: Whether the effect of each gene changes its sign at 24 months, the median time,
            so that hazards are not proportional; of survival only.
        counts: Whether values are Poisson counts rather than continuous.
        seed: At least 0.
    """

    samples: int = 200
    features: int = 2000
    classes: int = 3
    informative: int = 20
    interactions: int = 2
    blocks: int | None = None
    batches: int = 2
    batch_effect: float = 0.5
    dropout: float = 0.1
    noise: float = 1.0
    task: str = "classification"
    censoring: float = 0.3
    crossing: bool = False
    counts: bool = True
    seed: int = 7

    def __post_init__(self):
        """Fill in `blocks` and refuse what cannot be drawn."""
        if self.task not in TARGETS:
            raise errors.unknown("simulate: task", self.task, TARGETS)
        for name in ("samples", "features", "classes", "informative", "interactions"):
            self._check_range(name, numbers.Integral)
        if self.blocks is None:
            object.__setattr__(self, "blocks", self._blocks_with_room())
        for name in ("blocks", "batches", "seed"):
            self._check_range(name, numbers.Integral)
        for name in ("batch_effect", "dropout", "noise", "censoring"):
            self._check_range(name, numbers.Real)
        self._check_together()

    @property
    def labels(self) -> list[str]:
        """Return class names, padded so that they sort by number; else the name of the sum."""
        return self.kind.labels(self)

    @property
    def kind(self) -> type[Any]:
        """Return the kind of target, a class of `_targets`."""
        return TARGETS[self.task]

    def _blocks_with_room(self):
        room = self.features - self.informative - 2 * self.interactions
        return max(0, min(BLOCKS, self.informative, room // (BLOCK_SIZE - 1)))

    def _check_range(self, name, kind):
        below = 1 if name in ("dropout", "censoring") else math.inf
        check_range(name, getattr(self, name), kind, LEAST.get(name, 0), below)

    def _check_together(self):
        planted = self.informative + 2 * self.interactions + (self.blocks or 0) * (BLOCK_SIZE - 1)
        needed = max(self.batches, self.kind.fewest_samples(self))
        if self.samples < needed:
            why = "two samples a class and one a batch"
        elif (self.blocks or 0) > self.informative:
            why = "an informative gene for each block"
        elif planted > self.features:
            why = f"features for all {planted} planted genes (a block has {BLOCK_SIZE - 1} more)"
        else:
            return
        raise errors.InputError(f"simulate: there must be {why}; received {self}.")


def check_range(name: str, value: Any, kind: type, least: float, below: float = math.inf) -> None:
    """Refuse a parameter that is no number of a kind from `least` on and below `below`.

    Args:
        name: Name of the parameter.
        value: Its value.
        kind: int or float.
        least: Lowest value allowed.
        below: Value that must not be reached; infinite for no bound.
    """
    if not isinstance(value, kind) or not least <= value < below:
        noun = "an integer" if kind is numbers.Integral else "a number"
        limit = f"at least {least}" + (f" and below {below}" if below < math.inf else "")
        raise errors.InputError(f"simulate: {name} must be {noun}, {limit}; received {value!r}.")


def check_each(parameters: Any, least: Mapping[str, int]) -> None:
    """Refuse parameters that are no numbers of their field's kind from `least` (else 0) on.

    Args:
        parameters: Dataclass of parameters.
        least: Dict of names to the lowest value; 0 where not named.
    """
    for field in dataclasses.fields(parameters):
        kind = numbers.Real if field.type is float else numbers.Integral
        check_range(field.name, getattr(parameters, field.name), kind, least.get(field.name, 0))


def check_most(parameters: Any, limits: Mapping[str, float]) -> None:
    """Refuse parameters above limits that follow from others.

    Args:
        parameters: Dataclass of parameters.
        limits: Dict of names to the largest value.
    """
    for name, most in limits.items():
        if getattr(parameters, name) > most:
            raise errors.InputError(
                f"simulate: {name} must be at most {most} here; received {parameters}."
            )


@dataclasses.dataclass(frozen=True)
class Simulation:
    """A drawn matrix and what was planted in it.

    Args:
        values: float32 of (samples, features), at least 0.
        samples: Sample ids.
        features: Gene names, roles in random order.
        target: Class names, or float64 for regression, of (samples,); for survival a structured
            array of time (in months) and event (1, or 0 where censored).
        batch: Batch names of (samples,).
        truth: A row a gene: `feature`, `role` (main, interaction, passenger, null), `partner`
            (a passenger's driver, the other gene of a pair, else empty), `effect`, `batch`
            (whether batches move the gene). The effect is, for a main gene, the standard
            deviation of its class means; for an interaction, that of the pair's correlation
            within classes; for a passenger, the correlation with its driver; for regression
            and survival, the coefficient of the gene or of the pair's product; else 0.
        effects: A row a main gene and a first gene of a pair, a column a class: its mean, or the
            pair's correlation; for regression and survival one column of coefficients.
        parameters: What was asked for.
    """

    values: np.ndarray
    samples: list
    features: list
    target: np.ndarray
    batch: np.ndarray
    truth: pd.DataFrame
    effects: pd.DataFrame
    parameters: Parameters


@dataclasses.dataclass(frozen=True)
class _Places:
    """Column indices by role: (informative,), (pairs, 2), (blocks, passengers a block)."""

    main: np.ndarray
    pairs: np.ndarray
    passengers: np.ndarray

    @property
    def drivers(self):
        return self.main[: len(self.passengers)]

    @property
    def terms(self):
        """Return the gene of each effect: main genes, then the first of each pair."""
        return np.concatenate([self.main, self.pairs[:, 0]])

    @property
    def planted(self):
        return np.concatenate([self.main, self.pairs.ravel(), self.passengers.ravel()])


def draw(**parameters: Any) -> Simulation:
    """Draw a matrix in memory; the same parameters give the same values.

    Args:
        **parameters: Fields of `Parameters`.

    Returns:
        A `Simulation`.

    >>> simulation = draw(samples=6, features=40, informative=4, interactions=1)
    >>> simulation.values.shape, sorted(set(simulation.target.tolist()))
    ((6, 40), ['class_1', 'class_2', 'class_3'])
    """
    asked = Parameters(**parameters)
    places = _draw_places(asked)
    names = numbered("GENE", asked.features, width=5)
    effects = _draw_effects(asked)
    states, target = _draw_states(asked, places, effects)
    batch, shifts = _draw_batches(asked)
    states += shifts[batch]
    return Simulation(
        values=_draw_values(asked, places, states),
        samples=numbered("S", asked.samples, width=4),
        features=names,
        target=target,
        batch=np.array(numbered("batch_", asked.batches, width=1))[batch],
        truth=_truth(asked, places, names, effects, moved=shifts.any(axis=0)),
        effects=pd.DataFrame(effects, np.array(names)[places.terms], asked.labels),
        parameters=asked,
    )


def _draw_places(asked):
    order = stream(asked, "places").permutation(asked.features)
    pairs_end = asked.informative + 2 * asked.interactions
    passengers = (asked.blocks or 0) * (BLOCK_SIZE - 1)
    return _Places(
        main=order[: asked.informative],
        pairs=order[asked.informative : pairs_end].reshape(-1, 2),
        passengers=order[pairs_end : pairs_end + passengers].reshape(-1, BLOCK_SIZE - 1),
    )


def _draw_effects(asked):
    """Return the effects of (informative + interactions, labels)."""
    return asked.kind.draw_effects(stream(asked, "effects"), asked)


def _draw_states(asked, places, effects):
    """Log expression of (samples, features) around each gene's mean, and the target."""
    rng = stream(asked, "states")
    states = rng.standard_normal((asked.samples, asked.features), dtype=np.float32)
    target = asked.kind.plant(rng, asked, places, effects, states)
    _plant_passengers(places, states)
    return states, target


def _plant_passengers(places, states):
    for driver, passengers in zip(places.drivers, places.passengers, strict=True):
        states[:, passengers] *= math.sqrt(1 - RHO**2)
        states[:, passengers] += RHO * states[:, [driver]]


def _draw_batches(asked):
    """Return batch numbers (samples,) and shifts (batches, features) that sum to 0 a gene."""
    rng = stream(asked, "batches")
    batch = rng.permutation(np.arange(asked.samples) % asked.batches)
    shifts = asked.batch_effect * rng.normal(size=(asked.batches, asked.features))
    shifts -= shifts.mean(axis=0)
    shifts *= rng.random(asked.features) < BATCH_SHARE
    return batch, shifts.astype(np.float32)


def _draw_values(asked, places, states):
    """Return the expression of (samples, features); overwrites `states`."""
    rng = stream(asked, "expression")
    means = LOG_MEAN_SPREAD * rng.normal(size=asked.features)
    means[places.planted] = np.abs(means[places.planted])  # a silent gene has no effect
    library = LIBRARY_SPREAD * rng.normal(size=(asked.samples, 1))
    states *= LOG_SPREAD
    states += (LOG_MEAN + means).astype(np.float32)
    states += library.astype(np.float32)
    values = np.exp(np.minimum(states, LOG_MOST, out=states), out=states)
    kept = 1 - _dropout(means, asked.dropout)
    for row in values:  # row by row: Poisson works in float64 and would triple the memory
        row[:] = rng.poisson(row) if asked.counts else row
        row *= rng.random(asked.features) < kept
    return values


def _dropout(means, share):
    """Return a gene's dropout probability, falling with its mean; `share` on average.

    With u uniform in (0, 1), u ** (1 / share - 1) has the mean `share`.
    """
    if share == 0:
        return np.zeros(len(means))
    lowness = (np.argsort(np.argsort(-means)) + 0.5) / len(means)
    return lowness ** (1 / share - 1)


def _truth(asked, places, names, effects, moved):
    names = np.array(names)
    sizes = asked.kind.sizes(effects)
    role, partner = np.full((2, asked.features), "", dtype=object)
    effect = np.zeros(asked.features)
    role[:] = "null"
    role[places.main], effect[places.main] = "main", sizes[: asked.informative]
    role[places.pairs], partner[places.pairs] = "interaction", names[places.pairs[:, ::-1]]
    effect[places.pairs] = sizes[asked.informative :, None]
    role[places.passengers], effect[places.passengers] = "passenger", RHO
    partner[places.passengers] = names[places.drivers][:, None]
    columns = {"feature": names, "role": role, "partner": partner, "effect": effect}
    return pd.DataFrame(columns | {"batch": moved})
