"""Long reads of genomes that are sequenced at different depths, with errors."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.simulation._genomes import changed, draw_genomes, letters, shuffled
from autogenome_tf.simulation._targets import numbered, stream
from autogenome_tf.simulation.expression import check_each, check_most

# Median length of a read, standard deviation of its logarithm, and the shortest.
READ, SHORTEST = (6_000, 0.6), 1_200
LEAST = {"genomes": 2, "bases": 20_000, "deepest": 4}
SHALLOWEST = 4.0  # mean depth


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Parameters of simulated long reads; a wrong value raises `errors.InputError`.

    Args:
        genomes: Genomes, at least 2.
        bases: Length of a genome.
        deepest: Largest mean depth of a genome; depths are log-uniform from 4 on.
        errors: Share of wrong bases, from 0 to 0.5; a wrong base is another one, none is lost.
        seed: At least 0.
    """

    genomes: int = 12
    bases: int = 200_000
    deepest: float = 60.0
    errors: float = 0.05
    seed: int = 7

    def __post_init__(self):
        """Refuse what cannot be drawn."""
        check_each(self, LEAST)
        check_most(self, {"errors": 0.5})


@dataclasses.dataclass(frozen=True)
class Reads:
    """Drawn reads in an order of chance, and the genomes that they are of.

    Args:
        names: Ids of reads.
        sequences: Bases of each, as text.
        truth: A row a read: `read`, `genome`, `depth` (the genome's mean), `bases`.
        parameters: What was asked for.
    """

    names: list
    sequences: list
    truth: pd.DataFrame
    parameters: Parameters


def draw(**parameters: Any) -> Reads:
    """Draw long reads in memory; the same parameters give the same bases.

    A read is a piece of a genome of `draw_genomes`, of log-normal length (6,000 bases in the
    median), of either strand.

    Args:
        **parameters: Fields of `Parameters`.

    Returns:
        A `Reads`.

    >>> drawn = draw(genomes=2, bases=20_000)
    >>> drawn.truth["genome"].nunique(), min(map(len, drawn.sequences)) >= 1_200
    (2, True)
    """
    asked = Parameters(**parameters)
    random = stream(asked, "reads")
    genomes = draw_genomes(random, asked.genomes, asked.bases)
    depths = np.exp(random.uniform(np.log(SHALLOWEST), np.log(asked.deepest), asked.genomes))
    sequences, rows = [], []
    width = len(str(asked.genomes))
    for name, genome, depth in zip(
        numbered("genome_", asked.genomes, width), genomes, depths, strict=True
    ):
        left = depth * asked.bases
        while left > 0:
            read = _read(random, genome, asked.errors)
            left -= len(read)
            sequences.append(letters(read))
            rows.append((name, depth, len(read)))
    order, truth = shuffled(random, "read", rows, ["genome", "depth", "bases"])
    ordered = [sequences[place] for place in order]
    return Reads(truth["read"].tolist(), ordered, truth, asked)


def _read(random, genome, errors):
    """Return the bases of a piece of a genome, of which so many are wrong, of either strand."""
    median, spread = READ
    length = int(np.clip(random.lognormal(np.log(median), spread), SHORTEST, len(genome)))
    start = random.integers(len(genome) - length + 1)
    read = changed(random, genome[start : start + length], random.random(length) < errors)
    return read if random.random() < 0.5 else 3 - read[::-1]
