"""Contigs of genomes, some of them strains of others, and how deeply samples cover them."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.simulation._genomes import changed, draw_genomes, letters, shuffled
from autogenome_tf.simulation._targets import numbered, stream
from autogenome_tf.simulation.expression import check_each, check_most

LEAST = {"samples": 1, "genomes": 2, "bases": 10_000, "shortest": 1_000}
STRAIN = (0.97, 0.995)  # bases that a strain has like the genome that it is of
CONTIG = (4_500, 1.0)  # median length of a contig, and standard deviation of its logarithm
READ = 150  # bases of a read


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Parameters of simulated contigs; a wrong value raises `errors.InputError`.

    Args:
        genomes: Genomes, strains included; at least 2.
        strains: Those that are strains of others: copies of which 97 to 99.5 % of the bases are
            alike, in depths of their own.
        samples: Samples that are sequenced.
        bases: Length of a genome.
        shortest: Length of the shortest contig.
        noise: Standard deviation of the log depth of contigs of a genome, beside that of counting
            reads.
        seed: At least 0.
    """

    genomes: int = 60
    strains: int = 15
    samples: int = 5
    bases: int = 300_000
    shortest: int = 2_000
    noise: float = 0.2
    seed: int = 7

    def __post_init__(self):
        """Refuse what cannot be drawn."""
        check_each(self, LEAST)
        check_most(self, {"strains": self.genomes - 1, "shortest": self.bases})


@dataclasses.dataclass(frozen=True)
class Contigs:
    """Drawn contigs in an order of chance, and the genomes that they are of.

    Args:
        names: Ids of contigs.
        sequences: Bases of each, as text.
        depths: float64 of (contigs, samples), mean depths of coverage.
        samples: Names of samples.
        truth: A row a contig: `contig`, `genome`, `species` (the same for strains), `bases`.
        parameters: What was asked for.
    """

    names: list
    sequences: list
    depths: np.ndarray
    samples: list
    truth: pd.DataFrame
    parameters: Parameters


def draw(**parameters: Any) -> Contigs:
    """Draw contigs in memory; the same parameters give the same bases.

    A genome is one of `draw_genomes`, cut into contigs of log-normal lengths. Samples are
    alike: the depth of a genome is one number times a smaller one of each sample, and a tenth of
    the genomes is absent from a sample.

    Args:
        **parameters: Fields of `Parameters`.

    Returns:
        A `Contigs`.

    >>> drawn = draw(genomes=3, strains=1, bases=20_000)
    >>> drawn.truth["genome"].nunique(), drawn.truth["species"].nunique(), drawn.depths.shape[1]
    (3, 2, 5)
    """
    asked = Parameters(**parameters)
    bases, depth = stream(asked, "genomes"), stream(asked, "depths")
    chains = draw_genomes(bases, asked.genomes - asked.strains, asked.bases)
    width = len(str(asked.genomes))
    sequences, depths, rows = [], [], []
    for number, name in enumerate(numbered("genome_", asked.genomes, width)):
        species = number % len(chains)
        genome = chains[species]
        if number >= len(chains):
            genome = _strain(bases, genome)
        mean = _draw_depths(depth, asked.samples)
        for part in _cut(bases, genome, asked.shortest):
            own = mean * depth.lognormal(0, asked.noise, asked.samples)
            reads = depth.poisson(own * len(part) / READ)
            sequences.append(letters(part))
            depths.append(reads * READ / len(part))
            rows.append((name, f"species_{species + 1:0{width}d}", len(part)))
    order, truth = shuffled(bases, "contig", rows, ["genome", "species", "bases"])
    return Contigs(
        names=truth["contig"].tolist(),
        sequences=[sequences[place] for place in order],
        depths=np.array(depths)[order],
        samples=numbered("sample_", asked.samples, len(str(asked.samples))),
        truth=truth,
        parameters=asked,
    )


def _strain(random, genome):
    """Return a copy of a genome with other bases in some places."""
    return changed(random, genome, random.random(len(genome)) > random.uniform(*STRAIN))


def _draw_depths(random, samples):
    """Return the mean depth of a genome in each sample; in some it is not."""
    found = random.lognormal(1.5, 1.0) * random.lognormal(0, 0.7, samples)
    found *= random.random(samples) > 0.1
    # Of a genome that hardly any read is of there would be no contigs.
    found[random.integers(samples)] += 3 * (found.sum() < 3)
    return found


def _cut(random, genome, shortest):
    """Yield contigs of a genome; what is left at its end is lost."""
    median, spread = CONTIG
    start = 0
    while len(genome) - start >= shortest:
        length = max(shortest, int(random.lognormal(np.log(median), spread)))
        yield genome[start : start + length]
        start += length
