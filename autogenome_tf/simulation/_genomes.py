"""Draw genomes, Markov chains of bases, and put pieces of them in an order of chance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autogenome_tf.simulation._targets import numbered

LETTERS = np.frombuffer(b"ACGT", "uint8")
# Bases that follow three others by the same chances; these differ from piece to piece of a genome
# as if they were counted on so many bases.
PIECE, COUNTED = 5_000, 150.0
# Of a genome's log chances: what it shares with others, along so many directions, and its own.
DIRECTIONS, SHARED, OWN = 8, 0.2, 0.1


def draw_genomes(random: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Draw genomes, each a Markov chain of third order.

    Args:
        random: Source of the draws.
        count: Number of genomes.
        length: Bases of each.

    Returns:
        uint8 of (count, length), 0 to 3 for A, C, G and T.
    """
    content = random.uniform(0.3, 0.7, count)
    base = np.log(np.stack([1 - content, content, content, 1 - content], axis=1) / 2)
    shared = random.normal(size=(count, DIRECTIONS)) @ random.normal(size=(DIRECTIONS, 256))
    logits = SHARED * shared / np.sqrt(DIRECTIONS) + OWN * random.normal(size=(count, 256))
    chances = np.exp(logits.reshape(count, 64, 4) + base[:, None])
    chances /= chances.sum(axis=-1, keepdims=True)
    pieces = -(-length // PIECE)
    found = np.empty((count, PIECE, pieces), "uint8")
    for own, genome in zip(chances, found, strict=True):
        drawn = random.gamma(COUNTED * own, size=(pieces, 64, 4))
        bounds = (drawn / drawn.sum(axis=-1, keepdims=True)).cumsum(axis=-1)[..., :3]
        before, every = random.integers(0, 64, pieces), np.arange(pieces)
        for place, chance in enumerate(random.random((PIECE, pieces))):
            genome[place] = (chance[:, None] > bounds[every, before]).sum(axis=1)
            before = (4 * before + genome[place]) % 64
    return found.transpose(0, 2, 1).reshape(count, -1)[:, :length]


def changed(random: np.random.Generator, bases: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Put another base in some places.

    Args:
        random: Source of the draws.
        bases: (length,) of 0 to 3.
        places: (length,) booleans, true where a base becomes another one.
    """
    return np.where(places, (bases + random.integers(1, 4, len(bases))) % 4, bases)


def letters(bases: np.ndarray) -> str:
    """Return bases, 0 to 3, as text.

    Args:
        bases: (length,) of 0 to 3.
    """
    return LETTERS[bases].tobytes().decode()


def shuffled(
    random: np.random.Generator, kind: str, rows: Sequence[tuple], columns: Sequence[str]
) -> tuple[np.ndarray, pd.DataFrame]:
    """Put pieces of genomes in an order of chance, and number them.

    Args:
        random: Source of the draws.
        kind: Name of the column of ids, and what these begin with.
        rows: Cells of each piece, as they were drawn.
        columns: Names of the cells.

    Returns:
        (pieces,) places in `rows`, and the table in this order, ids in the first column.
    """
    order = random.permutation(len(rows))
    table = pd.DataFrame([rows[place] for place in order], columns=list(columns))
    table.insert(0, kind, numbered(f"{kind}_", len(rows), len(str(len(rows)))))
    return order, table
