"""Simulated atlases: counts of cells of known types in batches, as folders that `sets` reads.

A gene's expected share of a cell's molecules is the exponential of a sum: its level, what is raised
or lowered in the type, two programs along which cells of all types vary, and what is raised or
lowered in the batch, a little of it in one type alone. Counts are drawn with a dispersion from a
negative binomial, with a depth of each cell, which batches shift too.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
from sets import Set, written

KINDS = ("nested", "unequal")
GENES, TYPES, BATCHES = 500, 8, 5
# Standard deviations of natural logarithms: levels of genes, batches, types in a batch, programs,
# depths of batches and cells.
LEVEL, BATCH, TYPE_IN_BATCH, PROGRAM, DEPTHS, DEPTH = 1.2, 0.3, 0.1, 0.2, 0.3, 0.3
# Of a type: genes that differ in it, by how much; of pairs of types, which share the others.
MARKERS, EFFECT, COMMON = 0.06, 1.0, 0.06
MOLECULES, DISPERSION = 2000, 0.3
# Types of each batch of `unequal`; the last one type is nowhere else.
HELD = ((0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 3, 4, 5), (2, 3, 4, 5, 6), (0, 2, 4, 7), (1, 3))


@dataclasses.dataclass(frozen=True)
class Atlas:
    """A kind of atlas.

    `nested`: equal types in every batch; batches 1 to 3 and 4 to 5 are of two studies, whose
    effects are as large as those of batches and add to them. `unequal`: batches hold types by
    `HELD`, in shares of which nine tenths are drawn from a Dirichlet distribution (1.5).
    """

    name: str
    cells: int
    task = "classification"

    def drawn(self, folder, seed):
        """The `Set` of an atlas, written to a folder."""
        random = np.random.default_rng([seed, len(self.name)])
        batches = np.sort(random.integers(0, BATCHES, self.cells))
        types = self._types(random, batches)
        means = np.exp(_logs(random, types, batches, self.name == "nested"))
        depth = DEPTHS * random.normal(size=BATCHES)[batches]
        depth += DEPTH * random.normal(size=self.cells)
        means *= (MOLECULES * np.exp(depth) / means.sum(axis=1))[:, None]
        counts = random.poisson(means * random.gamma(1 / DISPERSION, DISPERSION, means.shape))
        return self._written(Path(folder), counts, types, batches)

    def _types(self, random, batches):
        held = [range(TYPES)] * BATCHES if self.name == "nested" else HELD
        types = np.zeros(self.cells, int)
        for batch, some in enumerate(held):
            shares = np.ones(len(some)) / len(some)
            if self.name != "nested":
                shares = 0.1 * shares + 0.9 * random.dirichlet(np.full(len(some), 1.5))
            own = batches == batch
            types[own] = random.choice(some, own.sum(), p=shares)
        return types

    def _written(self, folder, counts, types, batches):
        samples = np.array([f"cell{number}" for number in range(self.cells)])
        genes = [f"gene{number}" for number in range(GENES)]
        written(folder, samples, genes, counts, [f"type{one}" for one in types])
        frame = pd.DataFrame({"sample": samples, "batch": [f"batch{one}" for one in batches]})
        frame.to_csv(folder / "sample_info.tsv", sep="\t", index=False)
        return Set(self.name, folder, self.task)


def _logs(random, types, batches, is_nested):
    """(cells, genes) natural logarithms of expected expression."""
    effects = EFFECT * random.normal(size=(TYPES, GENES))
    effects *= random.random(effects.shape) < MARKERS
    pairs = EFFECT * random.normal(size=(TYPES // 2, GENES))
    pairs *= random.random(pairs.shape) < COMMON
    effects += np.repeat(pairs, 2, axis=0)
    shifts = BATCH * random.normal(size=(BATCHES, GENES))
    if is_nested:
        shifts += BATCH * random.normal(size=(2, GENES))[[0, 0, 0, 1, 1]]
    beside = TYPE_IN_BATCH * random.normal(size=(BATCHES, TYPES, GENES))
    programs = PROGRAM * random.normal(size=(len(types), 2)) @ random.normal(size=(2, GENES))
    level = LEVEL * random.normal(size=GENES)
    return level + effects[types] + shifts[batches] + beside[batches, types] + programs
