"""Genotypes and a target that is a sum of a few products of sites, drawn from a few parameters."""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.core import seeds
from autogenome_tf.simulation.expression import check_each, check_most

MOST_FEATURES = 62  # a genotype's number is an int64
LEAST = {"samples": 4, "features": 1, "terms": 1, "order": 1}  # everything else: 0
WEAKEST = 0.3  # of the strongest term


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Parameters of a simulated landscape; a wrong value raises `errors.InputError`.

    Args:
        samples: Different genotypes, drawn evenly; at least 4, at most 2^features.
        features: Sites, at most 62.
        terms: Products of sites that make the target.
        order: Sites of a product, at most; orders take turns, from 1 on.
        noise: Standard deviation of the target's error, where the terms' is 1.
        seed: At least 0.
    """

    samples: int = 300
    features: int = 10
    terms: int = 8
    order: int = 3
    noise: float = 0.1
    seed: int = 7

    def __post_init__(self):
        """Refuse what cannot be drawn."""
        check_each(self, LEAST)
        limits = {
            "features": MOST_FEATURES,
            "samples": 2**self.features,
            "order": self.features,
            "terms": sum(math.comb(self.features, k) for k in range(1, self.order + 1)),
        }
        check_most(self, limits)


@dataclasses.dataclass(frozen=True)
class Landscape:
    """A drawn landscape and what was planted in it.

    Args:
        values: float32 of (samples, features), 0 and 1.
        samples: Sample ids, "g" and the genotype's digits.
        features: Names of sites.
        target: float64 of (samples,).
        truth: A row a term, the strongest first: `order`, `sites` (joined by " x ") and its
            `coefficient`, that of the product of (-1)^x over its sites; squares sum to 1.
        parameters: What was asked for.
    """

    values: np.ndarray
    samples: list
    features: list
    target: np.ndarray
    truth: pd.DataFrame
    parameters: Parameters


def draw(**parameters: Any) -> Landscape:
    """Draw a landscape in memory; the same parameters give the same values.

    Args:
        **parameters: Fields of `Parameters`.

    Returns:
        A `Landscape`.

    >>> landscape = draw(samples=20, features=5, terms=3)
    >>> landscape.values.shape, landscape.truth["order"].tolist()
    ((20, 5), [1, 2, 3])
    """
    asked = Parameters(**parameters)
    rng = np.random.default_rng(seeds.derive(asked.seed, "simulate/landscape"))
    terms = _draw_terms(rng, asked)
    sizes = np.geomspace(1, WEAKEST, asked.terms) * rng.choice([-1.0, 1.0], asked.terms)
    sizes /= np.linalg.norm(sizes)
    values = _draw_genotypes(rng, asked)
    signs = 1 - 2 * values
    products = np.stack([signs[:, term].prod(axis=1) for term in terms], axis=1)
    target = products @ sizes + asked.noise * rng.normal(size=asked.samples)
    width = len(str(asked.features))
    names = np.array([f"SITE{number:0{width}d}" for number in range(1, asked.features + 1)])
    columns = {
        "order": [len(term) for term in terms],
        "sites": [" x ".join(names[term]) for term in terms],
        "coefficient": sizes,
    }
    return Landscape(
        values=values.astype("float32"),
        samples=["g" + "".join(map(str, row)) for row in values.tolist()],
        features=names.tolist(),
        target=target,
        truth=pd.DataFrame(columns),
        parameters=asked,
    )


def _draw_terms(rng, asked):
    """Return different sets of sites, sorted positions each."""
    terms, orders = {}, itertools.cycle(range(1, asked.order + 1))
    while len(terms) < asked.terms:
        sites = rng.choice(asked.features, next(orders), replace=False)
        terms[tuple(sorted(sites.tolist()))] = None
    return [list(term) for term in terms]


def _draw_genotypes(rng, asked):
    """Return (samples, features) of 0 and 1, no row twice."""
    known = set()
    while len(known) < asked.samples:
        known.add(int(rng.integers(2**asked.features)))
    drawn = rng.permutation(np.array(sorted(known)))
    return (drawn[:, None] >> np.arange(asked.features)[::-1]) & 1
