"""The Walsh-Hadamard transform: functions of genotypes as sums of products of sites.

A genotype is a row of n zeros and ones. The character of a set S of sites is chi_S(x) = (-1) to the
number of ones among them, and every function of genotypes is f(x) = sum over S of g_S chi_S(x),
where g = 2^-n H f. Genotypes and sets are numbered alike, by their bits, the first site's the
highest (Sylvester's order, that of `scipy.linalg.hadamard`).
"""

import itertools

import numpy as np
import scipy.linalg
import tensorflow as tf

# Bits of one stage of the transform.
STAGE = 5


def transform(values: tf.Tensor) -> tf.Tensor:
    """Multiply by the Hadamard matrix without making it; differentiable.

    The matrix is a Kronecker product of small ones: each stage multiplies `STAGE` bits of the
    numbers by theirs and brings the next bits to the end. Larger stages cost fewer passes over
    memory, which is what butterflies of one bit spend their time on.

    Args:
        values: (..., 2^n) tensor of floats; the last dimension is known.

    Returns:
        H values, of the same shape; applied twice, it is 2^n times the values.

    Raises:
        ValueError: The last dimension is no power of two.

    >>> transform(tf.constant([1.0, 0.0, 0.0, 1.0])).numpy().tolist()
    [2.0, 0.0, 0.0, 2.0]
    """
    values = tf.convert_to_tensor(values)
    size, shape = values.shape[-1], tf.shape(values)
    left = size.bit_length() - 1
    if size != 1 << left:
        raise ValueError(f"expected a power of two of values; received {size}")
    while left:
        taken = min(STAGE, left)
        small = tf.constant(scipy.linalg.hadamard(1 << taken), values.dtype)
        blocks = tf.reshape(values, (-1, size >> taken, 1 << taken))
        values = tf.matmul(small, blocks, transpose_b=True)
        left -= taken
    return tf.reshape(values, shape)


def coefficients(values: tf.Tensor) -> tf.Tensor:
    """Compute the g_S from a function's values for all genotypes: (..., 2^n) -> (..., 2^n).

    Args:
        values: (..., 2^sites) values of all genotypes.
    """
    return transform(values) / values.shape[-1]


def genotypes(sites: int) -> np.ndarray:
    """List all genotypes of n sites in order, (2^n, n) float32.

    Args:
        sites: Number of sites.

    >>> genotypes(2).astype(int).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return bits(np.arange(1 << sites), sites).astype("float32")


def bits(numbers: np.ndarray, sites: int) -> np.ndarray:
    """Return the sites of genotypes or sets of these numbers, (numbers, n) of 0 and 1.

    Args:
        numbers: (n,) integers.
        sites: Number of bits.
    """
    return (np.asarray(numbers)[:, None] >> np.arange(sites)[::-1]) & 1


def orders(sites: int) -> np.ndarray:
    """Return the number of sites in each set, (2^n,) int.

    Args:
        sites: Number of sites.

    >>> orders(2).tolist()
    [0, 1, 1, 2]
    """
    return np.bitwise_count(np.arange(1 << sites)).astype(int)


def variances(found: np.ndarray) -> np.ndarray:
    """Split the variance over all genotypes by the order of its terms (Parseval).

    Args:
        found: (..., 2^n) coefficients.

    Returns:
        (..., n) float64, orders 1 to n: sums of squared coefficients.
    """
    found = np.asarray(found, "float64")
    order = orders(found.shape[-1].bit_length() - 1)
    return np.stack([(found[..., order == k] ** 2).sum(-1) for k in range(1, order.max() + 1)], -1)


def subsets(sites: int, most: int) -> list[tuple[int, ...]]:
    """List all sets of 1 to `most` of the sites, as tuples of positions, by size.

    Args:
        sites: Number of sites.
        most: Most sites of a subset.
    """
    return [s for k in range(1, most + 1) for s in itertools.combinations(range(sites), k)]


def characters(rows: np.ndarray, sets: list[tuple[int, ...]]) -> np.ndarray:
    """Compute the columns of a linear model in products of sites.

    Args:
        rows: (rows, n) of 0 and 1.
        sets: Tuples of positions of sites.

    Returns:
        (rows, sets) of 1 and -1.
    """
    signs = 1 - 2 * np.asarray(rows).astype("int8")
    return np.stack([signs[:, list(one)].prod(axis=1, dtype="int8") for one in sets], axis=1)
