"""What a decoder says of values: log densities of each row, and the expected values.

Each likelihood reads the decoder's (rows, heads * genes) and further numbers that all rows share.
"""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

# Bounds of log variances and log dispersions: e^-10 to e^10, where float32 has digits to spare.
BOUND = 10.0
SMALLEST = 1e-8


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """How values are distributed around what a decoder says.

    Attributes:
        heads: Numbers that the decoder gives for each gene.
        shared: What all rows share: "" (nothing), "variance" (one number) or "dispersion" (one for
            each gene), as logarithm.
        of_raw: Whether it is of raw values, not of transformed and scaled ones.
        log_density: (values, decoded, shared, library) -> (rows, genes).
        mean: (decoded, library) -> (rows, genes), the expected values.
    """

    heads: int
    shared: str
    of_raw: bool
    log_density: Callable
    mean: Callable

    def log_likelihood(self, values, decoded, shared, library):
        """Sum over genes, missing values left out.

        Args:
            values: (rows, genes), NaN where missing.
            decoded: (rows, heads * genes).
            shared: What all rows share; see `shared`.
            library: (rows, 1) sums of the raw values; used by counts.

        Returns:
            (rows,) in nats.
        """
        known = tf.math.is_finite(values)
        each = self.log_density(tf.where(known, values, 0.0), decoded, shared, library)
        return tf.reduce_sum(tf.where(known, each, 0.0), axis=-1)


def kl_divergence(mean, log_variance):
    """KL of N(mean, exp(log_variance)) from N(0, 1), each unit apart: (rows, units) in nats.

    1/2 (exp(l) + m^2 - 1 - l), Kingma and Welling 2014, appendix B.
    """
    return 0.5 * (tf.exp(log_variance) + mean**2 - 1.0 - log_variance)


def log_normal(values, mean, log_variance):
    """Log density of a normal distribution, elementwise."""
    error = (values - mean) ** 2 * tf.exp(-log_variance)
    return -0.5 * (math.log(2 * math.pi) + log_variance + error)


def log_negative_binomial(counts, mean, log_dispersion):
    """Log mass of counts of a mean and inverse dispersion theta, variance mean + mean^2 / theta.

    It is computed in float64: of large counts the terms cancel to a millionth.
    """
    kind = counts.dtype
    counts, mean, log_theta = (tf.cast(x, tf.float64) for x in (counts, mean, log_dispersion))
    theta, mean = tf.exp(log_theta), mean + SMALLEST
    log_total = tf.math.log(theta + mean)
    found = (
        tf.math.lgamma(counts + theta) - tf.math.lgamma(theta) - tf.math.lgamma(counts + 1.0)
        + theta * (log_theta - log_total)
        + counts * (tf.math.log(mean) - log_total)
    )  # fmt: skip
    return tf.cast(found, kind)


def log_zero_inflated(counts, mean, log_dispersion, logit):
    """The same where a value is 0 anyway with the chance that a logit gives (Lopez et al. 2018)."""
    counted = log_negative_binomial(counts, mean, log_dispersion)
    by_chance = -tf.nn.softplus(-logit)
    otherwise = -tf.nn.softplus(logit) + counted
    at_zero = by_chance + tf.nn.softplus(otherwise - by_chance)
    return tf.where(counts < 0.5, at_zero, otherwise)


def _expected_counts(decoded, library):
    return library * tf.nn.softmax(decoded, axis=-1)


def _halves(decoded):
    return tf.split(decoded, 2, axis=-1)


def _zero_inflated(values, decoded, shared, library):
    scale, logit = _halves(decoded)
    return log_zero_inflated(values, _expected_counts(scale, library), shared, logit)


def _zero_inflated_mean(decoded, library):
    scale, logit = _halves(decoded)
    return _expected_counts(scale, library) * tf.nn.sigmoid(-logit)


LIKELIHOODS = {
    "gaussian": Likelihood(
        1, "variance", False,
        lambda values, decoded, shared, library: log_normal(values, decoded, shared),
        lambda decoded, library: decoded,
    ),
    "bernoulli": Likelihood(
        1, "", True,
        lambda values, decoded, shared, library: values * decoded - tf.nn.softplus(decoded),
        lambda decoded, library: tf.nn.sigmoid(decoded),
    ),
    "negative_binomial": Likelihood(
        1, "dispersion", True,
        lambda values, decoded, shared, library: log_negative_binomial(
            values, _expected_counts(decoded, library), shared
        ),
        _expected_counts,
    ),
    "zero_inflated": Likelihood(2, "dispersion", True, _zero_inflated, _zero_inflated_mean),
}  # fmt: skip
