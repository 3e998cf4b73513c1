"""Epistatic regularisation: the penalty on the Walsh coefficients of a network.

It adds R = sum over non-empty S of |g_S| to the loss (Aghazadeh et al. 2021, "Epistatic Net"). The
g_S are the Walsh coefficients of a network's outputs over all genotypes, measured or not. So few
sites, and few sets of them, explain the outputs.

Of many sites, all 2^n genotypes are too many for a step. A random linear map from few bits draws
some of them (HashWH, Gorji et al. 2023). Their coefficients are sums of the g_S that the map sends
to the same place.
"""

import numpy as np
import tensorflow as tf

from autogenome_tf.core.errors import InputError
from autogenome_tf.nn import walsh_hadamard

# Sites whose genotypes are all seen in every step: by choice of `auto`, and at most.
AUTO_SITES, MOST_SITES = 13, 16
# Apart from what layers draw in the same step.
MAP_SEED = 1


class Genotypes:
    """The genotypes of the penalty, preprocessed as the network of each fold sees them.

    Args:
        low: (folds, sites) the value that 0 of each site becomes; folds scale sites by their own
            training rows.
        high: (folds, sites) the value that 1 becomes.
        method: The config's `training.epistasis.method`: "auto", "exact" or "hashed".
        bits: Of a genotype's number where genotypes are drawn: 2^bits a step; 7 by default.

    Attributes:
        ends: (2, folds, 1, sites) float32, `low` and `high`.
        is_exact: Whether a step takes all genotypes.
        key: Cache key of what `seen` computes, whatever the ends.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, method: str = "auto", bits: int = 7):
        self.ends = np.stack([low, high])[:, :, None].astype("float32")
        self._sites, self._bits = low.shape[1], bits
        check_sites(method, self._sites)
        self.is_exact = method == "exact" or (method == "auto" and self._sites <= AUTO_SITES)
        self.key = self._sites, self.is_exact, bits

    def seen(self, seed: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
        """Return the preprocessed genotypes of a step.

        Args:
            seed: (2,) int32 tensor, a new one each step.
            ends: (2, folds, 1, sites) tensor, the `ends` of genotypes with the same key.

        Returns:
            (folds, genotypes, sites).
        """
        low, high = tf.unstack(ends)
        return low + self._drawn(seed) * (high - low)

    def _drawn(self, seed):
        if self.is_exact:
            return tf.constant(walsh_hadamard.genotypes(self._sites))
        shape, own = (self._bits, self._sites), seed + tf.constant([MAP_SEED, 0])
        to_sites = tf.random.stateless_uniform(shape, own, 0, 2, tf.int32)
        ones = tf.matmul(
            tf.constant(walsh_hadamard.genotypes(self._bits)), tf.cast(to_sites, tf.float32)
        )
        return ones % 2


def check_sites(method: str, sites: int) -> None:
    """Refuse sites of which there are too many for steps that take all 2^sites genotypes.

    Args:
        method: "auto", "exact" or "hashed".
        sites: Number of sites.

    Raises:
        InputError: For "exact" with too many sites.
    """
    if method == "exact" and sites > MOST_SITES:
        raise InputError(
            f"training.epistasis.method: exact takes all 2^{sites} genotypes in each step; "
            f"expected hashed or auto for more than {MOST_SITES} sites."
        )


def complexity(outputs: tf.Tensor) -> tf.Tensor:
    """Compute the penalty R of functions given by their values; the constant term is free.

    Args:
        outputs: (networks, 2^m, outputs) for all genotypes, or for drawn ones in order.

    Returns:
        (networks,) averaged over outputs, as losses are.
    """
    found = walsh_hadamard.coefficients(tf.transpose(outputs, (0, 2, 1)))[..., 1:]
    return tf.reduce_mean(tf.reduce_sum(tf.abs(found), axis=-1), axis=-1)
