"""Genotypes that nobody has measured, for which networks are asked to be simple.

Epistatic regularisation adds to the loss the absolute Walsh coefficients of what a network makes of
all genotypes, R = sum over non-empty S of |g_S| (Aghazadeh et al. 2021, "Epistatic Net"): few sites
and few sets of them shall explain it. 2^n genotypes a step are too many for long ones; a random
linear map from few bits draws some (HashWH, Gorji et al. 2023), whose coefficients are sums of the
g_S that the map does not tell apart.
"""

import tensorflow as tf

from autogenome_tf.core.errors import InputError
from autogenome_tf.nn import walsh_hadamard

# Sites whose genotypes are all seen in every step: by choice of `auto`, and at most.
AUTO_SITES, MOST_SITES = 13, 16
# Apart from what layers draw in the same step.
MAP_SEED = 1


class Genotypes:
    """What the network of each fold sees of genotypes.

    Args:
        low, high: (folds, sites) what 0 and 1 of each site become, which differ as folds scale
            sites by their own training rows.
        method: The config's `training.epistasis.method`.
        bits: Of a genotype's number where they are drawn.
    """

    def __init__(self, low, high, method="auto", bits=7):
        self._low, self._high = (tf.constant(part, tf.float32)[:, None] for part in (low, high))
        self._sites, self._bits = low.shape[1], bits
        self.is_exact = is_exact(method, self._sites)

    def seen(self, seed):
        """What each fold sees of the genotypes of a step, (folds, genotypes, sites).

        Args:
            seed: (2,) int32 tensor, a new one each step.
        """
        return self._low + self._drawn(seed) * (self._high - self._low)

    def _drawn(self, seed):
        if self.is_exact:
            return tf.constant(walsh_hadamard.genotypes(self._sites))
        shape, own = (self._bits, self._sites), seed + tf.constant([MAP_SEED, 0])
        to_sites = tf.random.stateless_uniform(shape, own, 0, 2, tf.int32)
        ones = tf.matmul(
            tf.constant(walsh_hadamard.genotypes(self._bits)), tf.cast(to_sites, tf.float32)
        )
        return ones % 2


def is_exact(method, sites):
    """Whether a method takes all genotypes of so many sites.

    Raises:
        InputError: Where it is to, and they are too many.
    """
    if method == "exact" and sites > MOST_SITES:
        raise InputError(
            f"training.epistasis.method: exact takes all 2^{sites} genotypes in each step; "
            f"expected hashed or auto for more than {MOST_SITES} sites."
        )
    return method == "exact" or (method == "auto" and sites <= AUTO_SITES)


def complexity(outputs):
    """The penalty R of functions given by their values; the constant term is free.

    Args:
        outputs: (networks, 2^m, outputs) for all genotypes, or for drawn ones in order.

    Returns:
        (networks,) averaged over outputs, as losses are.
    """
    found = walsh_hadamard.coefficients(tf.transpose(outputs, (0, 2, 1)))[..., 1:]
    return tf.reduce_mean(tf.reduce_sum(tf.abs(found), axis=-1), axis=-1)
