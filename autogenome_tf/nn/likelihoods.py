"""Likelihoods of an autoencoder: log densities of rows given the decoder's outputs, and means.

Each likelihood takes the decoder's (rows, heads * genes) and parameters that all rows share.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Bounds of log variances and log dispersions: e^-10 to e^10, where float32 has digits to spare.
BOUND = 10.0
SMALLEST = 1e-8
# Type that differences of log gammas need.
FINE = tf.float64


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """A distribution of values given a decoder's outputs.

    Attributes:
        heads: Outputs of the decoder for each gene.
        shared: The parameter that all rows share, as logarithm: "" (none), "variance" (one number)
            or "dispersion" (one a gene).
        of_raw: Whether it is of raw values, not of transformed and scaled ones.
        log_density: (values, decoded, shared, library, constant) -> (rows, genes).
        mean: (decoded, library) -> (rows, genes), the expected values.
    """

    heads: int
    shared: str
    of_raw: bool
    log_density: Callable
    mean: Callable

    def log_likelihood(
        self, values: Any, decoded: Any, shared: Any, library: Any, constant: Any = None
    ) -> tf.Tensor:
        """Sum log densities over genes, missing values left out.

        Args:
            values: (rows, genes), NaN where missing.
            decoded: (rows, heads * genes); with `constant` also (draws, rows, heads * genes).
            shared: The parameter that all rows share; see `shared`.
            library: (rows, 1) sums of the raw values; used by counts.
            constant: What the method of that name returns, or None.

        Returns:
            (rows,) in nats, or (draws, rows).
        """
        known = tf.math.is_finite(values)
        each = self.log_density(tf.where(known, values, 0.0), decoded, shared, library, constant)
        return tf.reduce_sum(tf.where(known, each, 0.0), axis=-1)

    def constant(self, values: Any, shared: Any) -> tf.Tensor:
        """Return the terms that rows keep however they are decoded, to be computed once.

        Args:
            values: (rows, genes), NaN where missing.
            shared: The parameter that all rows share.

        Returns:
            (rows, genes) float64 of counts, else 0.
        """
        if self.shared != "dispersion":
            return tf.zeros((), FINE)
        counts = tf.cast(tf.where(tf.math.is_finite(values), values, 0.0), FINE)
        theta = tf.exp(tf.cast(shared, FINE))
        rising = tf.math.lgamma(counts + theta) - tf.math.lgamma(theta)
        return rising - tf.math.lgamma(counts + 1.0)


def kl_divergence(mean: Any, log_variance: Any) -> tf.Tensor:
    """Compute the KL divergence of N(mean, exp(log_variance)) from N(0, 1) of each unit, in nats.

    1/2 (exp(l) + m^2 - 1 - l), Kingma and Welling 2014, appendix B.

    Args:
        mean: (rows, latent) means.
        log_variance: (rows, latent) log variances.
    """
    return 0.5 * (tf.exp(log_variance) + mean**2 - 1.0 - log_variance)


def log_normal(values: Any, mean: Any, log_variance: Any) -> tf.Tensor:
    """Compute the log density of a normal distribution, elementwise.

    Args:
        values: (rows, genes) values.
        mean: (rows, genes) means.
        log_variance: Log variances, of a shape that broadcasts to (rows, genes).
    """
    error = (values - mean) ** 2 * tf.exp(-log_variance)
    return -0.5 * (math.log(2 * math.pi) + log_variance + error)


def log_negative_binomial(
    counts: tf.Tensor, mean: Any, log_dispersion: Any, constant: Any = None
) -> tf.Tensor:
    """Compute the log mass of negative binomial counts, elementwise.

    theta, the exponential of `log_dispersion`, is the inverse dispersion: the variance is
    mean + mean^2 / theta.

    At a count of 0 it is -theta log(1 + mean / theta). Only the other counts, which are few in
    single cells, need log gammas; they are computed in float64: of large counts the terms cancel to
    a millionth.

    Args:
        counts: (rows, genes) counts, at least 0; they have no gradient.
        mean: (rows, genes) expected counts.
        log_dispersion: (genes,) log of the inverse dispersion.
        constant: Terms without the mean, `Likelihood.constant`, or None. With them there are no log
            gammas, and no gradient; `mean` may have further axes in front.
    """
    if constant is not None:
        count, theta = tf.cast(counts, FINE), tf.exp(tf.cast(log_dispersion, FINE))
        ratio = tf.cast(mean + SMALLEST, FINE) / theta
        found = constant + count * tf.math.log(ratio) - (count + theta) * tf.math.log1p(ratio)
        return tf.cast(found, mean.dtype)

    @tf.custom_gradient
    def log_mass(mean, log_theta):
        theta, apart = tf.exp(log_theta), tf.math.log1p(mean / tf.exp(log_theta))
        places = tf.where(counts > 0)
        genes = places[:, 1]
        count, expected = (tf.cast(tf.gather_nd(x, places), FINE) for x in (counts, mean))
        log_fine = tf.cast(log_theta, FINE)
        fine = tf.exp(log_fine)
        own = tf.gather(fine, genes)
        log_total = tf.math.log(own + expected)
        above_zero = (
            tf.math.lgamma(count + own) - tf.gather(tf.math.lgamma(fine), genes)
            - tf.math.lgamma(count + 1.0) + own * (tf.gather(log_fine, genes) - log_total)
            + count * (tf.math.log(expected) - log_total)
        )  # fmt: skip

        def gradient(slopes):
            share = slopes * (counts - mean) / (theta + mean)
            rise = tf.math.digamma(count + own) - tf.gather(tf.math.digamma(fine), genes)
            rise = tf.cast(rise, mean.dtype) * tf.gather_nd(slopes, places)
            risen = tf.math.unsorted_segment_sum(rise, genes, tf.shape(theta)[0])
            of_theta = risen - tf.reduce_sum(slopes * apart + share, axis=0)
            return theta * share / mean, theta * of_theta

        found = tf.cast(above_zero, mean.dtype)
        return tf.tensor_scatter_nd_update(-theta * apart, places, found), gradient

    return log_mass(mean + SMALLEST, tf.convert_to_tensor(log_dispersion))


def log_zero_inflated(
    counts: tf.Tensor, mean: Any, log_dispersion: Any, logit: Any, constant: Any = None
) -> tf.Tensor:
    """Compute the log mass of zero-inflated negative binomial counts (Lopez et al. 2018).

    A count is a structural zero with the probability of `logit`.

    Args:
        counts: (rows, genes) counts, at least 0.
        mean: (rows, genes) expected counts.
        log_dispersion: (genes,) log of the inverse dispersion.
        logit: (rows, genes) logit of a structural zero.
        constant: As for `log_negative_binomial`.
    """
    counted = log_negative_binomial(counts, mean, log_dispersion, constant)
    structural = -tf.nn.softplus(-logit)
    otherwise = -tf.nn.softplus(logit) + counted
    at_zero = structural + tf.nn.softplus(otherwise - structural)
    return tf.where(counts < 0.5, at_zero, otherwise)


def _expected_counts(decoded, library):
    return library * tf.nn.softmax(decoded, axis=-1)


def _halves(decoded):
    return tf.split(decoded, 2, axis=-1)


def _zero_inflated(values, decoded, shared, library, constant):
    scale, logit = _halves(decoded)
    return log_zero_inflated(values, _expected_counts(scale, library), shared, logit, constant)


def _zero_inflated_mean(decoded, library):
    scale, logit = _halves(decoded)
    return _expected_counts(scale, library) * tf.nn.sigmoid(-logit)


LIKELIHOODS = {
    "gaussian": Likelihood(
        1, "variance", False,
        lambda values, decoded, shared, *_: log_normal(values, decoded, shared),
        lambda decoded, library: decoded,
    ),
    "bernoulli": Likelihood(
        1, "", True,
        lambda values, decoded, *_: values * decoded - tf.nn.softplus(decoded),
        lambda decoded, library: tf.nn.sigmoid(decoded),
    ),
    "negative_binomial": Likelihood(
        1, "dispersion", True,
        lambda values, decoded, shared, library, constant: log_negative_binomial(
            values, _expected_counts(decoded, library), shared, constant
        ),
        _expected_counts,
    ),
    "zero_inflated": Likelihood(2, "dispersion", True, _zero_inflated, _zero_inflated_mean),
}  # fmt: skip
