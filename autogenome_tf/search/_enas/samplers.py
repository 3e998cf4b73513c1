"""Sources of children without a policy: uniform draws, evolution, the children of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from autogenome_tf.core.seeds import derive
from autogenome_tf.search._enas.children import ChildSpace

POPULATION = 64
# Members of the population of which the best is mutated (Real et al. 2019).
TOURNAMENT = 16
# Draws in which children within a limit are looked for; then the smallest child stands in.
MOST_DRAWS = 20


class Sampler(Protocol):
    """Propose codes of children and learn from their rewards."""

    def sample(self, count: int) -> np.ndarray:
        """Draw codes, (count, decisions) positions."""
        ...

    def learn(self, codes: np.ndarray, rewards: np.ndarray) -> dict[str, float]:
        """Learn from rewards (count,), larger is better; return the measures of an update."""
        ...

    def state(self) -> list[np.ndarray]:
        """Return everything that learning changes, as arrays."""
        ...

    def restore(self, state: list[np.ndarray]) -> None:
        """Restore a `state`."""
        ...


class Uniform:
    """Sample every option of every decision with equal probability, and learn nothing.

    Args:
        options: Allowed positions of each decision.
        seed: Of what is sampled.
    """

    def __init__(self, options: Sequence[np.ndarray], seed: int):
        self._options, self._seed, self._drawn = options, seed, 0

    def sample(self, count: int) -> np.ndarray:
        """Draw codes, as `Controller.sample` does."""
        random = self._random()
        drawn = [random.choice(options, count) for options in self._options]
        return np.stack(drawn, axis=1).astype("int32")

    def learn(self, codes: np.ndarray, rewards: np.ndarray) -> dict[str, float]:
        """Return the mean reward, and learn nothing."""
        return {"reward": float(np.mean(rewards))}

    def state(self) -> list[np.ndarray]:
        """Return the number of draws."""
        return [np.array(self._drawn)]

    def restore(self, state: list[np.ndarray]) -> None:
        """Restore a `state`."""
        self._drawn = int(state[0])

    def _random(self):
        self._drawn += 1
        return np.random.default_rng([derive(self._seed, "arcs"), self._drawn])


class Evolution(Uniform):
    """Regularised evolution (Real et al. 2019): mutate the best of a few, forget the oldest.

    Args:
        options: As `Uniform`'s.
        seed: Of what is sampled.
    """

    def __init__(self, options: Sequence[np.ndarray], seed: int):
        super().__init__(options, seed)
        self._open = np.flatnonzero([len(own) > 1 for own in options])
        self._codes, self._rewards = np.zeros((0, len(options)), "int32"), np.zeros(0)

    def sample(self, count: int) -> np.ndarray:
        """Draw codes: uniform ones for the first population, then mutants of good ones."""
        if len(self._codes) < POPULATION or not len(self._open):
            return super().sample(count)
        random = self._random()
        return np.stack([self._mutant(random) for _ in range(count)])

    def learn(self, codes: np.ndarray, rewards: np.ndarray) -> dict[str, float]:
        """Add children to the population, the oldest leave it; return mean and best reward."""
        self._codes = np.concatenate([self._codes, codes])[-POPULATION:]
        self._rewards = np.concatenate([self._rewards, rewards])[-POPULATION:]
        return {"reward": float(np.mean(rewards)), "best_reward": float(self._rewards.max())}

    def state(self) -> list[np.ndarray]:
        """Return the number of draws and the population."""
        return [*super().state(), self._codes, self._rewards]

    def restore(self, state: list[np.ndarray]) -> None:
        """Restore a `state`."""
        super().restore(state)
        self._codes, self._rewards = state[1:]

    def _mutant(self, random):
        """Return the best of a tournament with another option in one decision."""
        drawn = random.choice(len(self._codes), min(TOURNAMENT, len(self._codes)), replace=False)
        code = self._codes[drawn[self._rewards[drawn].argmax()]].copy()
        decision = random.choice(self._open)
        others = self._options[decision][self._options[decision] != code[decision]]
        code[decision] = random.choice(others)
        return code


class Limited:
    """Reject children of more parameters than a limit, whoever proposes them.

    A policy that is rewarded for the others alone stays one over those (TabNAS, Yang et al. 2022).

    Args:
        sampler: Proposes children and learns.
        is_within: Function from codes to whether each child is within the limit.
        smallest: Code of the smallest child, which is.
    """

    def __init__(self, sampler: Sampler, is_within, smallest: np.ndarray):
        self._sampler, self._is_within, self._smallest = sampler, is_within, smallest
        self.learn, self.state, self.restore = sampler.learn, sampler.state, sampler.restore

    def sample(self, count: int) -> np.ndarray:
        """Draw codes within the limit."""
        kept = self._smallest[None][:0]
        for _ in range(MOST_DRAWS):
            drawn = self._sampler.sample(count)
            kept = np.concatenate([kept, drawn[self._is_within(drawn)]])
            if len(kept) >= count:
                return kept[:count]
        return np.concatenate([kept, np.repeat(self._smallest[None], count - len(kept), axis=0)])


class Sandwich:
    """Draw the children that steps of a bank train: the largest, the smallest, others at random.

    The sandwich rule of slimmable networks (Yu and Huang 2019). Over the children of an epoch every
    option of a decision comes equally often, apart from the sizes of largest and smallest.

    Args:
        space: The `ChildSpace`.
        children: How many a step trains; of one alone none is largest, of two none smallest.
        seed: Of what is drawn.
        largest: Code of the largest child within a limit, None where there is no limit.
        is_within: Function from codes to whether each is within the limit; None for no limit.
    """

    def __init__(self, space: ChildSpace, children: int, seed: int, largest=None, is_within=None):
        self._space, self._children, self._seed = space, children, seed
        self._largest, self._is_within = largest, is_within

    def sample(self, count: int) -> np.ndarray:
        """Draw codes for `count` children, those of a step one behind the other."""
        random = np.random.default_rng(derive(self._seed, "children"))
        codes = self._balanced(count, random)
        for place, is_largest in enumerate((True, False)[: self._children - 1]):
            for column, position in self._space.extreme(is_largest).items():
                codes[place :: self._children, column] = position
        if self._is_within is None:
            return codes
        if self._children > 1:
            rates = codes[:: self._children]
            codes[:: self._children] = self._sized_as(rates, self._largest)
        smallest = self._sized_as(codes, smallest_code(self._space))
        return np.where(self._is_within(codes)[:, None], codes, smallest)

    def _balanced(self, count, random):
        columns = [random.permutation(_repeated(own, count, random)) for own in self._space.options]
        return np.stack(columns, axis=1).astype("int32")

    def _sized_as(self, codes, other):
        """Return codes with the sizes of another."""
        found = codes.copy()
        for column in self._space.extreme(True):
            found[:, column] = other[column]
        return found


def smallest_code(space: ChildSpace) -> np.ndarray:
    """Return the code of the smallest child, (decisions,), every rate its first option.

    Args:
        space: The `ChildSpace`.
    """
    code = np.array([options[0] for options in space.options], "int32")
    for column, position in space.extreme(False).items():
        code[column] = position
    return code


def _repeated(options, count, random):
    """Repeat shuffled options to a length, so that their numbers differ by one at most."""
    return np.resize(random.permutation(options), count)
